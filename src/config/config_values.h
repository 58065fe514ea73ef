/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_VALUES_H
#define PLVS_CONFIG_CONFIG_VALUES_H

/*
 * The values of a configuration, as the rows of the schema write them. Readers get these structs,
 * or the struct of theirs that stands in one of them (struct service_policy, struct health_policy,
 * struct check_spec, struct mark_rule, struct ha_timing, struct encap).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/log.h"
#include "config/ha_config.h"
#include "config/health_config.h"
#include "config/operator_config.h"
#include "health/health.h"
#include "model/conn_state.h"
#include "model/limits.h"
#include "model/link_id.h"
#include "model/mark.h"
#include "model/service.h"

#define CONFIG_NAME_DEFAULT   "plvs"
#define CONFIG_MAX_EAL	      64 /* arguments */
#define CONFIG_SOCKET_DEFAULT "/run/plvs/plvs.sock"

enum config_source_check {
	CONFIG_SOURCE_STRICT,
	CONFIG_SOURCE_LOOSE,
};

struct config_vlan {
	uint32_t id;	      /* 1 .. MAX_VLAN */
	uint8_t source_check; /* enum config_source_check */
	struct net_addr *addresses;
	uint32_t n_addresses;
	struct net_route *routes;
	uint32_t n_routes;
};

struct config_port {
	char *name;	 /* role: "public" */
	char *device;	 /* DPDK device name */
	char *tap;	 /* the Linux interface; default: the port's name */
	uint32_t queues; /* 0 = as many as workers and driver allow */
	uint32_t mtu;
	uint8_t source_check; /* enum config_source_check; loose: for its VLANs as well */
	/* linux: */
	struct net_addr *addresses;
	uint32_t n_addresses;
	struct net_route *routes;
	uint32_t n_routes;
	struct config_vlan *vlans;
	uint32_t n_vlans;
};

struct config_node {
	char *name;
	char **eal; /* arguments of EAL, where the command line has none */
	uint32_t n_eal;
	struct config_port *ports; /* the index is the port number that links use */
	uint32_t n_ports;
	char *netns;   /* linux.netns: a name of `ip netns` or a path; NULL = the process's */
	char *socket;  /* control.socket */
	uint32_t mode; /* control.mode: permission bits */
	struct config_level_socket read, change; /* control.read, control.change */
	uint32_t connections;			 /* workers.connections, over all workers */
	uint32_t embryonic;	   /* workers.embryonic: limit of half-open connections; 0 = half */
	uint32_t idle_gives_way_s; /* workers.idle_gives_way; 0 = assured connections never give way
				    */
	uint8_t idle;		   /* workers.idle: enum config_idle */
	uint8_t cpus_awake;	   /* workers.cpus_awake: enum config_cpus_awake */
	uint8_t log_level;	   /* log.level: enum log_level */
	uint8_t log_format;	   /* log.format: enum log_format */
	char *state_dir;
	bool ledger;	   /* ledger.enabled */
	char *ledger_path; /* ledger.path, or NULL: the control socket's path and ".ledger" */
	struct endpoint metrics_listen; /* metrics.listen; family NONE: not there */
	char *metrics_socket;		/* metrics.socket, or NULL */
	struct config_ha_node ha;
	struct config_announce announce;
	struct config_address *pool; /* of this router alone; kind is CONFIG_ADDRESS_POOL */
	uint32_t n_pool;
	struct endpoint fleet; /* control.fleet; family NONE: not there */
	struct config_notify notify;
	struct config_programs programs;
	struct config_telnet telnet;
};

enum config_idle {
	CONFIG_IDLE_SLEEP,
	CONFIG_IDLE_POLL,
};

enum config_cpus_awake {
	CONFIG_CPUS_AWAKE_AUTO,
	CONFIG_CPUS_AWAKE_ALWAYS,
	CONFIG_CPUS_AWAKE_NEVER,
};

/* A policy stands in `defaults` and on the service. Values are always filled in: the
 * service's own, else that of `defaults`, else the built-in one; `set` has a bit for each key that
 * is given at this place (bits of the schema). */
struct config_policy {
	uint64_t set;
	const char *scheduler;	       /* one of config.schedulers: not owned */
	struct service_policy service; /* the part that workers use */
	struct config_checks check;
	struct health_policy health;
};

#define CONFIG_SERVER_FORWARD 1 /* bits of config_server.set */
#define CONFIG_SERVER_CHECK   2
#define CONFIG_SERVER_ON_DOWN 3

struct config_server {
	struct endpoint ep; /* port 0: keeps the destination port */
	uint32_t weight;
	uint32_t upper, lower;	    /* connections, 0 = none */
	uint8_t forward;	    /* enum forward_method, effective */
	uint8_t consequence;	    /* enum health_consequence, effective */
	struct encap encap;	    /* of a tunnel */
	bool sorry;		    /* serves only while the quorum is lost */
	struct config_checks check; /* effective */
	uint32_t written;	    /* place in the list of the document, where a range is one */
	uint64_t set;		    /* CONFIG_SERVER_*: was given here, not inherited */
};

struct config_service {
	char *name;		 /* label, or NULL */
	uint8_t proto;		 /* IPPROTO_TCP, IPPROTO_UDP; 0 with a mark */
	uint32_t mark;		 /* 0 = none */
	uint8_t family;		 /* of a mark: enum addr_family. See config_service_family() */
	struct endpoint *listen; /* [0] is the identity; none with a mark */
	uint32_t n_listen;
	bool claim; /* the router claims the addresses of listen for this service */
	struct config_policy policy;
	struct config_server *servers; /* in the file's order: see the top */
	uint32_t n_servers;

	uint32_t
		others; /* further configurations that have the service; atomics: config_freeze() */
	uint32_t position; /* in shared.services */
	/* The service's part of the digest; filled on demand. */
	uint8_t digest[32];
	bool digest_valid;
};

enum config_address_kind {
	CONFIG_ADDRESS_VIP,
	CONFIG_ADDRESS_GATEWAY,
	CONFIG_ADDRESS_PREFIX,
	CONFIG_ADDRESS_POOL,
};

struct config_address {
	struct net_addr address; /* len 32 or 128 for a VIP and in a pool */
	uint8_t kind;		 /* enum config_address_kind */
	char *link;		 /* "public", "public.10", or NULL */
	link_id link_id;	 /* resolved, or LINK_ANY */
};

/* A mark rule; `rule` has its link resolved. */
struct config_mark {
	struct mark_rule rule;
	char *link; /* "public", "!public.10", or NULL */
	char *comment;
};

/* A third station that answers ARP or ND on a VIP link. A router that hears no witness must not
 * take over. */
struct config_witness {
	char *link;	 /* "public", "public.10" */
	link_id link_id; /* resolved */
	struct net_addr *addresses;
	uint32_t n_addresses;
};

enum config_compat {
	CONFIG_COMPAT_NONE,
	CONFIG_COMPAT_IPVS,
};

struct config_shared {
	uint8_t compat; /* enum config_compat: values of keys that `defaults` does not state */
	struct config_policy defaults;
	struct config_address *addresses;
	uint32_t n_addresses;
	struct config_mark *marks; /* in order: the last that matches decides */
	uint32_t n_marks;
	struct config_ha_shared ha;
	struct check_spec *checks;
	uint32_t n_checks;
	struct config_service **services;
	uint32_t n_services;
};

struct config_index;

struct config {
	struct config_node node;
	struct config_shared shared;
	const char *const *schedulers;	  /* names, ends with NULL; not owned */
	struct config_index *index;	  /* identity -> object; config_index.h */
	const struct check_spec **checks; /* of shared, by name; n_checks */
	uint32_t n_checks;
	uint32_t n_servers; /* of all services */
	char *file;	    /* the source of the configuration, or NULL */
	/* The part of the digest without services; filled on demand. */
	uint8_t rest_digest[32];
	bool rest_digest_valid;
};

#endif
