/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage track: time stamp and TCP state of each connection.
 *
 * Reads: conn, dir, tcp_flags, TCP's sequence numbers. Writes: conn's tick, state, time-out,
 * flags, evidence and numbers; its handshake; the lists of those that give way. Doors: none.
 */
#include "dataplane/conn/evidence.h"
#include "dataplane/conn/give_way.h"
#include "dataplane/conn/handshake.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/stages/track.h"

/* tick: before this packet. Plain data on a half-closed connection, and a client's packets where no
 * reply passes here, put the entry at the end of its list for giving way. Numbers that do not fit,
 * and a flood within one tick, do not. */
static void track_moves(struct worker *w, struct FAM(pkt) *p, uint32_t tick)
{
	struct conn *c = &p->conn->c;

	if (tick == c->tick || (c->evidence & EVIDENCE_DOUBT) || (p->tcp_flags & TCP_FIN))
		return;
	if (c->state == CONN_FIN_WAIT || c->state == CONN_CLOSE_WAIT ||
	    (c->state == CONN_ESTABLISHED && !forward_has(c->method, FORWARD_REPLIES_PASS)))
		FAM_FN(give_way, touch)(w, p->conn);
}

static void track_tcp(struct worker *w, struct FAM(pkt) *p, uint32_t tick)
{
	struct conn *c = &p->conn->c;
	enum tcp_table table = p->dir == DIR_OUT ? TCP_TABLE_OUTPUT : TCP_TABLE_INPUT;
	enum conn_state next;

	if ((p->tcp_flags & (TCP_ACK | TCP_RST)) == TCP_ACK)
		FAM_FN(evidence, gather)(w, p);
	if ((p->tcp_flags & (TCP_FIN | TCP_RST)) && !FAM_FN(evidence, believes)(w, p)) {
		c->tick = tick;
		return;
	}
	if (c->flags & CONN_F_NOOUTPUT) {
		if (p->dir == DIR_OUT)
			c->flags &= (uint8_t)~CONN_F_NOOUTPUT;
		else
			table = TCP_TABLE_INPUT_ONLY;
	}
	next = tcp_state_next(table, c->state, p->tcp_flags);
	if ((c->state == CONN_SYN_RECV || next == CONN_SYN_RECV) &&
	    forward_has(c->method, FORWARD_REPLIES_PASS))
		FAM_FN(handshake, packet)(w, p);
	if (next != c->state)
		FAM_FN(conn, set_state)(w, p->conn, next);
	else
		track_moves(w, p, tick);
}

/* UDP: a second packet, of either side. The template that a NAT connection is under waits
 * for the server's: until then the client has not got through (IPVS). */
static void track_second(struct worker *w, struct FAM(pkt) *p)
{
	struct FAM(conn) *c = p->conn;

	if (p->flags & PKT_NEW)
		return;
	if (c->control) {
		if (p->dir == DIR_OUT)
			FAM_FN(template, assure)(w, c->control);
		else if (forward_has(c->c.method, FORWARD_REPLIES_PASS))
			return;
	}
	FAM_FN(conn, grow_up)(w, c);
	if (sync_on(w))
		FAM_FN(sync, changed)(w, c);
}

/* Datagrams of a connection that is not assured. */
static void track_udp(struct worker *w, struct FAM(pkt) *p, uint32_t tick)
{
	if (p->conn->c.flags & CONN_F_EMBRYONIC) {
		track_second(w, p);
		return;
	}
	FAM_FN(evidence, datagram)(w, p);
	if (tick != p->conn->c.tick)
		FAM_FN(give_way, touch)(w, p->conn);
}

void FAM_FN(track, packet)(struct worker *w, struct FAM(pkt) *p)
{
	struct conn *c = &p->conn->c;
	const uint32_t tick = c->tick;

	/* Anyone can send an error; a datagram counts by its first fragment. */
	if (unlikely(p->flags & (PKT_RELATED | PKT_FOLLOWS)))
		return;
	c->tick = w->env.now_tick;
	if (p->key.proto == IPPROTO_TCP) {
		if (FAM_FN(track, is_plain)(c, p))
			evidence_pass(c, p->dir, p->l3 + p->l4_off,
				      (uint32_t)p->l3_len - p->l4_off);
		else
			track_tcp(w, p, tick);
	} else if (!FAM_FN(track, is_plain)(c, p)) {
		track_udp(w, p, tick);
	}
}

void FAM(stage_track)(struct worker *w, struct FAM(burst) *b)
{
	for (uint16_t i = 0; i < b->n; i++)
		FAM_FN(track, packet)(w, &b->pkts[i]);
}
