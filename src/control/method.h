/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_METHOD_H
#define PLVS_CONTROL_METHOD_H

/*
 * A method of the control socket is a row: its name, level, parameters, handler and words. The
 * dispatcher checks requests by the rows, and docs/control-protocol.md is made from them. A command
 * of plvsctl names its method; a test compares the two.
 *
 * To add a method, write its row and its handler in a file of methods, and its command in
 * cli/commands.c. A new file of methods ends its rows with a NULL name and is named in
 * method_tables.c.
 * Context: the control thread.
 */

#include <jansson.h>
#include <stdbool.h>

struct control;
struct rpc_request;
struct shown_table;

/* Ends req, now or later. params is an object that fits the row. */
typedef void control_method(struct control *c, struct rpc_request *req, json_t *params);

/*
 * X(NAME, socket, word), each with the rights of those before. socket: the key of node that has the
 * socket for the level.
 *
 *	READ	shows
 *	CHANGE	changes the router, its configuration or its log
 *	MEMBER	also a shared configuration as a whole: other members of a fleet
 *	ALL	also programs and files: by the control socket alone
 */
#define METHOD_LEVELS(X)                                                                           \
	X(READ, "control.read", "read")                                                            \
	X(CHANGE, "control.change", "change")                                                      \
	X(MEMBER, "control", "the control socket, and members of the fleet")                       \
	X(ALL, "control", "the control socket")

enum method_level {
#define X(NAME, socket, word) METHOD_##NAME,
	METHOD_LEVELS(X)
#undef X
};

extern const char *const method_level_sockets[];
extern const char *const method_level_words[];

enum param_kind {
	PARAM_END,
	PARAM_STRING,
	PARAM_NUMBER,
	PARAM_OBJECT,
	PARAM_BOOLEAN,
	PARAM_METHOD, /* the name of another method, whose level the client needs */
};

struct param {
	const char *name;
	enum param_kind kind;
	bool required;
	const char *help;	 /* markdown: meaning, values, default */
	enum method_level level; /* level that the parameter needs, if above the method's */
};

#define METHOD_PARAMS_MAX 12

struct method {
	const char *name;
	enum method_level level;
	bool in_turn;	/* the handler runs in a turn of the change queue */
	bool at_active; /* in a pair the active router carries the change out, whichever router gets
			   the request */
	bool object;	/* params are an object of the configuration: its schema checks them */
	control_method *run;
	const char *help; /* a phrase: starts small, no full stop */
	struct param params[METHOD_PARAMS_MAX];
	const char *result;		/* markdown: the keys of the result */
	const struct shown_table *rows; /* the objects in the result; or NULL */
	const char *list; /* the result's key that has them, as a list or as an object; or NULL */
	bool stream;	  /* the objects come as rows before the result */
	unsigned int in;  /* SHOWN_HEALTH ...: their keys; 0: SHOWN_LIST */
};

/* Parameters and results that several rows have. */
#define METHOD_SERVICE                                                                             \
	{                                                                                          \
		"service", PARAM_STRING, true, "the virtual service"                               \
	}
#define METHOD_SERVER                                                                              \
	{                                                                                          \
		"server", PARAM_STRING, true, "the real server within the service"                 \
	}
#define METHOD_LIVE "`generation`, `duration_us`, once every worker has the change"

/* Each file of methods has rows that end with a NULL name. */
extern const struct method config_methods[];
extern const struct method history_methods[];
extern const struct method trial_methods[];
extern const struct method service_methods[];
extern const struct method mark_methods[];
extern const struct method connection_methods[];
extern const struct method counter_methods[];
extern const struct method system_methods[];
extern const struct method ha_methods[];
extern const struct method fleet_methods[];
extern const struct method health_methods[];
extern const struct method attempt_methods[];
extern const struct method ipvsadm_methods[];
extern const struct method event_methods[];
extern const struct method session_methods[];
extern const struct method explain_methods[];
extern const struct method drop_methods[];
extern const struct method observer_methods[];

/* Every file's rows; ends with NULL. */
extern const struct method *const method_tables[];

/* NULL: there is no such method. */
const struct method *method_find(const char *name);
/* The rows as the second half of docs/control-protocol.md; malloced. NULL: no memory. */
char *method_markdown(void);

/* Checks a request by its method's row, and runs the handler. */
void control_dispatch(void *arg, struct rpc_request *req, const char *method, json_t *params);
/* The same for a change that the peer requests: only at_active methods. */
void control_run_for_peer(struct control *c, struct rpc_request *req, const char *name,
			  json_t *params);

/* A parameter's text, or NULL. */
static inline const char *param_string(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

#endif
