/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/method_answer.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/audit.h"
#include "control/control_internal.h"

json_t *config_error_list_json(const struct config_error_list *list)
{
	json_t *array = json_array();

	for (uint32_t i = 0; array && i < list->n; i++)
		json_array_append_new(array, config_error_json(&list->v[i]));
	return array;
}

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
	char near[CONFIG_KEY_STRLEN];

	if (config_service_near(c->config, name, near))
		rpc_fail(req, RPC_NO_OBJECT,
			 json_pack("{s:s, s:s}", "path", "service", "suggestion", near),
			 "service: no service \"%.100s\" (did you mean \"%s\"?)", name, near);
	else
		rpc_fail(req, RPC_NO_OBJECT, json_pack("{s:s}", "path", "service"),
			 "service: no service \"%.100s\"", name);
}

void fail_build(struct rpc_request *req, int ret, const char *error)
{
	rpc_fail(req, code_of(ret), NULL, "%s", error);
}

/* The publisher has it until workers have taken the change up. */
struct live_answer {
	struct pending pending;
	json_t *result;	       /* one of the two */
	struct evbuffer *text; /* of an object */
	uint64_t start_us, us; /* us: until it was live */
	/* A change of the configuration: its number; 0: it is none. */
	uint64_t change, generation;
	bool pushed;
	json_t *stored; /* of a change */
};

static void live_free(struct pending *l)
{
	struct live_answer *a = (struct live_answer *)l;

	json_decref(a->result);
	json_decref(a->stored);
	if (a->text)
		evbuffer_free(a->text);
	free(a);
}

static bool live_stop(struct pending *l, uint64_t deadline_us)
{
	(void)l;
	(void)deadline_us;
	return false;
}

static void answer_live(struct live_answer *a)
{
	char *stored = NULL;

	if (a->pending.req)
		audit_live(a->pending.req, a->generation, a->us);
	if (!a->text) {
		json_object_set_new(a->result, "generation",
				    json_integer((json_int_t)a->generation));
		json_object_set_new(a->result, "duration_us", json_integer((json_int_t)a->us));
		if (a->stored)
			json_object_set(a->result, "stored", a->stored);
		pending_answer(&a->pending, json_incref(a->result));
		return;
	}
	/* Its closing bracket was left to us. */
	if (a->stored)
		stored = json_dumps(a->stored, JSON_COMPACT);
	evbuffer_add_printf(a->text, ",\"generation\":%llu,\"duration_us\":%llu%s%s}",
			    (unsigned long long)a->generation, (unsigned long long)a->us,
			    stored ? ",\"stored\":" : "", stored ? stored : "");
	free(stored);
	if (a->pending.req)
		rpc_answer_text(a->pending.req, a->text);
	a->pending.req = NULL;
}

/* {"here", "why_not_here", "peer", "why_not_peer"}: peer is null without one. */
static void on_stored(void *arg, const struct versions_outcome *o)
{
	struct live_answer *a = arg;

	a->stored = json_pack("{s:b}", "here", (int)!o->here);
	if (o->here)
		json_object_set_new(a->stored, "why_not_here", json_string(o->here));
	json_object_set_new(a->stored, "peer", o->has_peer ? json_boolean(!o->peer) : json_null());
	if (o->has_peer && o->peer)
		json_object_set_new(a->stored, "why_not_peer", json_string(o->peer));
	answer_live(a);
	pending_end(&a->pending);
}

static void on_live(void *arg, int ret, uint64_t generation)
{
	struct live_answer *a = arg;

	switch (ret) {
	case 0:
		a->generation = generation;
		a->us = clock_us() - a->start_us;
		if (a->change) {
			versions_wait(a->pending.control, a->change, a->pushed, on_stored, a);
			return;
		}
		answer_live(a);
		break;
	case -ETIMEDOUT:
		if (a->pending.req)
			audit_made(a->pending.req);
		pending_fail(&a->pending, RPC_TIMEOUT, json_incref(a->result),
			     "generation %llu is published, but not every worker has taken it up "
			     "within 2 s",
			     (unsigned long long)generation);
		break;
	case -ECANCELED:
		pending_fail(&a->pending, RPC_INTERNAL, NULL, "plvs is stopping");
		break;
	default:
		pending_fail(&a->pending, RPC_INTERNAL, NULL,
			     "out of memory: the change is accepted and will be published later");
	}
	pending_end(&a->pending);
}

/* The caller sets either result or text; both are taken over. */
static void wait_live(struct control *c, struct rpc_request *req, uint64_t start_us,
		      uint64_t change, bool pushed, json_t *result, struct evbuffer *text)
{
	static const struct pending_kind kind = {live_stop, live_free};
	struct live_answer *a = result || text ? pending_create(c, NULL, sizeof(*a), &kind) : NULL;

	if (!a) {
		json_decref(result);
		if (text)
			evbuffer_free(text);
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory: the change is made");
		return;
	}
	a->pending.req = req;
	a->result = result;
	a->text = text;
	a->start_us = start_us;
	a->change = change;
	a->pushed = pushed;
	publisher_wait(&c->publisher, on_live, a);
}

void answer_when_live(struct control *c, struct rpc_request *req, uint64_t start_us, json_t *result)
{
	char author[VERSION_AUTHOR_LEN];
	const uint64_t change =
		versions_changed(c, audit_author(req, author, sizeof(author)), audit_what(req));

	control_pair_changed(c);
	wait_live(c, req, start_us, change, false, result ? result : json_object(), NULL);
}

void answer_change_when_live(struct control *c, struct rpc_request *req, uint64_t start_us,
			     uint64_t change, json_t *result)
{
	wait_live(c, req, start_us, change, false, result, NULL);
}

void answer_when_swapped(struct control *c, struct rpc_request *req, uint64_t start_us,
			 json_t *result)
{
	wait_live(c, req, start_us, 0, false, result, NULL);
}

void answer_text_when_live(struct control *c, struct rpc_request *req, uint64_t start_us,
			   uint64_t change, bool pushed, struct evbuffer *result)
{
	wait_live(c, req, start_us, change, pushed, NULL, result);
}
