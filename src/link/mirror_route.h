/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_MIRROR_ROUTE_H
#define PLVS_LINK_MIRROR_ROUTE_H

/* The inner side of the mirror: its routes, and sources of routes. Link thread. */

#include "link/mirror.h"

/* The key by which Linux tells routes apart, without their next hops. Hashed as bytes. */
struct route_key {
	uint32_t table;
	struct addr addr;
	uint32_t metric;
	uint8_t len;
	uint8_t tos;
	uint8_t pad[2]; /* zero */
};

struct mirror_route {
	struct hash_node by_key;
	struct route_key key;
	struct addr via;    /* ADDR_NONE: on link */
	struct addr source; /* ADDR_NONE: none preferred */
	uint32_t mtu;
	int oif;
	uint8_t type; /* RTN_* */
	bool dead;
	bool unsupported;
	uint8_t n_oifs; /* of a multipath route */
	int *oifs;	/* [n_oifs], from malloc; NULL: oif is the only one */
};

static inline struct mirror_route *route_of(struct hash_node *node)
{
	return (struct mirror_route *)node; /* first member */
}

unsigned int mirror_apply_route(struct mirror *m, const struct nl_event *ev);
/* Fills the lists of addresses of all interfaces. 0 or -ENOMEM. */
int mirror_sources_collect(struct mirror *m);
/* The router's own address towards hop, which iface leads to. ADDR_NONE: Linux has none. Call after
 * mirror_sources_collect(). */
struct addr mirror_source(const struct mirror *m, const struct iface *iface,
			  const struct addr *hop);
void mirror_route_destroy(struct hash_node *node);

#endif
