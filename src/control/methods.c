/* SPDX-License-Identifier: BSD-3-Clause */
/* Which methods there are, and whether a request's parameters are theirs. */
#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/control_internal.h"

#define MAX_METHODS 64

static const struct method *const tables[] = {
	config_methods, service_methods, mark_methods,	 connection_methods, counter_methods,
	system_methods, ha_methods,	 health_methods, ipvsadm_methods,
};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

static const char *const kind_names[] = {[PARAM_STRING] = "a string",
					 [PARAM_NUMBER] = "a number",
					 [PARAM_OBJECT] = "an object",
					 [PARAM_BOOLEAN] = "true or false"};

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < N_TABLES; i++)
		for (const struct method *m = tables[i]; m->name; m++)
			if (strcmp(m->name, name) == 0)
				return m;
	return NULL;
}

static void fail_no_method(struct rpc_request *req, const char *name)
{
	const char *names[MAX_METHODS + 1], *near;
	size_t n = 0;

	for (size_t i = 0; i < N_TABLES; i++)
		for (const struct method *m = tables[i]; m->name && n < MAX_METHODS; m++)
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

void control_dispatch(void *arg, struct rpc_request *req, const char *name, json_t *params)
{
	const struct method *m = find_method(name);
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
	else if (m->changes)
		turn_request(arg, req, m, params);
	else
		m->run(arg, req, params);
	json_decref(own);
}

const char *param_string(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

/* --- answers --- */

static enum rpc_code code_of(int reason)
{
	switch (reason) {
	case -ENOENT:
		return RPC_NO_OBJECT;
	case -EEXIST:
		return RPC_EXISTS;
	case -ENOSPC:
	case -E2BIG:
		return RPC_LIMIT;
	case -ENOMEM:
		return RPC_INTERNAL;
	default:
		return RPC_INVALID;
	}
}

void fail_config(struct rpc_request *req, const struct config_errors *errors)
{
	char message[1024] = "not valid";
	json_t *data = NULL;

	if (errors->errors.n > 0) {
		config_error_format(errors, &errors->errors.v[0], message, sizeof(message));
		data = config_error_json(&errors->errors.v[0]);
	} else if (errors->reason == -ENOMEM) {
		snprintf(message, sizeof(message), "out of memory");
	}
	if (data && errors->errors.n + errors->errors.n_more > 1)
		json_object_set_new(data, "errors", config_error_list_json(&errors->errors));
	rpc_fail(req, code_of(errors->reason), data, "%s", message);
}

void fail_no_service(const struct control *c, struct rpc_request *req, const char *name)
{
	const struct config_shared *shared = &c->config->shared;
	const char **names = calloc(shared->n_services + 1, sizeof(*names)), *near = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; names && i < shared->n_services; i++)
		if (shared->services[i]->name)
			names[n++] = shared->services[i]->name;
	if (names)
		near = text_near_miss(name, names);
	if (near)
		rpc_fail(req, RPC_NO_OBJECT,
			 json_pack("{s:s, s:s}", "path", "service", "suggestion", near),
			 "service: no service \"%.100s\" (did you mean \"%s\"?)", name, near);
	else
		rpc_fail(req, RPC_NO_OBJECT, json_pack("{s:s}", "path", "service"),
			 "service: no service \"%.100s\"", name);
	free(names);
}

void fail_build(struct rpc_request *req, int ret, const char *error)
{
	rpc_fail(req, code_of(ret), NULL, "%s", error);
}

struct live_answer {
	struct rpc_request *req;
	json_t *result;	       /* one of the two */
	struct evbuffer *text; /* of an object */
	uint64_t start_us;
};

static void answer_live(struct live_answer *a, uint64_t generation)
{
	uint64_t us = clock_us() - a->start_us;

	if (!a->text) {
		json_object_set_new(a->result, "generation", json_integer((json_int_t)generation));
		json_object_set_new(a->result, "duration_us", json_integer((json_int_t)us));
		rpc_answer(a->req, json_incref(a->result));
		return;
	}
	/* Its closing bracket was left to us. */
	evbuffer_add_printf(a->text, ",\"generation\":%llu,\"duration_us\":%llu}",
			    (unsigned long long)generation, (unsigned long long)us);
	rpc_answer_text(a->req, a->text);
}

static void on_live(void *arg, int ret, uint64_t generation)
{
	struct live_answer *a = arg;

	switch (ret) {
	case 0:
		answer_live(a, generation);
		break;
	case -ETIMEDOUT:
		rpc_fail(a->req, RPC_TIMEOUT, json_incref(a->result),
			 "generation %llu is published, but not every worker has taken it up "
			 "within 2 s",
			 (unsigned long long)generation);
		break;
	case -ECANCELED:
		rpc_fail(a->req, RPC_INTERNAL, NULL, "plvs is stopping");
		break;
	default:
		rpc_fail(a->req, RPC_INTERNAL, NULL,
			 "out of memory: the change is accepted and will be published later");
	}
	json_decref(a->result);
	if (a->text)
		evbuffer_free(a->text);
	free(a);
}

static void wait_live(struct control *c, const struct live_answer *from)
{
	struct live_answer *a = calloc(1, sizeof(*a));

	if (!a || (!from->result && !from->text)) {
		json_decref(from->result);
		if (from->text)
			evbuffer_free(from->text);
		free(a);
		rpc_fail(from->req, RPC_INTERNAL, NULL, "out of memory: the change is made");
		return;
	}
	*a = *from;
	publisher_wait(&c->publisher, on_live, a);
}

void answer_when_live(struct control *c, struct rpc_request *req, uint64_t start_us, json_t *result)
{
	control_pair_changed(c);
	wait_live(c, &(struct live_answer){.req = req,
					   .result = result ? result : json_object(),
					   .start_us = start_us});
}

void answer_when_swapped(struct control *c, struct rpc_request *req, uint64_t start_us,
			 json_t *result)
{
	wait_live(c, &(struct live_answer){.req = req, .result = result, .start_us = start_us});
}

void answer_text_when_live(struct control *c, struct rpc_request *req, uint64_t start_us,
			   struct evbuffer *result)
{
	wait_live(c, &(struct live_answer){.req = req, .text = result, .start_us = start_us});
}
