/* SPDX-License-Identifier: BSD-3-Clause */
/* A block of the peer: its shared configuration, to be planned or applied here, or a change that
 * was asked for there. */
#include "control/pushed.h"

#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/audit.h"
#include "control/control_internal.h"
#include "control/pair.h"
#include "control/version_config.h"

struct pushed {
	struct control_note note;
	struct control *control;
	uint32_t id;
	size_t len;
	char text[];
};

static void applied(void *arg, const char *text, size_t len)
{
	struct pushed *p = arg;

	if (p->control->ha)
		(void)ha_answer(p->control->ha, p->id, text, len);
	free(p);
}

static void drop_pushed(struct control_note *note)
{
	free(note);
}

json_t *pushed_document(const struct control *c, json_t *shared)
{
	char *text = version_document(c->config, shared);
	json_t *out = text ? json_string(text) : NULL;

	free(text);
	return out;
}

/* The same of a push. Where another version takes the place of one on trial, the node part is that
 * of before the trial as well. */
static json_t *document_of(const struct control *c, const json_t *pushed)
{
	const json_t *first =
		json_array_get(json_object_get(json_object_get(pushed, "versions"), "versions"), 0);
	const char *digest = json_string_value(json_object_get(first, "digest"));
	json_t *shared = json_object_get(pushed, "shared"), *before, *out = NULL;
	char mine[CONFIG_DIGEST_STRLEN], *text;

	if (!shared || !c->trial.on || !digest ||
	    strcmp(digest, config_digest(c->config, mine)) == 0)
		return pushed_document(c, shared);
	before = json_loads(json_string_value(c->trial.before), 0, NULL);
	json_object_set(before, "shared", shared);
	text = json_dumps(before, JSON_COMPACT);
	if (text)
		out = json_string(text);
	free(text);
	json_decref(before);
	return out;
}

/* NULL: the peer's plvs has no versions, or what it says of them is none. */
static struct version_store *versions_of(const json_t *pushed)
{
	struct version_store *s = calloc(1, sizeof(*s));

	if (s && version_store_parse(s, json_object_get(pushed, "versions")) < 0) {
		free(s);
		s = NULL;
	}
	return s;
}

/* The version is on trial at the peer, and is so here. */
static void order_trial(const json_t *trial, struct apply_order *order)
{
	const json_int_t within = json_integer_value(json_object_get(trial, "within_ms"));
	const json_int_t left = json_integer_value(json_object_get(trial, "left_ms"));
	const char *author = json_string_value(json_object_get(trial, "author"));
	json_t *before = json_object_get(trial, "before"); /* an older plvs does not send it */

	if (!json_is_object(trial))
		return;
	order->confirm_ms = within < TRIAL_MIN_MS   ? TRIAL_MIN_MS
			    : within > TRIAL_MAX_MS ? TRIAL_MAX_MS
						    : (uint32_t)within;
	order->left_ms = left < 1		    ? 1
			 : left > order->confirm_ms ? order->confirm_ms
						    : (uint32_t)left;
	order->author = author;
	order->before = json_is_object(before) ? before : NULL;
}

static void run_apply(struct control *c, struct rpc_request *req, json_t *text,
		      const json_t *pushed)
{
	struct version_store *peers = versions_of(pushed);
	struct apply_order order = {
		.kind = APPLY_SWAP, .text = text, .versions = peers, .from_peer = true};
	const char *why = versions_refuse_changes(c);

	if (!why)
		audit_begin(c, req, "config.apply", NULL, "the peer");
	if (why) {
		rpc_fail(req, RPC_INVALID, NULL, "%s", why);
		free(peers);
	} else if (peers) {
		order_trial(json_object_get(pushed, "trial"), &order);
		apply_start(c, req, &order);
	} else {
		apply_start(c, req, &order);
	}
}

/* The peer stands by, and was asked to apply a configuration, or to go back to an earlier one: this
 * is the shared part. */
static void run_asked_apply(struct control *c, struct rpc_request *req, json_t *params)
{
	const json_int_t within = json_integer_value(json_object_get(params, "confirm_within_ms"));
	json_t *text = pushed_document(c, json_object_get(params, "shared"));

	audit_begin(c, req, "config.apply", NULL, "the peer");
	if (!text || within < 0 || within > TRIAL_MAX_MS || (within > 0 && within < TRIAL_MIN_MS))
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "not a configuration");
	else
		apply_start(c, req,
			    &(struct apply_order){.kind = APPLY_SWAP,
						  .text = text,
						  .confirm_ms = (uint32_t)within,
						  .comment = json_string_value(
							  json_object_get(params, "comment")),
						  .from_peer = true});
	json_decref(text);
}

/* The same, to end a trial. */
static void run_asked_rollback(struct control *c, struct rpc_request *req)
{
	audit_begin(c, req, "config.rollback", NULL, "the peer");
	trial_rollback(c, req);
}

/* The peer stands by, and passes on a request for a change; or the peer, in any state, asks for the
 * time. */
static void run_request(struct control *c, struct rpc_request *req, json_t *request)
{
	const char *method = json_string_value(json_object_get(request, "method"));
	json_t *params = json_object_get(request, "params");
	struct ha_status *s = c->ha ? malloc(sizeof(*s)) : NULL;
	bool serves = false;

	if (s) {
		ha_status(c->ha, s);
		serves = ha_state_serves(s->state);
	}
	free(s);
	if (!method || !json_is_object(params))
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "not a request");
	else if (!serves && strcmp(method, "ha.clock") != 0)
		rpc_fail(req, RPC_INVALID, NULL,
			 "the router that was active is not any more: ask again");
	else if (strcmp(method, "config.apply") == 0)
		run_asked_apply(c, req, params);
	else if (strcmp(method, "config.rollback") == 0)
		run_asked_rollback(c, req);
	else
		c->run_for_peer(c, req, method, params);
}

static void run_pushed(struct control *c, struct control_note *note)
{
	struct pushed *p = (struct pushed *)note;
	struct rpc_request *req = rpc_request_local(applied, p);
	json_t *doc, *pushed, *text;

	if (!req) {
		free(p);
		return;
	}
	doc = json_loadb(p->text, p->len, 0, NULL);
	pushed = json_object_get(doc, "result");
	if (json_object_get(pushed, "request")) {
		run_request(c, req, json_object_get(pushed, "request"));
		json_decref(doc);
		return;
	}
	text = document_of(c, pushed);
	if (!text)
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "not a configuration");
	else if (json_is_true(json_object_get(pushed, "apply")))
		run_apply(c, req, text, pushed);
	else
		apply_start(
			c, req,
			&(struct apply_order){.kind = APPLY_PLAN, .text = text, .from_peer = true});
	json_decref(text);
	json_decref(doc);
}

void control_pushed(struct control *c, uint32_t id, const void *bytes, size_t len)
{
	struct pushed *p = malloc(sizeof(*p) + len + 1);

	if (!p)
		return;
	p->control = c;
	p->id = id;
	p->len = len;
	memcpy(p->text, bytes, len);
	p->text[len] = '\0';
	p->note.run = run_pushed;
	p->note.drop = drop_pushed;
	control_post(c, &p->note);
}
