/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_EVIDENCE_H
#define PLVS_DATAPLANE_CONN_EVIDENCE_H

/*
 * Evidence that a connection is real. An attacker can send a SYN, an ACK or a RST with a forged
 * source, but does not see the server's answers. So an entry is *assured* only by evidence. Assured
 * entries give way last (give_way.h); state, time-out and listing do not depend on evidence:
 *
 *	TCP by NAT	the client acknowledged the sequence number of the server's SYN-ACK, or
 *			the server sent data, which it does on an established connection only
 *	TCP otherwise	no reply passes here, so there is no proof, only a rank: the client went
 *			on at four moments, each 16 s or more after the one before. (12 s can be
 *			enough, since times are kept in units of 4 s.) An attacker that sends
 *			five ACKs in half a minute is not assured
 *	UDP		the same rank, after an answer (NAT) or a second datagram
 *
 * RSTs and FINs are judged by the same numbers (after RFC 5961), if the handshake's numbers fitted.
 * end[] has, for each direction, the number behind the last byte seen. A RST ends an established
 * connection only with exactly this number. Any other RST leaves state and time-out unchanged and
 * makes the entry the first to give way, until its client's next segment (EVIDENCE_DOUBT). A FIN
 * has to fit roughly. A segment moves the numbers only if it is within 64 KiB before and 1 MiB
 * behind them, and its acknowledgement within 32 MiB, which one of a quarter of a million blind
 * segments is. A SYN moves no number. Where no reply passes, end[DIR_OUT] is the client's
 * acknowledgement.
 *
 * Services with sequence_check off, as under compat "ipvs", judge no numbers. The evidence by NAT
 * is then the server's data, or the rank.
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

/* len: length of the segment with its header. */
static inline struct segment segment_read(const uint8_t *l4, uint32_t len, uint8_t tcp_flags)
{
	struct segment s;
	be32 word[2];

	memcpy(word, l4 + 4, sizeof(word));
	s.seq = be32_to(word[0]);
	s.ack = be32_to(word[1]);
	s.end = s.seq + len - (l4[12] >> 4) * 4U + (tcp_flags & 1U);
	return s;
}

/* True: a segment may belong to this connection, whose ends are known (EVIDENCE_KNOWN). dir: enum
 * pkt_dir. */
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
	if (!forward_has(c->method, FORWARD_REPLIES_PASS) &&
	    (int32_t)(s->ack - c->end[DIR_OUT]) > 0)
		c->end[DIR_OUT] = s->ack;
}

/* For plain data, without FIN, of an assured connection whose numbers are known: the only cost of
 * evidence for such packets. */
static inline void evidence_move(struct conn *c, unsigned int dir, const uint8_t *l4, uint32_t len)
{
	const struct segment s = segment_read(l4, len, 0);

	if (likely(segment_fits(c, dir, &s)))
		segment_moves(c, dir, &s);
}

/* The same for any connection. */
static inline void evidence_pass(struct conn *c, unsigned int dir, const uint8_t *l4, uint32_t len)
{
	if (likely((c->evidence & EVIDENCE_KNOWN) == EVIDENCE_KNOWN))
		evidence_move(c, dir, l4, len);
}

#define FAM_TEMPLATE "dataplane/conn/evidence.fam.h"
#include "base/both_families.h"

#endif
