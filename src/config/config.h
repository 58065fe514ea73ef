/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_H
#define PLVS_CONFIG_CONFIG_H

/*
 * The configuration as values: the contents of a file or a request, checked, with every default
 * filled in. A schema table (schema*.c) drives parsing, defaults, output and documentation.
 *
 * Two parts: `node` is about this machine and is never compared or sent to the peer;
 * `shared` is the part that both routers of a pair have in common.
 *
 * Order of servers: as in the file, the order of adding. The scheduler's list is the
 * reverse (the last added is its head), so a server added by request goes to the *end*
 * here, and a saved configuration loads as the same list.
 *
 * Context: control thread, and main before threads start. Only reading and writing files blocks.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/text_buffer.h"
#include "config/ha_config.h"
#include "config/health_config.h"
#include "config/operator_config.h"
#include "health/health.h"
#include "model/conn_state.h"
#include "model/limits.h"
#include "model/link_id.h"
#include "model/mark.h"
#include "model/service.h"

#define CONFIG_MAX_BYTES      (64U << 20) /* of a file or a text */
#define CONFIG_MAX_DEPTH      32	  /* brackets within brackets */
#define CONFIG_NAME_DEFAULT   "plvs"
#define CONFIG_MAX_EAL	      64 /* arguments */
#define CONFIG_SOCKET_DEFAULT "/run/plvs/plvs.sock"
#define CONFIG_MAX_ERRORS     100 /* and as many warnings; more are counted */

/* ---- errors ---- */

struct config_error {
	char *path;	       /* "shared.services[2].scheduler"; "" = the whole document */
	char *message;	       /* the fault and the expected value; without the path */
	char *expected;	       /* or NULL */
	char *suggestion;      /* the near miss, or NULL */
	uint32_t line, column; /* from 1; column in characters; 0 = no text to point into */
};

struct config_error_list {
	struct config_error *v;
	uint32_t n, max;
	uint32_t n_more; /* beyond CONFIG_MAX_ERRORS: counted only */
};

struct config_errors {
	char *file; /* name for messages, or NULL */
	struct config_error_list errors;
	struct config_error_list warnings;
	/* The reason, for the code of an answer: 0 with errors.n == 0; else -EINVAL, -ENOENT (no
	 * such object), -EEXIST, -ENOSPC (a limit; the message names it), -EIO or -errno of open()
	 * (file), -ENOMEM. The first error decides. */
	int reason;
};

void config_errors_init(struct config_errors *errors);
void config_errors_fini(struct config_errors *errors);
/* Adds an error (reason < 0) or a warning (reason 0) that parsing did not find. */
void config_errors_add(struct config_errors *errors, int reason, const char *path, const char *fmt,
		       ...) __attribute__((format(printf, 4, 5)));
/* "FILE:12:7: shared.services[2].scheduler: ..." (parts that are unknown left out). */
const char *config_error_format(const struct config_errors *errors, const struct config_error *e,
				char *buf, size_t len);
/* The object of docs/control-protocol.md: {path, message, line, column, expected,
 * suggestion}. New reference, NULL: out of memory. */
json_t *config_error_json(const struct config_error *e);

/* ---- values ---- */

struct config_addr {
	struct addr addr; /* host bits kept */
	uint8_t len;
};

struct config_route {
	struct prefix dest; /* "default" = 0.0.0.0/0 or ::/0 */
	struct addr via;    /* ADDR_NONE: on the link */
	struct addr source; /* ADDR_NONE: Linux chooses */
	uint32_t metric;    /* 0 = Linux's default */
};

enum config_source_check {
	CONFIG_SOURCE_STRICT,
	CONFIG_SOURCE_LOOSE,
};

struct config_vlan {
	uint32_t id;	      /* 1 .. MAX_VLAN */
	uint8_t source_check; /* enum config_source_check */
	struct config_addr *addresses;
	uint32_t n_addresses;
	struct config_route *routes;
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
	struct config_addr *addresses;
	uint32_t n_addresses;
	struct config_route *routes;
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
	bool cpus_awake;	   /* workers.cpus_awake */
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
	uint8_t tunnel_type;	    /* enum encap_type */
	uint8_t tunnel_checksum;    /* enum encap_checksum */
	uint32_t tunnel_port;	    /* of ENCAP_GUE; else 0 */
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
	struct config_addr address; /* len 32 or 128 for a VIP and in a pool */
	uint8_t kind;		    /* enum config_address_kind */
	char *link;		    /* "public", "public.10", or NULL */
	link_id link_id;	    /* resolved, or LINK_ANY */
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
	struct config_addr *addresses;
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

/* ---- whole configurations ---- */

/* schedulers: sched_names(), must outlive the configuration. errors is initialised by the
 * caller and gets warnings also on success. 0 with *out, or errors->reason. */
int config_load(const char *path, const char *const *schedulers, struct config **out,
		struct config_errors *errors);
/* The same for a text; file is the name for messages, may be NULL. */
int config_parse(const char *text, size_t len, const char *file, const char *const *schedulers,
		 struct config **out, struct config_errors *errors);
void config_destroy(struct config *config); /* NULL is allowed */
/* `shared` as it is now, for reading on another thread while changes go on: services are the same
 * objects, which no change alters, and the rest is a copy. NULL: out of memory. Context: the thread
 * that changes config; any thread may destroy the result. */
struct config *config_freeze(const struct config *config);

enum config_part {
	CONFIG_ALL,
	CONFIG_NODE,
	CONFIG_SHARED,
};

/* The configuration as a file has it: defaults are left out, the order is kept. Policies that a
 * service states itself stay even where `defaults` says the same. New references, NULL: out of
 * memory. */
json_t *config_to_json(const struct config *config, enum config_part part);
/* Replaces passwords, headers and texts that checks send by "(hidden)" in the JSON of
 * config_to_json(). */
void config_hide_secrets(json_t *json);
json_t *config_service_to_json(const struct config *config, const struct config_service *svc);
/* The object for a listing, up to its closing bracket: `{"address":"10.0.0.1:80","weight":1`, with
 * keys that are the default and of interest nevertheless; a service without its servers. out is
 * written anew; free(out->v) after the last. 0 or -ENOMEM. */
int config_server_listed(const struct config *config, const struct config_service *svc,
			 const struct config_server *server, struct text_buffer *out);
int config_service_listed(const struct config *config, const struct config_service *svc,
			  struct text_buffer *out);
json_t *config_mark_to_json(const struct config_mark *mark);
json_t *config_address_to_json(const struct config_address *address);
/* The text that json_write() makes of config_to_json(CONFIG_SHARED), in a fraction of the time.
 * free() it; NULL: out of memory. */
char *config_shared_text(const struct config *config);
/* Tabs, final newline, no comments. free() it. */
char *config_to_text(const struct config *config);
/* Writes a new file and renames it. Keeps owner and mode of an existing file; else the mode is
 * 0640. Keeps the comments of objects that are still there. The old bytes are kept as PATH.bak,
 * whose name is *before (to be freed, or NULL). 0, or -errno with errors filled. */
int config_save(const struct config *config, const char *path, char **before,
		struct config_errors *errors);

#define CONFIG_DIGEST_STRLEN 65
/* SHA-256 of the values of `shared`, in hex. Order counts; spelling, comments and defaults that are
 * written out do not. After a change of one service only that service is digested again. */
const char *config_digest(struct config *config, char buf[CONFIG_DIGEST_STRLEN]);

/* ---- the schema ---- */

/* Every key: type, unit, default, limits, help. New reference. */
json_t *config_schema_json(const char *const *schedulers);
/* The tables of docs/configuration.md; free() it. */
char *config_schema_markdown(const char *const *schedulers);

/* ---- names of objects ---- */

/* "tcp:10.1.0.100:80", "fwmark:7", "fwmark:7/ipv6", any listener in that form, or the name. NULL:
 * none. */
struct config_service *config_service_find(const struct config *config, const char *text);
/* enum addr_family. */
static inline uint8_t config_service_family(const struct config_service *svc)
{
	return svc->n_listen ? svc->listen[0].addr.family : svc->family;
}
/* True: both have the same identity: first listener with its protocol, or mark. */
bool config_service_same_key(const struct config_service *a, const struct config_service *b);
/* The service of config with the identity of svc, or NULL. config may be NULL. */
struct config_service *config_service_twin(const struct config *config,
					   const struct config_service *svc);
/* True: every key has the same value in both; real servers and their order count. */
bool config_service_equal(const struct config_service *a, const struct config_service *b);
/* Index into svc->servers, or -1. */
int config_server_find(const struct config_service *svc, const struct endpoint *ep);
/* The service's key, as in answers ("tcp:10.1.0.100:80"). buf of CONFIG_KEY_STRLEN. */
#define CONFIG_KEY_STRLEN 64
const char *config_service_key(const struct config_service *svc, char *buf, size_t len);
/* The service whose name or key is near to text (near_names.c). False: none. */
bool config_service_near(const struct config *config, const char *text,
			 char near[CONFIG_KEY_STRLEN]);
/* "public", "public.10". 0 or -ENOENT. */
int config_link_find(const struct config_node *node, const char *text, link_id *out);
const char *config_link_format(const struct config_node *node, link_id link, char *buf, size_t len);

/* ---- changes ---- */

enum config_kind {
	OBJECT_SERVICE, /* with its real servers: a change of one is a change of the service */
	OBJECT_ADDRESS,
	OBJECT_MARK,
	OBJECT_CHECK,
	OBJECT_DEFAULTS, /* services that inherit have changes of their own */
	OBJECT_HA,
	OBJECT_SHARED, /* the keys of `shared` that are no objects */
	OBJECT_NODE,
	OBJECT_KINDS
};

/* The way in which an object differs: bits. None: only the spelling differs. */
#define CHANGE_VALUE 0x1U /* a key has another value, or the object is new or removed */
#define CHANGE_PLACE 0x2U /* the object stands elsewhere in its list */
#define CHANGE_CHECK 0x4U /* of a service: a check that the service names has changed */

#define CONFIG_NOWHERE UINT32_MAX

union config_object_ref {
	const void *any;
	const struct config_service *service;
	const struct config_address *address;
	const struct config_mark *mark;
	const struct check_spec *check;
	const struct config_policy *defaults;
	const struct config_ha_shared *ha;
	const struct config_shared *shared;
	const struct config_node *node;
};

/* A change: an object that differs. */
struct config_change {
	uint8_t kind;			       /* enum config_kind */
	uint8_t how;			       /* CHANGE_* */
	union config_object_ref before, after; /* NULL: the object is new, or removed */
	uint32_t from, to;		       /* places in the list, or CONFIG_NOWHERE */
};

/*
 * The differences between two configurations: builder, publisher, health and answers go by this
 * list alone. Removed objects come before others of their kind.
 */
struct config_plan {
	const struct config *before, *after; /* before NULL: all objects are new */
	struct config_change *v;
	uint32_t n, max;
};

/* 0 or -ENOMEM. Both configurations must outlive the plan. */
int config_plan(const struct config *before, const struct config *after, struct config_plan **out);
void config_plan_destroy(struct config_plan *plan);
/* The kinds of objects that differ in one of the ways `how`: bits 1 << enum config_kind. */
uint32_t config_plan_kinds(const struct config_plan *plan, uint32_t how);

/* ---- single changes ---- */

/*
 * In two steps, so that the data plane may refuse in between: config_*_add/edit/delete()
 * check and prepare one change, and leave the configuration as it is; then config_change_commit()
 * makes the change, or config_change_abort() discards it. One change at a time. Paths in errors are
 * relative to the request's params ("server.weight", "set.scheduler"). Return 0, or errors->reason.
 */
/* object: the service as in a configuration. */
int config_service_add(struct config *config, const json_t *object, struct config_change *change,
		       struct config_errors *errors);
/* set: keys to change; null gives a key back to its default. `servers`, where given,
 * replaces the list. */
int config_service_edit(struct config *config, const char *service, const json_t *set,
			struct config_change *change, struct config_errors *errors);
int config_service_delete(struct config *config, const char *service, struct config_change *change,
			  struct config_errors *errors);
/* server: the object as in a configuration; it becomes the head of the scheduler's list. */
int config_server_add(struct config *config, const char *service, const json_t *server,
		      struct config_change *change, struct config_errors *errors);
/* The server keeps its place. */
int config_server_edit(struct config *config, const char *service, const char *server,
		       const json_t *set, struct config_change *change,
		       struct config_errors *errors);
int config_server_delete(struct config *config, const char *service, const char *server,
			 struct config_change *change, struct config_errors *errors);
/* object: {address, kind, link}. */
int config_address_add(struct config *config, const json_t *object, struct config_change *change,
		       struct config_errors *errors);
int config_address_delete(struct config *config, const json_t *object, struct config_change *change,
			  struct config_errors *errors);
/* rule: the object as in a configuration, to be inserted before the rule at position; UINT32_MAX =
 * at the end. */
int config_mark_add(struct config *config, const json_t *rule, uint32_t position,
		    struct config_change *change, struct config_errors *errors);
int config_mark_delete(struct config *config, uint32_t position, struct config_change *change,
		       struct config_errors *errors);
void config_change_commit(struct config *config, struct config_change *change);
void config_change_abort(struct config_change *change);

/* ---- a plan in words ---- */

enum config_action {
	CONFIG_ADD,
	CONFIG_EDIT,
	CONFIG_DELETE,
	CONFIG_MOVE,
};

extern const char *const config_action_names[]; /* "add", "edit", "delete", "move" */

struct config_line {
	enum config_action action;
	/* "service tcp:10.1.0.100:80", "server 10.0.0.1:80 of tcp:...", "address ..." */
	char *object;
	char *detail; /* "weight: 1 -> 2; upper: 0 -> 10", or "" */
	/* For counts of connections: the objects in the two configurations, or NULL. */
	const struct config_service *before, *after;
	const struct config_server *server_before, *server_after;
};

struct config_words {
	struct config_line *v;
	uint32_t n, max;
	char **restart; /* "node.workers.connections: 1000000 -> 2000000" */
	uint32_t n_restart, max_restart;
	char **live; /* changes of node that take effect at once: "node.log.level: ..." */
	uint32_t n_live, max_live;
};

/* Services, servers and the other objects of the plan, then the keys of node. 0 or -ENOMEM. */
int config_words(const struct config_plan *plan, struct config_words **out);
/* Only the keys of node. */
int config_node_words(const struct config *before, const struct config *after,
		      struct config_words **out);
void config_words_destroy(struct config_words *words); /* NULL is allowed */

#endif
