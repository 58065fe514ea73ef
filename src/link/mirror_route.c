/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/mirror_route.h"

#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

/* What Linux tells routes apart by, short of their next hops. Hashed as bytes. */
struct route_key {
	uint32_t table;
	be32 addr;
	uint32_t metric;
	uint8_t len;
	uint8_t tos;
	uint8_t pad[2]; /* zero */
};

struct mirror_route {
	struct hnode by_key;
	struct route_key key;
	be32 via;
	be32 source;
	uint32_t mtu;
	int oif;
	uint8_t type; /* RTN_* */
	bool dead;
	bool unsupported;
};

static struct mirror_route *route_of(struct hnode *node)
{
	return (struct mirror_route *)node; /* first member */
}

void mirror_route_destroy(struct hnode *node)
{
	free(node);
}

static void route_fill(struct mirror_route *out, const struct nl_route *r)
{
	memset(out, 0, sizeof(*out));
	out->key.table = r->table;
	out->key.addr = r->dest.addr.v4;
	out->key.metric = r->metric;
	out->key.len = r->dest.len;
	out->key.tos = r->tos;
	out->via = r->via.v4;
	out->source = r->source.v4;
	out->mtu = r->mtu;
	out->oif = r->oif;
	out->type = r->type;
	out->dead = r->flags & RTNH_F_DEAD;
	out->unsupported = r->unsupported;
}

static bool route_equal(const struct mirror_route *a, const struct mirror_route *b)
{
	return a->via == b->via && a->source == b->source && a->mtu == b->mtu && a->oif == b->oif &&
	       a->type == b->type && a->dead == b->dead && a->unsupported == b->unsupported;
}

/* The one of this key that is equal; *count: how many have the key. */
static struct mirror_route *route_find(const struct mirror *m, const struct mirror_route *want,
				       uint32_t hash, unsigned int *count,
				       struct mirror_route **first)
{
	struct mirror_route *found = NULL;

	*count = 0;
	*first = NULL;
	for (struct hnode *node = htab_first(&m->routes, hash); node; node = htab_next(node)) {
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

static unsigned int route_replace(struct mirror_route *old, const struct mirror_route *new)
{
	struct hnode node = old->by_key;

	*old = *new;
	old->by_key = node;
	return MIRROR_FIB;
}

unsigned int mirror_apply_route(struct mirror *m, const struct nl_event *ev)
{
	struct mirror_route want, *found, *first;
	unsigned int count;
	uint32_t hash;

	/* Other tables are asked by rules, which workers do not follow. TOS likewise. */
	if (ev->route.table != RT_TABLE_MAIN && ev->route.table != RT_TABLE_LOCAL &&
	    ev->route.table != RT_TABLE_DEFAULT)
		return 0;
	if (ev->route.tos || ev->route.type == RTN_MULTICAST)
		return 0;
	route_fill(&want, &ev->route);
	hash = htab_hash(&want.key, sizeof(want.key));
	found = route_find(m, &want, hash, &count, &first);
	if (ev->gone) {
		/* Not as remembered (a path died meanwhile): read again rather than guess. */
		if (!found)
			return count || m->n_left_out ? MIRROR_REREAD : 0;
		htab_del(&m->routes, &found->by_key);
		mirror_route_destroy(&found->by_key);
		return MIRROR_FIB;
	}
	if (found)
		return 0;
	if (ev->replace && count == 1)
		return route_replace(first, &want);
	if (ev->replace && count > 1)
		return MIRROR_REREAD; /* which one went is not said */
	if (m->routes.n >= MIRROR_ROUTES_MAX) {
		m->n_left_out++;
		return 0;
	}
	found = malloc(sizeof(*found));
	if (!found)
		return MIRROR_REREAD;
	*found = want;
	htab_add(&m->routes, &found->by_key, hash);
	return MIRROR_FIB;
}

bool mirror_has_local(const struct mirror *m, int ifindex, be32 addr, uint8_t len)
{
	const struct route_key key = {.table = RT_TABLE_LOCAL, .addr = addr, .len = len};

	for (struct hnode *node = htab_first(&m->routes, htab_hash(&key, sizeof(key))); node;
	     node = htab_next(node)) {
		const struct mirror_route *r = route_of(node);

		if (memcmp(&r->key, &key, sizeof(key)) == 0 && r->type == RTN_LOCAL &&
		    r->oif == ifindex)
			return true;
	}
	return false;
}

/* --- The fib ---------------------------------------------------------------------------- */

static int collect_addrs(struct mirror *m)
{
	struct mirror_addr *a = NULL;
	struct hnode *node = NULL;
	uint32_t cursor = 0;

	while ((node = htab_walk(&m->ifaces, &cursor, node)))
		((struct iface *)node)->n_addrs = 0;
	cursor = 0;
	while ((a = mirror_addr_walk(m, &cursor, a))) {
		struct iface *iface = mirror_iface(m, a->ifindex);
		struct iface_addr *grown;

		if (!iface || a->len == 32)
			continue;
		if (iface->n_addrs == iface->max_addrs) {
			uint32_t max = iface->max_addrs ? iface->max_addrs * 2 : 4;

			grown = realloc(iface->addrs, max * sizeof(*grown));
			if (!grown)
				return -1;
			iface->addrs = grown;
			iface->max_addrs = max;
		}
		iface->addrs[iface->n_addrs++] =
			(struct iface_addr){a->addr, a->len, a->proto == IFAPROT_PLVS};
	}
	return 0;
}

static bool addr_around(const struct iface_addr *a, be32 addr)
{
	uint32_t mask = a->len ? ~0U << (32 - a->len) : 0;

	return ((be32_to(a->addr) ^ be32_to(addr)) & mask) == 0;
}

/* The router's own address towards hop: one with a prefix around it and of its own rather
 * than one that moves in a failover; 0: none with a prefix on the link. */
static be32 source_towards(const struct iface *iface, be32 hop)
{
	const struct iface_addr *best = NULL;
	int best_score = -1;

	for (uint32_t i = 0; i < iface->n_addrs; i++) {
		const struct iface_addr *a = &iface->addrs[i];
		int score = (addr_around(a, hop) ? 2 : 0) + (a->ours ? 0 : 1);

		if (score > best_score) {
			best = a;
			best_score = score;
		}
	}
	return best ? best->addr : 0;
}

link_id mirror_link_around(const struct mirror *m, be32 addr)
{
	const struct iface_addr *best = NULL;
	struct hnode *node = NULL;
	link_id link = LINK_ANY;
	uint32_t cursor = 0;

	while ((node = htab_walk(&m->ifaces, &cursor, node))) {
		const struct iface *iface = (const struct iface *)node;

		for (uint32_t i = 0; i < iface->n_addrs; i++) {
			const struct iface_addr *a = &iface->addrs[i];

			if (addr_around(a, addr) && (!best || a->len > best->len)) {
				best = a;
				link = iface->link;
			}
		}
	}
	return link;
}

static bool is_loopback(be32 addr)
{
	return be32_to(addr) >> 24 == 127;
}

static void route4_fill(const struct mirror *m, const struct mirror_route *r, struct route4 *out)
{
	const struct iface *iface = r->oif ? mirror_iface(m, r->oif) : NULL;

	memset(out, 0, sizeof(*out));
	out->addr = r->key.addr;
	out->len = r->key.len;
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
		if (!is_loopback(r->key.addr))
			out->kind = ROUTE_LOCAL;
		return;
	case RTN_UNICAST:
		if (!iface || r->dead || r->unsupported)
			return;
		out->kind = r->via ? ROUTE_GATEWAY : ROUTE_ONLINK;
		out->via = r->via;
		out->source = r->source ? r->source
					: source_towards(iface, r->via ? r->via : r->key.addr);
		return;
	default:
		return;
	}
}

/* Which of two routes for the same prefix Linux would ask first: by table; by metric. */
static int table_rank(uint32_t table)
{
	return table == RT_TABLE_LOCAL ? 0 : table == RT_TABLE_MAIN ? 1 : 2;
}

static int route_rank_cmp(const void *pa, const void *pb)
{
	const struct mirror_route *a = *(const struct mirror_route *const *)pa;
	const struct mirror_route *b = *(const struct mirror_route *const *)pb;

	if (a->key.addr != b->key.addr)
		return be32_to(a->key.addr) < be32_to(b->key.addr) ? -1 : 1;
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
	return a->key.addr == b->key.addr && a->key.len == b->key.len;
}

/* One route per prefix: the first that Linux would ask. */
static struct route4 *build_routes(const struct mirror *m, uint32_t *n_routes)
{
	const struct mirror_route **sorted = calloc(m->routes.n + 1, sizeof(*sorted));
	struct route4 *out = calloc(m->routes.n + 1, sizeof(*out));
	struct hnode *node = NULL;
	uint32_t cursor = 0, n = 0;

	*n_routes = 0;
	if (!sorted || !out) {
		free(out);
		out = NULL;
		goto end;
	}
	while ((node = htab_walk(&m->routes, &cursor, node)))
		sorted[n++] = route_of(node);
	qsort(sorted, n, sizeof(*sorted), route_rank_cmp);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || !same_prefix(sorted[i - 1], sorted[i]))
			route4_fill(m, sorted[i], &out[(*n_routes)++]);
end:
	free(sorted);
	return out;
}

struct fib *mirror_build(struct mirror *m, uint32_t *n_routes, struct route4 **list)
{
	struct route4 *routes = NULL;
	struct hnode *node = NULL;
	uint32_t cursor = 0;
	struct fib *fib = fib_create();

	if (!fib || collect_addrs(m) < 0)
		goto err;
	while ((node = htab_walk(&m->ifaces, &cursor, node))) {
		const struct iface *iface = (const struct iface *)node;

		if (fib_set_link(fib, iface->link, &iface->info) < 0)
			goto err;
	}
	routes = build_routes(m, n_routes);
	if (!routes)
		goto err;
	fib->v4 = fib4_create(routes, *n_routes);
	if (!fib->v4)
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
