/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage track: time stamp and TCP state of each connection.
 *
 * Reads: conn, dir, tcp_flags. Writes: conn's tick, state, time-out, flags; its handshake. Doors:
 * none.
 */
#include "dataplane/conn/handshake.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"

static void track_tcp(struct worker *w, struct pkt4 *p)
{
	struct conn *c = &p->conn->c;
	enum tcp_table table = p->dir == DIR_OUT ? TCP_TABLE_OUTPUT : TCP_TABLE_INPUT;
	enum conn_state next;

	if (c->flags & CONN_F_NOOUTPUT) {
		if (p->dir == DIR_OUT)
			c->flags &= (uint8_t)~CONN_F_NOOUTPUT;
		else
			table = TCP_TABLE_INPUT_ONLY;
	}
	next = tcp_state_next(table, c->state, p->tcp_flags);
	if ((c->state == CONN_SYN_RECV || next == CONN_SYN_RECV) && c->method == FWD_NAT)
		handshake_packet(w, p);
	if (next != c->state)
		conn4_set_state(w, p->conn, next);
}

/* UDP: a second packet, of either side. The template that a NAT connection is under waits
 * for the server's: until then the client has not got through (IPVS). */
static void track_second(struct worker *w, struct pkt4 *p)
{
	struct conn4 *c = p->conn;

	if (c->control) {
		if (p->dir == DIR_OUT)
			template4_assure(w, c->control);
		else if (c->c.method == FWD_NAT)
			return;
	}
	conn4_grow_up(w, c);
	if (sync_on(w))
		sync_changed(w, c);
}

void stage_track4(struct worker *w, struct burst *b)
{
	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt4 *p = &b->pkts[i];
		struct conn *c = &p->conn->c;

		/* Anyone can send an error; a datagram counts by its first fragment. */
		if (unlikely(p->flags & (PKT_RELATED | PKT_FOLLOWS)))
			continue;
		c->tick = w->env.now_tick;
		if (likely(p->key.proto == IPPROTO_TCP)) {
			/* An established connection stays so on plain data. */
			if (c->state != CONN_ESTABLISHED ||
			    (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)))
				track_tcp(w, p);
		} else if (unlikely(c->flags & CONN_F_EMBRYONIC) && !(p->flags & PKT_NEW)) {
			track_second(w, p);
		}
	}
}
