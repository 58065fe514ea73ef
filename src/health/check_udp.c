/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A datagram, and perhaps one that must come back.
 *
 *	sent --refused by ICMP--> FAIL
 *	     --another answer--> the probe waits: a late or forged datagram decides nothing
 *	     --the answer (without expect: any)--> OK
 *	     --time is up--> without expect OK: nobody refused it; else FAIL
 *
 * The time limit is its own, since silence may be good news.
 */
#include <errno.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "health/checkers.h"
#include "health/dial.h"
#include "health/pattern.h"
#include "health/inquiry.h"

#define READS_A_ROUND 8U
#define MAX_ANSWERS   16U /* compared: a pattern may cost some milliseconds each */
#define MAX_DATAGRAM  4096

struct udp_probe {
	struct event readable, limit;
	int fd;
	uint32_t n_others; /* answers that were not the expected one */
};

/* ---- the end ---- */

static void udp_close(struct udp_probe *u)
{
	event_del(&u->readable);
	event_del(&u->limit);
	close(u->fd);
}

static void fail_errno(struct probe *p, int err)
{
	udp_close(p->state);
	dial_datagram_fail(p, err);
}

/* ---- steps ---- */

/* The first of its kind, or NULL. */
static const struct match *step_find(const struct check_spec *spec, bool expect)
{
	for (uint32_t i = 0; i < spec->n_steps; i++)
		if ((spec->steps[i].kind != MATCH_SEND) == expect)
			return &spec->steps[i];
	return NULL;
}

/* false: the probe has ended. */
static bool answer_judge(struct probe *p, const char *data, size_t len)
{
	const struct match *want = step_find(p->spec, true);
	struct udp_probe *u = p->state;
	enum match_result found;
	char ep[ENDPOINT_STRLEN];
	size_t end;

	endpoint_format(&p->target, ep, sizeof(ep));
	found = want ? match_find(p->env->patterns, want, data, len, 0, &end) : MATCH_FOUND;
	if (found != MATCH_FOUND && ++u->n_others < MAX_ANSWERS)
		return true;
	udp_close(u);
	if (found == MATCH_FOUND)
		probe_end(p, PROBE_OK, "%zu bytes %s from %s", len,
			  want ? "as expected" : "of an answer", ep);
	else if (found == MATCH_GAVE_UP)
		probe_end(p, PROBE_FAIL, "the pattern takes too much work on answers from %s", ep);
	else
		probe_end(p, PROBE_FAIL, "%u answers, none as expected, from %s", u->n_others, ep);
	return false;
}

/* Of what is there. false: the probe has ended. */
static bool udp_read(struct probe *p)
{
	struct udp_probe *u = p->state;
	char data[MAX_DATAGRAM];

	for (uint32_t i = 0; i < READS_A_ROUND; i++) {
		ssize_t n = recv(u->fd, data, sizeof(data), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0) {
			fail_errno(p, errno);
			return false;
		}
		if (!answer_judge(p, data, (size_t)n))
			return false;
	}
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	udp_read(arg);
}

/* The phase that was under way. */
static void udp_phase(const struct udp_probe *u, char *buf, size_t len)
{
	if (u->n_others)
		snprintf(buf, len, "another answer than expected, %u times,", u->n_others);
	else
		snprintf(buf, len, "no answer to the datagram");
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	struct udp_probe *u = p->state;
	struct probe_result r = {.verdict = PROBE_FAIL, .timeout = true};
	char ep[ENDPOINT_STRLEN], phase[80], within[32];

	(void)fd;
	(void)what;
	/* The loop may have been kept by something else while the answer came. */
	if (!udp_read(p))
		return;
	endpoint_format(&p->target, ep, sizeof(ep));
	duration_format(inquiry_timeout_ms(p->spec), within, sizeof(within));
	udp_phase(u, phase, sizeof(phase));
	udp_close(u);
	if (!step_find(p->spec, true)) {
		probe_end(p, PROBE_OK, "%s did not refuse the datagram", ep);
		return;
	}
	snprintf(r.reason, sizeof(r.reason), "%.80s from %s within %.24s", phase, ep, within);
	probe_end_result(p, &r);
}

/* ---- the checker ---- */

static void udp_start(struct probe *p)
{
	const struct match *text = step_find(p->spec, false);
	uint32_t ms = inquiry_timeout_ms(p->spec);
	const struct timeval limit = {ms / 1000, ms % 1000 * 1000};
	struct udp_probe *u = p->state;
	int err = dial_datagram(p, &u->fd);

	if (err) {
		dial_datagram_fail(p, -err);
		return;
	}
	event_assign(&u->readable, p->env->base, u->fd, EV_READ | EV_PERSIST, on_readable, p);
	event_assign(&u->limit, p->env->base, -1, 0, on_limit, p);
	if (event_add(&u->readable, NULL) || event_add(&u->limit, &limit)) {
		udp_close(u);
		probe_end(p, PROBE_ERROR, "out of memory");
		return;
	}
	/* Without text an empty one goes: it is refused like any other. */
	if (send(u->fd, text ? text->bytes : "", text ? text->len : 0, MSG_NOSIGNAL) < 0)
		fail_errno(p, errno);
}

static void udp_cancel(struct probe *p, char *phase, size_t len)
{
	struct udp_probe *u = p->state;

	udp_phase(u, phase, len);
	udp_close(u);
}

const struct checker_ops check_udp_ops = {
	.type = CHECK_UDP,
	.state_size = sizeof(struct udp_probe),
	.own_limit = true,
	.start = udp_start,
	.cancel = udp_cancel,
};
