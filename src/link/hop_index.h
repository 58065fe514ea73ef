/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_HOP_INDEX_H
#define PLVS_LINK_HOP_INDEX_H

/*
 * The table of next hops by addresses of either family. Link thread.
 */

#include "model/nexthop.h"

static inline uint32_t hop_index_find(const struct nexthop_table *t, link_id link,
				      const struct addr *a)
{
	return a->family == ADDR_V6 ? nexthop_find6(t, link, addr6_of(a))
				    : nexthop_find4(t, link, addr4_of(a));
}

static inline uint32_t hop_index_add(struct nexthop_table *t, struct nexthop *nh)
{
	return nh->addr.family == ADDR_V6 ? nexthop_add6(t, nh->link, addr6_of(&nh->addr), nh)
					  : nexthop_add4(t, nh->link, addr4_of(&nh->addr), nh);
}

static inline void hop_index_unlink(struct nexthop_table *t, const struct nexthop *nh)
{
	if (nh->addr.family == ADDR_V6)
		nexthop_unlink6(t, nh->id);
	else
		nexthop_unlink4(t, nh->id);
}

#endif
