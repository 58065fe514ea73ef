/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_ORDER_H
#define PLVS_SCHED_ORDER_H

/*
 * A map from places of the old list of servers to places of the new one. Places count from 1; 0 is
 * the head, before the first server. The place of a removed server becomes that of its nearest
 * predecessor that stayed, as when IPVS unlinks the node of a cursor.
 */

#include "model/service.h"

struct order_map {
	uint32_t n;    /* places of the old list */
	uint16_t to[]; /* [n + 1] */
};

/* old NULL, or of another scheduler: every place becomes the head. NULL: out of memory. free() it.
 */
struct order_map *order_map_create(const struct service *svc, const struct service *old);

static inline uint32_t order_map_place(const struct order_map *map, uint64_t place)
{
	return place <= map->n ? map->to[place] : 0;
}

#endif
