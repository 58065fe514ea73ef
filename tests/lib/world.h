/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_WORLD_H
#define PLVS_TESTS_LIB_WORLD_H

/*
 * The surroundings of a harness: links, routes, neighbours, services. Plays the link and the
 * control thread in a few calls; every call publishes at once. Addresses are texts.
 * All return 0 or -errno (-EINVAL: a text does not parse).
 */

#include "lib/harness.h"
#include "model/mark.h"
#include "model/service.h"

struct sched_ops;

/* Untagged links of all ports are up, port p has the MAC 02:00:00:00:00:(p + 1), and
 * nothing else exists. Called by harness_create(). */
int world_init(struct harness *h);
void world_fini(struct harness *h);

/* Another link: a VLAN of a port, or an other MTU. */
int world_link(struct harness *h, link_id link, uint16_t mtu);
/* via NULL: on the link. */
int world_route(struct harness *h, const char *prefix, link_id link, const char *via);
/* On the link, by paths of one route: packets leave by the first. One such route at a time. */
int world_paths(struct harness *h, const char *prefix, const link_id *links, uint32_t n);
/* Real servers may send by the link whatever routes say. */
int world_loose(struct harness *h, link_id link);
/* An address of the router's own. */
int world_own(struct harness *h, const char *addr, link_id link);
/* A neighbour that answers (a MAC), or does not (NULL: NEXTHOP_FAILED). Again: replaced. */
int world_neighbour(struct harness *h, link_id link, const char *addr, const char *mac);

/* The gateway address of the real servers: one at a time. */
int world_gateway(struct harness *h, const char *addr);

/* An address of the pool of a link. Stays. */
int world_pool(struct harness *h, const char *addr, link_id link);

struct world_server {
	const char *endpoint; /* "10.2.0.1:8080" */
	uint32_t weight;
	uint8_t method; /* enum forward_method */
	struct encap encap;
};

/* The policy of the services that world_service() makes from now on; NULL: the defaults. */
struct world_policy {
	bool sequence_off; /* `sequence_check` is on without it */
	bool one_packet, expire_quiescent, sloppy_tcp, any_flags, nat_icmp_send, ftp, adopt;
	uint32_t persist_s;
	uint32_t extension_s; /* 0 = persist_s */
	uint64_t netmask;     /* 0 = 32 */
	uint8_t on_removed;   /* enum on_removed */
	uint8_t unknown;      /* enum unknown_policy */
	uint8_t reply;	      /* enum reply_policy */
	bool ipvs;	      /* of the snapshot */
	int8_t reuse;	      /* REUSE_*; 0 = REUSE_CLOSED, -1 = none */
	uint32_t drain_s;
	uint8_t client_address; /* enum client_address */
	uint8_t engine;		/* enum persist_engine */
	uint8_t tunnel_len;	/* tunnel_source; 0 = the router's own address */
	const char *tunnel_net;
};
void world_policy(struct harness *h, const struct world_policy *policy);

/* The mark rules from now on. */
int world_marks(struct harness *h, const struct mark_rule *rules, uint32_t n);

/* Adds or replaces a service: proto "tcp" or "udp", one listener ("mark" or "mark6" and a number),
 * its servers in the kernel's order (head first). sched NULL: always the first server with a
 * weight. */
int world_service(struct harness *h, const char *proto, const char *listen,
		  const struct sched_ops *sched, const struct world_server *servers, uint32_t n);
int world_service_del(struct harness *h, const char *proto, const char *listen);
/* The run-time state of a server, or NULL. */
struct server_rt *world_server(struct harness *h, const char *proto, const char *listen,
			       const char *endpoint);

#endif
