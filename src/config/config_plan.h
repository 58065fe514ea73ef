/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_CONFIG_PLAN_H
#define PLVS_CONFIG_CONFIG_PLAN_H

/* The differences between two configurations, as objects and in words. */

#include <stdint.h>

#include "config/config_values.h"

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
/* Of a service, with CHANGE_VALUE: tables of all services follow from a key that differs. */
#define CHANGE_LISTENERS 0x8U  /* listeners, or the claim of their addresses */
#define CHANGE_REPLIES	 0x10U /* treatment of packets from servers' ports */

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

/* ---- in words ---- */

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
	const char *object;
	const char *detail; /* "weight: 1 -> 2; upper: 0 -> 10", or "" */
	/* For counts of connections: the objects in the two configurations, or NULL. */
	const struct config_service *before, *after;
	const struct config_server *server_before, *server_after;
};

struct config_words {
	struct config_line *v;
	uint32_t n, max;
	struct words_block *blocks; /* texts of the lines */
	char **restart;		    /* "node.workers.connections: 1000000 -> 2000000" */
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
