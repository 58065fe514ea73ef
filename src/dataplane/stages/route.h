/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ROUTE_H
#define PLVS_DATAPLANE_STAGES_ROUTE_H

/* Routes and next hops by addresses of either family, for work outside of the packet path. Worker
 * context. */

#include "dataplane/worker.h"

/* The neighbour to which a packet to dest goes. False: no route. */
bool route_next(const struct fib *fib, const struct addr *dest, link_id *link,
		struct addr *neighbour);
/* The router's own address towards dest, or zero. */
struct addr route_source(const struct fib *fib, const struct addr *dest);
/* The id of a next hop, or 0. */
uint32_t nexthop_find(const struct nexthop_table *t, link_id link, const struct addr *addr);

#endif
