/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/route.h"

bool route_next(const struct fib *fib, const struct addr *dest, link_id *link,
		struct addr *neighbour)
{
	*neighbour = *dest;
	if (dest->family == ADDR_V6) {
		const struct route6 *r = fib6_find(fib->v6, addr6_of(dest));

		if (!r || (r->kind != ROUTE_ONLINK && r->kind != ROUTE_GATEWAY))
			return false;
		*link = r->link;
		if (r->kind == ROUTE_GATEWAY)
			*neighbour = addr_from_addr6(r->via);
	} else {
		const struct route4 *r = fib4_find(fib->v4, addr4_of(dest));

		if (!r || (r->kind != ROUTE_ONLINK && r->kind != ROUTE_GATEWAY))
			return false;
		*link = r->link;
		if (r->kind == ROUTE_GATEWAY)
			*neighbour = addr_from_addr4(r->via);
	}
	return true;
}

struct addr route_source(const struct fib *fib, const struct addr *dest)
{
	if (dest->family == ADDR_V6) {
		const struct route6 *r = fib6_find(fib->v6, addr6_of(dest));

		return r ? addr_from_addr6(r->source) : (struct addr){0};
	}
	const struct route4 *r = fib4_find(fib->v4, addr4_of(dest));

	return r ? addr_from_addr4(r->source) : (struct addr){0};
}

uint32_t nexthop_find(const struct nexthop_table *t, link_id link, const struct addr *addr)
{
	return addr->family == ADDR_V6 ? nexthop_find6(t, link, addr6_of(addr))
				       : nexthop_find4(t, link, addr4_of(addr));
}
