/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_FORWARD_INTERNAL_H
#define PLVS_DATAPLANE_STAGES_FORWARD_INTERNAL_H

/* The short way of a packet, for forward.c and forward_halves.c, which are compiled for each
 * family. Worker context. */

#include "dataplane/exits/doors.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/resolve.h"
#include "dataplane/stages/rewrite_plain.h"
#include "dataplane/stages/track.h"

#define NOT_PLAIN (PKT_RELATED | PKT_FOLLOWS | PKT_UNCOUNTED)

/* TCP, established: compared as one number. */
static inline bool is_open_tcp(const struct conn *c)
{
	return (conn_kind(c) & CONN_KIND(0xff, CONN_F_PAYLOAD, 0xff, 0)) ==
	       CONN_KIND(CONN_ESTABLISHED, 0, IPPROTO_TCP, 0);
}

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

	if (unlikely(!nh || len > nh->mtu || (p->flags & NOT_PLAIN) ||
		     *FAM_FN(ip, hop_limit)(l3) <= 1 || !rewrite_is_plain(conn)))
		return false;
	if (unlikely(!open && (c->flags & CONN_F_PAYLOAD)))
		return false;
	if (unlikely(rewrite_needs_checksum(method, l3 + l4_off, proto)))
		return false;
	track_plain(w, p, c, dir, l3 + l4_off, len - l4_off, open);
	FAM_FN(server, count)(w, c->server, dir, len);
	rewrite_plain(w, conn, method, l3, l4_off, dir, proto);
	FAM_FN(ethernet, put_at)(m, l3, nh);
	send_from(w, m, nh->port, last);
	return true;
}

#endif
