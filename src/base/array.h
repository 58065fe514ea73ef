/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_ARRAY_H
#define PLVS_BASE_ARRAY_H

/*
 * Arrays that grow by doubling. The caller has the pointer, the number of elements and the room:
 *
 *	if (array_room(&list->v, list->n, &list->max, sizeof(*list->v)) < 0)
 *		return -ENOMEM;
 *	list->v[list->n++] = element;
 *
 * Context: any thread, one at a time.
 */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_FIRST 16U

/* Room for want elements; array is the address of the pointer, which is from malloc or NULL, and
 * *max its room in elements of size bytes. 0, or -ENOMEM with the array as it was. */
static inline int array_reserve(void *array, uint64_t want, uint32_t *max, size_t size)
{
	uint64_t wider = *max ? *max : ARRAY_FIRST;
	void *old, *grown;

	if (want <= *max)
		return 0;
	while (wider < want)
		wider *= 2;
	if (wider > UINT32_MAX)
		return -ENOMEM; /* more elements than 32 bits count */
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, wider * size);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	*max = (uint32_t)wider;
	return 0;
}

/* Room for one element more than n. */
static inline int array_room(void *array, uint32_t n, uint32_t *max, size_t size)
{
	return array_reserve(array, (uint64_t)n + 1, max, size);
}

#endif
