/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_FORWARD_INTERNAL_H
#define PLVS_DATAPLANE_STAGES_FORWARD_INTERNAL_H

/* The short way of a packet, for forward.c and forward_halves.c, which are compiled for each
 * family. Worker context. */

#include "dataplane/exits/doors.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/resolve.h"
#include "dataplane/stages/rewrite.h"
#include "dataplane/stages/track.h"

#define NOT_PLAIN (PKT_RELATED | PKT_FOLLOWS | PKT_UNCOUNTED)

/* TCP, established: compared as one number. */
static inline bool is_open_tcp(const struct conn *c)
{
	return (conn_kind(c) & CONN_KIND(0xff, CONN_F_PAYLOAD, 0xff, 0)) ==
	       CONN_KIND(CONN_ESTABLISHED, 0, IPPROTO_TCP, 0);
}

/* A server of the same family, and a local port. */
static inline bool has_half(const struct FAM(conn) *c)
{
	return c->c.method == FWD_FULLNAT && (c->c.flags & CONN_F_OUT_KEY) &&
	       !FAM_FN(half, crosses)(c);
}

/* True: forward_plain() covers the packet's method. */
static inline bool method_is_plain(const struct FAM(conn) *c)
{
	return likely(c->c.method <= FWD_DR) || has_half(c);
}
_Static_assert(FWD_NAT == 0 && FWD_DR == 1, "the two methods come first");

/* The buffer of the port that the last packet left by: packets of a burst leave by few. */
struct last_out {
	uint32_t port; /* NO_PORT: none, or one without a queue of this worker's */
	struct tx_buffer *buffer;
};

#define NO_PORT UINT32_MAX

/* door_send(), for packets of a burst. */
static __rte_always_inline void send_from(struct worker *w, struct rte_mbuf *m, uint16_t port,
					  struct last_out *last)
{
	struct tx_buffer *b = last->buffer;

	if (unlikely(port != last->port)) {
		if (unlikely(w->tx_queue[port] < 0)) {
			door_send_elsewhere(w, m, port);
			return;
		}
		last->port = port;
		last->buffer = b = &w->tx[port];
	}
	b->pkts[b->n++] = m;
	if (b->n == BURST_MAX)
		door_flush_tx(w, port);
}

/* Stage track. c, dir: of p; l4: its L4 header, with `len` bytes from there on. */
static __rte_always_inline void track_plain(struct worker *w, struct FAM(pkt) *p, struct conn *c,
					    uint32_t dir, const uint8_t *l4, uint32_t len,
					    bool open)
{
	if (likely(open && FAM_FN(track, moves_numbers)(c, p))) {
		c->tick = w->env.now_tick;
		evidence_move(c, dir, l4, len);
	} else if (open && FAM_FN(track, adds_nothing)(c, p)) {
		c->tick = w->env.now_tick;
	} else {
		FAM_FN(track, packet)(w, p);
	}
}

/* False: the packet is not plain, and is unchanged. */
static __rte_always_inline bool forward_plain(struct worker *w, struct FAM(pkt) *p,
					      struct last_out *last)
{
	struct FAM(conn) *const conn = p->conn;
	struct conn *const c = &conn->c;
	struct rte_mbuf *const m = p->m;
	uint8_t *const l3 = p->l3;
	const uint32_t len = p->l3_len, l4_off = p->l4_off, dir = p->dir;
	const struct nexthop *const nh = FAM_FN(resolve, known)(w, c, dir);
	const bool open = is_open_tcp(c);
	const uint8_t proto = open ? IPPROTO_TCP : c->proto, method = c->method;
	uint16_t delta;

	if (unlikely(!nh || len > nh->mtu || (p->flags & NOT_PLAIN) ||
		     *FAM_FN(ip, hop_limit)(l3) <= 1 || !method_is_plain(conn)))
		return false;
	if (unlikely(!open && (c->flags & CONN_F_PAYLOAD)))
		return false;
#if FAMILY == 6
	if (unlikely(method != FWD_DR && FAM_FN(udp_csum, missing)(l3 + l4_off, proto)))
		return false;
#endif
	track_plain(w, p, c, dir, l3 + l4_off, len - l4_off, open);
	FAM_FN(server, count)(w, c->server, dir, len);
	delta = FAM_FN(ip, hop_down)(l3);
	if (method == FWD_NAT)
		delta = csum_delta_sum(delta, FAM_FN(nat, apply)(conn, l3, l4_off, dir, proto));
	else if (method == FWD_FULLNAT)
		delta = csum_delta_sum(delta, FAM_FN(fullnat, apply)(&w->FAM(v).table, conn, l3,
								     l4_off, dir, proto));
	FAM_FN(ip, csum_change)(l3, delta);
	FAM_FN(ethernet, put_at)(m, l3, nh);
	send_from(w, m, nh->port, last);
	return true;
}

#endif
