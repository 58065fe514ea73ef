/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_ICMP_MAP_H
#define PLVS_DATAPLANE_TRANSLATE_ICMP_MAP_H

/*
 * ICMP errors of one family in the words of the other one (RFC 7915, 4.2 and 5.2): types, codes,
 * the pointer of a parameter problem, the MTU of a packet that was too big. Errors alone: queries
 * belong to no balanced connection. Pure. Context: any.
 */

#include <stdbool.h>
#include <stdint.h>

struct icmp_words {
	uint8_t type, code;
	uint32_t info; /* the four bytes behind the checksum, host order */
};

/* An error of ICMPv4 as one of ICMPv6. The info of a packet that was too big is the MTU as the
 * ICMPv4 message has it; see translated6_mtu(). False: the error has no counterpart, and is
 * dropped. */
bool icmp_words_4to6(const struct icmp_words *in, struct icmp_words *out);
/* The same the other way, with translated4_mtu(). */
bool icmp_words_6to4(const struct icmp_words *in, struct icmp_words *out);

/*
 * The MTU that the sender of IPv6 packets is told when an IPv4 router said `mtu` about the
 * translated packet of `quoted` bytes: 20 bytes more, at most what the next hops take, 1280 at
 * least. mtu6: of the next hop towards the sender; mtu4: of that towards the router. 0: an old
 * router that says none, so that a plateau of RFC 1191 below `quoted` is taken.
 */
uint32_t translated6_mtu(uint32_t mtu, uint16_t quoted, uint32_t mtu6, uint32_t mtu4);
/* The MTU that the sender of IPv4 packets is told when an IPv6 router said `mtu`. fragment: the
 * packet that the error quotes had a fragment header. */
uint32_t translated4_mtu(uint32_t mtu, bool fragment, uint32_t mtu4, uint32_t mtu6);

#endif
