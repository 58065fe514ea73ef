/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HAProxy's agent protocol: connect, perhaps send a text, read one line. The line is
 * advice; only "down" and its likes are a failure. No other failure of an agent counts as a
 * failure of the server.
 */
#include <stdio.h>
#include <string.h>

#include "health/advice.h"
#include "health/checkers.h"
#include "health/stream.h"

#define MAX_LINE 1024U

struct agent {
	struct stream stream;
	size_t looked; /* bytes of stream.in that hold no newline */
};

static struct agent *agent_of(struct stream *s)
{
	return (struct agent *)s; /* its first member */
}

/* The reason quotes what was said; the core cleans it of control characters. */
static void line_judge(struct stream *s, size_t len)
{
	struct probe_result r = {.verdict = PROBE_OK};
	char ep[ENDPOINT_STRLEN], why[80], line[72];

	endpoint_format(&s->p->target, ep, sizeof(ep));
	if (!advice_parse(s->in ? s->in : "", len, &r, why, sizeof(why))) {
		stream_end(s, PROBE_ERROR, "no word that the agent protocol knows from %s", ep);
		return;
	}
	if (r.advice & ADVICE_DOWN)
		r.verdict = PROBE_FAIL;
	snprintf(line, sizeof(line), "%.*s", (int)len, s->in);
	line[strcspn(line, "\r\n")] = '\0';
	snprintf(r.reason, sizeof(r.reason), "agent %s says \"%s\"", ep, line);
	stream_end_result(s, &r);
}

static bool agent_opened(struct stream *s)
{
	const struct check_spec *spec = s->p->spec;

	for (uint32_t i = 0; i < spec->n_steps; i++)
		if (spec->steps[i].kind == MATCH_SEND)
			return stream_send(s, spec->steps[i].bytes, spec->steps[i].len);
	return true;
}

static bool agent_came(struct stream *s)
{
	struct agent *a = agent_of(s);
	const char *end = memchr(s->in + a->looked, '\n', s->in_len - a->looked);
	char ep[ENDPOINT_STRLEN];

	if (end) {
		line_judge(s, (size_t)(end - s->in));
		return false;
	}
	a->looked = s->in_len;
	if (s->in_len <= MAX_LINE)
		return true;
	stream_end(s, PROBE_ERROR, "more than %u bytes without a newline from agent %s", MAX_LINE,
		   endpoint_format(&s->p->target, ep, sizeof(ep)));
	return false;
}

static void agent_closed(struct stream *s)
{
	char ep[ENDPOINT_STRLEN];

	if (s->in_len)
		line_judge(s, s->in_len);
	else
		stream_end(s, PROBE_ERROR, "connection closed without a word from agent %s",
			   endpoint_format(&s->p->target, ep, sizeof(ep)));
}

static const struct stream_user user = {
	.opened = agent_opened,
	.came = agent_came,
	.closed = agent_closed,
};

static void agent_start(struct probe *p)
{
	struct agent *a = p->state;

	stream_start(&a->stream, p, &user);
}

static void agent_cancel(struct probe *p, char *phase, size_t len)
{
	struct agent *a = p->state;

	stream_cancel(&a->stream, "no line from the agent", phase, len);
}

const struct checker_ops check_agent_ops = {
	.type = CHECK_AGENT,
	.state_size = sizeof(struct agent),
	.start = agent_start,
	.cancel = agent_cancel,
};
