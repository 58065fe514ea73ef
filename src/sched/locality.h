/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_LOCALITY_H
#define PLVS_SCHED_LOCALITY_H

/* Functions that lblc and lblcr share: for the cache that their nodes hand on, and to find servers
 * by id. */

#include "sched/destcache.h"
#include "sched/ops.h"

struct locality_place {
	uint32_t id; /* server_rt id */
	uint32_t index;
};

struct locality {
	struct destcache *cache; /* one reference; shared with the nodes before and after */
	uint32_t n;
	struct locality_place places[]; /* by id */
};

/* sched_data of a node; the cache of old when that has the same scheduler. 0 or -ENOMEM. */
int locality_build(struct service *svc, const struct service *old, uint32_t set_max);
void locality_destroy(struct service *svc);

/* Reads the entry of the request's destination in the cache; writes it. A request that is dry
 * changes nothing in the cache. */
void locality_read(const struct service *svc, const struct sched_request *req,
		   struct destcache_view *view);
void locality_write(const struct service *svc, const struct sched_request *req,
		    const struct destcache_view *view);

/* The index of a server that may be chosen by the cache (there, not down, weight > 0;
 * IPVS does not ask for the overload flag here), or SCHED_NONE. */
int locality_find(const struct service *svc, uint32_t id);

/* More active connections than its weight, while some server has less than half. */
bool locality_overloaded(const struct service *svc, int index);

#endif
