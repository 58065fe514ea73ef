/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of handshake.h that is compiled once for each address family. */

/* The packet made its connection. */
void FAM_FN(handshake, begin)(struct worker *w, const struct FAM(pkt) *p);
/* The connection that a packet made was taken back. */
void FAM_FN(handshake, undo)(struct worker *w, const struct FAM(conn) *c);
/* A packet of a NAT connection that is in SYN_RECV, or enters it. */
void FAM_FN(handshake, packet)(struct worker *w, const struct FAM(pkt) *p);
/* A NAT connection ends in SYN_RECV. */
void FAM_FN(handshake, end)(struct worker *w, const struct FAM(conn) *c);
