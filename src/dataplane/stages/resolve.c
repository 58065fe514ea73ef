/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage resolve: the next hop of each packet's direction. A connection keeps its next hops until
 * the resolve generation changes; then its next packet looks them up again.
 *
 * The stage comes before track: a packet that leaves here does not change the TCP state.
 *
 * Reads: conn, dir; fib, next hops, run-time state of servers. Writes: nh (NULL by full NAT: the
 * packet ends at Linux); conn's gen, nexthop[]. Doors: park (next hop not resolved yet), drop
 * (server or service gone, no route, next hop silent), punt (the last service is gone, as in IPVS).
 */
#include "dataplane/stages/resolve.h"

#include "dataplane/exits/doors.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/route.h"
#include "dataplane/tunnel/tunnel.h"

/* route_next() for an address of the burst's family. */
static bool route_towards(const struct fib *fib, FAM_ADDR dest, link_id *link, FAM_ADDR *neighbour)
{
	const struct FAM(route) *r = FAM_FN(fib, find)(fib->FAM(v), dest);

	if (!r || (r->kind != ROUTE_ONLINK && r->kind != ROUTE_GATEWAY))
		return false;
	*link = r->link;
	*neighbour = r->kind == ROUTE_GATEWAY ? r->via : dest;
	return true;
}

static uint16_t nexthop_go(struct worker *w, uint32_t id)
{
	if (likely(id))
		nexthop_use(w->nexthops, id, w->env.now_s);
	return (uint16_t)id;
}

static uint16_t nexthop_towards(struct worker *w, link_id link, FAM_ADDR neighbour)
{
	const uint32_t id = FAM(nexthop_find)(w->nexthops, link, neighbour);

	/* The router's own address has no next hop: ends_at_linux(). */
	if (unlikely(!id) && !FAM_FN(fib, find_local)(w->env.fib->FAM(v), neighbour)) {
		const struct addr addr = FAM(addr_from_addr)(neighbour);

		request_resolve(w, link, &addr);
	}
	return nexthop_go(w, id);
}

/* The next hop that the last connection of the server found, or 0. */
static uint16_t server_hop(struct worker *w, const struct FAM(conn) *c)
{
	const struct server_worker *s = &w->servers[c->c.server];

	if (s->hop_gen != w->env.gen || s->hop_family != FAM_FAMILY ||
	    !FAM_FN(addr, equal)(s->FAM(hop_addr), c->daddr))
		return 0;
	return nexthop_go(w, s->hop);
}

void FAM(resolve_ahead)(struct worker *w, struct FAM(conn) *c)
{
	FAM_ADDR neighbour;
	link_id link;

	if (!forward_has(c->c.method, FORWARD_ENDS_HERE))
		c->c.nexthop[DIR_IN] = server_hop(w, c);
	if (forward_has(c->c.method, FORWARD_REPLIES_PASS) &&
	    route_towards(w->env.fib, c->caddr, &link, &neighbour))
		c->c.nexthop[DIR_OUT] = nexthop_towards(w, link, neighbour);
}

/* Whether the connections of a server go on: the server is in the list of its service, or its time
 * to drain is not over. */
static bool server_serves(const struct worker *w, const struct server_rt *rt)
{
	return rt && (!server_rt_removed(rt) ||
		      server_rt_on_removed(&w->pub->runtime, rt, w->env.now_s) == ON_REMOVED_DRAIN);
}

/* Applies the changes since the connection was resolved last. False: the packet has left. */
static bool resolve_again(struct worker *w, struct FAM(pkt) *p)
{
	struct conn *c = &p->conn->c;
	const struct server_rt *rt = runtime_server(&w->pub->runtime, c->server);

	/* The client's packets have nowhere to go; a reply that is on its way may pass. The
	 * generation stays old, so that every packet looks here until the server is back. */
	if (p->dir == DIR_IN && !server_serves(w, rt)) {
		/* Without any service IPVS takes no part, and Linux answers: a RST. */
		if (w->env.snap->ipvs && w->env.snap->FAM(listeners)->n == 0) {
			door_punt(w, p->m, p->flags & PKT_RELATED ? PUNT_ICMP : PUNT_OWN);
			return false;
		}
		c->tick = w->env.now_tick; /* the connection stays in its state (IPVS) */
		door_drop(w, p->m,
			  FAM_FN(conn, service)(w, p->conn) ? DROP_SERVER_GONE : DROP_SERVICE_GONE);
		return false;
	}
	c->nexthop[DIR_IN] = 0;
	c->nexthop[DIR_OUT] = 0;
	if (c->gen == GEN_ENDED) /* the mark of ended.h stays */
		;
	else if (rt && !server_rt_removed(rt))
		c->gen = w->env.gen;
	else if (!server_serves(w, rt))
		p->flags |= PKT_UNCOUNTED;
	w->counters.resolved++;
	return true;
}

/* Towards a server of the other family, by a tunnel. False: there is no route. */
static __rte_noinline bool resolve_other(struct worker *w, const struct FAM(conn) *c, link_id *link,
					 struct addr *neighbour, uint16_t *id)
{
	const struct addr dest = FAM(conn_server)(w, c);

	if (!route_next(w->env.fib, &dest, link, neighbour))
		return false;
	*id = nexthop_go(w, nexthop_find(w->nexthops, *link, neighbour));
	if (!*id)
		request_resolve(w, *link, neighbour);
	return true;
}

static bool resolve_same(struct worker *w, FAM_ADDR dest, link_id *link, struct addr *neighbour,
			 uint16_t *id)
{
	FAM_ADDR next;

	if (!route_towards(w->env.fib, dest, link, &next))
		return false;
	*id = nexthop_towards(w, *link, next);
	if (unlikely(!*id))
		*neighbour = FAM(addr_from_addr)(next);
	return true;
}

/* A reply by full NAT to a program of this router. */
static bool ends_at_linux(const struct worker *w, const struct FAM(pkt) *p)
{
	return p->dir == DIR_OUT && forward_has(p->conn->c.method, FORWARD_BY_LOCAL) &&
	       FAM_FN(fib, find_local)(w->env.fib->FAM(v), p->conn->caddr);
}

static void server_hop_remember(struct worker *w, const struct FAM(conn) *c, uint16_t id)
{
	struct server_worker *s = &w->servers[c->c.server];

	s->hop_gen = w->env.gen;
	s->hop = id;
	s->hop_family = FAM_FAMILY;
	s->FAM(hop_addr) = c->daddr;
}

/* The slow way: route, neighbour, request. False: the packet has left. */
static bool resolve_slow(struct worker *w, struct FAM(pkt) *p, uint16_t *id)
{
	const struct FAM(conn) *c = p->conn;
	struct addr neighbour;
	link_id link;
	bool found;

	if (p->dir == DIR_IN && likely(*id = server_hop(w, c)))
		return true;
	if (p->dir == DIR_IN && unlikely(FAM_FN(addr, is_zero)(c->daddr)))
		found = resolve_other(w, c, &link, &neighbour, id);
	else
		found = resolve_same(w, p->dir == DIR_IN ? c->daddr : c->caddr, &link, &neighbour,
				     id);
	if (unlikely(!found)) {
		door_drop(w, p->m, DROP_NO_ROUTE);
		return false;
	}
	if (likely(*id)) {
		if (p->dir == DIR_IN && !FAM_FN(addr, is_zero)(c->daddr))
			server_hop_remember(w, c, *id);
		return true;
	}
	door_park(w, p->m, link, &neighbour, 0);
	return false;
}

bool FAM_FN(resolve, packet)(struct worker *w, struct FAM(pkt) *p)
{
	struct conn *c = &p->conn->c;
	uint16_t *id = &c->nexthop[p->dir];

	if (unlikely(c->gen != w->env.gen) && !resolve_again(w, p))
		return false;
	if (unlikely(*id == 0)) {
		if (forward_has(c->method, FORWARD_ENDS_HERE)) /* goes to Linux: needs none */
			return true;
		if (unlikely(ends_at_linux(w, p))) {
			p->nh = NULL;
			return true;
		}
		if (!resolve_slow(w, p, id))
			return false;
	}
	p->nh = nexthop_by_id(w->nexthops, *id);
	if (likely(p->nh->state == NEXTHOP_REACHABLE))
		return true;
	if (p->nh->state == NEXTHOP_FAILED)
		door_drop(w, p->m, DROP_NH_UNRESOLVED);
	else
		door_park(w, p->m, p->nh->link, &p->nh->addr, *id);
	return false;
}

void FAM(stage_resolve)(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		if (unlikely(!FAM_FN(resolve, packet)(w, p)))
			continue;
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}
