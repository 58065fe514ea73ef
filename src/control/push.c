/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.push: the shared part goes to the peer, who plans or applies it with its own node
 * part and answers as config.plan and config.apply do. Only a fresh peer is heard (ha).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/control_internal.h"
#include "control/pair.h"

/* --- at the router that sends --- */

struct push {
	struct control_note note;
	TAILQ_ENTRY(push) entry; /* of control.pushes */
	struct control *control;
	struct rpc_request *req; /* NULL: it has been ended */
	int rc;
	char *answer; /* the peer's, or NULL */
};

static void push_end(struct control *c, struct push *p)
{
	TAILQ_REMOVE(&c->pushes, p, entry);
	free(p->answer);
	free(p);
}

static void push_fail(struct push *p, int rc)
{
	const char *why = rc == -ENOTCONN    ? "the peer is not heard"
			  : rc == -EBUSY     ? "another push is under way"
			  : rc == -EMSGSIZE  ? "the configuration is too large"
			  : rc == -ETIMEDOUT ? "the peer did not answer in time"
					     : "the peer is another one now";

	if (p->req)
		rpc_fail(p->req, rc == -ETIMEDOUT ? RPC_TIMEOUT : RPC_INVALID, NULL,
			 "config.push: %s", why);
	p->req = NULL;
}

/* What the peer answered, as if it had been asked itself. */
static void push_answer(struct push *p)
{
	json_t *doc = json_loads(p->answer, 0, NULL);
	const json_t *error = json_object_get(doc, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	json_t *result = json_object_get(doc, "result");

	if (p->req && result)
		rpc_answer(p->req, json_incref(result));
	else if (p->req)
		rpc_fail(p->req, RPC_INVALID, json_incref(json_object_get(error, "data")),
			 "the peer: %s", message ? message : "it answers what nobody understands");
	p->req = NULL;
	json_decref(doc);
}

static void run_asked(struct control *c, struct control_note *note)
{
	struct push *p = (struct push *)note;

	if (p->answer)
		push_answer(p);
	else
		push_fail(p, p->rc);
	push_end(c, p);
}

/* On the ha thread. */
static void asked(void *arg, int rc, const void *bytes, size_t len)
{
	struct push *p = arg;

	p->rc = rc;
	p->answer = rc == 0 ? strndup(bytes, len) : NULL;
	p->note.run = run_asked;
	control_post(p->control, &p->note);
}

/* The text is there: {"result": {"apply": ..., "shared": ...}}. */
static void rendered(void *arg, const char *text, size_t len)
{
	struct push *p = arg;

	if (len < 9 || strncmp(text, "{\"result\"", 9) != 0) {
		push_fail(p, -ECONNRESET);
		push_end(p->control, p);
		return;
	}
	if (!p->control->ha || ha_ask(p->control->ha, text, len, asked, p) < 0) {
		push_fail(p, -EMSGSIZE);
		push_end(p->control, p);
	}
}

static json_t *make(const struct config *config, enum config_part part, bool apply)
{
	json_t *doc = config_to_json(config, part);

	if (doc && json_object_set_new(doc, "apply", json_boolean(apply)) < 0) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

static json_t *make_plan(const struct config *config, enum config_part part)
{
	return make(config, part, false);
}

static json_t *make_apply(const struct config *config, enum config_part part)
{
	return make(config, part, true);
}

void config_push(struct control *c, struct rpc_request *req, json_t *params)
{
	const bool plan = json_is_true(json_object_get(params, "plan"));
	struct push *p = calloc(1, sizeof(*p));
	struct rpc_request *local = p ? rpc_request_local(rendered, p) : NULL;

	if (!local) {
		free(p);
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return;
	}
	p->control = c;
	p->req = req;
	TAILQ_INSERT_TAIL(&c->pushes, p, entry);
	answer_read(c, local, plan ? make_plan : make_apply, CONFIG_SHARED);
}

void pushes_stop(struct control *c)
{
	struct push *p;

	TAILQ_FOREACH(p, &c->pushes, entry)
	{
		if (p->req)
			rpc_fail(p->req, RPC_INTERNAL, NULL, "the router ends");
		p->req = NULL;
	}
}

void pushes_free(struct control *c)
{
	struct push *p;

	while ((p = TAILQ_FIRST(&c->pushes)))
		push_end(c, p);
}

/* --- at the router that is pushed to --- */

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

/* The peer's shared part under this router's own node part, or NULL. */
static json_t *document(const struct control *c, const struct pushed *p, bool *apply)
{
	json_t *doc = json_loadb(p->text, p->len, 0, NULL);
	json_t *pushed = json_object_get(doc, "result");
	json_t *shared = json_object_get(pushed, "shared");
	json_t *whole = shared ? config_to_json(c->config, CONFIG_NODE) : NULL;
	char *text = NULL;
	json_t *out;

	*apply = json_is_true(json_object_get(pushed, "apply"));
	if (whole && json_object_set(whole, "shared", shared) == 0)
		text = json_dumps(whole, JSON_COMPACT);
	out = text ? json_string(text) : NULL;
	free(text);
	json_decref(whole);
	json_decref(doc);
	return out;
}

static void run_pushed(struct control *c, struct control_note *note)
{
	struct pushed *p = (struct pushed *)note;
	struct rpc_request *req = rpc_request_local(applied, p);
	bool apply;
	json_t *text;

	if (!req) {
		free(p);
		return;
	}
	text = document(c, p, &apply);
	if (text)
		apply_start(c, req, apply ? APPLY_SWAP : APPLY_PLAN, text, NULL);
	else
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "not a configuration");
	json_decref(text);
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
