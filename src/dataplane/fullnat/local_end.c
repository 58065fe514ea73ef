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

/* The addresses of the pool that are on the server's link, or end->local among them. */
static const FAM_ADDR *pool_of(const struct worker *w, const struct FAM(local_end) *end,
			       uint32_t *n)
{
	const struct addr server = FAM(addr_from_addr)(end->server);
	const FAM_ADDR *addrs = NULL;
	struct addr neighbour;
	link_id link;

	*n = 0;
	if (route_next(w->env.fib, &server, &link, &neighbour))
		addrs = FAM_FN(local_pool, find)(w->env.snap->FAM(pool), link, n);
	if (unlikely(*n && !FAM_FN(addr, is_zero)(end->local))) {
		addrs = pool_find(addrs, *n, end->local);
		*n = addrs ? 1 : 0;
	}
	return addrs;
}

static int port_choose(struct worker *w, struct FAM(local_end) *end, const FAM_ADDR *addrs,
		       uint32_t n, uint32_t id)
{
	int ret;

	if (!n)
		return -ENETUNREACH;
	ret = FAM_FN(local_port, choose)(&w->FAM(v).ports, end, addrs, n, w->env.now_s);
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
	const FAM_ADDR *addrs;
	uint32_t n;
	int ret;

	if (!h)
		return -ENOSPC;
	if (end->lport) {
		ret = port_take(w, end);
	} else {
		addrs = pool_of(w, end, &n);
		ret = port_choose(w, end, addrs, n, c->server);
	}
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

void FAM_FN(local, plan)(struct worker *w, const struct FAM_FN(conn, new) * n)
{
	struct FAM(local_plan) *const plan = &w->FAM(v).plan;

	*plan = (struct FAM(local_plan)){
		.end = {.local = n->laddr,
			.server = n->daddr,
			.lport = n->lport,
			.dport = n->dport,
			.proto = n->proto,
			.step = (uint8_t)FAM_FN(owner, step)(n->caddr, n->cport)}};
	if (unlikely(n->lport) || FAM_FN(addr, is_zero)(n->daddr))
		return;
	plan->addrs = pool_of(w, &plan->end, &plan->n_addrs);
	if (likely(plan->n_addrs))
		plan->group = FAM_FN(local_port, foresee)(&w->FAM(v).ports, &plan->end, plan->addrs,
							  plan->n_addrs, &plan->half);
}

int FAM_FN(local, join)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n,
			uint32_t *out_hash)
{
	struct FAM(local_plan) *const plan = &w->FAM(v).plan;
	struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t index = FAM_FN(conn, index)(t, c);
	struct FAM(local_end) *const end = &plan->end;
	struct FAM(key) key;
	int ret;

	if (FAM_FN(half, crosses)(c))
		return FAM_FN(crossing, join)(w, c, n);
	/* The place of the entry that is taken next. */
	__builtin_prefetch(&w->FAM(v).places[t->free], 1);
	ret = end->lport ? port_take(w, end)
			 : port_choose(w, end, plan->addrs, plan->n_addrs, n->server_id);
	if (ret < 0)
		return ret;
	key = (struct FAM(key)){.saddr = end->server,
				.daddr = end->local,
				.sport = end->dport,
				.dport = end->lport,
				.proto = end->proto};
	*out_hash = FAM_FN(table, hash)(t, &key);
	FAM_FN(table, prefetch_bucket)(t, *out_hash);
	local_put(c, end);
	w->FAM(v).places[index] = (struct local_place){
		.group = end->group, .place = end->place, .announced = n->announced};
	FAM_FN(table, local_begin)(t, index, false);
	if (unlikely(n->announced))
		FAM_FN(ftp_port, taken)(w, end);
	return 0;
}

/* An entry's place is prefetched now, the group that the place names some calls later, when the
 * place has come, and what the group names some calls after that. */
void FAM_FN(local, prefetch_end)(struct worker *w, const struct FAM(conn) *c)
{
	uint32_t *const ending = w->FAM(v).ending;
	const uint32_t turn = w->FAM(v).n_ending++;
	const uint32_t place = ending[(turn - LOCALS_ENDING / 2) % LOCALS_ENDING];
	uint32_t *const slot = &ending[turn % LOCALS_ENDING];
	const struct local_place *const places = w->FAM(v).places;
	const struct FAM(table) *t = &w->FAM(v).table;

	if (c->c.flags & CONN_F_OUT_KEY && !FAM_FN(half, crosses)(c))
		FAM_FN(table, prefetch_conn)(t, c, DIR_OUT);
	FAM_FN(local_port, prefetch)
	(&w->FAM(v).ports, places[*slot].group, be16_to(t->conns[*slot].c.lport) & 1);
	FAM_FN(local_port, prefetch_group)(&w->FAM(v).ports, places[place].group);
	*slot = FAM_FN(conn, index)(t, c);
	__builtin_prefetch(&places[*slot], 1);
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
