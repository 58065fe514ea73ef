/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of fragment_split.h that is compiled once for each address family. */

/*
 * Sends m, whose IP header lies at l3 behind its Ethernet header and whose packet has l3_len bytes,
 * as fragments of at most mtu bytes towards nh. Takes m. IPv6: adds a fragment header behind the
 * IPv6 header, if there is none. Fragments beyond the first count as generated. Drops: too_big
 * beyond FRAGMENTS_MAX fragments, no_buffer.
 */
void FAM_FN(fragment, send)(struct worker *w, struct rte_mbuf *m, uint8_t *l3, uint16_t l3_len,
			    const struct nexthop *nh, uint16_t mtu);
