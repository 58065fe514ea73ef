/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of not_balanced.h that is compiled once for each address family. */

/* A packet with a decision other than in and out. Takes the packet.
 * Doors: punt, answered, sent (relay.h), hand-off (tunnel.h), drop. */
void FAM_FN(not_balanced, leave)(struct worker *w, struct FAM(pkt) *p, enum steering s);
