/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_BE_H
#define PLVS_BASE_BE_H

/*
 * Network byte order in the type. DPDK's rte_be16_t and rte_be32_t are the same types. base does
 * not use DPDK, so that the CLI and the parsers need no DPDK.
 */

#include <endian.h>
#include <stdint.h>

typedef uint16_t be16;
typedef uint32_t be32;

static inline be16 be16_from(uint16_t host)
{
	return htobe16(host);
}

static inline uint16_t be16_to(be16 v)
{
	return be16toh(v);
}

static inline be32 be32_from(uint32_t host)
{
	return htobe32(host);
}

static inline uint32_t be32_to(be32 v)
{
	return be32toh(v);
}

#endif
