/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_BUCKET_H
#define PLVS_DATAPLANE_CONN_BUCKET_H

/*
 * A bucket of a connection table: eight 16-bit tags and eight references, one cache line, the
 * same for both address families. Tags are compared by SSE2 on x86-64 and by NEON on arm64.
 * bucket_match_scalar() is the reference and works on every machine.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(PLVS_SCALAR)
#include <emmintrin.h>
#elif defined(__aarch64__) && !defined(PLVS_SCALAR)
#include <arm_neon.h>
#endif

#define TABLE_WAYS 8

struct bucket {
	uint16_t tag[TABLE_WAYS]; /* 0 = free */
	uint32_t ref[TABLE_WAYS]; /* entry index << 1 | direction */
	uint32_t overflow;	  /* bucket index, 0 = none */
	uint32_t pad[3];
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is one cache line");

/* The ways with this tag, as bits. */
static inline unsigned int bucket_match_scalar(const struct bucket *b, uint16_t tag)
{
	unsigned int hits = 0;

	for (unsigned int way = 0; way < TABLE_WAYS; way++)
		hits |= (unsigned int)(b->tag[way] == tag) << way;
	return hits;
}

static inline unsigned int bucket_match(const struct bucket *b, uint16_t tag)
{
#if defined(__SSE2__) && !defined(PLVS_SCALAR)
	__m128i tags = _mm_load_si128((const __m128i *)b->tag);
	__m128i eq = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

	return (unsigned int)_mm_movemask_epi8(_mm_packs_epi16(eq, _mm_setzero_si128()));
#elif defined(__aarch64__) && !defined(PLVS_SCALAR)
	static const uint16_t bit[TABLE_WAYS] = {1, 2, 4, 8, 16, 32, 64, 128};
	const uint16x8_t eq = vceqq_u16(vld1q_u16(b->tag), vdupq_n_u16(tag));

	return vaddvq_u16(vandq_u16(eq, vld1q_u16(bit)));
#else
	return bucket_match_scalar(b, tag);
#endif
}

/* The reference of the first way with this tag, or NULL. */
static inline const uint32_t *bucket_first(const struct bucket *b, uint16_t tag)
{
#if defined(__SSE2__) && !defined(PLVS_SCALAR)
	const __m128i tags = _mm_load_si128((const __m128i *)b->tag);
	const __m128i eq = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));
	/* Two bits for each way: half the offset of its reference, in bytes. */
	const unsigned int hits = (unsigned int)_mm_movemask_epi8(eq);

	return hits ? (const uint32_t *)((const uint8_t *)b->ref + 2U * __builtin_ctz(hits)) : NULL;
#else
	const unsigned int hits = bucket_match(b, tag);

	return hits ? &b->ref[__builtin_ctz(hits)] : NULL;
#endif
}

#endif
