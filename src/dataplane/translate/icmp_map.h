/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TRANSLATE_ICMP_MAP_H
#define PLVS_DATAPLANE_TRANSLATE_ICMP_MAP_H

/*
 * Translation of the fields of ICMP errors between the families (RFC 7915, 4.2 and 5.2): types,
 * codes, the pointer of a parameter problem, the MTU of a packet that was too big. Errors only,
 * since queries belong to no balanced connection. Pure. Context: any.
 */

#include <stdbool.h>
#include <stdint.h>

struct icmp_words {
	uint8_t type, code;
	uint32_t info; /* the four bytes behind the checksum, host order */
};

/* From ICMPv4 to ICMPv6. The info of a packet that was too big is the MTU of the ICMPv4 message,
 * see translated6_mtu(). False: the error has no counterpart, and is dropped. */
bool icmp_words_4to6(const struct icmp_words *in, struct icmp_words *out);
/* The same the other way, with translated4_mtu(). */
bool icmp_words_6to4(const struct icmp_words *in, struct icmp_words *out);

/*
 * The MTU for the sender of IPv6 packets, if an IPv4 router reports `mtu` about the translated
 * packet of `quoted` bytes: 20 bytes more, at most the MTU of the next hops, at least 1280. mtu6:
 * of the next hop towards the sender; mtu4: of the one towards the reporting router. mtu 0, from an
 * old router: a plateau of RFC 1191 below `quoted`.
 */
uint32_t translated6_mtu(uint32_t mtu, uint16_t quoted, uint32_t mtu6, uint32_t mtu4);
/* The MTU for the sender of IPv4 packets, if an IPv6 router reports `mtu`. fragment: the quoted
 * packet had a fragment header. */
uint32_t translated4_mtu(uint32_t mtu, bool fragment, uint32_t mtu4, uint32_t mtu6);

#endif
