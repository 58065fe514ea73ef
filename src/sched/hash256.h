/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_HASH256_H
#define PLVS_SCHED_HASH256_H

/* The table of dh and sh: 256 buckets, each an index into the node's servers. */

#include "sched/ops.h"

#define HASH256_SIZE 256

struct hash256 {
	int16_t bucket[HASH256_SIZE]; /* SCHED_NONE: no server to deal it to */
};
_Static_assert(MAX_SERVERS_PER_SERVICE <= INT16_MAX, "an index fits a bucket");

/* Multiplicative, the top 8 bits (Linux 4.7 and later; older kernels took the low ones). */
static inline uint32_t hash256_of(uint32_t x)
{
	return x * 0x61c88647U >> 24;
}

/* Deals the buckets round in list order, to each server `weight` in a row (one when
 * weighted is false, and to a server of weight 0). with_down: a server that health took
 * out keeps its buckets. sched_data, or NULL: out of memory. */
struct hash256 *hash256_create(const struct service *svc, bool weighted, bool with_down);

#endif
