/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forward.c for a worker some of whose connections have a server of the other family: packets to
 * and from such servers have a plain way of their own. The half of a connection that look-up has
 * not read is prefetched some packets ahead.
 *
 * Doors: those of the stages; sent.
 */
#include "dataplane/stages/forward_internal.h"
#include "dataplane/translate/plain.h"

/* Packets from the prefetch of a half to its use: a burst of prefetches is more than can be under
 * way at once. */
#define HALVES_AHEAD 8

/* Of a connection with a server of the other family. dir: that of p, whose headers are of FAMILY as
 * `in`, of the other family as `out`. False: the packet is not plain, and nothing was done. */
static __rte_always_inline bool forward_crossing(struct worker *w, struct FAM(pkt) *p,
						 enum pkt_dir dir, struct last_out *last)
{
	const struct FAM(conn) *const conn = p->conn;
	const uint32_t len = p->l3_len, l4_off = p->l4_off;
	struct conn *const c = &p->conn->c;
	const struct nexthop *const nh = FAM_FN(resolve, known)(w, c, dir);
	const uint8_t proto = c->proto;
	struct rte_mbuf *const m = p->m;
	uint8_t *const l3 = p->l3;

	if (unlikely(!nh || (p->flags & (NOT_PLAIN | PKT_FRAGMENT)) ||
		     (c->flags & (CONN_F_PAYLOAD | CONN_F_OUT_KEY)) != CONN_F_OUT_KEY))
		return false;
	if (unlikely(dir == DIR_IN ? !FAM_FN(translate, is_plain)(m, l3, l4_off, len, proto, nh)
				   : !OTHER_FN(translate, is_plain)(m, l3, l4_off, len, proto, nh)))
		return false;
	track_plain(w, p, c, dir, l3 + l4_off, len - l4_off, is_open_tcp(c));
	FAM_FN(server, count)(w, c->server, dir, len);
	if (dir == DIR_IN) {
		const struct OTHER_FAM(new_ends) ends = FAM_FN(crossing, ends)(w, conn);

		FAM_FN(translate, plain)(w, m, l3, len, proto, nh, &ends, c->l4_delta);
	} else {
		const struct FAM(new_ends) ends = {.source = conn->vaddr,
						   .dest = conn->caddr,
						   .sport = conn->vport,
						   .dport = conn->cport};

		OTHER_FN(translate, plain)
		(w, m, l3, len, proto, nh, &ends, csum_delta_inverse(c->l4_delta));
	}
	send_from(w, m, nh->port, last);
	return true;
}

static inline bool is_crossing(const struct FAM(conn) *c)
{
	return forward_has(c->c.method, FORWARD_BY_LOCAL) && FAM_FN(half, crosses)(c);
}

/* The connection of a reply, which look-up has not read. */
static inline void client_prefetch(const struct FAM(pkt) *p)
{
	__builtin_prefetch(p->conn, 1);
	if (FAMILY == 6)
		__builtin_prefetch(&p->conn->addr[0]);
}

/* The server's half of a client's packet. */
static inline void other_prefetch(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct OTHER_FAM(conn) *const h = FAM_FN(crossing, at)(w, p->conn);

	__builtin_prefetch(h);
	if (FAMILY == 4)
		__builtin_prefetch(&h->addr[0]);
}

/* A burst of a worker some of whose connections have a server of the other family. */
void FAM_FN(pipeline, finish_halves)(struct worker *w, struct FAM(burst) *b)
{
	struct FAM(pkt) *const end = b->pkts + b->n;
	struct last_out last = {.port = NO_PORT};

	for (struct FAM(pkt) *p = b->pkts; p < end && p < b->pkts + HALVES_AHEAD; p++)
		other_prefetch(w, p);
	for (struct FAM(pkt) *p = b->pkts; p < end; p++) {
		if (likely(p + HALVES_AHEAD < end))
			other_prefetch(w, p + HALVES_AHEAD);
		if (!(is_crossing(p->conn) ? forward_crossing(w, p, DIR_IN, &last)
					   : forward_plain(w, p, &last)))
			FAM_FN(forward, staged)(w, p);
	}
	b->n = 0;
}

void FAM_FN(pipeline, finish_replies)(struct worker *w, struct FAM(burst) *b)
{
	struct FAM(pkt) *const end = b->pkts + b->n;
	struct last_out last = {.port = NO_PORT};

	for (struct FAM(pkt) *p = b->pkts; p < end && p < b->pkts + HALVES_AHEAD; p++)
		client_prefetch(p);
	for (struct FAM(pkt) *p = b->pkts; p < end; p++) {
		if (likely(p + HALVES_AHEAD < end))
			client_prefetch(p + HALVES_AHEAD);
		if (unlikely(!forward_crossing(w, p, DIR_OUT, &last)))
			FAM_FN(forward, staged)(w, p);
	}
	b->n = 0;
}
