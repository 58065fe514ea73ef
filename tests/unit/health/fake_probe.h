/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_FAKE_PROBE_H
#define PLVS_TESTS_FAKE_PROBE_H

/* A probe by a checker, without inquiry and core: a test begins the probe and waits for its end.
 * To be included after cmocka.h. */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "health/checkers.h"
#include "health/pattern.h"
#include "health/tls.h"

static struct checker_env env;
static struct probe asked;	 /* under way, or the last one */
static struct probe_result last; /* its result */
static bool ended;

static void probe_on_end(struct probe *p, const struct probe_result *r)
{
	last = *r;
	ended = true;
	event_base_loopbreak(p->env->base);
}

/* asked.target, vip, via and start_us are set by the caller, or zero. */
static void probe_begin(const struct check_spec *spec)
{
	asked.spec = spec;
	asked.env = &env;
	asked.ended = probe_on_end;
	asked.server = asked.target;
	asked.state = calloc(1, checkers[spec->type]->state_size);
	ended = false;
	checkers[spec->type]->start(&asked);
}

/* As the core does when the time is up: the phase is the reason. */
static void probe_give_up(void)
{
	char phase[CHECK_REASON_LEN] = "";

	checkers[asked.spec->type]->cancel(&asked, phase, sizeof(phase));
	last = (struct probe_result){.verdict = PROBE_FAIL, .timeout = true};
	memcpy(last.reason, phase, sizeof(phase));
	ended = true;
}

static void probe_on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	probe_give_up();
	event_base_loopbreak(env.base);
}

/* Waits for the end, and gives up after the limit; a checker with a limit of its own is waited for.
 */
static void probe_await(uint32_t limit_ms)
{
	const struct timeval limit = {limit_ms / 1000, limit_ms % 1000 * 1000};
	struct event *timer = evtimer_new(env.base, probe_on_limit, NULL);

	if (!checkers[asked.spec->type]->own_limit)
		event_add(timer, &limit);
	while (!ended)
		event_base_loop(env.base, EVLOOP_ONCE);
	event_free(timer);
	free(asked.state);
}

/* The environment of checkers by TCP, for the tests of a program. */
static inline int probe_env_setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	env.base = event_base_new();
	return !env.base || ssl_cache_create(&env.ssl) || pattern_cache_create(&env.patterns);
}

static inline int probe_env_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		event_base_loop(env.base, EVLOOP_NONBLOCK);
	ssl_cache_destroy(env.ssl);
	pattern_cache_destroy(env.patterns);
	event_base_free(env.base);
	return 0;
}

#define assert_said(verdict_, text_)                                                               \
	do {                                                                                       \
		if (last.verdict != (verdict_) || !strstr(last.reason, (text_)))                   \
			print_error("said %u: %s\n", last.verdict, last.reason);                   \
		assert_int_equal(last.verdict, (verdict_));                                        \
		assert_non_null(strstr(last.reason, (text_)));                                     \
	} while (0)

#endif
