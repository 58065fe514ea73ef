/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_MIRROR_H
#define PLVS_LINK_MIRROR_H

/*
 * The state of the TAPs in Linux, kept up to date by netlink events: interfaces (TAPs and
 * VLAN interfaces on them), addresses, routes of the tables local, main and default. The code is
 * the same for both families: an address of either is a value of struct addr. The mirror has no
 * socket: events go in, a fib comes out.
 *
 * Linux does not announce every removed route (of an interface that goes down, of a deleted
 * address), and does not name a replaced route. If an event leaves doubt, MIRROR_REREAD demands
 * that all routes are read again.
 *
 * Link thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash_table.h"
#include "link/link.h"
#include "link/nlparse.h"
#include "model/fib.h"
#include "model/link_id.h"

#define MIRROR_ROUTES_MAX 1048576 /* routes beyond are left out and counted */

struct iface_addr {
	struct addr addr;
	uint8_t len;
	bool ours;     /* a gateway address of plvs: second choice as a source */
	bool unusable; /* as a source, for now */
};

/* A TAP or a VLAN interface on one. */
struct iface {
	struct hash_node by_ifindex;
	int ifindex;
	link_id link;
	struct link_info info;
	uint32_t flags; /* IFF_* */
	/* Addresses with a prefix, for the choice of sources; filled by mirror_build(). */
	struct iface_addr *addrs;
	uint32_t n_addrs, max_addrs;
};

struct mirror_anchor {
	link_id link;
	int ifindex; /* 0: not there */
};

struct mirror {
	uint16_t n_ports;
	/* Interfaces that link_main() has named as links: TAPs of ports, and of VLANs where the
	 * kernel has no VLAN interfaces. */
	struct mirror_anchor *anchors;
	uint32_t n_anchors, max_anchors;
	/* link_info.loose. The untagged link of a port stands for its VLANs as well. */
	link_id *loose;
	uint32_t n_loose, max_loose;
	struct hash_table ifaces;
	struct iface **by_link[MAX_PORTS]; /* pages of 4096, or NULL */
	struct hash_table addrs;
	struct hash_table routes;
	uint32_t n_left_out; /* routes over the limit, since the last reading */
};

/* The changes that an event caused. */
#define MIRROR_FIB	 0x1U /* the fib has to be built again */
#define MIRROR_REREAD	 0x2U /* routes have to be read again */
#define MIRROR_LINK_NEW	 0x4U /* an interface appeared, or came up: next hops start again */
#define MIRROR_LINK_EDIT 0x8U /* its MAC or MTU changed: headers are built again */
#define MIRROR_LINK_GONE 0x10U

/* 0 or -ENOMEM. */
int mirror_init(struct mirror *m, uint16_t n_ports);
void mirror_fini(struct mirror *m);
/* Sets the index of a link's TAP; 0: removed, with VLAN interfaces on it. 0 or -ENOMEM. */
int mirror_set_tap(struct mirror *m, link_id link, int ifindex);
/* Before the first event: real servers may send by this link against routes; the untagged link of a
 * port stands for its VLANs as well. 0 or -ENOMEM. */
int mirror_set_loose(struct mirror *m, link_id link);
/* MIRROR_* bits. *link is set when a MIRROR_LINK_* bit is. Out of memory: MIRROR_REREAD.
 * NL_NEIGH events are ignored. */
unsigned int mirror_apply(struct mirror *m, const struct nl_event *ev, link_id *link);

/* Forgets routes, or addresses, before a complete reading. The published fib is untouched. */
void mirror_clear_routes(struct mirror *m);
void mirror_clear_addrs(struct mirror *m);
/* Begin and end of a complete reading of interfaces. The end removes interfaces that were not seen,
 * and calls gone() for each. */
void mirror_ifaces_begin(struct mirror *m);
unsigned int mirror_ifaces_end(struct mirror *m, void (*gone)(void *arg, link_id link), void *arg);

/* May be NULL. */
struct iface *mirror_iface(const struct mirror *m, int ifindex);
struct iface *mirror_iface_by_link(const struct mirror *m, link_id link);
/* The link with a prefix around addr, or LINK_ANY. After mirror_build(). */
link_id mirror_link_around(const struct mirror *m, const struct addr *addr);

/* True: the interface has a local route for exactly this prefix. */
bool mirror_has_local(const struct mirror *m, int ifindex, const struct addr *addr, uint8_t len);

/* An address of a mirrored interface. The walk starts with *cursor 0 and prev NULL. */
struct mirror_addr {
	struct hash_node by_key;
	int ifindex;
	struct addr addr;
	uint8_t len;
	uint8_t proto;
	bool unusable; /* as a source, for now */
};
struct mirror_addr *mirror_addr_walk(const struct mirror *m, uint32_t *cursor,
				     const struct mirror_addr *prev);

/* The routes as workers get them. NULL: out of memory. *n_routes is their number. *list, if
 * not NULL, gets the array (the caller frees it), all of IPv4 first; else it is freed. */
struct fib *mirror_build(struct mirror *m, uint32_t *n_routes, struct link_fib_route **list);

#endif
