/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "link/fib_family.h"

#include <stdlib.h>

#include "base/family.h"

struct FAM(fib) *FAM_FN(fib_family, create)(const struct link_fib_route *list, uint32_t n)
{
	struct FAM(route) *routes = calloc((size_t)n + 1, sizeof(*routes));
	struct FAM(fib) *fib;

	if (!routes)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		routes[i] = (struct FAM(route)){
			.addr = FAM_FN(addr, of)(&list[i].dest.addr),
			.via = FAM_FN(addr, of)(&list[i].via),
			.source = FAM_FN(addr, of)(&list[i].source),
			.link = list[i].link,
			.metric = list[i].metric,
			.links_at = list[i].links_at,
			.mtu = list[i].mtu,
			.len = list[i].dest.len,
			.kind = list[i].kind,
		};
	fib = FAM_FN(fib, create)(routes, n);
	free(routes);
	return fib;
}

bool FAM_FN(fib_family, hop)(const struct fib *fib, const struct addr *dest, link_id *link,
			     struct addr *hop)
{
	const struct FAM(route) *r = FAM_FN(fib, find)(fib->FAM(v), FAM_FN(addr, of)(dest));

	if (!r || (r->kind != ROUTE_GATEWAY && r->kind != ROUTE_ONLINK))
		return false;
	*hop = r->kind == ROUTE_GATEWAY ? FAM(addr_from_addr)(r->via) : *dest;
	*link = r->link;
	return true;
}
