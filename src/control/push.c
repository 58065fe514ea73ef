/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shared part goes to the peer, who plans or applies it with its own node part and answers as
 * config.plan and config.apply do. With it go the versions: the peer takes what follows its own
 * version, and nothing else. Only a fresh peer is heard (ha).
 *
 *	forward		by itself, when the peer's version is older
 *	difference	by itself, when the two have diverged: a plan, for people
 *	plan, push	config.push
 *	request		a change that was asked for here, to the active router
 */
#include "control/push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "base/log.h"
#include "control/apply.h"
#include "control/audit.h"
#include "control/control_internal.h"
#include "control/pair.h"
#include "control/pushed.h"
#include "control/version_config.h"

#define DIFFERENCE_LINES 20

/* --- at the router that sends --- */

enum push_kind {
	PUSH_PLAN,
	PUSH_APPLY,
	PUSH_FORWARD,
	PUSH_DIFFERENCE,
	PUSH_REQUEST,
};

struct push {
	struct pending pending; /* without a request: by itself */
	struct turn turn;
	struct job job;
	struct control_note note;
	TAILQ_ENTRY(push) entry; /* of control.pushes, the first is under way */
	enum push_kind kind;
	bool asked; /* the ha thread has the push, or its note is on the way */
	const struct config *config;
	json_t *versions;
	json_t *trial;	 /* of the version; or NULL */
	json_t *before;	 /* of the trial: a string */
	uint64_t change; /* the last that is in it */
	char *text;
	int rc;
	char *answer; /* the peer's, or NULL */
};

static void push_begin(struct control *c, struct turn *turn);

static void push_next(struct control *c)
{
	struct push *p = TAILQ_FIRST(&c->pushes);

	if (!p || !c->base)
		return;
	p->turn.begin = push_begin;
	turn_take(c, &p->turn);
}

static void push_free(struct pending *l)
{
	struct push *p = (struct push *)l;

	TAILQ_REMOVE(&l->control->pushes, p, entry);
	json_decref(p->versions);
	json_decref(p->trial);
	json_decref(p->before);
	free(p->text);
	free(p->answer);
	free(p);
}

static bool push_stop(struct pending *l, uint64_t deadline_us)
{
	(void)deadline_us;
	return !((struct push *)l)->asked;
}

static void push_end(struct control *c, struct push *p)
{
	pending_end(&p->pending);
	push_next(c);
}

/* Ends the request, if there is one. `why` in words. */
static void push_fail(struct push *p, enum rpc_code code, json_t *data, const char *why)
{
	/* Tried again soon without a word. */
	if (p->kind == PUSH_FORWARD && p->rc != -EBUSY && p->rc != -ENOTCONN)
		versions_at_peer(p->pending.control, p->change, why);
	if (p->kind == PUSH_DIFFERENCE)
		versions_difference_failed(p->pending.control);
	pending_fail(&p->pending, code, json_incref(data),
		     p->kind == PUSH_REQUEST ? "the active router cannot be asked: %s"
					     : "config.push: %s",
		     why);
}

static const char *words_of(int rc)
{
	return rc == -ENOTCONN	  ? "the peer is not heard"
	       : rc == -EBUSY	  ? "another push is under way"
	       : rc == -EMSGSIZE  ? "the configuration is too large"
	       : rc == -ETIMEDOUT ? "the peer did not answer in time"
	       : rc == -EBADMSG	  ? "the peer's plvs is older and knows no encryption: bring both "
				    "routers to one version"
				  : "the peer is another one now";
}

static void difference_store(struct push *p, const json_t *result)
{
	struct versions *v = &p->pending.control->versions;
	const json_t *changes = json_object_get(result, "changes");
	const size_t n = json_array_size(changes);
	json_t *list = json_array();
	size_t i;
	const json_t *o;

	json_array_foreach (changes, i, o) {
		const char *action = json_string_value(json_object_get(o, "action"));
		const char *object = json_string_value(json_object_get(o, "object"));

		if (i == DIFFERENCE_LINES) {
			json_array_append_new(list, json_sprintf("and %zu more", n - i));
			break;
		}
		json_array_append_new(
			list, json_sprintf("%s %s", action ? action : "?", object ? object : "?"));
		log_error(CONTROL_AREA,
			  "diverged: the peer would have to %s %s to equal this router",
			  action ? action : "?", object ? object : "?");
	}
	json_decref(v->difference);
	v->difference = list;
	v->ask_after_us = 0;
}

/* The active router speaks of itself as here. */
static void stored_swap(json_t *result)
{
	static const char *const names[][2] = {{"here", "peer"},
					       {"why_not_here", "why_not_peer"},
					       {"peer", "here"},
					       {"why_not_peer", "why_not_here"}};
	json_t *stored = json_object_get(result, "stored"), *out, *value;

	if (!json_is_object(stored))
		return;
	out = json_object();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = json_object_get(stored, names[i][1]);
		if (value)
			json_object_set(out, names[i][0], value);
	}
	json_object_set_new(result, "stored", out);
}

static void request_answer(struct push *p, json_t *result, const json_t *error)
{
	const char *message = json_string_value(json_object_get(error, "message"));
	const json_int_t code = json_integer_value(json_object_get(error, "code"));

	if (result) {
		stored_swap(result);
		if (p->pending.req)
			audit_made(p->pending.req);
		return;
	}
	pending_fail(&p->pending, code ? (enum rpc_code)code : RPC_INVALID,
		     json_incref(json_object_get(error, "data")), "%s",
		     message ? message : "the active router answers what nobody understands");
}

/* The answer of the peer, as if the client had asked there. */
static void push_answer(struct push *p)
{
	json_t *doc = json_loads(p->answer, 0, NULL);
	json_t *error = json_object_get(doc, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	json_t *result = json_object_get(doc, "result");
	char why[256];

	snprintf(why, sizeof(why), "the peer: %s",
		 message ? message : "it answers what nobody understands");
	if (p->kind == PUSH_REQUEST) {
		request_answer(p, result, error);
	} else if (!result) {
		push_fail(p, RPC_INVALID, json_object_get(error, "data"), why);
	} else if (p->kind == PUSH_DIFFERENCE) {
		difference_store(p, result);
	} else if (p->kind != PUSH_PLAN) {
		const char *here = json_string_value(
			json_object_get(json_object_get(result, "stored"), "why_not_here"));

		snprintf(why, sizeof(why), "the peer runs it but has not stored it: %.200s",
			 here ? here : "");
		versions_at_peer(p->pending.control, p->change, here ? why : NULL);
	}
	pending_answer(&p->pending, json_incref(result));
	json_decref(doc);
}

static void run_asked(struct control *c, struct control_note *note)
{
	struct push *p = (struct push *)((char *)note - offsetof(struct push, note));

	p->asked = false;
	if (p->answer)
		push_answer(p);
	else if (p->kind == PUSH_REQUEST)
		pending_fail(
			&p->pending, RPC_TIMEOUT, NULL,
			"the active router was asked and is not heard any more (%s): whether it "
			"made the change shows `plvsctl config history`",
			words_of(p->rc));
	else
		push_fail(p, p->rc == -ETIMEDOUT ? RPC_TIMEOUT : RPC_INVALID, NULL,
			  words_of(p->rc));
	push_end(c, p);
}

/* On the ha thread. */
static void asked(void *arg, int rc, const void *bytes, size_t len)
{
	struct push *p = arg;

	p->rc = rc;
	p->answer = rc == 0 ? strndup(bytes, len) : NULL;
	p->note.run = run_asked;
	control_post(p->pending.control, &p->note);
}

/* With the shared part that ends the trial. */
static bool trial_put(const struct push *p, json_t *doc)
{
	json_t *before = json_loads(json_string_value(p->before), 0, NULL);
	const int ret = json_object_set(p->trial, "before", json_object_get(before, "shared"));

	json_decref(before);
	return ret == 0 && json_object_set(doc, "trial", p->trial) == 0;
}

/* {"result": {"apply": ..., "shared": ..., "versions": ...}}, as the first plvs had it. */
static void render(void *arg)
{
	struct push *p = arg;
	const bool apply = p->kind == PUSH_APPLY || p->kind == PUSH_FORWARD;
	json_t *doc = config_to_json(p->config, CONFIG_SHARED);
	json_t *whole = NULL;

	if (doc && json_object_set_new(doc, "apply", json_boolean(apply)) == 0 &&
	    json_object_set(doc, "versions", p->versions) == 0 && (!p->trial || trial_put(p, doc)))
		whole = json_pack("{s:O}", "result", doc);
	p->text = json_write_text(whole, NULL);
	json_decref(whole);
	json_decref(doc);
}

static void rendered(void *arg)
{
	struct push *p = arg;
	struct control *c = p->pending.control;
	int ret = p->text ? 0 : -EMSGSIZE;

	turn_end(c);
	p->asked = ret == 0;
	if (ret == 0)
		ret = c->ha ? ha_ask(c->ha, p->text, strlen(p->text), asked, p) : -ENOTCONN;
	if (ret < 0) {
		p->asked = false;
		p->rc = ret;
		push_fail(p, RPC_INVALID, NULL, words_of(ret));
		push_end(c, p);
	}
}

static void push_begin(struct control *c, struct turn *turn)
{
	struct push *p = turn_owner(turn, struct push);

	if (p->kind == PUSH_REQUEST) {
		rendered(p);
		return;
	}
	p->config = c->config;
	p->change = c->versions.changes;
	p->versions = version_store_json(&c->versions.store);
	p->trial = trial_for_peer(c);
	p->before = p->trial ? json_incref(c->trial.before) : NULL;
	p->job = (struct job){.work = render, .done = rendered, .arg = p};
	jobs_run(c->jobs, &p->job);
}

/* text: of a request, taken over; NULL: the configuration is rendered. */
static void push_add(struct control *c, enum push_kind kind, struct rpc_request *req, char *text)
{
	static const struct pending_kind pending = {.stop = push_stop, .free = push_free};
	const bool idle = TAILQ_EMPTY(&c->pushes);
	struct push *p = pending_create(c, req, sizeof(*p), &pending);

	if (!p) {
		free(text);
		return;
	}
	p->kind = kind;
	p->text = text;
	TAILQ_INSERT_TAIL(&c->pushes, p, entry);
	if (idle)
		push_next(c);
}

static void push_start(struct control *c, enum push_kind kind, struct rpc_request *req)
{
	struct push *p;

	/* A single push of a kind is enough: a push reads its content when its turn comes. */
	if (!req)
		TAILQ_FOREACH(p, &c->pushes, entry)
	if (p->kind == kind)
		return;
	push_add(c, kind, req, NULL);
}

static void forward(struct control *c)
{
	push_start(c, PUSH_FORWARD, NULL);
}

static void ask_difference(struct control *c)
{
	push_start(c, PUSH_DIFFERENCE, NULL);
}

bool push_asks_active(const struct control *c)
{
	struct ha_status *s = c->ha ? malloc(sizeof(*s)) : NULL;
	bool asks = false;

	if (s) {
		ha_status(c->ha, s);
		asks = s->has_peer && !ha_state_serves(s->state) && s->peer.alive &&
		       ha_state_serves(s->peer.state) && s->peer.takes_requests &&
		       c->versions.relation == VERSION_EQUAL;
	}
	free(s);
	return asks;
}

bool push_request(struct control *c, struct rpc_request *req, const char *method, json_t *params)
{
	json_t *doc;
	const char *why;
	char *text;

	if (!push_asks_active(c))
		return false;
	/* The active router would refuse as well, if the request reached it. */
	why = versions_refuse_changes(c);
	if (why) {
		rpc_fail(req, RPC_INVALID, NULL, "%s: %s", method, why);
		return true;
	}
	doc = json_pack("{s:{s:{s:s, s:O}}}", "result", "request", "method", method, "params",
			params);
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	if (!text)
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
	else
		push_add(c, PUSH_REQUEST, req, text);
	return true;
}

/* NULL, or why the peer is not to take the configuration from here. */
static const char *push_hindered(struct control *c, bool force)
{
	switch (c->versions.relation) {
	case VERSION_DIVERGED:
		if (force)
			break;
		return "the configurations of the two routers have diverged: `plvsctl config push "
		       "plan` says what would change at the peer, `plvsctl config push force` "
		       "makes the one here that of both";
	case VERSION_PEER_NEWER:
	case VERSION_PENDING:
		if (force)
			break;
		return "the peer's configuration is newer than the one here, and comes here by "
		       "itself; `plvsctl config push force` makes the one here that of both";
	default:
		return NULL;
	}
	(void)versions_force(c);
	return NULL;
}

void config_push(struct control *c, struct rpc_request *req, json_t *params)
{
	const bool plan = json_is_true(json_object_get(params, "plan"));
	const bool force = json_is_true(json_object_get(params, "force"));
	const char *why = plan ? NULL : changes_refused(c);

	if (!plan && !why)
		why = !c->versions.peer_alive ? words_of(-ENOTCONN) : push_hindered(c, force);
	if (why)
		rpc_fail(req, RPC_INVALID, NULL, "config.push: %s", why);
	else
		push_start(c, plan ? PUSH_PLAN : PUSH_APPLY, req);
}

/* --- at the start --- */

/* The file has an older version. In a pair an acknowledged change is not to be lost with the
 * process: what ran last runs again. */
static void restore(struct control *c)
{
	struct versions *v = &c->versions;
	struct version_store *newer = v->newer;
	json_t *json, *whole;
	char *text = NULL;

	v->newer = NULL;
	if (!newer)
		return;
	if (!v->has_peer || version_store_get_text(v->dir, &newer->entry[0].id, &text) < 0) {
		free(newer);
		return;
	}
	json = json_loads(text, 0, NULL);
	whole = pushed_document(c, json_object_get(json, "shared"));
	if (whole)
		apply_start(c, NULL,
			    &(struct apply_order){
				    .kind = APPLY_SWAP, .text = whole, .versions = newer});
	else
		free(newer);
	json_decref(whole);
	json_decref(json);
	free(text);
}

void pushes_start(struct control *c)
{
	c->versions.forward = forward;
	c->versions.ask_difference = ask_difference;
	restore(c);
}
