/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of track.h that is compiled once for each address family. */

/* Stage track for one packet. */
void FAM_FN(track, packet)(struct worker *w, struct FAM(pkt) *p);

/* True: a segment of an established connection is plain data, and the connection is assured. */
static inline bool FAM_FN(track, adds_nothing)(const struct conn *c, const struct FAM(pkt) *p)
{
	return (c->evidence & (EVIDENCE_ASSURED | EVIDENCE_DOUBT)) == EVIDENCE_ASSURED &&
	       !(p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

/* The same, and the connection's numbers are known. */
static inline bool FAM_FN(track, moves_numbers)(const struct conn *c, const struct FAM(pkt) *p)
{
	return (c->evidence & (EVIDENCE_ASSURED | EVIDENCE_DOUBT | EVIDENCE_KNOWN)) ==
		       (EVIDENCE_ASSURED | EVIDENCE_KNOWN) &&
	       !(p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

/* True: the packet changes only the time stamp and TCP's numbers of its connection: plain data on
 * an established and assured TCP connection, or a datagram on an assured one. Not for ICMP errors
 * and later fragments. */
static inline bool FAM_FN(track, is_plain)(const struct conn *c, const struct FAM(pkt) *p)
{
	if (likely(c->proto == IPPROTO_TCP))
		return c->state == CONN_ESTABLISHED && FAM_FN(track, adds_nothing)(c, p);
	return c->evidence & EVIDENCE_ASSURED;
}
