/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_EVIDENCE_H
#define PLVS_DATAPLANE_CONN_EVIDENCE_H

/*
 * What speaks for a connection. Anyone can send a SYN, an ACK or a RST in another's name, but
 * does not see what the server answers. So an entry is *assured* only by evidence, which
 * decides who gives way (give_way.h) and changes neither state, time-out nor listing:
 *
 *	TCP by NAT	the client acknowledged the sequence number of the server's SYN-ACK, or
 *			the server sent data, which it does on an established connection only
 *	TCP otherwise	no reply passes here, so there is no proof, only a rank: the client went
 *			on at four moments, each 16 s or more after the one before. (12 s can be
 *			enough: moments are kept in units of 4 s.) An attacker that sends five
 *			ACKs in half a minute is not assured
 *	UDP		the same rank, after an answer (NAT) or a second datagram
 *
 * By the same numbers a RST or a FIN is judged (in the spirit of RFC 5961), where the
 * handshake's numbers fitted: end[] has, for each direction, the number behind the last byte
 * seen. A RST that ends an established connection has exactly this number; any other leaves
 * state and time-out alone and makes the entry the first to give way, until its client's next
 * segment (EVIDENCE_DOUBT). A FIN fits roughly. A segment moves the numbers only if it is
 * within 64 KiB before and 1 MiB behind them, and what it acknowledges within 32 MiB: out of a
 * quarter of a million blind segments one is. A SYN moves nothing. Where no reply passes,
 * end[DIR_OUT] is what the client acknowledged.
 *
 * Services with sequence_check off, as under compat "ipvs", judge no number: there NAT has the
 * server's data and the rank.
 *
 * Worker context, one owner.
 */

#include "base/be.h"
#include "dataplane/worker.h"

#define EVIDENCE_KNOWN (EVIDENCE_CLIENT | EVIDENCE_SERVER)

/* A TCP segment's numbers. */
struct segment {
	uint32_t seq, ack;
	uint32_t end; /* seq behind its data and FIN */
};

static inline struct segment segment_of(const struct pkt4 *p)
{
	const uint8_t *l4 = p->l3 + p->l4_off;
	struct segment s;
	be32 word[2];

	memcpy(word, l4 + 4, sizeof(word));
	s.seq = be32_to(word[0]);
	s.ack = be32_to(word[1]);
	s.end = s.seq + p->l3_len - p->l4_off - (l4[12] >> 4) * 4U + (p->tcp_flags & 1U);
	return s;
}

/* Whether a segment may be this connection's: EVIDENCE_KNOWN. dir: enum pkt_dir. */
static inline bool segment_fits(const struct conn *c, unsigned int dir, const struct segment *s)
{
	return s->seq - c->end[dir] + (64U << 10) < (64U << 10) + (1U << 20) &&
	       s->ack - c->end[!dir] + (32U << 20) < (64U << 20);
}

/* A segment that fits moves the numbers. */
static inline void segment_moves(struct conn *c, unsigned int dir, const struct segment *s)
{
	if ((int32_t)(s->end - c->end[dir]) > 0)
		c->end[dir] = s->end;
	if (c->method != FWD_NAT && (int32_t)(s->ack - c->end[DIR_OUT]) > 0)
		c->end[DIR_OUT] = s->ack;
}

/* Plain data of an assured connection: all that its packets pay. */
static inline void evidence_pass(struct conn *c, const struct pkt4 *p)
{
	struct segment s;

	if ((c->evidence & EVIDENCE_KNOWN) != EVIDENCE_KNOWN)
		return;
	s = segment_of(p);
	if (likely(segment_fits(c, p->dir, &s)))
		segment_moves(c, p->dir, &s);
}

/* The packet made its connection. */
void evidence_begin(struct worker *w, const struct pkt4 *p);
/* A connection that the peer told of, or that is taken up from a file. */
void evidence_copied(struct worker *w, struct conn4 *c, bool assured);
/* A TCP segment of a connection that is not assured, or in doubt, or that is more than plain
 * data. Before its state changes. */
void evidence_gather(struct worker *w, struct pkt4 *p);
/* A datagram of a connection that is not assured. */
void evidence_datagram(struct worker *w, struct pkt4 *p);
/* Whether a RST or FIN may change its connection's state. False: it was dealt with. */
bool evidence_believes(struct worker *w, struct pkt4 *p);
/* A SYN made a new connection of a closing one: what is known is forgotten. */
void evidence_again(struct worker *w, struct conn4 *c);

#endif
