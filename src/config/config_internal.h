/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_INTERNAL_H
#define PLVS_CONFIG_CONFIG_INTERNAL_H

/* Shared by the files of config. No other room includes this header. */

#include "config/config.h"
#include "config/json_text.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Members of schema rows. */
#define AT(s, member) .offset = offsetof(s, member)
#define LIST_AT(s, items, count)                                                                   \
	.shape = SHAPE_LIST, .offset = offsetof(s, items), .count_offset = offsetof(s, count)
#define FIELDS(array) .fields = array, .n = ARRAY_LEN(array)

/* ---- the schema ---- */

enum config_type {
	TYPE_BOOL,	/* bool */
	TYPE_UINT,	/* uint32_t */
	TYPE_PORT,	/* be16; a number */
	TYPE_SECONDS,	/* uint32_t; a time in whole seconds */
	TYPE_MS,	/* uint32_t; a time in milliseconds; a bare number is seconds */
	TYPE_MODE,	/* uint32_t; "0600" */
	TYPE_ENUM,	/* uint8_t */
	TYPE_SCHEDULER, /* const char *, one of the context's names */
	TYPE_FLAGS,	/* uint32_t; a list of names */
	TYPE_STRING,	/* char * */
	TYPE_BYTES,	/* struct match: a text of the use `kind`, one of the keys `one_of` */
	TYPE_ADDRESS,	/* struct net_addr */
	TYPE_HOST,	/* struct addr */
	TYPE_ROUTE,	/* struct net_route */
	TYPE_ENDPOINT,	/* struct endpoint */
	TYPE_SERVER,	/* struct endpoint; the port may be missing (0) */
	TYPE_NETMASK,	/* uint64_t: a prefix length, or NETMASK_BITS */
	TYPE_MATCH,	/* struct mark_prefix */
	TYPE_PORTS,	/* struct mark_ports */
	TYPE_CHECKS,	/* struct config_checks: a name or a list of them */
	TYPE_STATUS,	/* struct check_status_range */
	TYPE_OBJECT,	/* the struct at the offset */
	TYPE_INLINE,	/* the same, its keys stand among those of the object around it */
};

enum config_shape {
	SHAPE_ONE,
	SHAPE_LIST,	   /* item *, uint32_t count */
	SHAPE_ONE_OR_LIST, /* the same; a single value stands for a list of one */
	SHAPE_POINTERS,	   /* item **, uint32_t count */
};

enum config_text_rule {
	RULE_LABEL,   /* letters, digits, '.', '_', '-' */
	RULE_PORT,    /* as a label, no dot, starts with a letter: "public.10" is a link */
	RULE_IFNAME,  /* a name that Linux accepts for an interface */
	RULE_PATH,    /* absolute */
	RULE_NETNS,   /* a name or an absolute path */
	RULE_LINK,    /* a port or port.VLAN, "!" before it negates */
	RULE_COMMENT, /* anything printable */
	RULE_TEXT,    /* bytes, with escapes */
	RULE_DEVICE,  /* a device's name for DPDK: no blanks, no commas */
	RULE_MAX
};

/* Bits of config_policy.set from here on are health's; below are those of schema_policy.c. */
#define CONFIG_SET_HEALTH 40
#define CONFIG_SET_CHECK  CONFIG_SET_HEALTH /* `check` */

#define FIELD_REQUIRED 0x1U
#define FIELD_LIVE     0x2U  /* of node: a change takes effect without a restart */
#define FIELD_SECRET   0x8U  /* not shown to clients that may only read */
#define FIELD_REMARK   0x4U  /* for people: no other part of the router reads the value */
#define FIELD_NAME     0x10U /* of a check: its name */
#define FIELD_LISTED   0x40U /* in listings also with its default value */
#define FIELD_PACE     0x20U /* of a check: times of probes, and rules of counting */

struct config_object;

struct config_context;

struct config_field {
	const char *name;
	uint8_t type;	 /* enum config_type */
	uint8_t shape;	 /* enum config_shape */
	uint8_t flags;	 /* FIELD_* */
	uint8_t set_bit; /* bit of the object's `set`; 0 = not inherited */
	uint8_t rule;	 /* enum config_text_rule */
	uint8_t kind;	 /* TYPE_BYTES: enum match_kind */
	uint16_t offset, count_offset;
	uint64_t min, max; /* of a number; of a string's length; max of a list: its length; min of
			      an endpoint: the least port, 0 or 1 */
	uint32_t most;	   /* entries of a list of strings; 0: max */
	uint32_t least;	   /* entries of a list that is given */
	uint64_t def;
	const char *def_text;	   /* TYPE_STRING, or the text in documentation instead of def */
	const char *max_name;	   /* "MAX_LISTEN" */
	const char *const *names;  /* TYPE_ENUM, TYPE_FLAGS: end with NULL */
	const char *const *one_of; /* TYPE_BYTES: the keys of the member; end with NULL */
	const uint8_t *values;	   /* TYPE_ENUM: value of each name; NULL = its index */
	const char *noun;	   /* "a scheduler" */
	const char *zero;	   /* TYPE_MS: a word that stands for 0, whatever min is */
	const char *unit;
	const struct config_object *object;
	/* Checks a value that is parsed and in range, and reports a fault, or warns: 0 or -EINVAL.
	 * NULL: any value is valid. */
	int (*check)(struct config_context *ctx, const void *value);
	uint8_t changes; /* CHANGE_* of an object in which the key differs, CHANGE_VALUE aside */
	uint32_t types;	 /* of a check: bits of enum check_type that take the key; 0 = all */
	const char *help;
};

/* The most entries of a list. */
static inline uint64_t config_field_most(const struct config_field *f)
{
	return f->most ? f->most : f->max;
}

struct config_object {
	const char *noun; /* "a service" */
	const struct config_field *fields;
	uint16_t n;
	uint16_t size;	     /* of the struct */
	uint16_t set_offset; /* of uint64_t set; only with set_bit fields */
	/* Looks at an object whose keys are all parsed and right by themselves, for what they mean
	 * together, and reports. NULL: any values go together. Inherited values are not there yet.
	 */
	void (*check)(struct config_context *ctx, const void *object);
};

extern const struct config_object config_object_root; /* struct config */
extern const struct config_object config_object_node;
extern const struct config_object config_object_shared;
extern const struct config_object config_object_policy;
extern const struct config_object config_object_address;
extern const struct config_object config_object_mark;
extern const struct config_object config_object_service;
extern const struct config_object config_object_server;
/* schema_health.c */
extern const struct config_object config_object_health; /* of config_policy */
extern const char *const config_consequence_words[]; /* enum health_consequence; ends with NULL */
extern const struct config_object config_object_check;
extern const struct config_object config_object_program; /* of a check: what is run, and as whom */
/* schema_ha.c */
extern const struct config_object config_object_ha_node;
extern const struct config_object config_object_ha_shared;
extern const struct config_object config_object_announce; /* schema_fleet.c */
extern const struct config_object config_object_pool;	  /* schema_fleet.c */
extern const struct config_object config_object_level_socket, config_object_telnet;
extern const struct config_object config_object_notify, config_object_programs;

/* ---- errors, where they come up ---- */

#define CONFIG_PATH_MAX (CONFIG_MAX_DEPTH + 8)

struct config_context {
	struct config_errors *errors;
	const char *const *schedulers;
	struct json_text *text; /* NULL: a request */
	struct json_step path[CONFIG_PATH_MAX];
	uint32_t depth;
	/* A request about one server: `servers[n]` is left out of paths. */
	bool hide_servers;
};

static inline void context_push_key(struct config_context *ctx, const char *key)
{
	if (ctx->depth < CONFIG_PATH_MAX)
		ctx->path[ctx->depth] = (struct json_step){.key = key};
	ctx->depth++;
}

static inline void context_push_index(struct config_context *ctx, uint32_t index)
{
	if (ctx->depth < CONFIG_PATH_MAX)
		ctx->path[ctx->depth] = (struct json_step){.index = index};
	ctx->depth++;
}

static inline void context_pop(struct config_context *ctx)
{
	ctx->depth--;
}

/* For a request: paths start with param, or are empty. */
void config_context_init(struct config_context *ctx, const struct config *config,
			 struct config_errors *errors, const char *param);

struct config_hint {
	const char *expected, *suggestion;
	bool at_key;
};

/* Adds an error (reason < 0) or a warning (reason 0) at the context's path. */
void config_report(struct config_context *ctx, int reason, const struct config_hint *hint,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* An error about the document itself, at an offset of the text (or nowhere: SIZE_MAX). */
void config_report_text(struct config_context *ctx, int reason, size_t offset, const char *message);
void config_report_memory(struct config_context *ctx);
/* A text of the user in quotes, cut and made printable. */
#define CONFIG_QUOTE_LEN 96
const char *config_quote(const char *text, char buf[CONFIG_QUOTE_LEN]);

/* ---- scalars ---- */

#define CONFIG_EXPECT_LEN 256
/* "a number from 0 to 65535". */
const char *config_scalar_expect(const struct config_field *f, const char *const *schedulers,
				 char buf[CONFIG_EXPECT_LEN]);
/* 0, or -EINVAL after a report. */
int config_scalar_parse(struct config_context *ctx, const struct config_field *f,
			const json_t *json, void *out);
json_t *config_scalar_to_json(const struct config_field *f, const void *value);
bool config_scalar_equal(const struct config_field *f, const void *a, const void *b);
size_t config_scalar_size(const struct config_field *f);
/* Puts the built-in default there (not of strings: those stay NULL until the end). */
void config_scalar_default(const struct config_field *f, const char *const *schedulers, void *out);
/* 0, or -EINVAL with *why: a sentence about the fault. */
int config_text_check(enum config_text_rule rule, const char *text, const char **why);
/* The values that the rule allows, in words for people. */
const char *config_text_rule(enum config_text_rule rule);
const char *config_route_format(const struct net_route *r, char *buf, size_t len);
#define CONFIG_ROUTE_STRLEN 192
const char *config_addr_format(const struct net_addr *a, char *buf, size_t len);

/* 0 or -EINVAL. */
int config_route_parse(const char *text, struct net_route *out);
/* The number of servers that an element of a list of servers stands for: more than 1 if its address
 * is a range of IPv4, which begins with *first. */
uint32_t config_server_range(const json_t *server, uint32_t *first);
/* The element with one address of its range. New; NULL: no memory. */
json_t *config_server_of_range(const json_t *server, uint32_t address);
int config_netmask_parse(const char *text, uint64_t *out); /* "255.255.255.0" */
int config_mode_parse(const char *text, uint32_t *out);	   /* "0600" */
/* Skips the "!" and blanks of a negation. */
const char *config_negation_skip(const char *text, uint8_t *negate);
int config_match_parse(const char *text, struct mark_prefix *out, uint8_t *family);
const char *config_match_format(const struct mark_prefix *p, char *buf, size_t len);
int config_ports_parse(const char *text, struct mark_ports *out);
json_t *config_ports_to_json(const struct mark_ports *p);

/* 0 or -EINVAL. "200-299", "301"; a number comes as its text. */
int config_status_parse(const char *text, struct check_status_range *out);
/* 0, or -EINVAL after a report. */
int config_names_parse(struct config_context *ctx, const struct config_field *f, const json_t *json,
		       struct config_checks *out);
json_t *config_names_to_json(const struct config_checks *c);
json_t *config_status_to_json(const struct check_status_range *r);

/* ---- texts of checks: match_value.c ---- */

/* The text fits the row's rule. 0, or -EINVAL after a report; -ENOMEM. */
int config_bytes_parse(struct config_context *ctx, const struct config_field *f, const char *text,
		       struct match *out);
bool config_bytes_equal(const struct match *a, const struct match *b);
/* As config_object_own(). */
bool config_bytes_own(struct match *m);
void config_bytes_fini(struct match *m);

/* ---- values by the schema: object_value.c ---- */

/* Sets every default of the object, and zero elsewhere. */
void config_object_init(const struct config_object *o, const char *const *schedulers, void *base);
/* Frees what the object owns, not the object. */
void config_object_fini(const struct config_object *o, void *base);
void config_item_fini(const struct config_field *f, void *item);
/* True: every key has the same value in both, stated or inherited. */
bool config_object_equal(const struct config_object *o, const void *a, const void *b);
/* The same without the rows that have one of the flags. */
bool config_object_alike(const struct config_object *o, const void *a, const void *b,
			 unsigned int but);
/* CHANGE_VALUE and what the rows say that differ; 0: every key means the same. */
uint8_t config_object_changes(const struct config_object *o, const void *a, const void *b);
/* A deep copy. 0, or -ENOMEM with *to zeroed. */
int config_object_copy(const struct config_object *o, const void *from, void *to);
/* The second half of a copy: base has the bytes of the original, and gets strings and lists of
 * its own. False: out of memory; fini() is safe. */
bool config_object_own(const struct config_object *o, void *base);
bool config_field_is_object(const struct config_field *f);
/* True: two objects have the same value of a row. */
bool config_field_equal(const struct config_field *f, const void *a, const void *b);

/* ---- walking the schema ---- */

/* The walks over the rows that carry values. */
enum config_walk {
	WALK_PARSE,   /* from the document into the struct */
	WALK_COMPARE, /* from a change of the struct into the plan */
	WALK_INHERIT, /* from `defaults` into services */
	WALK_RENDER,  /* from the struct into texts: files, digests, answers */
};

/* A row takes part in a walk unless the row has one of the flags `but`. The walks ask for each row.
 * The function has a file of its own, so that a test can leave rows out (test_config_row_left_out).
 */
bool config_row_takes_part(const struct config_field *f, enum config_walk walk, unsigned int but);

/* Parses into an object that has its defaults and inherited values. Frees nothing on error; fini()
 * does. 0 or -EINVAL after reports; -ENOMEM. */
int config_object_parse(struct config_context *ctx, const struct config_object *o,
			const json_t *json, void *base);
/* Copies values that policy does not set itself. */
void config_policy_inherit(struct config_policy *policy, const struct config_policy *from);
/* Keys that are null in a merge are never parsed: refuses unknown ones. */
int config_nulls_check(struct config_context *ctx, const struct config_object *o,
		       const json_t *set);
/* True: the service itself states the key, not only the defaults. */
bool config_policy_states_engine(const struct config_policy *policy);
bool config_policy_states_ftp(const struct config_policy *policy);
bool config_policy_states_netmask(const struct config_policy *policy);
/* The netmask of a service that states none. A netmask of `defaults` applies to services of the
 * family for which it is written; others use whole addresses. */
uint64_t config_netmask_inherited(uint64_t netmask, uint8_t family);
/* True: the length is for IPv6: longer than an address of IPv4. */
bool config_netmask_is_long(uint64_t netmask);
/* The same for "client_address". */
bool config_policy_states_client_address(const struct config_policy *policy);
/* The same for "one_packet": true. */
bool config_policy_states_one_packet(const struct config_policy *policy);
/* Fills keys that the defaults do not state with the values of another product. */
void config_policy_compat(struct config_policy *defaults, enum config_compat compat);

enum config_style {
	STYLE_FILE,   /* the keys that a file needs; stated policies stay */
	STYLE_LISTED, /* the same, and keys with FIELD_LISTED */
	STYLE_DIGEST, /* only keys whose value differs from the inherited one */
	STYLE_FULL,   /* all keys */
};

/* model: a struct with the values of keys that are left out. */
json_t *config_object_to_json(const struct config_object *o, const void *base, const void *model,
			      enum config_style style);
/* The keys, defaults as well, in which base differs from other; in order. */
json_t *config_object_differing(const struct config_object *o, const void *base, const void *other);
/* The same for parts that inherit from the objects around them. */
json_t *config_service_render(const struct config *config, const struct config_service *svc,
			      enum config_style style, bool servers);
json_t *config_server_render(const struct config *config, const struct config_service *svc,
			     const struct config_server *server, enum config_style style);
json_t *config_node_render(const struct config *config, enum config_style style);

/* ---- services ---- */

/* A service with its inherited values; NULL: out of memory. */
struct config_service *config_service_create(const struct config *config);
struct config_service *config_service_clone(const struct config_service *svc);
/* A view of the service, to be read and not to be freed, without the count of other owners, which
 * threads change meanwhile. */
struct config_service config_service_seen(const struct config_service *svc);
void config_service_destroy(struct config_service *svc);
/* Fills the values that the service inherits from defaults, and its servers from the service. */
void config_service_inherit(struct config_service *svc, const struct config_policy *defaults);
/* 'service "web" (tcp:10.1.0.100:80)'. */
#define CONFIG_LABEL_STRLEN 160
const char *config_service_label(const struct config_service *svc, char *buf, size_t len);

/* ---- single changes of lists ---- */

/* list: the address of the pointer to n objects. Room for one more. 0 or -ENOMEM. */
int config_list_reserve(void *list, uint32_t n, size_t size);
/* Puts change->after, which is taken over, at its place in the list, or removes the object at
 * change->from and frees it. */
void config_list_commit(const struct config_object *o, void *list, uint32_t *n,
			struct config_change *change);

/* ---- plans ---- */

/* 0 or -ENOMEM. */
int config_plan_add(struct config_plan *plan, const struct config_change *change);
int config_plan_marks(struct config_plan *plan);
/* Adds a change of an object of the kind, if it is new, removed or different. 0 or -ENOMEM. */
int config_plan_object(struct config_plan *plan, const struct config_object *o,
		       enum config_kind kind, const void *before, const void *after);
int config_mark_words(struct config_words *words, const struct config_plan *plan,
		      const struct config_change *ch);

/* ---- checks of one value: for config_field.check ---- */

int config_check_mode(struct config_context *ctx, const void *value);
int config_check_connections(struct config_context *ctx, const void *value);
int config_check_no_negation(struct config_context *ctx, const void *value);
int config_check_interface_addr(struct config_context *ctx, const void *value);
int config_check_no_link_local(struct config_context *ctx, const void *value);
/* An address that one station of a network has, and its port. */
int config_check_station(struct config_context *ctx, const void *value);
int config_check_station_port(struct config_context *ctx, const void *value);
/* Warns. */
int config_check_open_to_all(struct config_context *ctx, const void *value);
int config_check_dns_name(struct config_context *ctx, const void *value);
int config_check_md5(struct config_context *ctx, const void *value);
int config_check_http_path(struct config_context *ctx, const void *value);
int config_check_http_host(struct config_context *ctx, const void *value);
int config_check_http_header(struct config_context *ctx, const void *value);
int config_check_password_hash(struct config_context *ctx, const void *value);
int config_check_prime(struct config_context *ctx, const void *value);
int config_check_readable(struct config_context *ctx, const void *value);

/* ---- checks of several keys of one object: for config_object.check ---- */

void config_check_vlan(struct config_context *ctx, const void *object);
void config_check_port_linux(struct config_context *ctx, const void *object);
void config_check_workers(struct config_context *ctx, const void *object);
void config_check_metrics(struct config_context *ctx, const void *object);
void config_check_telnet(struct config_context *ctx, const void *object);
void config_check_announce(struct config_context *ctx, const void *object);
void config_check_path(struct config_context *ctx, const void *object);
void config_check_timing(struct config_context *ctx, const void *object);
void config_check_address_entry(struct config_context *ctx, const void *object);
void config_check_pool_entry(struct config_context *ctx, const void *object);
void config_check_mark_families(struct config_context *ctx, const void *object);
void config_check_thresholds(struct config_context *ctx, const void *object);
/* check_by_type.c: the members of a check that depend on its type. */
void config_check_by_type(struct config_context *ctx, const void *object);

/* ---- checks that need more than one object ---- */

/* The reason why an address can be neither a VIP nor a real server nor the peer, or NULL. */
const char *config_addr_unusable(const struct addr *a); /* link-local ones are usable on a link */

/* Functions that report at the context's path, which is that of the object, and return nothing. */

/* The address can be reached by any link. more: a hint at another form, or "". */
void config_check_usable(struct config_context *ctx, const struct addr *a, const char *more);
/* The same as a warning, for a service that claims no address, as ipvsadm makes services. */
void config_check_usable_unclaimed(struct config_context *ctx, const struct addr *a);
/* The address is not one of either router's own. */
void config_check_own_address(struct config_context *ctx, const struct config *config,
			      const struct addr *a);
/* The VIP is no real server by NAT. */
void config_check_pool_address(struct config_context *ctx, const struct config *config,
			       const struct addr *vip);
/* The number of addresses in the pool of a link, up to this one. */
void config_check_pools(struct config_context *ctx, const struct config *config,
			const struct config_address *a);
void config_check_nat_address(struct config_context *ctx, const struct config *config,
			      const struct addr *vip, bool claim);

/* The service alone: listeners, servers, thresholds. Corrects the ports of DR servers. */
void config_check_service(struct config_context *ctx, struct config_service *svc);
/* A service, and an address, in a fleet. */
void config_check_fleet_service(struct config_context *ctx, const struct config *config,
				const struct config_service *svc);
void config_check_fleet_address(struct config_context *ctx, const struct config *config,
				const struct config_address *a);
/* The rules of `adopt` and of the table of mh for a service. */
void config_check_adopt(struct config_context *ctx, const struct config_service *svc);
/* Compares identities with those of other services, which are in the index (the service itself is
 * not), and VIPs with the router's own addresses. */
void config_check_conflicts(struct config_context *ctx, const struct config *config,
			    const struct config_service *svc);
/* Compares NAT servers with VIPs; all VIPs are in the index, the service's own as well. */
void config_check_nat_servers(struct config_context *ctx, const struct config *config,
			      const struct config_service *svc);
/* Compares VIPs with NAT servers, all of which are in the index. */
void config_check_vips(struct config_context *ctx, const struct config *config,
		       const struct config_service *svc);
/* Compares an address with the index, which does not have it yet; resolves its link. */
void config_check_address(struct config_context *ctx, const struct config *config,
			  struct config_address *a);
/* Resolves its link. */
void config_check_mark(struct config_context *ctx, const struct config_node *node,
		       struct config_mark *m);
/* The number of entries of all rules together. */
void config_check_mark_entries(struct config_context *ctx, uint64_t entries);
/* All mark rules. */
void config_check_marks(struct config_context *ctx, struct config *config);
/* The checks by themselves, and the list of them by name. The path is that of the document's
 * shared. */
void config_check_checks(struct config_context *ctx, struct config *config);
/* The checks that `defaults` names. */
void config_check_defaults(struct config_context *ctx, const struct config *config);
/* The checks of a finished service and its servers, and its quorum. */
void config_check_service_health(struct config_context *ctx, const struct config *config,
				 const struct config_service *svc);
/* Frees what config_check_checks() made. */
void config_checks_fini(struct config *config);
int config_checks_plan(struct config_plan *plan);
/* Paths, keys and timers; resolves the links of witnesses. The path is that of the document. */
void config_check_ha(struct config_context *ctx, struct config *config);
void config_check_node(struct config_context *ctx, const struct config_node *node);
/* Rules of a fleet about the document as a whole. The path is that of the document. */
void config_check_fleet(struct config_context *ctx, const struct config *config);
/* Totals. */
void config_check_limits(struct config_context *ctx, const struct config *config,
			 uint64_t n_services, uint64_t n_servers);

/* ---- redact.c ---- */

/* Hides secrets in both versions of an object, as its rows render it. A secret that changed is
 * another word in after. */
void config_hide_change(const struct config_object *o, json_t *before, json_t *after);

#endif
