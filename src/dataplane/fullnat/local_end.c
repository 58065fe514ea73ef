/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "dataplane/fullnat/local_end.h"

#include <errno.h>

#include "dataplane/conn/conn_life.h"
#include "dataplane/ftp/ftp_port.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/fullnat/local_port.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/route.h"
#include "dataplane/sync/ledger.h"

static void count_ports(struct worker *w)
{
	w->counters.local_ports = w->v4.ports.n_used + w->v6.ports.n_used;
}

/* Tells control how full the pool is, now and then and when no port was left. */
static void fill_note(struct worker *w, uint32_t percent, uint32_t server)
{
	uint64_t *fill = &w->FAM(v).ports.fill;

	if (!local_fill_counts(*fill, w->env.now_s) || percent >= local_fill_percent(*fill))
		__atomic_store_n(fill, local_fill_word(server, percent, w->env.now_s),
				 __ATOMIC_RELAXED);
}

/* The place of `local` in the pool, or NULL. */
static const FAM_ADDR *pool_find(const FAM_ADDR *addrs, uint32_t n, FAM_ADDR local)
{
	for (uint32_t i = 0; i < n; i++)
		if (FAM_FN(addr, equal)(addrs[i], local))
			return &addrs[i];
	return NULL;
}

static __rte_noinline void pool_look(const struct worker *w, FAM_ADDR server,
				     struct FAM(pool_slot) *slot)
{
	const struct addr dest = FAM(addr_from_addr)(server);
	struct addr neighbour;
	link_id link;

	*slot = (struct FAM(pool_slot)){
		.server = server, .gen = w->env.gen, .generation = w->env.snap->generation};
	if (route_next(w->env.fib, &dest, &link, &neighbour))
		slot->addrs = FAM_FN(local_pool, find)(w->env.snap->FAM(pool), link, &slot->n);
}

/* The addresses of the pool that are on the server's link, or end->local among them. */
static const FAM_ADDR *pool_of(struct worker *w, const struct FAM(local_end) *end, uint32_t *n)
{
	struct FAM(pool_slot) *slot =
		&w->FAM(v).pools[FAM_FN(addr, hash)(end->server) % POOL_SLOTS];
	const FAM_ADDR *addrs;

	if (unlikely(slot->gen != w->env.gen || slot->generation != w->env.snap->generation ||
		     !FAM_FN(addr, equal)(slot->server, end->server)))
		pool_look(w, end->server, slot);
	addrs = slot->addrs;
	*n = slot->n;
	if (unlikely(*n && !FAM_FN(addr, is_zero)(end->local))) {
		addrs = pool_find(addrs, *n, end->local);
		*n = addrs ? 1 : 0;
	}
	return addrs;
}

/* ret: of the choice of a port for a connection to this server, by its id. */
static int port_chosen(struct worker *w, const struct FAM(local_end) *end, const FAM_ADDR *addrs,
		       uint32_t n, uint32_t id, int ret)
{
	if (unlikely(ret < 0))
		fill_note(w, 100, id);
	else if (unlikely(w->FAM(v).ports.n_choices % LOCAL_PORT_SAMPLE == 0))
		fill_note(
			w,
			FAM_FN(local_port, percent)(&w->FAM(v).ports, end, addrs, n, w->env.now_s),
			id);
	count_ports(w);
	return ret;
}

static int port_choose(struct worker *w, struct FAM(local_end) *end, uint32_t id)
{
	uint32_t n;
	const FAM_ADDR *addrs = pool_of(w, end, &n);

	if (!n)
		return -ENETUNREACH;
	return port_chosen(
		w, end, addrs, n, id,
		FAM_FN(local_port, choose)(&w->FAM(v).ports, end, addrs, n, w->env.now_s));
}

/* The port of a copy. */
static int port_take(struct worker *w, struct FAM(local_end) *end)
{
	const int ret = FAM_FN(local_port, take)(&w->FAM(v).ports, end, w->env.now_s);

	count_ports(w);
	return ret;
}

static void port_put(struct worker *w, const struct FAM(local_end) *end)
{
	FAM_FN(local_port, release)(&w->FAM(v).ports, end, w->env.now_s);
	count_ports(w);
}

/* --- the server's half of a connection of the other family --- */

int FAM_FN(half, create)(struct worker *w, struct FAM(local_end) *end, const struct conn *c,
			 uint32_t index, struct FAM(conn) **out)
{
	struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) *h = FAM_FN(table, alloc_half)(t, index);
	int ret;

	if (!h)
		return -ENOSPC;
	ret = end->lport ? port_take(w, end) : port_choose(w, end, c->server);
	if (ret < 0)
		goto err_entry;
	h->daddr = end->server;
	h->dport = end->dport;
	h->caddr = end->local;
	h->cport = end->lport;
	h->c.proto = c->proto;
	h->c.method = c->method;
	h->c.group = end->group;
	h->c.place = end->place;
	ret = FAM_FN(table, link)(t, h, DIR_OUT, NULL);
	if (ret < 0)
		goto err_port;
	*out = h;
	return 0;

err_port:
	port_put(w, end);
err_entry:
	FAM_FN(table, free_half)(t, h);
	return ret;
}

void FAM_FN(half, end)(struct worker *w, struct FAM(conn) *h, uint8_t step)
{
	struct FAM(table) *t = &w->FAM(v).table;
	const struct FAM(local_end) end = {.local = h->caddr,
					   .server = h->daddr,
					   .lport = h->cport,
					   .dport = h->dport,
					   .proto = h->c.proto,
					   .step = step,
					   .place = h->c.place,
					   .group = h->c.group};

	if (w->FAM(v).rows)
		FAM_FN(ledger, local_ended)(w, t->half_first + FAM_FN(conn, index)(t, h));
	FAM_FN(table, unlink)(t, h, DIR_OUT);
	FAM_FN(table, free_half)(t, h);
	port_put(w, &end);
}

/* --- connections of one family --- */

static void local_put(struct FAM(conn) *c, const struct FAM(local_end) *end)
{
	c->c.lport = end->lport;
#if FAMILY == 4
	c->c.local_id = end->local_id;
#else
	c->laddr = end->local;
	c->c.ip_delta = csum_delta_sum(csum_delta_addr6(c->caddr, end->local),
				       csum_delta_addr6(c->vaddr, c->daddr));
#endif
}

/* c gets its local end, to which its port has been given. Returns the hash of its out key. */
static uint32_t end_give(struct worker *w, struct FAM(conn) *c, const struct FAM(local_end) *end,
			 bool announced)
{
	struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t index = FAM_FN(conn, index)(t, c);
	const struct FAM(key) key = {.saddr = end->server,
				     .daddr = end->local,
				     .sport = end->dport,
				     .dport = end->lport,
				     .proto = end->proto};

	local_put(c, end);
	w->FAM(v).places[index] = (struct local_place){
		.group = end->group, .place = end->place, .announced = announced};
	FAM_FN(table, local_begin)(t, index, false);
	return FAM_FN(table, hash)(t, &key);
}

static struct FAM(local_end) end_of(const struct FAM_FN(conn, new) * n)
{
	return (struct FAM(local_end)){.local = n->laddr,
				       .server = n->daddr,
				       .lport = n->lport,
				       .dport = n->dport,
				       .proto = n->proto,
				       .step = (uint8_t)FAM_FN(owner, step)(n->caddr, n->cport)};
}

int FAM_FN(local, join)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n,
			uint32_t *out_hash)
{
	struct FAM(local_end) end;
	int ret;

	if (FAM_FN(half, crosses)(c))
		return FAM_FN(crossing, join)(w, c, n);
	end = end_of(n);
	ret = end.lport ? port_take(w, &end) : port_choose(w, &end, n->server_id);
	if (ret < 0)
		return ret;
	*out_hash = end_give(w, c, &end, n->announced);
	if (unlikely(n->announced))
		FAM_FN(ftp_port, taken)(w, &end);
	return 0;
}

int FAM_FN(local, plan)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n)
{
	struct FAM(local_plan) *plan;

	if (FAM_FN(half, crosses)(c))
		return FAM_FN(crossing, join)(w, c, n);
	plan = &w->FAM(v).plans[w->FAM(v).n_plans++];
	plan->end = end_of(n);
	plan->c = c;
	plan->addrs = pool_of(w, &plan->end, &plan->n_addrs);
	if (likely(plan->n_addrs))
		FAM_FN(local_search, begin)
	(&w->FAM(v).ports, &plan->end, plan->addrs, plan->n_addrs, &plan->search);
	c->c.out_hash = w->FAM(v).n_plans;
	return 0;
}

/* Whether the connection of a plan, the i-th, is still there. The entry may have given way to
 * another connection, even to one with a plan of its own. */
static bool plan_holds(const struct FAM(local_plan) *plan, uint32_t i)
{
	const struct conn *c = &plan->c->c;

	return (c->flags & (CONN_F_LIVE | CONN_F_OUT_KEY | CONN_F_TEMPLATE)) == CONN_F_LIVE &&
	       forward_has(c->method, FORWARD_BY_LOCAL) && c->out_hash == i;
}

/* Each kind of memory in a row: see begun_prefetch() of stages/schedule.c. */
static void plans_prefetch(const struct worker *w, struct FAM(local_plan) *plans, uint32_t n)
{
	const struct FAM(local_ports) *const ports = &w->FAM(v).ports;
	const struct FAM(table) *t = &w->FAM(v).table;

	for (uint32_t i = 0; i < n; i++)
		if (likely(plans[i].n_addrs))
			FAM_FN(local_search, prefetch_head)(&plans[i].search);
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(&w->FAM(v).places[FAM_FN(conn, index)(t, plans[i].c)], 1);
	for (uint32_t i = 0; i < n; i++)
		if (likely(plans[i].n_addrs))
			FAM_FN(local_search, look)(ports, &plans[i].search);
	for (uint32_t i = 0; i < n; i++)
		if (likely(plans[i].n_addrs))
			FAM_FN(local_search, prefetch)
	(ports, &plans[i].search, plans[i].n_addrs);
}

bool FAM_FN(local, join_planned)(struct worker *w)
{
	struct FAM(local_plan) *const plans = w->FAM(v).plans;
	struct FAM(local_ports) *const ports = &w->FAM(v).ports;
	const uint32_t n = w->FAM(v).n_plans;
	bool all = true;

	w->FAM(v).n_plans = 0;
	plans_prefetch(w, plans, n);
	for (uint32_t i = 0; i < n; i++) {
		struct FAM(local_plan) *plan = &plans[i];
		int ret = -ENETUNREACH;

		if (!plan_holds(plan, i + 1))
			continue;
		if (likely(plan->n_addrs))
			ret = port_chosen(
				w, &plan->end, plan->addrs, plan->n_addrs, plan->c->c.server,
				FAM_FN(local_search, finish)(ports, &plan->end, plan->addrs,
							     plan->n_addrs, w->env.now_s,
							     &plan->search));
		if (likely(ret == 0))
			plan->c->c.out_hash = end_give(w, plan->c, &plan->end, false);
		else
			plan->c->c.out_hash = (uint32_t)-ret;
		all &= ret == 0;
	}
	return all;
}

/* The ends' places, which the other two steps read. */
void FAM_FN(local, prefetch_places)(const struct worker *w, const uint32_t *index, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		__builtin_prefetch(&w->FAM(v).places[index[i]], 1);
}

void FAM_FN(local, prefetch_groups)(const struct worker *w, const uint32_t *index, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		FAM_FN(local_port, prefetch_group)
	(&w->FAM(v).ports, w->FAM(v).places[index[i]].group);
}

void FAM_FN(local, prefetch_rings)(const struct worker *w, const uint32_t *index, uint32_t n)
{
	const struct FAM(table) *t = &w->FAM(v).table;

	for (uint32_t i = 0; i < n; i++)
		FAM_FN(local_port, prefetch)
	(&w->FAM(v).ports, w->FAM(v).places[index[i]].group,
	 be16_to(t->conns[index[i]].c.lport) & 1);
}

void FAM_FN(local, part)(struct worker *w, struct FAM(conn) *c)
{
	struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t index = FAM_FN(conn, index)(t, c);
	const struct local_place *place = &w->FAM(v).places[index];
	struct FAM(local_end) end;

	if (c->c.flags & CONN_F_TEMPLATE)
		return;
	if (FAM_FN(half, crosses)(c)) {
		FAM_FN(crossing, part)(w, c);
		return;
	}
	if (!c->c.lport)
		return;
	end = (struct FAM(local_end)){.local = *FAM_FN(conn, local_addr)(t, c),
				      .server = c->daddr,
				      .lport = c->c.lport,
				      .dport = c->dport,
				      .proto = c->c.proto,
				      .step = (uint8_t)FAM_FN(owner, step)(c->caddr, c->cport),
				      .place = (uint8_t)place->place,
				      .group = place->group};
	if (w->FAM(v).rows)
		FAM_FN(ledger, local_ended)(w, t->half_first + index);
	if (unlikely(place->announced))
		FAM_FN(ftp_port, released)(w, &end);
	if (c->c.flags & CONN_F_OUT_KEY)
		FAM_FN(table, unlink)(t, c, DIR_OUT);
	c->c.flags &= (uint8_t)~CONN_F_OUT_KEY;
	c->c.lport = 0;
	t->n_locals--;
	port_put(w, &end);
}

void FAM_FN(local, copy)(struct worker *w, struct FAM(conn) *c, FAM_ADDR local)
{
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);

#if FAMILY == 4
	c->c.local_id = local_addr4_get(&w->v4.ports, local);
#else
	c->laddr = local;
#endif
	w->FAM(v).places[index] = (struct local_place){.group = 0};
	FAM_FN(table, local_begin)(&w->FAM(v).table, index, false);
}
