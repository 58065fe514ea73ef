/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_FIB_H
#define PLVS_MODEL_FIB_H

/*
 * The mirror of Linux's addresses and routes, as workers read it: immutable, published
 * by the link thread as a whole, freed after the grace period. Longest prefix first:
 * one hash table per prefix length in use, asked only when a connection is made or
 * resolved again and for packets that are generated here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/link_id.h"

enum route_kind {
	ROUTE_ONLINK,  /* the destination is its own next hop */
	ROUTE_GATEWAY, /* via */
	ROUTE_LOCAL,   /* the router's own address: punt */
	ROUTE_BLOCK,   /* blackhole, unreachable, prohibit, or out of a foreign interface */
};

struct route4 {
	be32 addr; /* host bits zero */
	uint8_t len;
	uint8_t kind; /* enum route_kind */
	uint16_t mtu; /* of the link, bytes of IP */
	be32 via;     /* with ROUTE_GATEWAY */
	be32 source;  /* the router's own address towards it (preferred source), or 0 */
	link_id link;
	uint32_t metric;
	uint32_t links_at; /* in fib.links_of: every link that a route for this prefix uses */
};

/* Longest prefix; of equal ones the lowest metric. */
struct fib4;

/* A link as Linux shows it. */
struct link_info {
	bool known;
	bool up;
	bool loose; /* of the configuration: real servers may send by it whatever routes say */
	uint16_t mtu;
	struct mac mac;
	char name[16]; /* of the Linux interface */
};

struct fib {
	struct fib4 *v4;
	/* Links by id; a page of 4096 VLANs per port, NULL where a port has none. */
	struct link_info *links[MAX_PORTS];
	/* Sets of links: a count, then as many links. Routes name their place in it; a route with
	 * links_at 0 uses its own link alone. NULL: no route uses several links. */
	link_id *links_of;
	uint32_t n_links_of; /* elements, the unused one at 0 included */
};

static inline const struct link_info *fib_link(const struct fib *fib, link_id link)
{
	const struct link_info *page = fib->links[link_port(link)];

	return page && page[link_vlan(link)].known ? &page[link_vlan(link)] : 0;
}

/* Link thread. NULL: out of memory. The array is copied. */
struct fib4 *fib4_create(const struct route4 *routes, uint32_t n);
void fib4_destroy(struct fib4 *fib);
/* Any. The best route, or NULL. The pointer lives as long as the fib. */
const struct route4 *fib4_find(const struct fib4 *fib, be32 dest);
/* Any. The route for exactly this host when it is the router's own, or NULL: cheaper
 * than fib4_find(), and what steering asks for every packet that is not for a VIP. */
const struct route4 *fib4_find_local(const struct fib4 *fib, be32 dest);

/* Any. Whether addr is reached by link: a next hop of the longest prefix around addr is there,
 * of any metric and any path. False without a route, for blocked and for local ones. */
bool fib_reaches4(const struct fib *fib, be32 addr, link_id link);

struct fib *fib_create(void);
void fib_destroy(struct fib *fib);
/* Link thread, before publication. 0 or -ENOMEM. */
int fib_set_link(struct fib *fib, link_id link, const struct link_info *info);

#endif
