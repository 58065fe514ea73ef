/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_LOCALITY_H
#define PLVS_SCHED_LOCALITY_H

/* Functions that lblc and lblcr share: the cache that a node takes from the node before, and
 * servers by id. */

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

/* Makes sched_data of a node, with the cache of old if old has the same scheduler. 0 or -ENOMEM. */
int locality_build(struct service *svc, const struct service *old, uint32_t set_max);
void locality_destroy(struct service *svc);

/* Read and write the cache's entry for the request's destination. A dry request does not change the
 * cache. */
void locality_read(const struct service *svc, const struct sched_request *req,
		   struct destcache_view *view);
void locality_write(const struct service *svc, const struct sched_request *req,
		    const struct destcache_view *view);

/* The index of a server that the cache may choose: in the list, not down, weight > 0. IPVS does not
 * look at the overload flag here. Else SCHED_NONE. */
int locality_find(const struct service *svc, uint32_t id);

/* True: the server has more active connections than its weight, and another server has less than
 * half of its own. */
bool locality_overloaded(const struct service *svc, int index);

#endif
