/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks the parameters of a request by its method's row, and runs the method. */
#include <string.h>

#include "base/text.h"
#include "control/audit.h"
#include "control/change_queue.h"
#include "control/control_internal.h"
#include "control/method.h"
#include "control/push.h"
#include "control/trial.h"
#include "rpc/rpc_server.h"

#define MAX_METHODS 128

static const char *const kind_names[] = {[PARAM_STRING] = "a string",
					 [PARAM_NUMBER] = "a number",
					 [PARAM_OBJECT] = "an object",
					 [PARAM_BOOLEAN] = "true or false",
					 [PARAM_METHOD] = "the name of a method"};

const struct method *method_find(const char *name)
{
	for (const struct method *const *table = method_tables; *table; table++)
		for (const struct method *m = *table; m->name; m++)
			if (strcmp(m->name, name) == 0)
				return m;
	return NULL;
}

static void fail_no_method(struct rpc_request *req, const char *name)
{
	const char *names[MAX_METHODS + 1], *near;
	size_t n = 0;

	for (const struct method *const *table = method_tables; *table; table++)
		for (const struct method *m = *table; m->name && n < MAX_METHODS; m++)
			names[n++] = m->name;
	names[n] = NULL;
	near = text_near_miss(name, names);
	if (near)
		rpc_fail(req, RPC_NO_METHOD, json_pack("{s:s}", "suggestion", near),
			 "no such method: \"%.100s\" (did you mean \"%s\"?)", name, near);
	else
		rpc_fail(req, RPC_NO_METHOD, NULL, "no such method: \"%.100s\"", name);
}

static const struct param *find_param(const struct method *m, const char *name)
{
	for (const struct param *p = m->params; p->kind != PARAM_END; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static void fail_unknown(struct rpc_request *req, const struct method *m, const char *name)
{
	const char *names[METHOD_PARAMS_MAX + 1], *near;
	size_t n = 0;

	for (const struct param *p = m->params; p->kind != PARAM_END; p++)
		names[n++] = p->name;
	names[n] = NULL;
	near = text_near_miss(name, names);
	if (near)
		rpc_fail(req, RPC_BAD_PARAMS,
			 json_pack("{s:s, s:s}", "path", name, "suggestion", near),
			 "%s: unknown parameter \"%.100s\" (did you mean \"%s\"?)", m->name, name,
			 near);
	else
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", name),
			 "%s: unknown parameter \"%.100s\"", m->name, name);
}

static bool kind_fits(enum param_kind kind, const json_t *v)
{
	switch (kind) {
	case PARAM_STRING:
	case PARAM_METHOD:
		return json_is_string(v);
	case PARAM_NUMBER:
		return json_is_integer(v) && json_integer_value(v) >= 0;
	case PARAM_OBJECT:
		return json_is_object(v);
	case PARAM_BOOLEAN:
		return json_is_boolean(v);
	case PARAM_END:
		break;
	}
	return false;
}

/* A method that another router is asked for: there is one, and it asks no third router. */
static bool check_named(struct rpc_request *req, const struct method *m, const char *name)
{
	const struct method *other = method_find(name);

	if (other && other != m)
		return true;
	if (!other)
		fail_no_method(req, name);
	else
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "%s: not of %s again", m->name, name);
	return false;
}

/* True when they fit; else req has ended. */
static bool check_params(struct rpc_request *req, const struct method *m, json_t *params)
{
	const char *name;
	json_t *v;

	if (m->object)
		return true;
	json_object_foreach (params, name, v) {
		const struct param *p = find_param(m, name);

		if (!p) {
			fail_unknown(req, m, name);
			return false;
		}
		if (!kind_fits(p->kind, v)) {
			rpc_fail(req, RPC_BAD_PARAMS,
				 json_pack("{s:s, s:s}", "path", name, "expected",
					   kind_names[p->kind]),
				 "%s: %s: expected %s", m->name, name, kind_names[p->kind]);
			return false;
		}
		if (p->kind == PARAM_METHOD && !check_named(req, m, json_string_value(v)))
			return false;
	}
	for (const struct param *p = m->params; p->kind != PARAM_END; p++) {
		if (p->required && !json_object_get(params, p->name)) {
			rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", p->name),
				 "%s: \"%s\" is missing", m->name, p->name);
			return false;
		}
	}
	return true;
}

/* True when the socket's level is enough for the method and each parameter; else req has ended. */
static bool check_level(struct control *c, struct rpc_request *req, const struct method *m,
			json_t *params)
{
	enum method_level needed = m->level;
	const char *name;
	json_t *v;

	json_object_foreach (params, name, v) {
		const struct param *p = m->object ? NULL : find_param(m, name);

		if (p && p->level > needed)
			needed = p->level;
		if (p && p->kind == PARAM_METHOD &&
		    method_find(json_string_value(v))->level > needed)
			needed = method_find(json_string_value(v))->level;
	}
	if (rpc_level(req) >= needed)
		return true;
	audit_denied(c, req, m->name);
	rpc_fail(req, RPC_DENIED,
		 json_pack("{s:s, s:s}", "method", m->name, "socket", method_level_sockets[needed]),
		 "%s%s needs the socket node.%s: this connection has the level %s", m->name,
		 needed > m->level ? " with these parameters" : "", method_level_sockets[needed],
		 method_level_words[rpc_level(req)]);
	return false;
}

/* A trial, or a hand-over, may have begun since the request came. */
static void run_in_turn(struct control *c, struct rpc_request *req, const struct method *m,
			json_t *params)
{
	const char *why = changes_refused(c);

	if (why)
		rpc_fail(req, RPC_INVALID, NULL, "%s: %s", m->name, why);
	else
		m->run(c, req, params);
}

static void run(struct control *c, struct rpc_request *req, const struct method *m, json_t *params)
{
	if (m->level >= METHOD_CHANGE)
		audit_begin(c, req, m->name, params, NULL);
	if (m->at_active && push_request(c, req, m->name, params))
		return;
	if (m->in_turn)
		turn_request(c, req, m, params, run_in_turn);
	else
		m->run(c, req, params);
}

void control_dispatch(void *arg, struct rpc_request *req, const char *name, json_t *params)
{
	const struct method *m = method_find(name);
	json_t *own = NULL;

	if (!m) {
		fail_no_method(req, name);
		return;
	}
	if (!params)
		params = own = json_object();
	if (!params)
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
	else if (!check_params(req, m, params))
		; /* it has ended */
	else if (!check_level(arg, req, m, params))
		;
	else
		run(arg, req, m, params);
	json_decref(own);
}

void control_run_for_peer(struct control *c, struct rpc_request *req, const char *name,
			  json_t *params)
{
	const struct method *m = method_find(name);

	if (!m || !m->at_active) {
		rpc_fail(req, RPC_DENIED, NULL, "%.100s is no change that the peer may ask for",
			 name);
		return;
	}
	if (!check_params(req, m, params))
		return;
	audit_begin(c, req, m->name, params, "the peer");
	if (m->in_turn)
		turn_request(c, req, m, params, run_in_turn);
	else
		m->run(c, req, params);
}
