/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_KEEPALIVED_H
#define PLVS_IMPORT_KEEPALIVED_H

/*
 * A keepalived.conf. keepalived_expand.c turns files into plain lines: includes, conditions,
 * definitions, sequences. keepalived_tree.c turns lines into a tree of statements. The other files
 * interpret statements.
 */

#include "import/importer.h"

/* A statement: words, and perhaps a block of statements. */
struct kw {
	struct kw *next, *parent;
	struct origin at;
	const char **raw; /* words with their quotes and backslashes */
	uint32_t n;
	bool block;
	struct kw *children, **children_end;
};

/* ---- keepalived_tree.c ---- */

struct kw_tree {
	struct importer *im;
	struct kw root, *open; /* the block that takes statements */
	struct kw *statement;  /* being written on this line, or NULL */
	struct kw *last;       /* the statement of a { on the next line */
	uint32_t depth, n;
};
void kw_tree_init(struct kw_tree *t, struct importer *im);
void kw_tree_line(struct kw_tree *t, struct origin at, const char *line);
void kw_tree_end(struct kw_tree *t);
/* Word i without quotes; "" where there is none. */
const char *kw_word(struct importer *im, const struct kw *k, uint32_t i);
/* The same without backslashes, as keepalived reads scripts, paths and patterns. */
const char *kw_value(struct importer *im, const struct kw *k, uint32_t i);
bool kw_is(const struct kw *k, const char *keyword);
const struct kw *kw_find(const struct kw *block, const char *keyword);

/* ---- keepalived_expand.c ---- */

void kw_read(struct importer *im, const char *file, const char *text, size_t len,
	     struct kw_tree *tree);

/* ---- values: an error is noted, and false is returned ---- */

bool kw_number(struct importer *im, const struct kw *k, uint32_t i, uint32_t max, uint32_t *out);
bool kw_ms(struct importer *im, const struct kw *k, uint32_t *ms);
bool kw_flag(struct importer *im, const struct kw *k); /* bare: true */
bool kw_address(struct importer *im, const struct kw *k, uint32_t i, struct addr *out);
bool kw_port(struct importer *im, const struct kw *k, uint32_t i, uint32_t *out);
/* "NAT", "DR", "TUN [type ...]"; lost: the reason why plvs has no such tunnel. */
bool kw_method(struct importer *im, const struct kw *k, enum lvs_method *out, struct encap *tunnel);
/* The words of a script, parted by blanks outside of single quotes. */
struct lvs_word *kw_argv(struct importer *im, const char *text);

/* ---- keywords of virtual servers, real servers and checkers ---- */

struct ka_timing {
	uint32_t delay_loop, retry, before_retry, connect; /* ms, ms; retry a number */
	bool has_delay_loop, has_retry, has_before_retry, has_connect;
	const char *virtualhost;
};
/* false: the keyword is another one. */
bool ka_timing_take(struct importer *im, const struct kw *k, struct ka_timing *t);
/* For a virtual or a real server, after ka_timing_take(). */
void ka_retry_check(struct importer *im, const struct kw *k, struct ka_timing *t);

struct ka_server {
	struct ka_server *next;
	const struct kw *kw;
	struct addr addr;
	uint32_t port;
	bool has_port;
	enum lvs_method method;
	struct encap tunnel;
	bool has_weight;
	uint32_t weight, upper, lower;
	enum lvs_switch inhibit;
	struct ka_timing timing;
};

struct ka_virtual {
	const struct kw *kw;
	uint8_t protocol;
	const struct kw *protocol_at;
	const char *scheduler;
	bool scheduler_said;
	uint32_t flags;
	enum lvs_method method;
	struct encap tunnel;
	bool method_said;
	bool persistent;
	uint32_t persistence_s, netmask;
	bool ops, alpha;
	const struct kw *engine;
	uint32_t quorum, hysteresis;
	const struct kw *quorum_at;
	const struct kw *sorry;
	enum lvs_method sorry_method;
	struct encap sorry_tunnel;
	enum lvs_switch inhibit;
	bool has_weight;
	uint32_t weight;
	uint32_t established_s;
	const char *client_address; /* plvs's name, or NULL */
	struct origin client_address_at;
	struct ka_timing timing;
	struct ka_server *servers, **servers_end;
	uint8_t family;	   /* of a mark, by ip_family; or 0 */
	const char *opens; /* an access list that is lost */
	struct origin opens_at;
};

struct ka_entry {
	struct ka_entry *next;
	struct origin at;
	uint32_t mark;	/* or */
	uint8_t family; /* of a mark, if the file has it */
	struct addr addr;
	uint32_t port;
};

struct keepalived {
	struct importer *im;
	struct kw_tree tree;
	bool dpvs;
	bool any_alpha, any_without_alpha, any_vrrp;
	bool masquerade_told;
	const char *ssl_cert, *ssl_key;
	const struct kw *script_user; /* or NULL */
	const char *default_device;   /* or NULL */
};

/* keepalived_tree.c: notes an error if the keyword has a block. */
void kw_no_block(struct importer *im, const struct kw *k);
/* "inet" or "inet6" as word i; without the word *family stays as it is. */
void kw_family(struct importer *im, const struct kw *k, uint32_t i, uint8_t *family);
/* keepalived_virtual.c */
void ka_virtual_map(struct keepalived *ka, const struct kw *k);
void ka_virtual_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v);
/* keepalived_service.c: services of a virtual server for its entries. */
void ka_services_make(struct keepalived *ka, const struct ka_virtual *v,
		      const struct ka_entry *entries);
/* keepalived_group.c: NULL: noted */
const struct ka_entry *ka_group_entries(struct keepalived *ka, const struct kw *use);
void ka_groups_unused(struct keepalived *ka);
/* keepalived_checker.c */
void ka_checks_make(struct keepalived *ka, const struct ka_virtual *v, const struct ka_server *s,
		    const struct lvs_service *svc, struct lvs_server *out);
/* keepalived_probe.c: the rest of a check by its kind. False: not a checker. */
struct ka_check {
	struct keepalived *ka;
	const struct ka_virtual *v;
	const struct ka_server *s;
	const struct lvs_service *svc;
	struct lvs_server *out;
	const struct kw *kw;
	struct ka_timing timing; /* of the checker itself */
	const struct kw *connect_ip, *connect_port, *bindto, *bind_port;
};
bool ka_is_checker(const struct kw *k);
void ka_probe_make(struct ka_check *c);
struct lvs_check *ka_check_begin(struct ka_check *c, const char *type, uint32_t interval_factor);
/* keepalived_dpvs.c: keywords of DPVS. False: not such a keyword. */
bool ka_dpvs_top(struct keepalived *ka, const struct kw *k);
bool ka_dpvs_virtual(struct keepalived *ka, const struct kw *k, struct ka_virtual *v);
/* Fills the defaults of DPVS. */
void ka_dpvs_fill(const struct keepalived *ka, struct lvs_service *svc);
bool ka_dpvs_recognise(const struct kw *root);
/* keepalived_vrrp.c, keepalived_global.c */
void ka_instance_map(struct keepalived *ka, const struct kw *k);
void ka_vrrp_end(struct keepalived *ka);
void ka_globals_map(struct keepalived *ka, const struct kw *k);
void ka_static_addresses(struct keepalived *ka, const struct kw *k);
void ka_static_routes(struct keepalived *ka, const struct kw *k);

#endif
