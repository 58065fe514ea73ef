/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_SPARSE_H
#define PLVS_BASE_SPARSE_H

/*
 * Large tables of which little is used: zero, and a page of them takes memory from its first write
 * on. calloc() has that only where it asks the kernel: what it takes from memory freed before it
 * clears whole. Context: any.
 */

#include <stddef.h>
#include <sys/mman.h>

/* At the beginning of a page. NULL: no memory. */
static inline void *sparse_get(size_t bytes)
{
	void *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return table == MAP_FAILED ? NULL : table;
}

/* NULL is allowed. */
static inline void sparse_put(void *table, size_t bytes)
{
	if (table)
		munmap(table, bytes);
}

#endif
