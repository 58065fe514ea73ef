/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual server of keepalived as services of plvs. Of a group each mark is a service; its
 * addresses are listeners of one service for each address family, those of any port apart.
 */
#include <netinet/in.h>
#include <string.h>

#include "import/keepalived.h"

#define PERSISTENCE_DEFAULT 360U

/* ---- quorum ---- */

/* keepalived sums weights: lost below q - h, gained at q + h. */
static void quorum_set(struct keepalived *ka, const struct ka_virtual *v, struct lvs_service *svc)
{
	uint32_t q = v->quorum ? v->quorum : 1, h = v->hysteresis;
	struct origin at = v->quorum_at ? v->quorum_at->at : v->kw->at;
	uint32_t idle = 0;
	uint64_t total = 0;

	if (!v->quorum_at)
		return;
	for (const struct lvs_server *s = svc->servers; s; s = s->next) {
		total += s->sorry ? 0 : s->weight;
		idle += !s->sorry && s->weight == 0;
	}
	if (q > total && total) {
		note(ka->im, at, NOTE_DIFFERS,
		     "quorum %u is more than all weights together: keepalived lowers it to %llu", q,
		     (unsigned long long)total);
		q = (uint32_t)total;
	}
	if (h >= q && h) {
		note(ka->im, at, NOTE_DIFFERS,
		     "hysteresis %u is not below the quorum: keepalived lowers it to %u", h, q - 1);
		h = q - 1;
	}
	svc->quorum = q > h ? q - h : 1;
	svc->hysteresis = 2 * h;
	svc->quorum_weight = true;
	if (idle)
		note(ka->im, at, NOTE_NOTICE,
		     "%u servers of weight 0 count nothing in the quorum, alive or not", idle);
	if ((uint64_t)q + h > total)
		note(ka->im, at, NOTE_DIFFERS,
		     "keepalived gains the quorum at %u, more than all weights together, %llu: "
		     "never again "
		     "once it is lost",
		     q + h, (unsigned long long)total);
}

/* ---- servers ---- */

static uint32_t weight_of(const struct ka_virtual *v, const struct ka_server *s)
{
	return s->has_weight ? s->weight : v->has_weight ? v->weight : 1;
}

static void server_make(struct keepalived *ka, const struct ka_virtual *v,
			const struct ka_server *s, struct lvs_service *svc)
{
	struct lvs_server *out = server_new(ka->im, svc, s->kw->at);

	out->addr = s->addr;
	out->port = s->has_port ? s->port : 0;
	out->weight = weight_of(v, s);
	out->method = s->method ? s->method : svc->method;
	out->tunnel = s->method ? s->tunnel : v->tunnel;
	out->upper = s->upper;
	out->lower = s->lower > s->upper ? 0 : s->lower;
	if (s->lower > s->upper)
		note(ka->im, s->kw->at, NOTE_DROPPED,
		     "lthreshold %u has no effect above the upper one, %u", s->lower, s->upper);
	out->quiesce = s->inhibit;
	out->port_at = s->kw->at;
	ka_checks_make(ka, v, s, svc, out);
}

static void sorry_make(struct keepalived *ka, const struct ka_virtual *v, struct lvs_service *svc)
{
	struct lvs_server *out;
	struct addr addr;
	uint32_t port = 0;

	if (!v->sorry || !kw_address(ka->im, v->sorry, 1, &addr))
		return;
	if (v->sorry->n > 2 && !kw_port(ka->im, v->sorry, 2, &port))
		return;
	out = server_new(ka->im, svc, v->sorry->at);
	out->addr = addr;
	out->port = port;
	out->method = v->sorry_method ? v->sorry_method : svc->method;
	out->tunnel = v->sorry_method ? v->sorry_tunnel : v->tunnel;
	out->sorry = true;
	note(ka->im, v->sorry->at, NOTE_DIFFERS,
	     "sorry_server: until the first answers are in, plvs serves from it; keepalived "
	     "without alpha "
	     "starts with all real servers");
}

/* ---- the service ---- */

static void policy_set(struct keepalived *ka, const struct ka_virtual *v, struct lvs_service *svc,
		       bool any_port)
{
	struct importer *im = ka->im;

	svc->scheduler = v->scheduler_said ? v->scheduler : "wlc";
	if (!v->scheduler_said)
		note(im, v->kw->at, NOTE_NOTICE, "no lvs_sched: wlc, as with keepalived");
	svc->flags = v->flags;
	svc->method = v->method_said ? v->method : METHOD_NAT;
	if (!v->method_said)
		note(im, v->kw->at, NOTE_NOTICE, "no lvs_method: NAT, as with keepalived");
	svc->persistence_s = v->persistent ? v->persistence_s : 0;
	svc->netmask = v->netmask;
	if (any_port && !svc->persistence_s) {
		svc->persistence_s = PERSISTENCE_DEFAULT;
		note(im, v->kw->at, NOTE_NOTICE,
		     "port 0, any: keepalived makes it persistent for %u s, and so does the import",
		     PERSISTENCE_DEFAULT);
	}
	if (v->engine)
		svc->by_call_id =
			lvs_engine_take(im, v->engine->at, "persistence_engine",
					kw_word(im, v->engine, 1), svc->persistence_s != 0);
	svc->one_packet = v->ops && (svc->mark || v->protocol != IPPROTO_TCP);
	if (v->ops && !svc->one_packet)
		note(im, v->kw->at, NOTE_DIFFERS,
		     "ops is for UDP alone: passed over, as keepalived does");
	if (svc->one_packet && svc->scheduler && strstr("lc wlc sed nq lblc lblcr", svc->scheduler))
		note(im, v->kw->at, NOTE_DIFFERS,
		     "ops: no connection stays, so counts are 0 and %s chooses blindly, as with "
		     "IPVS",
		     svc->scheduler);
	svc->quiesce = v->inhibit;
	svc->established_s = v->established_s;
	svc->client_address = v->client_address;
	svc->client_address_at = v->client_address_at;
}

static void protocol_set(struct keepalived *ka, const struct ka_virtual *v, struct lvs_service *svc)
{
	if (svc->mark) {
		if (v->protocol_at)
			note(ka->im, v->protocol_at->at, NOTE_DROPPED,
			     "protocol has no meaning for a mark");
		note(ka->im, svc->at, NOTE_UNSAID,
		     "mark %u: the netfilter rules that set it are in no such file: shared.marks "
		     "is to be "
		     "written by hand",
		     svc->mark);
		return;
	}
	svc->protocol = v->protocol ? v->protocol : IPPROTO_UDP;
	if (!v->protocol)
		note(ka->im, v->kw->at, NOTE_DIFFERS,
		     "no protocol: UDP, as keepalived from 1.3.6 on takes it. TCP is likely meant");
}

/* Where no word says the family, the real servers do. */
static uint8_t mark_family(const struct ka_virtual *v, const struct ka_entry *entry)
{
	return entry->family ? entry->family : v->family ? v->family : v->servers->addr.family;
}

static struct lvs_service *service_make(struct keepalived *ka, const struct ka_virtual *v,
					const struct ka_entry *entry, bool any_port)
{
	struct lvs_service *svc = service_new(ka->im, v->kw->at);

	svc->mark = entry->mark;
	svc->v6 = entry->mark && mark_family(v, entry) == ADDR_V6;
	policy_set(ka, v, svc, any_port);
	return svc;
}

/* Beside services by NAT, directors of kernel IPVS often have a rule of netfilter that masquerades
 * clients, for servers without a route to them. Said once. */
static void masquerade_tell(struct keepalived *ka, const struct lvs_service *svc)
{
	if (ka->masquerade_told || ka->dpvs || svc->method != METHOD_NAT)
		return;
	ka->masquerade_told = true;
	note(ka->im, svc->at, NOTE_NOTICE,
	     "a masquerade rule of netfilter (iptables, nftables) is not in this file: where one "
	     "hides clients from the real servers, `forward` has to be `fullnat`, with addresses "
	     "of "
	     "kind `pool`");
}

/* When its listeners are known. */
static void service_fill(struct keepalived *ka, const struct ka_virtual *v, struct lvs_service *svc)
{
	protocol_set(ka, v, svc);
	ka_dpvs_fill(ka, svc);
	masquerade_tell(ka, svc);
	for (const struct ka_server *s = v->servers; s; s = s->next)
		server_make(ka, v, s, svc);
	quorum_set(ka, v, svc);
	sorry_make(ka, v, svc);
	if (svc->n_listeners > 1)
		note(ka->im, svc->at, NOTE_DIFFERS,
		     "a group of %u addresses is one service here: they share the scheduler's "
		     "state, and "
		     "in keepalived each is a service of its own%s",
		     svc->n_listeners,
		     svc->method == METHOD_NAT || svc->method == METHOD_FULLNAT
			     ? ""
			     : "; every real server needs all of these addresses");
	if (!v->opens)
		return;
	if (!ka->im->options->force)
		svc->lost = arena_printf(ka->im, "%s; --force imports it open to all", v->opens);
}

static void listeners_make(struct keepalived *ka, const struct ka_virtual *v,
			   const struct ka_entry *entries, uint8_t family, bool any_port)
{
	struct lvs_service *svc = NULL;

	for (const struct ka_entry *e = entries; e; e = e->next) {
		if (e->mark || e->addr.family != family || (e->port == 0) != any_port)
			continue;
		if (svc && svc->n_listeners == MAX_LISTENERS_IN) {
			service_fill(ka, v, svc);
			svc = NULL;
		}
		if (!svc)
			svc = service_make(ka, v, e, any_port);
		listener_new(ka->im, svc, e->at, &e->addr, e->port);
	}
	if (svc)
		service_fill(ka, v, svc);
}

void ka_services_make(struct keepalived *ka, const struct ka_virtual *v,
		      const struct ka_entry *entries)
{
	if (v->opens)
		note(ka->im, v->opens_at, NOTE_OPENS, "%s", v->opens);
	for (const struct ka_entry *e = entries; e; e = e->next)
		if (e->mark)
			service_fill(ka, v, service_make(ka, v, e, false));
	listeners_make(ka, v, entries, ADDR_V4, false);
	listeners_make(ka, v, entries, ADDR_V4, true);
	listeners_make(ka, v, entries, ADDR_V6, false);
	listeners_make(ka, v, entries, ADDR_V6, true);
}
