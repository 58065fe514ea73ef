/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fib: the routes of the mirror, for workers.
 *
 * Of all routes for one prefix the fib has one, the route that Linux would ask first. The links
 * of the others, and of all paths of a multipath route, stand in a set beside it: packets of
 * a real server may come in by any of them.
 */
#include "link/mirror_route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "base/array.h"
#include "link/fib_family.h"

static bool is_loopback(const struct addr *a)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	return a->family == ADDR_V6 ? memcmp(a->v6, loopback6, sizeof(loopback6)) == 0
				    : be32_to(a->v4) >> 24 == 127;
}

static void route_fill(const struct mirror *m, const struct mirror_route *r,
		       struct link_fib_route *out)
{
	const struct iface *iface = r->oif ? mirror_iface(m, r->oif) : NULL;
	const struct addr *next = r->via.family != ADDR_NONE ? &r->via : &r->key.addr;

	out->dest.addr = r->key.addr;
	out->dest.len = r->key.len;
	/* Equal prefixes: Linux asks local, main, default in this order. */
	out->metric = r->key.table == RT_TABLE_LOCAL ? 0 : r->key.metric;
	out->kind = ROUTE_BLOCK;
	out->link = iface ? iface->link : LINK_ANY;
	out->mtu = iface ? iface->info.mtu : UINT16_MAX;
	if (r->mtu && r->mtu < out->mtu)
		out->mtu = (uint16_t)r->mtu;
	switch (r->type) {
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
		if (!is_loopback(&r->key.addr))
			out->kind = ROUTE_LOCAL;
		return;
	case RTN_UNICAST:
		/* Each link has fe80::/64: the address alone does not say by which link. */
		if (!iface || r->dead || r->unsupported || addr_is_link_local(&r->key.addr))
			return;
		out->kind = next == &r->via ? ROUTE_GATEWAY : ROUTE_ONLINK;
		out->via = r->via;
		out->source =
			r->source.family != ADDR_NONE ? r->source : mirror_source(m, iface, next);
		return;
	default:
		return;
	}
}

/* The order in which Linux asks two routes for the same prefix: by table; by metric. */
static int table_rank(uint32_t table)
{
	return table == RT_TABLE_LOCAL ? 0 : table == RT_TABLE_MAIN ? 1 : 2;
}

static int route_rank_cmp(const void *pa, const void *pb)
{
	const struct mirror_route *a = *(const struct mirror_route *const *)pa;
	const struct mirror_route *b = *(const struct mirror_route *const *)pb;

	int order = addr_cmp(&a->key.addr, &b->key.addr);

	if (order)
		return order;
	if (a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	if (a->key.table != b->key.table)
		return table_rank(a->key.table) < table_rank(b->key.table) ? -1 : 1;
	/* Linux passes over dead paths; a live route with a worse metric is used. */
	if (a->dead != b->dead)
		return a->dead ? 1 : -1;
	if (a->key.metric != b->key.metric)
		return a->key.metric < b->key.metric ? -1 : 1;
	return 0;
}

static bool same_prefix(const struct mirror_route *a, const struct mirror_route *b)
{
	return addr_equal(&a->key.addr, &b->key.addr) && a->key.len == b->key.len;
}

/* The links of the routes for one prefix, in ascending order. */
struct link_set {
	link_id *v;
	uint32_t n, max;
	uint32_t last_at, room; /* of fib.links_of: the last set, and elements allocated */
};

static int link_cmp(const void *a, const void *b)
{
	const link_id *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* 0 or -ENOMEM. Interfaces that are no link of ours add nothing. */
static int set_add(const struct mirror *m, struct link_set *set, int oif)
{
	const struct iface *iface = mirror_iface(m, oif);

	if (!iface)
		return 0;
	if (array_room(&set->v, set->n, &set->max, sizeof(*set->v)) < 0)
		return -ENOMEM;
	set->v[set->n++] = iface->link;
	return 0;
}

static int set_add_route(const struct mirror *m, struct link_set *set, const struct mirror_route *r)
{
	if (r->type != RTN_UNICAST)
		return 0;
	for (uint8_t i = 0; i < r->n_oifs; i++)
		if (set_add(m, set, r->oifs[i]) < 0)
			return -ENOMEM;
	return r->n_oifs ? 0 : set_add(m, set, r->oif);
}

static void set_unique(struct link_set *set)
{
	uint32_t k = 0;

	if (set->n)
		qsort(set->v, set->n, sizeof(*set->v), link_cmp);
	for (uint32_t i = 0; i < set->n; i++)
		if (k == 0 || set->v[k - 1] != set->v[i])
			set->v[k++] = set->v[i];
	set->n = k;
}

/* 0 or -ENOMEM. */
static int links_grow(struct fib *fib, struct link_set *set, uint32_t want)
{
	if (array_reserve(&fib->links_of, want, &set->room, sizeof(*fib->links_of)) < 0)
		return -ENOMEM;
	fib->links_of[0] = 0;
	return 0;
}

/* Puts the set into the fib, unless the set is the route's own link alone. Neighbouring
 * prefixes mostly have the same set, which then stands there once. 0 or -ENOMEM. */
static int set_store(struct fib *fib, struct link_set *set, struct link_fib_route *out)
{
	uint32_t at = fib->n_links_of ? fib->n_links_of : 1;
	size_t size = set->n * sizeof(*set->v);

	if (set->n == 0 || (set->n == 1 && set->v[0] == out->link && out->kind <= ROUTE_GATEWAY))
		return 0;
	if (set->last_at && fib->links_of[set->last_at] == set->n &&
	    memcmp(&fib->links_of[set->last_at + 1], set->v, size) == 0) {
		out->links_at = set->last_at;
		return 0;
	}
	if (links_grow(fib, set, at + 1 + set->n) < 0)
		return -ENOMEM;
	fib->links_of[at] = set->n;
	memcpy(&fib->links_of[at + 1], set->v, size);
	fib->n_links_of = at + 1 + set->n;
	set->last_at = at;
	out->links_at = at;
	return 0;
}

/* The routes for one prefix as one: how Linux would send, and every link that one of them
 * uses. 0 or -ENOMEM. */
static int build_prefix(const struct mirror *m, struct fib *fib,
			const struct mirror_route *const *same, uint32_t n, struct link_set *set,
			struct link_fib_route *out)
{
	route_fill(m, same[0], out);
	if (out->kind == ROUTE_LOCAL || (n == 1 && !same[0]->n_oifs))
		return 0;
	set->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (set_add_route(m, set, same[i]) < 0)
			return -ENOMEM;
	set_unique(set);
	return set_store(fib, set, out);
}

/* Builds one route per prefix: the route that Linux would look at first. NULL: out of memory. */
static struct link_fib_route *build_routes(const struct mirror *m, struct fib *fib,
					   uint32_t *n_routes)
{
	const struct mirror_route **sorted = calloc(m->routes.n + 1, sizeof(*sorted));
	struct link_fib_route *out = calloc(m->routes.n + 1, sizeof(*out));
	struct link_set set = {0};
	struct hash_node *node = NULL;
	uint32_t cursor = 0, n = 0, next;

	*n_routes = 0;
	if (!sorted || !out)
		goto err;
	while ((node = hash_table_walk(&m->routes, &cursor, node)))
		sorted[n++] = route_of(node);
	qsort(sorted, n, sizeof(*sorted), route_rank_cmp);
	for (uint32_t i = 0; i < n; i = next) {
		for (next = i + 1; next < n && same_prefix(sorted[i], sorted[next]);)
			next++;
		if (build_prefix(m, fib, &sorted[i], next - i, &set, &out[(*n_routes)++]) < 0)
			goto err;
	}
	free(set.v);
	free(sorted);
	return out;

err:
	free(set.v);
	free(sorted);
	free(out);
	return NULL;
}

/* The list has all routes of IPv4, then all of IPv6. */
static int tables_build(struct fib *fib, const struct link_fib_route *list, uint32_t n)
{
	uint32_t n4 = 0;

	while (n4 < n && list[n4].dest.addr.family == ADDR_V4)
		n4++;
	fib->v4 = fib_family4_create(list, n4);
	fib->v6 = fib_family6_create(list + n4, n - n4);
	return fib->v4 && fib->v6 ? 0 : -ENOMEM;
}

struct fib *mirror_build(struct mirror *m, uint32_t *n_routes, struct link_fib_route **list)
{
	struct link_fib_route *routes = NULL;
	struct hash_node *node = NULL;
	uint32_t cursor = 0;
	struct fib *fib = fib_create();

	if (!fib || mirror_sources_collect(m) < 0)
		goto err;
	while ((node = hash_table_walk(&m->ifaces, &cursor, node))) {
		const struct iface *iface = (const struct iface *)node;

		if (fib_set_link(fib, iface->link, &iface->info) < 0)
			goto err;
	}
	routes = build_routes(m, fib, n_routes);
	if (!routes || tables_build(fib, routes, *n_routes) < 0)
		goto err;
	if (list)
		*list = routes;
	else
		free(routes);
	return fib;

err:
	free(routes);
	if (fib)
		fib_destroy(fib);
	return NULL;
}
