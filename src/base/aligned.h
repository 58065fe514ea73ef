/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_ALIGNED_H
#define PLVS_BASE_ALIGNED_H

/*
 * Memory for objects that want more alignment than malloc() gives and are replaced often.
 * aligned_alloc() of glibc takes more than it needs and gives the rest back, so that the place of a
 * freed object is too small for the next object of the same size. Here the pieces of one size fit
 * each other's places. Context: any thread but workers.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* align: a power of two, 16 at least. NULL: out of memory. */
static inline void *aligned_get(size_t align, size_t size)
{
	uint8_t *piece = malloc(size + align), *object;

	if (!piece)
		return NULL;
	/* malloc() aligns to 16, so there are at least that many bytes before the object. */
	object = (uint8_t *)(((uintptr_t)piece + align) & ~(uintptr_t)(align - 1));
	memcpy(object - sizeof(piece), &piece, sizeof(piece));
	return object;
}

/* Frees an object of aligned_get(). NULL is allowed. */
static inline void aligned_put(void *object)
{
	void *piece;

	if (!object)
		return;
	memcpy(&piece, (uint8_t *)object - sizeof(piece), sizeof(piece));
	free(piece);
}

#endif
