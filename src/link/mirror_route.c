/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/mirror_route.h"

#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#define METRIC_USER6 1024 /* what Linux gives an IPv6 route that somebody adds without one */

void mirror_route_destroy(struct hash_node *node)
{
	free(route_of(node)->oifs);
	free(node);
}

/* out->oifs is r's own array: route_own() makes it out's. */
static void route_fill(struct mirror_route *out, struct nl_route *r)
{
	memset(out, 0, sizeof(*out));
	out->key.table = r->table;
	out->key.addr = r->dest.addr;
	out->key.metric = r->metric;
	out->key.len = r->dest.len;
	out->key.tos = r->tos;
	out->via = r->via;
	out->source = r->source;
	out->mtu = r->mtu;
	out->oif = r->oif;
	out->type = r->type;
	out->dead = r->flags & RTNH_F_DEAD;
	out->unsupported = r->unsupported;
	if (r->n_oifs > 1) {
		out->n_oifs = r->n_oifs;
		out->oifs = r->oifs;
	}
}

/* False: no memory. */
static bool route_own(struct mirror_route *r)
{
	int *copy;

	if (!r->oifs)
		return true;
	copy = malloc(r->n_oifs * sizeof(*copy));
	if (!copy)
		return false;
	memcpy(copy, r->oifs, r->n_oifs * sizeof(*copy));
	r->oifs = copy;
	return true;
}

static bool route_equal(const struct mirror_route *a, const struct mirror_route *b)
{
	return addr_equal(&a->via, &b->via) && addr_equal(&a->source, &b->source) &&
	       a->mtu == b->mtu && a->oif == b->oif && a->type == b->type && a->dead == b->dead &&
	       a->unsupported == b->unsupported && a->n_oifs == b->n_oifs &&
	       (a->n_oifs == 0 || memcmp(a->oifs, b->oifs, a->n_oifs * sizeof(a->oifs[0])) == 0);
}

/* The one of this key that is equal; *count: how many have the key. */
static struct mirror_route *route_find(const struct mirror *m, const struct mirror_route *want,
				       uint64_t hash, unsigned int *count,
				       struct mirror_route **first)
{
	struct mirror_route *found = NULL;

	*count = 0;
	*first = NULL;
	for (struct hash_node *node = hash_table_first(&m->routes, hash); node;
	     node = hash_table_next(node)) {
		struct mirror_route *r = route_of(node);

		if (memcmp(&r->key, &want->key, sizeof(r->key)) != 0)
			continue;
		if ((*count)++ == 0)
			*first = r;
		if (!found && route_equal(r, want))
			found = r;
	}
	return found;
}

static unsigned int route_replace(struct mirror_route *old, struct mirror_route *new)
{
	struct hash_node node = old->by_key;

	if (!route_own(new))
		return MIRROR_REREAD;
	free(old->oifs);
	*old = *new;
	old->by_key = node;
	return MIRROR_FIB;
}

static bool has_router(const struct mirror_route *r)
{
	return r->via.family != ADDR_NONE || r->n_oifs;
}

/* IPv6 routes with a router, one prefix and one metric are paths of one route. Linux tells the
 * whole route when it gets a path, and only the path when it loses one. */
static bool is_other_paths(const struct mirror_route *r, const struct mirror_route *old)
{
	return r->key.addr.family == ADDR_V6 && old && has_router(r) && has_router(old);
}

unsigned int mirror_apply_route(struct mirror *m, const struct nl_event *ev)
{
	struct mirror_route want, *found, *first;
	struct nl_route route = ev->route;
	unsigned int count;
	uint64_t hash;

	/* Other tables are asked by rules, which workers do not follow. TOS likewise. */
	if (ev->route.table != RT_TABLE_MAIN && ev->route.table != RT_TABLE_LOCAL &&
	    ev->route.table != RT_TABLE_DEFAULT)
		return 0;
	if (ev->route.tos || ev->route.type == RTN_MULTICAST)
		return 0;
	route_fill(&want, &route);
	hash = hash_seeded(&want.key, sizeof(want.key));
	found = route_find(m, &want, hash, &count, &first);
	if (ev->gone) {
		/* Not as remembered (a path died meanwhile): read again rather than guess. */
		if (!found)
			return count || m->n_left_out ? MIRROR_REREAD : 0;
		hash_table_del(&m->routes, &found->by_key);
		mirror_route_destroy(&found->by_key);
		return MIRROR_FIB;
	}
	if (found)
		return 0;
	if ((ev->replace || is_other_paths(&want, first)) && count == 1)
		return route_replace(first, &want);
	if (ev->replace && count > 1)
		return MIRROR_REREAD; /* which one went is not said */
	if (m->routes.n >= MIRROR_ROUTES_MAX) {
		m->n_left_out++;
		return 0;
	}
	found = malloc(sizeof(*found));
	if (!found || !route_own(&want)) {
		free(found);
		return MIRROR_REREAD;
	}
	*found = want;
	hash_table_add(&m->routes, &found->by_key, hash);
	return MIRROR_FIB;
}

bool mirror_has_local(const struct mirror *m, int ifindex, const struct addr *addr, uint8_t len)
{
	const struct route_key key = {
		.table = RT_TABLE_LOCAL,
		.addr = *addr,
		.metric = addr->family == ADDR_V6 ? METRIC_USER6 : 0,
		.len = len,
	};

	for (struct hash_node *node = hash_table_first(&m->routes, hash_seeded(&key, sizeof(key)));
	     node; node = hash_table_next(node)) {
		const struct mirror_route *r = route_of(node);

		if (memcmp(&r->key, &key, sizeof(key)) == 0 && r->type == RTN_LOCAL &&
		    r->oif == ifindex)
			return true;
	}
	return false;
}
