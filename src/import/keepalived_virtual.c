/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines of virtual_server and real_server of keepalived. */
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "import/keepalived.h"
#include "model/limits.h"

#define PERSISTENCE_DEFAULT 360U
#define MONTH		    (31U * 86400)

static const struct {
	const char *keyword, *why;
} dropped[] = {
	{"ha_suspend", "plvs checks always, on both routers"},
	{"omega", "services end with plvs"},
	{"sorry_server_inhibit", "a sorry server of plvs stays in its place"},
	{"smtp_alert", "mail is sent by a program of node.notify.health"},
	{"warmup", "plvs spreads first probes itself"},
	{"log_all_failures", "plvs logs each change of health"},
	{"virtualhost_log", "plvs logs each change of health"},
	{"snmp_name", "a name for SNMP"},
	{"svr_name", "a name for logs"},
};

static bool dropped_take(struct importer *im, const struct kw *k)
{
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		if (!kw_is(k, dropped[i].keyword))
			continue;
		note(im, k->at, NOTE_DROPPED, "%s: %s", k->raw[0], dropped[i].why);
		return true;
	}
	return false;
}

static void unknown_take(struct keepalived *ka, const struct kw *k, const char *where)
{
	if (kw_is(k, "nat_mask"))
		note(ka->im, k->at, NOTE_DROPPED, "nat_mask: keepalived dropped it in 1.2.20");
	else if (k->block)
		note(ka->im, k->at, NOTE_ERROR,
		     "\"%.48s\" is no keyword of a %s; keepalived passes its block over, an import "
		     "does "
		     "not",
		     k->raw[0], where);
	else
		note(ka->im, k->at, NOTE_DIFFERS,
		     "\"%.48s\" is no keyword of a %s: passed over, as keepalived does", k->raw[0],
		     where);
}

static void notify_note(struct importer *im, const struct kw *k)
{
	note(im, k->at, NOTE_UNSAID,
	     "%s: node.notify.health is the nearest, one program for all servers and quorums, "
	     "which gets "
	     "JSON on standard input and runs as another user: a wrapper is needed, the script is "
	     "not "
	     "taken over. An address or route that it moves, or a server that it adds, is not "
	     "imported: plvs answers for VIPs while the router is active, whether servers are up "
	     "or "
	     "not",
	     k->raw[0]);
}

/* ---- real servers ---- */

static bool server_keyword(struct keepalived *ka, const struct kw *k, struct ka_server *s)
{
	struct importer *im = ka->im;

	if (kw_is(k, "weight"))
		s->has_weight = kw_number(im, k, 1, MAX_WEIGHT, &s->weight);
	else if (kw_is(k, "uthreshold"))
		kw_number(im, k, 1, UINT32_MAX, &s->upper);
	else if (kw_is(k, "lthreshold"))
		kw_number(im, k, 1, UINT32_MAX, &s->lower);
	else if (kw_is(k, "inhibit_on_failure"))
		s->inhibit = kw_flag(im, k) ? SWITCH_ON : SWITCH_OFF;
	else if (kw_is(k, "lvs_method") || (ka->dpvs && kw_is(k, "lb_kind")))
		kw_method(im, k, &s->method, &s->tunnel);
	else if (kw_is(k, "notify_up") || kw_is(k, "notify_down"))
		notify_note(im, k);
	else if (kw_is(k, "alpha"))
		note(im, k->at, NOTE_DROPPED, "alpha: plvs always waits for the first good answer");
	else
		return false;
	return true;
}

static void server_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	struct ka_server *s = arena_alloc(ka->im, sizeof(*s));

	s->kw = k;
	if (!kw_address(ka->im, k, 1, &s->addr))
		return;
	if (k->n > 2) {
		s->has_port = kw_port(ka->im, k, 2, &s->port);
		if (s->has_port && s->port == 0)
			s->has_port = false;
	}
	if (!k->block)
		note(ka->im, k->at, NOTE_ERROR, "real_server without its block");
	if (v->method_said) {
		s->method = v->method;
		s->tunnel = v->tunnel;
	}
	for (const struct kw *c = k->children; c; c = c->next) {
		if (ka_is_checker(c))
			continue;
		if (server_keyword(ka, c, s) || ka_timing_take(ka->im, c, &s->timing) ||
		    dropped_take(ka->im, c)) {
			kw_no_block(ka->im, c);
			ka_retry_check(ka->im, c, &s->timing);
		} else {
			unknown_take(ka, c, "real_server");
		}
	}
	*v->servers_end = s;
	v->servers_end = &s->next;
}

/* ---- virtual servers ---- */

static void scheduler_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	const char *name = kw_word(ka->im, k, 1);

	v->scheduler_said = true;
	v->scheduler = scheduler_find(name);
	if (!v->scheduler && ka->dpvs && strcmp(name, "conhash") == 0) {
		v->scheduler = "mh";
		note(ka->im, k->at, NOTE_DIFFERS,
		     "conhash: imported as mh, which is consistent by client as well; other "
		     "clients move");
	} else if (!v->scheduler) {
		v->scheduler = "wlc";
		note(ka->im, k->at, NOTE_DIFFERS,
		     "scheduler \"%.32s\" is not known: wlc is taken, as keepalived does", name);
	}
}

static bool flag_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	static const struct {
		const char *name;
		uint32_t flag;
		const char *of;
	} flags[] = {
		{"sh-port", LVS_PORT, "sh"},
		{"sh-fallback", LVS_FALLBACK, "sh"},
		{"mh-port", LVS_PORT, "mh"},
		{"mh-fallback", LVS_FALLBACK, "mh"},
		{"flag-1", LVS_FALLBACK, NULL},
		{"flag-2", LVS_PORT, NULL},
		{"flag-3", 0, NULL},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool fits;

		if (!kw_is(k, flags[i].name))
			continue;
		fits = v->scheduler_said && (flags[i].of ? strcmp(v->scheduler, flags[i].of) == 0
							 : strcmp(v->scheduler, "sh") == 0 ||
								   strcmp(v->scheduler, "mh") == 0);
		if (fits)
			v->flags |= flags[i].flag;
		else
			note(ka->im, k->at, NOTE_DIFFERS,
			     "%s does not stand behind an lvs_sched of %s: keepalived ignores it, "
			     "and so "
			     "does the import; it is likely meant (scheduler_flags)",
			     k->raw[0], flags[i].of ? flags[i].of : "sh or mh");
		return true;
	}
	return false;
}

static void persistence_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	uint32_t n = PERSISTENCE_DEFAULT;

	if (k->n > 1 && !kw_number(ka->im, k, 1, MONTH, &n))
		return;
	if (n == 0)
		note(ka->im, k->at, NOTE_DIFFERS,
		     "persistence_timeout 0 is not valid: no persistence, as keepalived does");
	v->persistent = n != 0;
	v->persistence_s = n;
}

static void granularity_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	const char *text = kw_word(ka->im, k, 1);
	uint64_t n;

	if (number_parse(text, 128, &n) && n)
		v->netmask = (uint32_t)n;
	else if (!netmask_parse(text, &v->netmask) || v->netmask == LVS_MASK_ALL)
		note(ka->im, k->at, NOTE_ERROR,
		     "persistence_granularity \"%.32s\": expected a netmask", text);
	if (v->persistent)
		return;
	v->persistent = true;
	v->persistence_s = PERSISTENCE_DEFAULT;
}

static void protocol_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	const char *p = kw_word(ka->im, k, 1);

	v->protocol_at = k;
	if (strcasecmp(p, "TCP") == 0)
		v->protocol = IPPROTO_TCP;
	else if (strcasecmp(p, "UDP") == 0)
		v->protocol = IPPROTO_UDP;
	else if (strcasecmp(p, "SCTP") == 0)
		v->protocol = IPPROTO_SCTP;
	else
		note(ka->im, k->at, NOTE_ERROR, "protocol \"%.32s\": expected TCP, UDP or SCTP", p);
}

static bool scheduling_keyword(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	if (kw_is(k, "lvs_sched") || kw_is(k, "lb_algo"))
		scheduler_take(ka, k, v);
	else if ((kw_is(k, "lvs_method") || kw_is(k, "lb_kind")) && !ka->dpvs)
		v->method_said = kw_method(ka->im, k, &v->method, &v->tunnel);
	else if (kw_is(k, "persistence_timeout"))
		persistence_take(ka, k, v);
	else if (kw_is(k, "persistence_granularity"))
		granularity_take(ka, k, v);
	else if (kw_is(k, "persistence_engine"))
		v->engine = k;
	else if (kw_is(k, "protocol"))
		protocol_take(ka, k, v);
	else if (kw_is(k, "ops"))
		v->ops = true;
	else if (kw_is(k, "ip_family"))
		kw_family(ka->im, k, 1, &v->family);
	else
		return flag_take(ka, k, v);
	return true;
}

/* A number that must not be 0: keepalived takes its default, 1. */
static bool positive_take(struct importer *im, const struct kw *k, uint32_t max, uint32_t *out)
{
	uint32_t n;

	if (!kw_number(im, k, 1, max, &n))
		return false;
	if (n)
		*out = n;
	else
		note(im, k->at, NOTE_DIFFERS,
		     "%.48s 0 is not valid of a virtual_server: 1, as keepalived takes it",
		     k->raw[0]);
	return n != 0;
}

static bool health_keyword(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	if (kw_is(k, "alpha")) {
		v->alpha = true;
		note(ka->im, k->at, NOTE_DROPPED,
		     "alpha: plvs always waits for the first good answer");
	} else if (kw_is(k, "quorum")) {
		v->quorum_at = k;
		positive_take(ka->im, k, 100000000, &v->quorum);
	} else if (kw_is(k, "hysteresis")) {
		v->quorum_at = v->quorum_at ? v->quorum_at : k;
		kw_number(ka->im, k, 1, 100000000, &v->hysteresis);
	} else if (kw_is(k, "quorum_up") || kw_is(k, "quorum_down")) {
		notify_note(ka->im, k);
	} else if (kw_is(k, "sorry_server")) {
		v->sorry = k;
	} else if (kw_is(k, "sorry_server_lvs_method")) {
		kw_method(ka->im, k, &v->sorry_method, &v->sorry_tunnel);
	} else if (kw_is(k, "inhibit_on_failure")) {
		v->inhibit = kw_flag(ka->im, k) ? SWITCH_ON : SWITCH_OFF;
	} else if (kw_is(k, "weight")) {
		v->has_weight = positive_take(ka->im, k, MAX_WEIGHT, &v->weight);
	} else {
		return false;
	}
	return true;
}

static void virtual_keyword_end(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	kw_no_block(ka->im, k);
	ka_retry_check(ka->im, k, &v->timing);
}

void ka_virtual_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	*v = (struct ka_virtual){.kw = k, .weight = 1, .quorum = 1};
	v->servers_end = &v->servers;
	for (const struct kw *c = k->children; c; c = c->next) {
		if (kw_is(c, "real_server"))
			server_take(ka, c, v);
		else if (scheduling_keyword(ka, c, v) || health_keyword(ka, c, v) ||
			 ka_timing_take(ka->im, c, &v->timing) || dropped_take(ka->im, c))
			virtual_keyword_end(ka, c, v);
		else if (!ka_dpvs_virtual(ka, c, v))
			unknown_take(ka, c, "virtual_server");
	}
	if (!v->alpha)
		ka->any_without_alpha = true;
}

/* virtual_server ADDRESS [PORT], fwmark N, group NAME */
void ka_virtual_map(struct keepalived *ka, const struct kw *k)
{
	const char *first = kw_word(ka->im, k, 1);
	struct ka_entry one = {.at = k->at};
	const struct ka_entry *entries = &one;
	struct ka_virtual v;

	if (ka->dpvs && strcmp(first, "match") == 0) {
		note(ka->im, k->at, NOTE_UNSAID,
		     "virtual_server match %.64s: SNAT for the servers' own traffic is no "
		     "balancing: "
		     "nftables does it, on the Linux side",
		     kw_word(ka->im, k, 2));
		return;
	}
	if (strcmp(first, "group") == 0)
		entries = ka_group_entries(ka, k);
	else if (strcmp(first, "fwmark") == 0)
		entries = kw_number(ka->im, k, 2, UINT32_MAX, &one.mark) && one.mark ? &one : NULL;
	else if (!kw_address(ka->im, k, 1, &one.addr) ||
		 (k->n > 2 && !kw_port(ka->im, k, 2, &one.port)))
		entries = NULL;
	ka_virtual_take(ka, k, &v);
	if (!v.servers) {
		note(ka->im, k->at, NOTE_NOTICE,
		     "a virtual_server without real servers: keepalived ignores it, nothing is "
		     "imported");
		return;
	}
	if (entries)
		ka_services_make(ka, &v, entries);
}
