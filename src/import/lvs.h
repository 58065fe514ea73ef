/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_LVS_H
#define PLVS_IMPORT_LVS_H

/*
 * The contents of a file of any format, as objects of an LVS. Readers fill the objects, in the
 * order of the file; lvs_finish() (finish.c) takes the steps that all formats have in common;
 * document.c writes the objects. All memory belongs to the arena of the import.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/encap.h"

/* Where a directive stands. file NULL: the whole import. */
struct origin {
	const char *file;
	uint32_t line; /* from 1; 0: the whole file */
};

enum lvs_method {
	METHOD_UNSET,
	METHOD_NAT,
	METHOD_DR,
	METHOD_TUNNEL,
	METHOD_LOCAL,
	METHOD_FULLNAT,
};
extern const char *const lvs_method_names[]; /* "nat" ...: imported_note.c */
extern const char *const lvs_tunnel_names[]; /* by enum encap_type */

enum lvs_switch {
	SWITCH_UNSET,
	SWITCH_OFF,
	SWITCH_ON,
};

struct lvs_step {
	struct lvs_step *next;
	const char *key;  /* "send", "expect", "expect_prefix", "expect_pattern" */
	const char *text; /* in plvs's notation */
};

struct lvs_word {
	struct lvs_word *next;
	const char *text;
};

/* Zero and NULL: not given. Texts are in the notation of the configuration's keys. */
struct lvs_check {
	struct lvs_check *next;
	struct origin at;
	const char *type;
	uint32_t interval_ms, fast_ms, timeout_ms, rise, fall;
	struct addr address;
	uint32_t port; /* 0: the server's */
	struct addr source;
	uint32_t source_port; /* 0: any */
	bool via_vip;
	bool tls;
	const char *sni, *cert_file, *key_file;
	struct lvs_step *steps;
	const char *method, *path, *host, *body_pattern;
	struct lvs_word *status;
	const char *dns_name, *dns_qtype;
	struct lvs_word *argv;
	const char *user, *output_pattern, *body_md5;
	bool any_code, load, weight, body_not, code_weight;
	/* Set by the writer. */
	const char *name, *body;
	bool first; /* the first of equal checks */
};

struct lvs_server {
	struct lvs_server *next;
	struct origin at;
	struct addr addr;
	uint32_t port;	       /* as written; 0: none. After lvs_finish(): as in the document */
	struct origin port_at; /* of the port's own line; line 0: at */
	const char *host;      /* the name that was resolved, or NULL */
	uint32_t weight;
	enum lvs_method method; /* UNSET: the service's */
	struct encap tunnel;	/* of METHOD_TUNNEL; the port in network byte order */
	uint32_t upper, lower;
	bool sorry;
	enum lvs_switch quiesce; /* consequence of a failed check, if the server has its own */
	const char *lost;	 /* reason why plvs cannot have the server; NULL: it can */
	struct lvs_check *checks;
};

struct lvs_listener {
	struct lvs_listener *next;
	struct origin at;
	struct addr addr;
	uint32_t port;
};

#define LVS_FALLBACK 1U /* scheduler flags */
#define LVS_PORT     2U

/* A netmask of persistence. 0: not given; up to 128: a prefix length; above: the bits of a netmask
 * of IPv4 with holes. */
#define LVS_MASK_ALL UINT32_MAX /* 0.0.0.0: all clients together */

#define CLIENT_ADDRESS_OPTION "toa" /* the default of DPVS with full NAT */

struct lvs_service {
	struct lvs_service *next;
	struct origin at;
	const char *name; /* as in the file, or NULL */
	uint8_t protocol; /* IPPROTO_*; 0 with a mark */
	uint32_t mark;
	bool v6; /* a mark's family */
	struct lvs_listener *listeners;
	uint32_t n_listeners;
	const char *scheduler; /* plvs's name */
	uint32_t flags;
	enum lvs_method method;
	uint32_t persistence_s, netmask; /* LVS_MASK_ALL */
	bool one_packet;
	bool by_call_id; /* persistence by the engine `sip` */
	enum lvs_switch quiesce;
	uint32_t quorum, hysteresis;
	bool quorum_weight;
	uint32_t established_s;
	const char *client_address; /* "proxy-v1", "proxy-v2", CLIENT_ADDRESS_OPTION or NULL */
	struct origin client_address_at;
	struct lvs_server *servers, **servers_end;
	uint32_t n_servers;
	const char *lost;
};

enum lvs_address_kind {
	ADDRESS_VIP,
	ADDRESS_GATEWAY,
	ADDRESS_POOL,
};

struct lvs_address {
	struct lvs_address *next;
	struct origin at;
	struct addr addr;
	uint8_t len; /* of a gateway */
	enum lvs_address_kind kind;
	const char *device; /* Linux interface of the origin, or NULL */
};

/* A proposed mark rule. */
struct lvs_mark {
	struct lvs_mark *next;
	struct origin at;
	struct addr dest;
	uint8_t protocol;
	uint32_t first, last; /* ports */
	uint32_t mark;
};

/* A Linux interface of the origin; becomes a port with a device to be filled in. */
struct lvs_port {
	struct lvs_port *next;
	struct origin at;
	const char *device;    /* "eth0", without a VLAN */
	const char *role;      /* "public", "private", else a name made of device */
	bool clients, servers; /* has VIPs; has the servers' gateway */
	struct lvs_vlan {
		struct lvs_vlan *next;
		uint32_t id; /* 0: the port itself */
		struct lvs_word *addresses, *routes;
	} * vlans;
};

struct lvs_path {
	struct lvs_path *next;
	struct origin at;
	const char *name; /* NULL: after the port */
	struct lvs_port *port;
	struct addr local, peer;
};

struct lvs_pair {
	bool any;
	struct origin at;
	const char *role; /* "primary", "backup" */
	bool role_guessed;
	uint32_t priority; /* 0: not said */
	struct lvs_path *paths;
	enum lvs_switch manual; /* failback */
	uint32_t failback_delay_ms;
	uint32_t announce_count;
	enum lvs_switch refresh;
	uint32_t refresh_s;
};

struct lvs {
	struct lvs_service *services, **services_end;
	struct lvs_address *addresses, **addresses_end;
	struct lvs_mark *marks, **marks_end;
	struct lvs_port *ports, **ports_end;
	struct lvs_pair pair;
	enum lvs_method method; /* of shared.defaults */
	uint32_t established_s, fin_wait_s, udp_s;
	bool checks; /* the format has checks */
};

#endif
