/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet of one family through the stages of the copy, and what the copy needs for that. */
#include <netinet/in.h>

#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/conn_view.h"
#include "dataplane/conn/give_way.h"
#include "dataplane/explain/shadow.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/ftp/ftp_control.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/persistence/persist.h"
#include "dataplane/stages/classify.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/translate/header_len.h"
#include "dataplane/tunnel/outer.h"
#include "dataplane/tunnel/tunnel.h"

#define GATHER_OF_LIST 32 /* entries that may give way, of each list */

/* --- entries --- */

/* A template that a connection has a hold on, of whatever worker: nothing but its place. */
static uint32_t stand_in(struct explain *x, const struct worker *w, uint32_t control)
{
	const struct worker *home = w->dp->workers[control >> CONTROL_INDEX_BITS];
	struct worker *s = &x->shadow->w;
	struct FAM(conn) *t = FAM_FN(table, alloc)(&s->FAM(v).table);

	if (!t)
		return 0;
	t->c.flags |= CONN_F_TEMPLATE;
	t->c.children = 2;
	t->c.assured = __atomic_load_n(
		&home->FAM(v).table.conns[control & CONTROL_INDEX_MAX].c.assured, __ATOMIC_RELAXED);
	return CONTROL(s->id, FAM_FN(conn, index)(&s->FAM(v).table, t));
}

static void ftp_take(struct explain *x, struct worker *w, const struct FAM(conn) *c,
		     struct FAM(conn) *copy)
{
	struct ftp_control *from = FAM_FN(ftp_control, find)(w, c), *to;

	to = from ? FAM_FN(ftp_control, new)(&x->shadow->w, copy) : NULL;
	if (!to)
		return;
	const uint32_t conn = to->conn, next = to->next;

	*to = *from;
	to->conn = conn;
	to->next = next;
	to->ticket.word = 0;
}

/* The local end of a connection by full NAT. The port stays the worker's: the copy's ports are
 * others. */
static void local_take(struct worker *s, const struct FAM(table) *of, const struct FAM(conn) *c,
		       struct FAM(conn) *copy)
{
	be16 port;
	const FAM_ADDR local = FAM_FN(local, of)(of, c, &port);

	if (!(c->c.flags & CONN_F_OUT_KEY))
		return;
	FAM_FN(local, copy)(s, copy, local);
	FAM_FN(table, link)(&s->FAM(v).table, copy, DIR_OUT, NULL);
}

/* The same for a server of the other family. */
static void other_half_take(struct worker *s, const struct worker *w, const struct FAM(conn) *c,
			    struct FAM(conn) *copy)
{
	const struct OTHER_FAM(conn) *from = FAM_FN(crossing, server)(w, c);
	struct OTHER_FAM(table) *t = &s->OTHER_FAM(v).table;
	const uint32_t index = FAM_FN(conn, index)(&s->FAM(v).table, copy);
	struct OTHER_FAM(conn) *h = from ? OTHER_FN(table, alloc_half)(t, index) : NULL;

	copy->c.flags &= (uint8_t)~CONN_F_OUT_KEY;
	if (!h)
		return;
	*h = *from;
	h->control = index;
	copy->c.flags |= CONN_F_OUT_KEY;
	s->OTHER_FAM(v).n_others++;
	OTHER_FN(table, link)(t, h, DIR_OUT, NULL);
}

static void ends_take(struct worker *s, const struct worker *w, const struct FAM(conn) *c,
		      struct FAM(conn) *copy)
{
	if (FAM_FN(half, crosses)(c))
		other_half_take(s, w, c, copy);
	else
		local_take(s, &w->FAM(v).table, c, copy);
}

/* An entry of w, findable in the copy as it is in w. */
static struct FAM(conn) *entry_take(struct explain *x, struct worker *w, const struct FAM(conn) *c)
{
	struct worker *s = &x->shadow->w;
	struct FAM(table) *t = &s->FAM(v).table;
	struct FAM(conn) *copy;
	struct FAM(key) key;

	FAM_FN(conn, key)(t, c, DIR_IN, &key);
	copy = FAM_FN(table, find)(t, &key, FAM_FN(table, hash)(t, &key), DIR_IN);
	if (copy)
		return copy;
	copy = FAM_FN(table, alloc)(t);
	if (!copy)
		return NULL;
	*copy = *c;
	copy->c.evidence &= (1U << EVIDENCE_LIST_SHIFT) - 1;
	copy->control = c->control ? stand_in(x, w, c->control) : 0;
	if (c->c.flags & CONN_F_TEMPLATE) {
		copy->c.children = __atomic_load_n(&c->c.children, __ATOMIC_ACQUIRE);
		copy->c.assured = __atomic_load_n(&c->c.assured, __ATOMIC_RELAXED);
	}
	shadow_server(x->shadow, w, c->c.server);
	FAM_FN(table, link)(t, copy, DIR_IN, NULL);
	if (forward_has(c->c.method, FORWARD_BY_LOCAL) && !(c->c.flags & CONN_F_TEMPLATE))
		ends_take(s, w, c, copy);
	else if (c->c.flags & CONN_F_OUT_KEY)
		FAM_FN(table, link)(t, copy, DIR_OUT, NULL);
	wheel_arm(&s->FAM(v).wheel, &copy->c, FAM_FN(conn, index)(t, copy));
	FAM_FN(give_way, update)(s, copy);
	if (FAM_FN(conn, is_ftp)(c))
		ftp_take(x, w, c, copy);
	else if (c->proxy)
		s->FAM(v).proxies[FAM_FN(conn, index)(t, copy)] =
			w->FAM(v).proxies[FAM_FN(conn, index)(&w->FAM(v).table, c)];
	return copy;
}

void FAM_FN(explain, entry)(struct explain *x, struct worker *w, uint32_t index)
{
	entry_take(x, w, &w->FAM(v).table.conns[index]);
}

/* False: w has no entry with this key. */
static bool key_take(struct explain *x, struct worker *w, const struct FAM(key) *key,
		     unsigned int dir)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) *c = FAM_FN(table, find)(t, key, FAM_FN(table, hash)(t, key), dir);

	if (c && FAM_FN(half, is_other)(c))
		OTHER_FN(explain, entry)(x, w, c->control);
	else if (c)
		entry_take(x, w, c);
	return c != NULL;
}

/* Connections of this client's port with the service's servers: they have the NAT key that a new
 * one wants. */
static void keys_take(struct explain *x, struct worker *w, const struct service *svc,
		      const struct FAM(pkt) *p)
{
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *srv = &svc->servers[i];
		struct FAM(key) key = {.saddr = FAM(server_addr)(srv),
				       .daddr = p->key.saddr,
				       .sport = srv->port ? srv->port : p->key.dport,
				       .dport = p->key.sport,
				       .proto = p->key.proto};

		if (!forward_has(srv->method, FORWARD_BY_SOURCE))
			continue;
		key_take(x, w, &key, DIR_OUT);
		if (key.sport == p->key.dport)
			continue;
		key.sport = p->key.dport; /* by a template that is not for this port alone */
		key_take(x, w, &key, DIR_OUT);
	}
}

/* --- room --- */

static void list_take(struct explain *x, struct worker *w, enum give_way_list list)
{
	const struct give_way *g = &w->FAM(v).way;
	uint32_t at = g->list[list].head;

	for (unsigned int i = 0; at && i < GATHER_OF_LIST; i++, at = g->links[at].next)
		entry_take(x, w, &w->FAM(v).table.conns[at]);
}

static bool table_full(const struct FAM(table) *t)
{
	return !t->free && t->unused > t->capacity;
}

/* Where room is short: the entries that would give way, in their order. */
static void lists_take(struct explain *x, struct worker *w)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const struct give_way *g = &w->FAM(v).way;

	if (!table_full(t) && t->n <= t->capacity / 2 &&
	    g->list[GIVE_WAY_HALF_OPEN].n < g->max_half_open)
		return;
	for (enum give_way_list l = GIVE_WAY_ENDING; l < GIVE_WAY_MAX; l++)
		list_take(x, w, l);
}

/* The figures of the table and of the shares. */
static void room_take(struct explain *x, const struct worker *w)
{
	struct worker *s = &x->shadow->w;
	const struct FAM(table) *of = &w->FAM(v).table;
	const struct give_way *from = &w->FAM(v).way;
	struct give_way *g = &s->FAM(v).way;
	struct FAM(table) *t = &s->FAM(v).table;

	for (enum give_way_list l = GIVE_WAY_ENDING; l < GIVE_WAY_MAX; l++)
		g->list[l].n = from->list[l].n;
	memcpy(g->network, from->network, sizeof(g->network));
	g->seed = from->seed;
	g->max_half_open = from->max_half_open;
	g->max_not_assured = from->max_not_assured;
	g->max_network = from->max_network;
	g->idle_ticks = 0;
	t->n = of->n;
	t->capacity = of->capacity;
	if (table_full(of)) {
		x->shadow->unused[FAMILY == 6] = t->unused;
		t->free = 0;
		t->unused = t->capacity + 1;
	}
}

/* --- the service --- */

static void mark_note(struct explain *x, const struct worker *w, const struct FAM(pkt) *p)
{
	const struct FAM(mark_key) key = {.saddr = p->key.saddr,
					  .daddr = p->key.daddr,
					  .link = p->link,
					  .sport = p->key.sport,
					  .dport = p->key.dport,
					  .proto = p->key.proto};
	const struct mark_rule *rules;

	if (!w->env.snap->marks || (p->flags & (PKT_RELATED | PKT_FOLLOWS)))
		return;
	x->mark_rule = FAM_FN(classify, rule)(w->env.snap->marks, &key);
	if (x->mark_rule && classify_rules(w->env.snap->marks, &rules) >= x->mark_rule)
		x->mark = rules[x->mark_rule - 1].mark;
}

/* At the template's home. */
static void template_take(struct explain *x, struct worker *w, const struct service_match *match,
			  const struct FAM(pkt) *p)
{
	const struct FAM(conn) *t = FAM_FN(persist, find)(w, match, p);
	const struct server_rt *rt;

	x->home = w->id;
	if (!t)
		return;
	entry_take(x, w, t);
	rt = runtime_server(&w->pub->runtime, t->c.server);
	x->template_found = true;
	if (rt)
		x->template_server = rt->ep;
}

/* Names the service that would take a packet without a connection, and copies it. */
static void service_take(struct explain *x, struct worker *w, const struct FAM(pkt) *p)
{
	const struct service_match match = FAM_FN(service, find)(&x->shadow->w, p);

	mark_note(x, w, p);
	if (!match.svc)
		return;
	x->matched = true;
	x->exact = match.exact;
	shadow_service(x->shadow, w, match.svc);
	keys_take(x, w, match.svc, p);
	if (match.svc->policy.persist_s &&
	    FAM_FN(persist, home)(w, match.svc, p->key.saddr) == w->id)
		template_take(x, w, &match, p);
}

static void expectation_take(struct explain *x, struct worker *w, const struct FAM(pkt) *p)
{
	struct ftp_expect e;
	struct ftp_ticket ticket;

	if (!ftp_expecting(w) || !FAM_FN(ftp, expectation)(w, p, &e, &ticket))
		return;
	shadow_server(x->shadow, w, e.server);
	ftp_expect_add(&x->shadow->w, &e, &ticket);
}

/* All of w that stage schedule and those after it look at for this packet. */
static void gather(struct explain *x, struct worker *w, struct FAM(pkt) *p)
{
	lists_take(x, w);
	if (!key_take(x, w, &p->key, p->dir) && p->dir == DIR_OUT)
		key_take(x, w, &p->key, DIR_IN);
	if (!(p->flags & PKT_RELATED))
		service_take(x, w, p);
	expectation_take(x, w, p);
	room_take(x, w);
}

/* Copies the datagrams whose fragments w knows. Fragments that wait stay with w. */
static void fragments_take(struct explain *x, const struct worker *w)
{
	const struct FAM(follow) *from = w->FAM(v).follow;
	struct FAM(follow) *f = x->shadow->w.FAM(v).follow;

	memcpy(f->entries, from->entries, sizeof(f->entries));
	for (unsigned int i = 0; i < FOLLOW_BUCKETS * FOLLOW_WAYS; i++)
		f->entries[i].waiting = 0;
	memcpy(f->datagrams, from->datagrams, sizeof(f->datagrams));
	memcpy(f->decided, from->decided, sizeof(f->decided));
	f->n = from->n;
}

/* --- notes --- */

static void parse_note(struct explain *x, const struct worker *w, const struct FAM(pkt) *p)
{
	x->parsed = true;
	x->family = FAM_FAMILY;
	x->source =
		(struct endpoint){.addr = FAM(addr_from_addr)(p->key.saddr), .port = p->key.sport};
	x->dest =
		(struct endpoint){.addr = FAM(addr_from_addr)(p->key.daddr), .port = p->key.dport};
	x->proto = p->key.proto;
	x->tcp_flags = p->tcp_flags;
	x->flags = p->flags;
	x->link = p->link;
	x->l3_len = p->l3_len;
	x->owner = (uint16_t)FAM(owner)(w->owners, p->key.saddr, p->key.sport);
}

static void steer_note(struct explain *x, const struct worker *w, const struct FAM(pkt) *p)
{
	x->steered = true;
	x->dir = p->dir;
	x->flags = p->flags;
	x->owner = w->id;
}

static void resolve_note(struct explain *x, const struct worker *w, const struct FAM(pkt) *p)
{
	const struct conn *c = &p->conn->c;

	if (!p->nh)
		return;
	x->resolved = true;
	x->nh = *p->nh;
	x->mtu = p->nh->mtu;
	if (forward_has(c->method, FORWARD_OUTER_HEADER) && p->dir == DIR_IN) {
		const struct addr server = FAM(conn_server)(w, p->conn);
		const struct encap encap = runtime_encap(&w->pub->runtime, c->server);

		x->mtu = tunnel_mtu(w, c->server, p->nh->mtu);
		x->mtu = (uint16_t)(x->mtu - outer_len(server.family, encap));
	} else if (forward_has(c->method, FORWARD_BY_LOCAL) &&
		   FAM_FN(half, crosses)(p->conn)) { /* of the packet as it came */
		const bool from_v6 = (FAMILY == 6) == (p->dir == DIR_IN);

		x->mtu = (uint16_t)(from_v6 ? x->mtu + TRANSLATED_GROWTH
					    : x->mtu - TRANSLATED_GROWTH);
	}
}

/* From stage resolve on. */
static enum explain_stage finish(struct explain *x, struct FAM(burst) *b)
{
	struct worker *s = &x->shadow->w;
	struct FAM(pkt) *p = &b->pkts[0];

	FAM_FN(conn, view)(s, p->conn, &x->after);
	FAM(stage_resolve)(s, b);
	if (!b->n)
		return EXPLAIN_RESOLVE;
	resolve_note(x, s, p);
	FAM(stage_track)(s, b);
	FAM_FN(conn, view)(s, p->conn, &x->after);
	FAM(stage_rewrite)(s, b);
	if (!b->n)
		return EXPLAIN_REWRITE;
	FAM(stage_transmit)(s, b);
	return EXPLAIN_TRANSMIT;
}

enum explain_stage FAM_FN(explain, crossed)(struct explain *x, struct FAM(burst) *b)
{
	x->found = true;
	FAM_FN(conn, view)(&x->shadow->w, b->pkts[0].conn, &x->before);
	return finish(x, b);
}

enum explain_stage FAM_FN(explain, pass)(struct explain *x, struct worker *w, struct FAM(burst) *b)
{
	struct worker *s = &x->shadow->w;
	struct FAM(pkt) *p = &b->pkts[0];
	struct OTHER_FAM(burst) crossed;

	p->nh = NULL; /* a local server's packets get none */
	parse_note(x, w, p);
	if (p->flags & PKT_FRAGMENT)
		fragments_take(x, w);
	FAM(stage_steer)(s, b);
	if (!b->n)
		return EXPLAIN_STEER;
	steer_note(x, w, p);
	gather(x, w, p);
	FAM(stage_lookup)(s, b);
	FAM_FN(crossing, take)(s, b, &crossed);
	if (crossed.n)
		return OTHER_FN(explain, crossed)(x, &crossed);
	if (!b->n)
		return EXPLAIN_SCHEDULE;
	x->found = p->conn != NULL;
	if (p->conn)
		FAM_FN(conn, view)(s, p->conn, &x->before);
	FAM(stage_schedule)(s, b);
	if (!b->n)
		return EXPLAIN_SCHEDULE;
	x->made = p->flags & PKT_NEW;
	return finish(x, b);
}

enum explain_stage FAM_FN(explain, home)(struct explain *x, struct worker *w, struct FAM(burst) *b)
{
	lists_take(x, w);
	service_take(x, w, &b->pkts[0]);
	room_take(x, w);
	FAM_FN(persist, receive)(&x->shadow->w, b);
	return EXPLAIN_HOME;
}
