/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *	read	job	read, checked and compared with the running configuration
 *	ask	push	the active router is asked for the shared part, if that is another one
 *	own	apply	the same configuration, whose shared part came here as a version by then:
 *			the node part is put in place
 */
#include "control/pair_apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/apply_internal.h"
#include "control/audit.h"
#include "control/push.h"

struct pair_apply {
	struct pending pending; /* without a request: SIGHUP */
	struct turn turn;
	struct job job;
	struct apply_source from;
	uint32_t confirm_ms;
	char comment[VERSION_COMMENT_LEN], author[VERSION_AUTHOR_LEN];
	char digest[CONFIG_DIGEST_STRLEN]; /* of the running configuration */
	struct config_errors errors;
	const struct config *running;
	bool valid, node_differs;
	json_t *shared; /* {"shared"}; NULL: the one that runs */
	json_t *result; /* of the active router */
};

static void pair_apply_free(struct pending *l)
{
	struct pair_apply *p = (struct pair_apply *)l;

	apply_source_fini(&p->from);
	config_errors_fini(&p->errors);
	json_decref(p->shared);
	json_decref(p->result);
	free(p);
}

static struct rpc_request *request_take(struct pair_apply *p)
{
	struct rpc_request *req = p->pending.req;

	p->pending.req = NULL;
	return req;
}

/* Nothing has changed here. */
static void refuse(struct pair_apply *p, enum rpc_code code, json_t *data, const char *why)
{
	if (!p->pending.req)
		log_error(CONTROL_AREA, "reload: %s: nothing was changed here", why);
	pending_fail(&p->pending, code, json_incref(data), "%s", why);
	pending_end(&p->pending);
}

/* ---- own ---- */

static void own_start(struct pair_apply *p, struct rpc_request *req)
{
	apply_start(p->pending.control, req,
		    &(struct apply_order){.kind = APPLY_SWAP,
					  .text = p->from.text,
					  .path = p->from.path,
					  .back = version_id_is_none(&p->from.back) ? NULL
										    : &p->from.back,
					  .confirm_ms = p->confirm_ms,
					  .author = p->author,
					  .comment = p->comment});
}

/* Applies at this router alone. */
static void here(struct pair_apply *p)
{
	p->author[0] = '\0';
	own_start(p, request_take(p));
	pending_end(&p->pending);
}

static void finish(struct pair_apply *p)
{
	const struct control *c = p->pending.control;
	const size_t n = json_array_size(json_object_get(p->result, "changes"));
	char text[80];

	snprintf(text, sizeof(text), "carried out by the active router: %zu change%s", n,
		 n == 1 ? "" : "s");
	if (p->pending.req)
		audit_detail(p->pending.req, text);
	else
		log_notice(CONTROL_AREA, "reload: %s is applied, %s", p->from.path, text);
	if (!json_object_get(p->result, "restart"))
		json_object_set_new(p->result, "restart",
				    c->restart ? json_incref(c->restart) : json_array());
	if (!json_object_get(p->result, "at_once")) /* the node part stays as it is */
		json_object_set_new(p->result, "at_once", json_array());
	pending_answer(&p->pending, json_incref(p->result));
	pending_end(&p->pending);
}

static void own_done(void *arg, const char *text, size_t len)
{
	struct pair_apply *p = arg;
	json_t *doc = json_loadb(text, len, 0, NULL);
	json_t *error = json_object_get(doc, "error"), *result = json_object_get(doc, "result");
	const char *message = json_string_value(json_object_get(error, "message"));
	char why[512];

	if (result) {
		json_object_set(p->result, "at_once", json_object_get(result, "at_once"));
		json_object_set(p->result, "restart", json_object_get(result, "restart"));
		json_object_set(p->result, "warnings", json_object_get(result, "warnings"));
		finish(p);
	} else {
		if (p->pending.req)
			audit_made(p->pending.req);
		snprintf(why, sizeof(why),
			 "the active router made the change of the shared part, but the node part "
			 "of this router is not applied: %.300s",
			 message ? message : "out of memory");
		refuse(p, RPC_INVALID, json_object_get(error, "data"), why);
	}
	json_decref(doc);
}

static void own(struct pair_apply *p)
{
	struct rpc_request *req;

	/* Of the active router's node part. */
	json_object_del(p->result, "at_once");
	json_object_del(p->result, "restart");
	if (p->confirm_ms || !version_id_is_none(&p->from.back)) {
		finish(p);
		return;
	}
	req = rpc_request_local(own_done, p);
	if (req)
		own_start(p, req);
	else
		refuse(p, RPC_INTERNAL, NULL, "out of memory");
}

/* ---- ask ---- */

static void asked(void *arg, const char *text, size_t len)
{
	struct pair_apply *p = arg;
	json_t *doc = json_loadb(text, len, 0, NULL), *error = json_object_get(doc, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	const json_int_t code = json_integer_value(json_object_get(error, "code"));

	p->result = json_incref(json_object_get(doc, "result"));
	if (json_is_object(p->result))
		own(p);
	else if (code == RPC_DENIED) /* by a plvs of before such requests */
		here(p);
	else
		refuse(p, code ? (enum rpc_code)code : RPC_INTERNAL, json_object_get(error, "data"),
		       message ? message : "out of memory");
	json_decref(doc);
}

static void ask(struct pair_apply *p)
{
	struct rpc_request *req = rpc_request_local(asked, p);
	json_t *params = json_deep_copy(p->shared);

	if (!req || !params ||
	    json_object_set_new(params, "comment", json_string(p->comment)) < 0 ||
	    (p->confirm_ms &&
	     json_object_set_new(params, "confirm_within_ms", json_integer(p->confirm_ms)) < 0)) {
		if (req)
			rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		else
			refuse(p, RPC_INTERNAL, NULL, "out of memory");
	} else if (!push_request(p->pending.control, req, "config.apply", params)) {
		/* The pair is another one than when this was asked for. */
		rpc_fail(req, RPC_DENIED, NULL, "there is no active router to ask");
	}
	json_decref(params);
}

/* ---- read ---- */

static void compare(struct pair_apply *p, struct config *after)
{
	char digest[CONFIG_DIGEST_STRLEN];
	json_t *mine, *its;

	p->valid = true;
	if (strcmp(config_digest(after, digest), p->digest) != 0)
		p->shared = config_to_json(after, CONFIG_SHARED);
	mine = config_to_json(p->running, CONFIG_NODE);
	its = config_to_json(after, CONFIG_NODE);
	p->node_differs = !json_equal(mine, its);
	json_decref(mine);
	json_decref(its);
}

static void read_work(void *arg)
{
	struct pair_apply *p = arg;
	struct config *after = apply_read(p->pending.control, &p->from, p->running, &p->errors);

	if (after)
		compare(p, after);
	config_destroy(after);
}

static void read_done(void *arg)
{
	struct pair_apply *p = arg;

	turn_end(p->pending.control);
	/* A configuration that is not valid is refused here as elsewhere. */
	if (!p->valid || !p->shared)
		here(p);
	else if (p->confirm_ms && p->node_differs)
		refuse(p, RPC_INVALID, NULL,
		       "confirm_within: this router stands by, so the active router has the shared "
		       "part on trial and this one the node part: apply one after the other");
	else
		ask(p);
}

static void read_begin(struct control *c, struct turn *turn)
{
	struct pair_apply *p = turn_owner(turn, struct pair_apply);

	p->running = c->config;
	config_digest(c->config, p->digest);
	p->job = (struct job){.work = read_work, .done = read_done, .arg = p};
	jobs_run(c->jobs, &p->job);
}

void pair_apply(struct control *c, struct rpc_request *req, const struct apply_order *order)
{
	static const struct pending_kind kind = {.free = pair_apply_free};
	struct pair_apply *p;
	const char *why;

	if (!push_asks_active(c)) {
		apply_start(c, req, order);
		return;
	}
	p = pending_create(c, req, sizeof(*p), &kind);
	if (!p)
		return;
	config_errors_init(&p->errors);
	why = changes_refused(c);
	if (!why && apply_source_take(&p->from, order) < 0)
		why = "out of memory";
	if (why) {
		refuse(p, RPC_INVALID, NULL, why);
		return;
	}
	p->confirm_ms = order->confirm_ms;
	snprintf(p->author, sizeof(p->author), "SIGHUP");
	if (req)
		audit_author(req, p->author, sizeof(p->author));
	if (order->comment)
		snprintf(p->comment, sizeof(p->comment), "%s", order->comment);
	else
		apply_said(&p->from, req != NULL, p->comment);
	p->turn.begin = read_begin;
	turn_take(c, &p->turn);
}

void control_apply_file(struct control *c)
{
	if (!c->config_path)
		log_warning(CONTROL_AREA, "reload: no file was given at start");
	else
		pair_apply(c, NULL,
			   &(struct apply_order){.kind = APPLY_SWAP, .path = c->config_path});
}
