/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_HASH256_H
#define PLVS_SCHED_HASH256_H

/* The table of dh and sh: 256 buckets, each an index into the node's servers. */

#include "sched/ops.h"

#define HASH256_SIZE 256

struct hash256 {
	int16_t bucket[HASH256_SIZE]; /* SCHED_NONE: there was no server */
};
_Static_assert(MAX_SERVERS_PER_SERVICE <= INT16_MAX, "an index fits a bucket");

/* Multiplicative; takes the top 8 bits (Linux 4.7 and later; older kernels took the low bits). */
static inline uint32_t hash256_of(uint32_t x)
{
	return x * 0x61c88647U >> 24;
}

/* Deals the buckets in list order, round after round: `weight` buckets in a row to each server, or
 * one if weighted is false or the weight is 0. with_down: a server that health took out keeps its
 * buckets. sched_data, or NULL: out of memory. */
struct hash256 *hash256_create(const struct service *svc, bool weighted, bool with_down);

#endif
