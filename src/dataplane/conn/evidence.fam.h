/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of evidence.h that is compiled once for each address family. */

static inline struct segment FAM_FN(segment, of)(const struct FAM(pkt) *p)
{
	return segment_read(p->l3 + p->l4_off, (uint32_t)p->l3_len - p->l4_off, p->tcp_flags);
}

/* The packet made its connection. svc: its service, or NULL if it was removed. */
void FAM_FN(evidence, begin)(struct worker *w, const struct FAM(pkt) *p, const struct service *svc);
/* A connection reported by the peer, or taken up from a file. */
void FAM_FN(evidence, copied)(struct worker *w, struct FAM(conn) *c, bool assured);
/* A TCP segment with ACK and without RST, of a connection that is not assured, or in doubt, or that
 * is more than plain data. Before its state changes. */
void FAM_FN(evidence, gather)(struct worker *w, struct FAM(pkt) *p);
/* A datagram of a connection that is not assured. */
void FAM_FN(evidence, datagram)(struct worker *w, struct FAM(pkt) *p);
/* True: a RST or FIN may change the state of its connection. False: the segment is counted as
 * unproven, and a RST sets EVIDENCE_DOUBT. */
bool FAM_FN(evidence, believes)(struct worker *w, struct FAM(pkt) *p);
/* A SYN made a new connection of a closing one: forgets the evidence of the old connection. */
void FAM_FN(evidence, again)(struct worker *w, struct FAM(conn) *c);
