/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/clock_compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/control_internal.h"

struct clock_asked {
	struct pending pending;
	struct control_note note; /* once the ha thread has the answer */
	uint64_t sent_us, came_us;
	int rc;
	char *answer; /* the peer's, or NULL */
};

static void asked_free(struct pending *l)
{
	struct clock_asked *a = (struct clock_asked *)l;

	free(a->answer);
	free(a);
}

/* The ha thread has it until it answers, or ends. */
static bool asked_stop(struct pending *l, uint64_t deadline_us)
{
	(void)l;
	(void)deadline_us;
	return false;
}

/* The peer read its clock at some moment between: half of the time is the error at most. */
static void compare(struct clock_asked *a)
{
	json_t *doc = a->answer ? json_loads(a->answer, 0, NULL) : NULL;
	const json_t *peer = json_object_get(json_object_get(doc, "result"), "clock_us");
	const json_int_t middle = (json_int_t)(a->sent_us / 2 + a->came_us / 2);

	if (json_is_integer(peer))
		pending_answer(&a->pending,
			       json_pack("{s:I, s:I}", "ahead_us",
					 json_integer_value(peer) - middle, "error_us",
					 (json_int_t)(a->came_us - a->sent_us) / 2 + 1));
	else
		pending_fail(&a->pending, RPC_INVALID, NULL,
			     "the peer does not say what time it has: its plvs may be older");
	json_decref(doc);
}

static void run_answered(struct control *c, struct control_note *note)
{
	struct clock_asked *a =
		(struct clock_asked *)(void *)((char *)note - offsetof(struct clock_asked, note));

	(void)c;
	if (a->rc == 0)
		compare(a);
	else
		pending_fail(&a->pending, RPC_INVALID, NULL, "the peer cannot be asked: %s",
			     strerror(-a->rc));
	pending_end(&a->pending);
}

/* On the ha thread. */
static void answered(void *arg, int rc, const void *bytes, size_t len)
{
	struct clock_asked *a = arg;

	a->came_us = clock_wall_us();
	a->rc = rc;
	a->answer = rc == 0 ? strndup(bytes, len) : NULL;
	a->note.run = run_answered;
	control_post(a->pending.control, &a->note);
}

void clock_compare(struct control *c, struct rpc_request *req, json_t *params)
{
	static const char question[] =
		"{\"result\":{\"request\":{\"method\":\"ha.clock\",\"params\":{}}}}";
	static const struct pending_kind kind = {asked_stop, asked_free};
	struct clock_asked *a;
	int ret;

	(void)params;
	if (!c->ha) {
		rpc_fail(req, RPC_INVALID, NULL, "there is no ha thread");
		return;
	}
	a = pending_create(c, req, sizeof(*a), &kind);
	if (!a)
		return;
	a->sent_us = clock_wall_us();
	ret = ha_ask(c->ha, question, strlen(question), answered, a);
	if (ret == 0)
		return;
	pending_fail(&a->pending, RPC_INVALID, NULL, "the peer cannot be asked: %s",
		     strerror(-ret));
	pending_end(&a->pending);
}

void clock_tell(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)c;
	(void)params;
	rpc_answer(req, json_pack("{s:I}", "clock_us", (json_int_t)clock_wall_us()));
}
