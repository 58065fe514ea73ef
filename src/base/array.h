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

/* Room for one element more than n; array is the address of the pointer, which is from malloc or
 * NULL, and *max its room in elements of size bytes. 0, or -ENOMEM with the array as it was. */
static inline int array_room(void *array, uint32_t n, uint32_t *max, size_t size)
{
	uint32_t wider = *max ? *max * 2 : ARRAY_FIRST;
	void *old, *grown;

	if (n < *max)
		return 0;
	if (wider <= n)
		return -ENOMEM; /* more elements than 32 bits count */
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, wider * size);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	*max = wider;
	return 0;
}

#endif
