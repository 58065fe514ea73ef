/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_WORDS_H
#define PLVS_BASE_WORDS_H

/*
 * Structs whose members are all uint64_t, such as counters, member by member. C defines no index
 * from one member to the next, so a member is found by its offset in the struct.
 *
 * Context: any.
 */

#include <stddef.h>
#include <stdint.h>

static inline uint64_t *word_at(void *words, size_t i)
{
	return (uint64_t *)(void *)((uint8_t *)words + i * sizeof(uint64_t));
}

static inline const uint64_t *word_at_const(const void *words, size_t i)
{
	return (const uint64_t *)(const void *)((const uint8_t *)words + i * sizeof(uint64_t));
}

#endif
