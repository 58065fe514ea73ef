/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of unasked.h that is compiled once for each address family. */

/* Gives the packet to Linux, which answers for VIPs and its own addresses and routes the rest,
 * packets that got no mark. Doors: punt, drop (icmp_unrelated). */
void FAM(leave_to_linux)(struct worker *w, struct FAM(pkt) *p);
/* True: a packet goes to the peer's own address on a path. */
bool FAM(to_peer)(const struct worker *w, const struct FAM(pkt) *p);
/* Takes a packet of a NAT server without a connection. True: conn is set; false: the packet has
 * left. Doors: punt, drop (no_reply). */
bool FAM(unasked)(struct worker *w, struct FAM(pkt) *p);
/* The same for a packet that a mark may send to a service: the packet is then tried as `in`. True:
 * conn is set, or the direction is `in`; false: the packet has left. */
bool FAM(try_as_in)(struct worker *w, struct FAM(pkt) *p);
