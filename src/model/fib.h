/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_FIB_H
#define PLVS_MODEL_FIB_H

/*
 * The mirror of Linux's addresses and routes, as workers read it: immutable, published
 * by the link thread as a whole, freed after the grace period. Longest prefix first:
 * a hash table for each prefix length in use. Workers look up when a connection is made or
 * resolved again, and for packets that they generate.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/family.h"
#include "model/link_id.h"

enum route_kind {
	ROUTE_ONLINK,  /* the destination is its own next hop */
	ROUTE_GATEWAY, /* via */
	ROUTE_LOCAL,   /* the router's own address: punt */
	ROUTE_BLOCK,   /* blackhole, unreachable, prohibit, or out of a foreign interface */
};

#define FAM_TEMPLATE "model/fib.fam.h"
#include "base/both_families.h"

/* A link as Linux shows it. */
struct link_info {
	bool known;
	bool up;
	bool loose; /* of the configuration: real servers may send by it whatever routes say */
	uint16_t mtu;
	struct mac mac;
	char name[16]; /* of the Linux interface */
};

/* A published fib has both families; a family without routes is empty. */
struct fib {
	struct fib4 *v4;
	struct fib6 *v6;
	/* Links by id; a page of 4096 VLANs per port, NULL where a port has none. */
	struct link_info *links[MAX_PORTS];
	/* Sets of links: a count, then as many links. route.links_at is the index of a set; a route
	 * with links_at 0 uses its own link alone. NULL: no route uses several links. */
	link_id *links_of;
	uint32_t n_links_of; /* elements, the unused one at 0 included */
};

static inline const struct link_info *fib_link(const struct fib *fib, link_id link)
{
	const struct link_info *page = fib->links[link_port(link)];

	return page && page[link_vlan(link)].known ? &page[link_vlan(link)] : 0;
}

/* Any. True: a route of the longest prefix around addr, of any metric, has a next hop on link.
 * False without a route, and for ROUTE_BLOCK and ROUTE_LOCAL. */
bool fib_reaches4(const struct fib *fib, be32 addr, link_id link);
bool fib_reaches6(const struct fib *fib, struct addr6 addr, link_id link);

struct fib *fib_create(void);
void fib_destroy(struct fib *fib);
/* Link thread, before publication. 0 or -ENOMEM. */
int fib_set_link(struct fib *fib, link_id link, const struct link_info *info);

#endif
