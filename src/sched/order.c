/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/order.h"

#include <stdlib.h>

_Static_assert(MAX_SERVERS_PER_SERVICE <= UINT16_MAX, "a place fits 16 bits");

struct place {
	const struct server_rt *rt;
	uint32_t place;
};

static int place_cmp(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct place *)a)->rt;
	uintptr_t y = (uintptr_t)((const struct place *)b)->rt;

	return (x > y) - (x < y);
}

/* The new list by object, for many look-ups. */
static struct place *places_create(const struct service *svc)
{
	struct place *places = calloc(svc->n_servers + 1, sizeof(*places));

	if (places == NULL)
		return NULL;
	for (uint32_t i = 0; i < svc->n_servers; i++)
		places[i] = (struct place){svc->servers[i].rt, i + 1};
	qsort(places, svc->n_servers, sizeof(*places), place_cmp);
	return places;
}

struct order_map *order_map_create(const struct service *svc, const struct service *old)
{
	uint32_t n = old != NULL && old->sched == svc->sched ? old->n_servers : 0;
	struct order_map *map = calloc(1, sizeof(*map) + (n + 1) * sizeof(map->to[0]));
	struct place *places = NULL;

	if (map == NULL)
		return NULL;
	map->n = n;
	for (uint32_t p = 1; p <= n; p++) {
		const struct place key = {.rt = old->servers[p - 1].rt};
		const struct place *found;

		/* Most changes leave most places alone: no table unless one moved. */
		if (p <= svc->n_servers && svc->servers[p - 1].rt == key.rt) {
			map->to[p] = (uint16_t)p;
			continue;
		}
		if (places == NULL && (places = places_create(svc)) == NULL) {
			free(map);
			return NULL;
		}
		found = bsearch(&key, places, svc->n_servers, sizeof(*places), place_cmp);
		map->to[p] = found != NULL ? (uint16_t)found->place : map->to[p - 1];
	}
	free(places);
	return map;
}
