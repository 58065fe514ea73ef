/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BENCH_FROZEN_H
#define PLVS_BENCH_FROZEN_H

/*
 * The table and the entry of the bare loop, as those of the data path were on 2026-11-30: a copy
 * that changes no more. A fatter entry or a slower table of the data path makes the ratio to the
 * bare loop worse, and a better one makes the ratio better. Filled once, from the connections of a
 * scene; never searched for what it does not have.
 *
 * The second yardstick has the same entries behind a hash table of DPDK (rte_hash): a bad table of
 * the data path would show beside a good one of others.
 */

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

#include <rte_hash.h>

#include "bench.h"

struct frozen_bucket {
	uint16_t tag[8]; /* 0 = free */
	uint32_t ref[8]; /* entry index << 1 | direction */
	uint32_t overflow;
	uint32_t pad[3];
};
_Static_assert(sizeof(struct frozen_bucket) == 64, "a bucket is one cache line");

struct frozen_entry {
	uint32_t tick;
	uint32_t gen;
	uint32_t server;
	uint16_t nexthop[2];
	uint16_t l4_delta;
	uint16_t ip_delta;
	uint8_t state;
	uint8_t flags;
	uint8_t proto;
	uint8_t method;
	uint32_t timeout;
	uint16_t slot;
	uint8_t evidence;
	uint8_t rank;
	uint32_t end[2];
};
_Static_assert(sizeof(struct frozen_entry) == 40, "as in the data path");

static inline uint16_t frozen_add16(uint16_t a, uint16_t b)
{
	const uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum + (sum >> 16));
}

static inline be16 frozen_csum_apply(be16 csum, uint16_t delta)
{
	return (be16)~frozen_add16((uint16_t)~csum, delta);
}

static inline uint16_t frozen_tag(uint32_t hash)
{
	const uint16_t tag = (uint16_t)(hash >> 16);

	return tag ? tag : 1;
}

static inline unsigned int frozen_match(const struct frozen_bucket *b, uint16_t tag)
{
	const __m128i tags = _mm_load_si128((const __m128i *)b->tag);
	const __m128i eq = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

	return (unsigned int)_mm_movemask_epi8(_mm_packs_epi16(eq, _mm_setzero_si128()));
}

#define FAM_TEMPLATE "frozen.fam.h"
#include "base/both_families.h"

#endif
