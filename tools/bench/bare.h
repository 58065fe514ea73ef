/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BENCH_BARE_H
#define PLVS_BENCH_BARE_H

/* A packet as the bare loops read it (bare.c, bare_fullnat.c). For sources that are compiled for
 * each address family. */

#include <rte_ip.h>
#include <string.h>

#include "dataplane/conn/table.h"
#include "dataplane/stages/ip.h"

static inline uint8_t *bare_l4(uint8_t *l3)
{
	return l3 + (FAMILY == 4 ? (l3[0] & 0xf) * 4U : IP_HDR);
}

static inline uint16_t bare_length(const uint8_t *l3)
{
	return FAMILY == 4 ? rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)l3)->total_length)
			   : (uint16_t)(IP_HDR +
					rte_be_to_cpu_16(
						((const struct rte_ipv6_hdr *)l3)->payload_len));
}

static inline struct FAM(key) bare_key(uint8_t *l3)
{
	struct FAM(key) key = {.saddr = FAM_FN(ip, addr)(l3, IP_SOURCE),
			       .daddr = FAM_FN(ip, addr)(l3, IP_DEST),
			       .proto = FAMILY == 4 ? l3[9] : l3[6]};

	memcpy(&key.sport, bare_l4(l3), 4);
	return key;
}

#endif
