/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses of the mirror's interfaces: which prefixes are on which link, and which address the
 * router takes as its own towards a next hop.
 */
#include "link/mirror_route.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* An address without a prefix around it. Of IPv4 that is a VIP, or an address for services on the
 * router; of IPv6 it can be the router's address from DHCP. */
static bool has_no_prefix(const struct mirror_addr *a)
{
	return a->addr.family == ADDR_V6 ? a->len == 128 && a->proto == IFAPROT_PLVS : a->len == 32;
}

int mirror_sources_collect(struct mirror *m)
{
	struct mirror_addr *a = NULL;
	struct hash_node *node = NULL;
	uint32_t cursor = 0;

	while ((node = hash_table_walk(&m->ifaces, &cursor, node)))
		((struct iface *)node)->n_addrs = 0;
	cursor = 0;
	while ((a = mirror_addr_walk(m, &cursor, a))) {
		struct iface *iface = mirror_iface(m, a->ifindex);

		if (!iface || has_no_prefix(a) || addr_is_link_local(&a->addr))
			continue;
		if (array_room(&iface->addrs, iface->n_addrs, &iface->max_addrs,
			       sizeof(*iface->addrs)) < 0)
			return -ENOMEM;
		iface->addrs[iface->n_addrs++] =
			(struct iface_addr){a->addr, a->len, a->proto == IFAPROT_PLVS, a->unusable};
	}
	return 0;
}

static bool addr_around(const struct iface_addr *a, const struct addr *addr)
{
	const struct prefix p = {a->addr, a->len};

	return prefix_contains(&p, addr);
}

/* The best source address towards hop: an address whose prefix contains hop comes first, then an
 * address that stays with this router in a failover. NULL: the interface has no usable address of
 * hop's family. */
static const struct iface_addr *best_source(const struct iface *iface, const struct addr *hop,
					    int *score)
{
	const struct iface_addr *best = NULL;

	*score = -1;
	for (uint32_t i = 0; i < iface->n_addrs; i++) {
		const struct iface_addr *a = &iface->addrs[i];
		int s = (addr_around(a, hop) ? 2 : 0) + (a->ours ? 0 : 1);

		if (a->addr.family != hop->family || a->unusable || s <= *score)
			continue;
		best = a;
		*score = s;
	}
	return best;
}

struct addr mirror_source(const struct mirror *m, const struct iface *iface, const struct addr *hop)
{
	const struct addr none = {.family = ADDR_NONE};
	const struct iface_addr *best, *a;
	struct hash_node *node = NULL;
	uint32_t cursor = 0;
	int score, top = -1;

	best = best_source(iface, hop, &score);
	/* A link of routers may have link-local addresses of IPv6 only: then any address of the
	 * router is its own there as well (RFC 6724, section 5). */
	if (best || hop->family != ADDR_V6)
		return best ? best->addr : none;
	while ((node = hash_table_walk(&m->ifaces, &cursor, node))) {
		a = best_source((const struct iface *)node, hop, &score);
		if (score > top) {
			top = score;
			best = a;
		}
	}
	return best ? best->addr : none;
}

link_id mirror_link_around(const struct mirror *m, const struct addr *addr)
{
	const struct iface_addr *best = NULL;
	struct hash_node *node = NULL;
	link_id link = LINK_ANY;
	uint32_t cursor = 0;

	while ((node = hash_table_walk(&m->ifaces, &cursor, node))) {
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
