/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_IP_H
#define PLVS_DATAPLANE_STAGES_IP_H

/*
 * Common names for fields that the headers of IPv4 and IPv6 name differently, and the ICMP errors
 * of both. Stages use these names, so that their bodies are the same for both families. Worker
 * context.
 */

#include <netinet/in.h>
#include <rte_ip.h>

#include "base/addr.h"
#include "base/csum.h"
#include "base/family.h"
#include "dataplane/stages/pkt.h"

#define ICMP_HDR 8U /* bytes before the quoted packet in an ICMP error, in both families */

/* Of the family at hand. */
#define IP_HDR	   (FAMILY == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr))
#define ICMP_PROTO (FAMILY == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)

#define ANSWER_HOPS 64 /* of generated packets */

enum ip_address { IP_SOURCE, IP_DEST };

/* An error that this router sends about a packet. Types and codes: icmp_wire. */
enum icmp_reason {
	ICMP_REASON_PORT,      /* no service has this port */
	ICMP_REASON_HOP_LIMIT, /* TTL or hop limit has run out */
	ICMP_REASON_TOO_BIG,   /* larger than the path */
	ICMP_REASON_PROTO,     /* a protocol that is not known here */
	ICMP_REASON_MAX
};

struct icmp_wire {
	uint8_t type, code;
};

#define ICMP4_UNREACH  3
#define ICMP4_TOO_BIG  4 /* code of ICMP4_UNREACH */
#define ICMP4_TIME     11
#define ICMP4_ECHO     8
#define ICMP6_UNREACH  1
#define ICMP6_TOO_BIG  2
#define ICMP6_TIME     3
#define ICMP6_PROBLEM  4
#define ICMP6_ECHO     128
#define ICMP6_REPLY    129
#define ICMP6_IS_ERROR 128 /* types below are errors (RFC 4443, 2.1) */

static const struct icmp_wire icmp4_wire[ICMP_REASON_MAX] = {
	[ICMP_REASON_PORT] = {ICMP4_UNREACH, 3},
	[ICMP_REASON_HOP_LIMIT] = {ICMP4_TIME, 0},
	[ICMP_REASON_TOO_BIG] = {ICMP4_UNREACH, ICMP4_TOO_BIG},
	[ICMP_REASON_PROTO] = {ICMP4_UNREACH, 2},
};
static const struct icmp_wire icmp6_wire[ICMP_REASON_MAX] = {
	[ICMP_REASON_PORT] = {ICMP6_UNREACH, 4},
	[ICMP_REASON_HOP_LIMIT] = {ICMP6_TIME, 0},
	[ICMP_REASON_TOO_BIG] = {ICMP6_TOO_BIG, 0},
	[ICMP_REASON_PROTO] = {ICMP6_PROBLEM, 1},
};

/* The delta of a checksum for a change of an address. */
static inline uint16_t csum_delta_addr4(be32 from, be32 to)
{
	return csum_delta32(from, to);
}

static inline uint16_t csum_delta_addr6(struct addr6 from, struct addr6 to)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < 2; i++)
		sum += (~from.word[i] & 0xffffffffU) + (~from.word[i] >> 32) +
		       (to.word[i] & 0xffffffffU) + (to.word[i] >> 32);
	return csum_fold(sum);
}

static inline bool
addr4_is_multicast(be32 a) /* true for reserved addresses and broadcast as well */
{
	return be32_to(a) >> 28 >= 14;
}

static inline bool addr6_is_multicast(struct addr6 a)
{
	return ((const uint8_t *)&a)[0] == 0xff;
}

#define FAM_TEMPLATE "dataplane/stages/ip.fam.h"
#include "base/both_families.h"

#endif
