/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of translate.h that is compiled once for each address family: that of the packet
 * before. */

/*
 * Translates p, whose next hop is p->nh (NULL: Linux), into a packet of the other family: sets l3,
 * l3_len and l4_off, and writes an Ethernet header. l4_delta: of the checksums of TCP and UDP.
 * back_mtu: if p is an ICMP error, the MTU of the next hop of the packets in the other direction.
 * False: the packet has left, by drop (ttl_exceeded, too_big, untranslatable, no_checksum,
 * no_buffer) or as fragments.
 */
bool FAM_FN(translate, packet)(struct worker *w, struct FAM(pkt) *p,
			       const struct OTHER_FAM(new_ends) * ends, uint16_t l4_delta,
			       uint16_t back_mtu);
