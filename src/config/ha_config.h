/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_HA_CONFIG_H
#define PLVS_CONFIG_HA_CONFIG_H

/*
 * The configuration of high availability. node.ha is about this router: its role, its paths to
 * the peer, and its key file. shared.ha has the values on which both routers must agree.
 *
 * Without node.ha.paths there is no peer: a lone router is active, without a lease.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/ha_policy.h"

#define CONFIG_HA_MAX_PATHS	4
#define CONFIG_HA_MAX_WITNESSES 16 /* of one link */
#define CONFIG_HA_PORT		7694
#define CONFIG_HA_MAX_MEMBERS	1024
#define CONFIG_STATE_DEFAULT	"/var/lib/plvs"
#define CONFIG_ANNOUNCE_METRIC	100
#define CONFIG_BGP_PORT		179

struct config_witness;

enum config_ha_role {
	CONFIG_HA_UNSET,
	CONFIG_HA_PRIMARY,
	CONFIG_HA_BACKUP,
};

enum config_ha_mode {
	CONFIG_HA_PAIR,	 /* one of two routers is active; also a lone router */
	CONFIG_HA_FLEET, /* every member is active: docs/fleet.md */
};

/* The VIPs of a fleet that are withdrawn without a quorum: VIPs with at least one service without a
 * quorum; VIPs all of whose services are without; none. */
enum config_withdraw {
	CONFIG_WITHDRAW_ANY,
	CONFIG_WITHDRAW_ALL,
	CONFIG_WITHDRAW_NEVER,
};

/* A path to the peer: UDP between two addresses of the routers' own. */
struct config_ha_path {
	char *name;
	struct endpoint local, peer; /* port 0 = CONFIG_HA_PORT */
};

struct config_ha_node {
	uint8_t role; /* enum config_ha_role */
	uint32_t priority;
	char *key_file;
	struct config_ha_path *paths;
	uint32_t n_paths;
};

/* A member of the fleet, and the address of its control connections. */
struct config_member {
	char *name;
	struct endpoint address;
};

struct config_ha_shared {
	uint8_t mode;	  /* enum config_ha_mode */
	uint8_t withdraw; /* enum config_withdraw */
	uint32_t cluster;
	HA_TIMING_INSIDE;
	struct config_witness *witnesses;
	uint32_t n_witnesses;
	struct config_member *members; /* of a fleet */
	uint32_t n_members;
	struct ha_announcing announce;
	uint32_t sync_rate; /* kilobytes per second */
};

/* A VIP with a metric of its own. */
struct config_announced {
	struct addr address;
	uint32_t metric;
};

/* Routes by which VIPs are announced to the network: announce/vip_routes.h. */
struct config_announce {
	uint32_t table; /* of Linux; 0: no VIP is announced */
	uint32_t metric;
	struct config_announced *vips;
	uint32_t n_vips;
	uint32_t stuck_ms, drain_ms;
	uint32_t bgp_port; /* of the routing daemon; 0: no look for one */
};

/* The programs that a configuration from the peer may run on this router. */
struct config_programs {
	char **directories; /* none: /usr/lib/plvs/checks, /etc/plvs/programs */
	uint32_t n_directories;
	char *user; /* NULL: nobody */
};

/* Programs that run at events, with JSON on standard input. */
struct config_notify {
	char **ha, **health, **announce; /* argv; empty: no program */
	uint32_t n_ha, n_health, n_announce;
	char *user; /* NULL: the router's own */
	uint32_t timeout_ms;
};

#endif
