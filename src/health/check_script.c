/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Send and expect, step by step, over TCP or TLS.
 *
 *	opened --> step: send ---> next step        all steps done: OK
 *	                 expect -> wait --came--> matches? next step : wait
 *
 * The bytes that an expect has matched are used up; the next expect looks behind them. A send that
 * follows an expect forgets the rest as well: of a banner "220 " is expected, and the rest of the
 * banner is no answer to the send. A pattern is tried again only when a quarter more has come or
 * 20 ms have passed, so that a server which sends byte by byte does not make us search byte by
 * byte. A step that expects may have a time limit of its own, from the moment at which the step
 * before is done.
 */
#include <event2/event_struct.h>
#include <stdio.h>
#include <string.h>

#include "health/checkers.h"
#include "health/pattern.h"
#include "health/stream.h"

#define RETRY_MS 20

struct script {
	struct stream stream;
	struct event retry; /* a look that was put off */
	bool retry_made, retry_armed;
	struct event limit; /* of the step */
	bool limit_made;
	uint32_t begun;		  /* steps that have begun */
	uint32_t step, n_expects; /* reached */
	size_t looked;		  /* bytes of stream.in that this expect has looked at */
};

static struct script *script_of(struct stream *s)
{
	return (struct script *)s; /* its first member */
}

static void retry_drop(struct script *x)
{
	if (x->retry_armed)
		event_del(&x->retry);
	x->retry_armed = false;
}

/* false always: the probe has ended. */
static bool fail(struct script *x, const char *what)
{
	char ep[ENDPOINT_STRLEN];

	stream_end(&x->stream, PROBE_FAIL, "%s step %u of %u of the script with %s", what,
		   x->step + 1, x->stream.p->spec->n_steps,
		   endpoint_format(&x->stream.p->target, ep, sizeof(ep)));
	return false;
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct script *x = arg;
	const struct check_spec *spec = x->stream.p->spec;
	struct probe_result r = {.verdict = PROBE_FAIL, .timeout = true};
	char ep[ENDPOINT_STRLEN];

	(void)fd;
	(void)what;
	snprintf(r.reason, sizeof(r.reason),
		 "no answer within %u ms in step %u of %u of the script with %s",
		 spec->steps[x->step].timeout_ms, x->step + 1, spec->n_steps,
		 endpoint_format(&x->stream.p->target, ep, sizeof(ep)));
	stream_end_result(&x->stream, &r);
}

/* The time of the step that is to be done begins, once. */
static void step_begin(struct script *x, const struct match *step)
{
	const struct timeval tv = {step->timeout_ms / 1000, step->timeout_ms % 1000 * 1000};

	if (x->begun > x->step)
		return;
	x->begun = x->step + 1;
	if (x->limit_made)
		event_del(&x->limit);
	if (!step->timeout_ms)
		return;
	if (!x->limit_made)
		event_assign(&x->limit, x->stream.p->env->base, -1, 0, on_limit, x);
	x->limit_made = true;
	event_add(&x->limit, &tv);
}

static bool run(struct script *x);

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct script *x = arg;

	(void)fd;
	(void)what;
	x->retry_armed = false;
	x->looked = 0;
	run(x);
}

/* Whether to look at a pattern only later. */
static bool put_off(struct script *x)
{
	static const struct timeval retry = {0, RETRY_MS * 1000};

	if (x->looked == 0 || x->stream.in_len >= x->looked + x->looked / 4 + 1024 ||
	    stream_full(&x->stream))
		return false;
	if (!x->retry_made)
		event_assign(&x->retry, x->stream.p->env->base, -1, 0, on_retry, x);
	x->retry_made = true;
	if (!x->retry_armed)
		x->retry_armed = event_add(&x->retry, &retry) == 0;
	return x->retry_armed;
}

enum outcome { NEXT, WAIT, ENDED };

static enum outcome expect(struct script *x, const struct match *m)
{
	struct stream *s = &x->stream;
	size_t end = 0;

	if (m->kind != MATCH_NONE && s->in_len == 0)
		return WAIT;
	if (m->kind == MATCH_PATTERN && put_off(x))
		return WAIT;
	switch (match_find(s->p->env->patterns, m, s->in, s->in_len, x->looked, &end)) {
	case MATCH_FOUND:
		retry_drop(x);
		stream_take(s, end);
		x->looked = 0;
		x->n_expects++;
		return NEXT;
	case MATCH_NOT_YET:
		x->looked = s->in_len;
		if (!stream_full(s))
			return WAIT;
		fail(x, "too much came without the answer of");
		return ENDED;
	case MATCH_NEVER:
		fail(x, "another answer than expected in");
		return ENDED;
	default:
		fail(x, "the pattern takes too much work in");
		return ENDED;
	}
}

/* Goes on as far as it can. Whether the probe lives. */
static bool run(struct script *x)
{
	const struct check_spec *spec = x->stream.p->spec;
	char ep[ENDPOINT_STRLEN];

	while (x->step < spec->n_steps) {
		const struct match *step = &spec->steps[x->step];

		/* The script sends one text at a time: the next step waits until all is sent. */
		if (!stream_sent(&x->stream))
			return true;
		step_begin(x, step);
		if (step->kind != MATCH_SEND) {
			enum outcome o = expect(x, step);

			if (o != NEXT)
				return o == WAIT;
		} else {
			if (x->step > 0 && step[-1].kind != MATCH_SEND)
				stream_take(&x->stream, x->stream.in_len);
			if (!stream_send(&x->stream, step->bytes, step->len))
				return false;
		}
		x->step++;
	}
	stream_end(&x->stream, PROBE_OK, "%u answers as expected from %s", x->n_expects,
		   endpoint_format(&x->stream.p->target, ep, sizeof(ep)));
	return false;
}

static bool script_goes_on(struct stream *s)
{
	return run(script_of(s));
}

static void script_cleanup(struct stream *s)
{
	struct script *x = script_of(s);

	retry_drop(x);
	if (x->limit_made)
		event_del(&x->limit);
}

static void script_closed(struct stream *s)
{
	struct script *x = script_of(s);

	/* A look that was put off is due now: no more will come. */
	if (x->retry_armed) {
		retry_drop(x);
		x->looked = 0;
		if (!run(x))
			return;
	}
	fail(x, "connection closed in");
}

static const struct stream_user user = {
	.opened = script_goes_on,
	.came = script_goes_on,
	.sent = script_goes_on,
	.closed = script_closed,
	.cleanup = script_cleanup,
};

static void script_start(struct probe *p)
{
	struct script *x = p->state;

	stream_start(&x->stream, p, &user);
}

static void script_cancel(struct probe *p, char *phase, size_t len)
{
	struct script *x = p->state;
	char talking[64];

	snprintf(talking, sizeof(talking), "no answer in step %u of %u of the script", x->step + 1,
		 p->spec->n_steps);
	stream_cancel(&x->stream, talking, phase, len);
}

const struct checker_ops check_script_ops = {
	.type = CHECK_SCRIPT,
	.state_size = sizeof(struct script),
	.start = script_start,
	.cancel = script_cancel,
};
