/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_TABLE_SLOTS_H
#define PLVS_MODEL_TABLE_SLOTS_H

#include <stdint.h>

/* Slots of a table of n entries: a power of two, at least half of them free. */
static inline uint32_t table_slots(uint32_t n)
{
	uint64_t slots = 4;

	while (slots < (uint64_t)n * 2)
		slots *= 2;
	return (uint32_t)slots;
}

#endif
