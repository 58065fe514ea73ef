/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/persistence/persist.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/stages/answer.h"
#include "dataplane/stages/ip.h"
#include "dataplane/exits/doors.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/persistence/call_id.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/conn_sync.h"

#define PORT_FTP       21
#define UDP_HEADER_LEN 8

static FAM_ADDR client_network(const struct service *svc, FAM_ADDR client)
{
	const uint64_t mask = svc->policy.netmask;

	return mask & NETMASK_BITS ? FAM_FN(addr, under)(client, (uint32_t)mask)
				   : FAM_FN(addr, masked)(client, (unsigned int)mask);
}

/* In the key of a mark's template: the mark in the first 32 bits, as the listing shows (IPVS). */
static FAM_ADDR mark_address(uint32_t mark)
{
	return FAM_FN(addr, of_mark)(htobe32(mark));
}

/* FTP's data connections come to other ports: control and data share one template. */
static bool keyed_by_port(const struct service_match *match, const struct FAM(key) *k)
{
	return match->exact && !(k->proto == IPPROTO_TCP && k->dport == be16_from(PORT_FTP));
}

/* The hash of the Call-ID in what the first segment has of a datagram; 0: none. */
static __rte_noinline be16 call_of(const struct FAM(pkt) *p)
{
	const uint8_t *data = p->l3 + p->l4_off + UDP_HEADER_LEN;
	const uint8_t *end = rte_pktmbuf_mtod(p->m, const uint8_t *) + rte_pktmbuf_data_len(p->m);

	if (p->l3 + p->l3_len < end) /* padding of the frame */
		end = p->l3 + p->l3_len;
	if ((p->flags & (PKT_FOLLOWS | PKT_RELATED | PKT_BAD_L4)) || data >= end)
		return 0;
	return be16_from(call_id_hash(data, (size_t)(end - data)));
}

/* False: the persistence goes by the Call-ID, and the packet has none. */
static bool template_key(const struct service_match *match, const struct FAM(pkt) *p,
			 struct FAM(key) *out)
{
	const struct service *svc = match->svc;
	const struct FAM(key) *k = &p->key;
	struct FAM(key) key = {.saddr = client_network(svc, k->saddr), .proto = PROTO_TEMPLATE};

	if (unlikely(svc->policy.persist_engine == PERSIST_BY_CALL_ID) && k->proto == IPPROTO_UDP) {
		key.sport = call_of(p);
		if (key.sport == 0)
			return false;
	}
	if (svc->fwmark) {
		key.daddr = mark_address(svc->fwmark);
	} else {
		key.proto |= k->proto;
		key.daddr = k->daddr;
		if (keyed_by_port(match, k))
			key.dport = k->dport;
	}
	*out = key;
	return true;
}

static const struct server *server_by_id(const struct service *svc, uint32_t id)
{
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (svc->servers[i].rt->id == id)
			return &svc->servers[i];
	return NULL;
}

/* The template's server while it may be used. Weight 0 keeps its clients, and a server at
 * its upper threshold is not asked (IPVS); one that is down or removed has none. */
static const struct server *template_server(const struct service *svc, const struct FAM(conn) *t)
{
	const struct server *srv = server_by_id(svc, t->c.server);

	if (!srv || srv->down)
		return NULL;
	if (srv->weight == 0 && svc->policy.expire_quiescent)
		return NULL;
	return srv;
}

/* The server that the listing shows for the template. */
static void template_show(struct FAM(conn) *t, const struct service_match *match,
			  const struct FAM(key) *k, const struct server *srv)
{
	t->daddr = FAM(server_addr)(srv);
	t->c.method = srv->method;
	t->dport = keyed_by_port(match, k) ? srv->port : 0;
}

static struct FAM(conn) *template_find(const struct worker *w, const struct FAM(key) *key)
{
	const struct FAM(table) *t = &w->FAM(v).table;

	return FAM_FN(table, find)(t, key, FAM_FN(table, hash)(t, key), DIR_IN);
}

struct FAM(conn) *FAM_FN(persist, find)(const struct worker *w, const struct service_match *match,
					const struct FAM(pkt) *p)
{
	struct FAM(key) key;

	return template_key(match, p, &key) ? template_find(w, &key) : NULL;
}

/* At home. Finds the client's template or makes one, and holds it. */
static int template_choose(struct worker *w, const struct service_match *match,
			   const struct FAM(pkt) *p, struct persist_choice *out)
{
	const struct FAM(key) *k = &p->key;
	const struct server *srv;
	struct FAM(conn) *t;
	struct FAM(key) key;

	if (unlikely(!template_key(match, p, &key)))
		return -EBADMSG;
	t = template_find(w, &key);
	srv = t ? template_server(match->svc, t) : NULL;
	if (!srv) {
		const struct sched_request req = FAM_FN(service, request)(w, k);
		int choice = match->svc->sched->choose(match->svc, &req);

		if (choice == SCHED_NONE)
			return -ENOENT;
		srv = &match->svc->servers[choice];
		if (t)
			FAM_FN(template, move)(w, t, srv->rt);
		else
			t = FAM_FN(template, create)(w, &key, srv->rt);
		if (!t)
			return -ENOSPC;
		template_show(t, match, k, srv);
		if (sync_on(w))
			FAM_FN(sync, changed)(w, t);
	}
	t->c.tick = w->env.now_tick;
	t->c.timeout = match->svc->policy.persist_s * CONN_TICK_HZ;
	wheel_shorten(&w->FAM(v).wheel, &t->c, FAM_FN(conn, index)(&w->FAM(v).table, t));
	out->server = srv;
	out->control = FAM_FN(template, hold)(w, t);
	return 0;
}

unsigned int FAM_FN(persist, home)(const struct worker *w, const struct service *svc,
				   FAM_ADDR client)
{
	return FAM(owner)(w->owners, client_network(svc, client), 0);
}

int FAM_FN(persist, choose)(struct worker *w, const struct service_match *match, struct FAM(pkt) *p,
			    struct persist_choice *out)
{
	struct pkt_tag *tag = pkt_tag(p->m);
	unsigned int home;

	if (tag->kind == HANDOFF_DECIDED) {
		tag->kind = HANDOFF_STEER;
		out->server = server_by_id(match->svc, tag->server);
		out->control = tag->control;
		if (out->server)
			return 0;
		if (tag->control) /* removed while the packet was on its way */
			FAM_FN(template, release)(w, tag->control);
	}
	home = FAM_FN(persist, home)(w, match->svc, p->key.saddr);
	if (home == w->id)
		return template_choose(w, match, p, out);
	door_handoff_as(w, p->m, home, HANDOFF_HOME);
	return -EINPROGRESS;
}

bool FAM_FN(persist, follow)(struct worker *w, const struct service_match *match,
			     struct FAM(pkt) *p)
{
	const unsigned int home = FAM_FN(persist, home)(w, match->svc, p->key.saddr);

	if (home == w->id || pkt_tag(p->m)->kind == HANDOFF_DECIDED)
		return false;
	door_handoff_as(w, p->m, home, HANDOFF_HOME);
	return true;
}

static void decide(struct worker *w, struct FAM(pkt) *p)
{
	const struct service_match match = FAM_FN(service, find)(w, p);
	unsigned int owner = FAM(owner)(w->owners, p->key.saddr, p->key.sport);
	struct pkt_tag *tag = pkt_tag(p->m);
	struct persist_choice choice;

	if (unlikely(p->flags & PKT_FOLLOWS)) {
		tag->server = 0;
		tag->control = 0;
		door_handoff_as(w, p->m, owner, HANDOFF_DECIDED);
		return;
	}
	/* The configuration changed on the way: the owner sees for itself. */
	if (!match.svc || !match.svc->policy.persist_s ||
	    FAM_FN(persist, home)(w, match.svc, p->key.saddr) != w->id) {
		door_handoff_as(w, p->m, owner, HANDOFF_STEER);
		return;
	}
	switch (template_choose(w, &match, p, &choice)) {
	case 0:
		tag->server = choice.server->rt->id;
		tag->v6 = FAMILY == 6;
		tag->control = choice.control;
		door_handoff_as(w, p->m, owner, HANDOFF_DECIDED);
		return;
	case -ENOENT:
		FAM_FN(icmp, error)(w, p, p->key.daddr, ICMP_REASON_PORT, 0);
		door_drop(w, p->m, DROP_NO_SERVER);
		return;
	case -EBADMSG:
		door_drop(w, p->m, DROP_NO_CALL_ID);
		return;
	default:
		door_drop(w, p->m, DROP_TABLE_FULL);
	}
}

void FAM_FN(persist, receive)(struct worker *w, struct FAM(burst) *b)
{
	sched_burst_begin(&w->sched);
	for (uint16_t i = 0; i < b->n; i++)
		decide(w, &b->pkts[i]);
}

void FAM_FN(persist, back)(struct worker *w, struct FAM(burst) *b)
{
	FAM(stage_steer)(w, b);
	FAM(stage_lookup)(w, b);
	FAM(stage_schedule)(w, b);
	/* A packet that finds a connection of an earlier packet does not need its hold. */
	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt_tag *tag = pkt_tag(b->pkts[i].m);

		if (tag->kind != HANDOFF_DECIDED)
			continue;
		if (tag->control)
			FAM_FN(template, release)(w, tag->control);
		tag->control = 0;
	}
	FAM_FN(pipeline, finish)(w, b);
}
