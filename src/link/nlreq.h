/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_NLREQ_H
#define PLVS_LINK_NLREQ_H

/*
 * Requests to Linux over rtnetlink. Linux answers within the call (the answer is queued
 * before send() returns), so no function waits for another process.
 *
 * Context: the thread whose namespace the socket was opened in.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "link/link.h"
#include "link/nlparse.h"

struct nlreq {
	struct mnl_socket *sock;
	uint32_t seq;
	bool busy;     /* a dump is under way: its callback may not send requests */
	uint8_t *buf;  /* for answers, NLREQ_BUF */
	char why[128]; /* the kernel's own words on the last error, or "" */
};

#define NLREQ_BUF 65536

/* 0 or -errno. */
int nlreq_open(struct nlreq *r);
void nlreq_close(struct nlreq *r);

/* Calls fn for every object of a kind, of both families. NL_NEXTHOP has none. 0, -EINTR (the state
 * changed meanwhile: read again) or -errno. */
int nlreq_dump(struct nlreq *r, enum nl_kind kind, void (*fn)(void *arg, const struct nl_event *ev),
	       void *arg);

/* Finds an interface by name: 0 with *out, or -ENODEV. */
int nlreq_link_get(struct nlreq *r, const char *name, struct nl_link *out);
int nlreq_link_set_up(struct nlreq *r, int ifindex);
int nlreq_link_set_mtu(struct nlreq *r, int ifindex, uint16_t mtu);
int nlreq_link_set_mac(struct nlreq *r, int ifindex, const struct mac *mac);
int nlreq_link_del(struct nlreq *r, int ifindex);
int nlreq_vlan_add(struct nlreq *r, int parent, uint16_t id, const char *name);

/* proto: IFAPROT_*. add: 0 also if the address is there already. del: 0 also if it is not there.
 * Either family. */
int nlreq_addr_add(struct nlreq *r, int ifindex, const struct addr *a, uint8_t len, uint8_t proto);
int nlreq_addr_del(struct nlreq *r, int ifindex, const struct addr *a, uint8_t len);
/* A route of type local for a prefix: Linux treats the addresses as its own, without further
 * effects of an address. 0 also if the route is there already, or to delete is not there. */
int nlreq_local_set(struct nlreq *r, int ifindex, const struct addr *a, uint8_t len, bool add);
int nlreq_route_add(struct nlreq *r, int ifindex, const struct net_route *route);

/* Routes to single addresses in a table that routing daemons read. The type is blackhole: a daemon
 * exports such a route with itself as the next hop, and Linux drops packets that are routed by this
 * table. They carry NLREQ_PROTO. A route with another metric is another route. add: 0 also if the
 * route is there; del: 0 also if it is not. */
#define NLREQ_PROTO 0x70 /* of routes and addresses that plvs adds */
int nlreq_announced_set(struct nlreq *r, uint32_t table, const struct addr *a, uint32_t metric,
			bool add);
/* Calls fn for every such route of the table. 0, -EINTR (read again) or -errno. */
int nlreq_announced_dump(struct nlreq *r, uint32_t table,
			 void (*fn)(void *arg, const struct nl_event *ev), void *arg);

/* Has Linux resolve addr now (probe). managed: Linux also keeps the entry fresh from now on; else
 * it stops doing so. */
int nlreq_neigh_use(struct nlreq *r, int ifindex, const struct addr *a, bool managed);
/* 0 with *out, or -ENOENT. */
int nlreq_neigh_get(struct nlreq *r, int ifindex, const struct addr *a, struct nl_neigh *out);

#endif
