/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_TABLE_SLOTS_H
#define PLVS_MODEL_TABLE_SLOTS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Slots of a table of n entries: a power of two, at least half of them free. */
static inline uint32_t table_slots(uint32_t n)
{
	uint64_t slots = 4;

	while (slots < (uint64_t)n * 2)
		slots *= 2;
	return (uint32_t)slots;
}

/* A copy of a table whose slots follow its head, if n entries would leave half of the slots free.
 * NULL with errno ENOMEM, or ENOSPC: too many. */
static inline void *table_copy(const void *table, size_t head, size_t slot, uint32_t mask,
			       uint64_t n)
{
	const size_t size = head + ((size_t)mask + 1) * slot;
	void *copy;

	errno = ENOSPC;
	if (n * 2 > (uint64_t)mask + 1)
		return NULL;
	copy = malloc(size);
	if (copy != NULL)
		memcpy(copy, table, size);
	return copy;
}

#endif
