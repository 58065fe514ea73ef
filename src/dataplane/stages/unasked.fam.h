/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of unasked.h that is compiled once for each address family. */

/* Linux answers for a VIP and for its own addresses, and routes the rest, which came here for a
 * mark that it did not get. Doors: punt, drop (icmp_unrelated). */
void FAM(leave_to_linux)(struct worker *w, struct FAM(pkt) *p);
/* Whether a packet goes to an address of the peer's own on a path. */
bool FAM(to_peer)(const struct worker *w, const struct FAM(pkt) *p);
/* A packet of a NAT server without a connection. True: conn is set; false: the packet has left.
 * Doors: punt, drop (no_reply). */
bool FAM(unasked)(struct worker *w, struct FAM(pkt) *p);
/* The same of a packet that a mark may send to a service: then the packet is tried in direction
 * in. True: conn is set, or the direction is in; false: the packet has left. */
bool FAM(try_as_in)(struct worker *w, struct FAM(pkt) *p);
