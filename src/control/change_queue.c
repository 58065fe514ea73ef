/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/change_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "control/control_internal.h"

static void next(struct control *c)
{
	struct turn *t = TAILQ_FIRST(&c->turns);

	if (c->turn || !t)
		return;
	TAILQ_REMOVE(&c->turns, t, entry);
	c->turn = t;
	t->begin(c, t);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	next(arg);
}

void turn_take(struct control *c, struct turn *t)
{
	TAILQ_INSERT_TAIL(&c->turns, t, entry);
	next(c);
}

void turn_end(struct control *c)
{
	static const struct timeval now = {0};

	c->turn = NULL;
	if (!TAILQ_EMPTY(&c->turns))
		event_add(c->turn_ev, &now);
}

/* --- a request that is over within its call --- */

struct request_turn {
	struct pending pending;
	struct turn turn;
	const struct method *method;
	turn_run *run;
	json_t *params;
};

static void request_free(struct pending *l)
{
	struct request_turn *r = (struct request_turn *)l;

	json_decref(r->params);
	free(r);
}

static void request_begin(struct control *c, struct turn *t)
{
	struct request_turn *r = turn_owner(t, struct request_turn);
	struct rpc_request *req = r->pending.req;

	r->pending.req = NULL; /* run() ends it */
	r->run(c, req, r->method, r->params);
	pending_end(&r->pending);
	turn_end(c);
}

void turn_request(struct control *c, struct rpc_request *req, const struct method *m,
		  json_t *params, turn_run *run)
{
	static const struct pending_kind kind = {.free = request_free};
	struct request_turn *r;

	if (!c->turn && TAILQ_EMPTY(&c->turns)) {
		run(c, req, m, params);
		return;
	}
	r = pending_create(c, req, sizeof(*r), &kind);
	if (!r)
		return;
	r->turn.begin = request_begin;
	r->method = m;
	r->run = run;
	r->params = json_incref(params);
	turn_take(c, &r->turn);
}

/* --- life --- */

int turns_start(struct control *c)
{
	TAILQ_INIT(&c->turns);
	c->turn = NULL;
	c->turn_ev = event_new(c->base, -1, 0, on_next, c);
	return c->turn_ev ? 0 : -ENOMEM;
}

void turns_stop(struct control *c)
{
	struct turn *t = c->turn;

	if (!c->turn_ev)
		return;
	c->turn = NULL;
	if (t && t->cancel)
		t->cancel(c, t);
	while ((t = TAILQ_FIRST(&c->turns))) {
		TAILQ_REMOVE(&c->turns, t, entry);
		if (t->cancel)
			t->cancel(c, t);
	}
	event_free(c->turn_ev);
	c->turn_ev = NULL;
}
