/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_CSUM_H
#define PLVS_BASE_CSUM_H

/*
 * Internet checksum (RFC 1071) and its incremental update (RFC 1624, eqn. 3):
 *	HC' = ~(~HC + delta),  delta = sum of (~old + new) over 16-bit words.
 * A delta applied to a wrong checksum leaves a wrong checksum. Words are summed in memory order;
 * the result is in memory order too. Context: any.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/be.h"

static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* True: the sum, whose carries out of 64 bits were added as 1, folds to 0xffff. Not for 0. */
static inline bool csum_is_whole(uint64_t sum)
{
	return sum % UINT16_MAX == 0;
}

/* The sum of two words with the carry added, as csum_fold() gives it. */
static inline uint16_t csum_add16(uint16_t a, uint16_t b)
{
	uint32_t sum = (uint32_t)a + b;

	return (uint16_t)(sum + (sum >> 16));
}

/* Adds len bytes to a running sum; an odd last byte is padded with zero. */
static inline uint64_t csum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t w;

	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&w, p, 4);
		sum += w;
	}
	if (len) {
		w = 0;
		memcpy(&w, p, len);
		sum += w;
	}
	return sum;
}

static inline be16 csum_of(const void *data, size_t len)
{
	return (be16)~csum_fold(csum_add(0, data, len));
}

/* The delta of a change of one 32-bit or 16-bit field. */
static inline uint16_t csum_delta32(be32 from, be32 to)
{
	return csum_fold((uint64_t)(uint32_t)~from + to);
}

static inline uint16_t csum_delta16(be16 from, be16 to)
{
	return csum_add16((uint16_t)~from, to);
}

static inline uint16_t csum_delta_sum(uint16_t a, uint16_t b)
{
	return csum_add16(a, b);
}

/* The delta of the opposite change (one's complement negation). */
static inline uint16_t csum_delta_inverse(uint16_t delta)
{
	return (uint16_t)~delta;
}

/* ~(~csum + delta) is csum - delta, whose borrow is subtracted. */
static inline be16 csum_apply(be16 csum, uint16_t delta)
{
	const uint32_t left = (uint32_t)csum - delta;

	return (be16)(left + (left >> 16));
}

#endif
