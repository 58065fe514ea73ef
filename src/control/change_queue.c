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
	struct turn turn;
	struct rpc_request *req;
	const struct method *method;
	json_t *params;
};

static void request_free(struct request_turn *r)
{
	json_decref(r->params);
	free(r);
}

static void request_begin(struct control *c, struct turn *t)
{
	struct request_turn *r = (struct request_turn *)t;

	r->method->run(c, r->req, r->params);
	request_free(r);
	turn_end(c);
}

static void request_cancel(struct control *c, struct turn *t)
{
	struct request_turn *r = (struct request_turn *)t;

	(void)c;
	rpc_fail(r->req, RPC_INTERNAL, NULL, "plvs is stopping");
	request_free(r);
}

void turn_request(struct control *c, struct rpc_request *req, const struct method *m,
		  json_t *params)
{
	struct request_turn *r;

	if (!c->turn && TAILQ_EMPTY(&c->turns)) {
		m->run(c, req, params);
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		return;
	}
	*r = (struct request_turn){.turn = {.begin = request_begin, .cancel = request_cancel},
				   .req = req,
				   .method = m,
				   .params = json_incref(params)};
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
	if (t)
		t->cancel(c, t);
	while ((t = TAILQ_FIRST(&c->turns))) {
		TAILQ_REMOVE(&c->turns, t, entry);
		t->cancel(c, t);
	}
	event_free(c->turn_ev);
	c->turn_ev = NULL;
}
