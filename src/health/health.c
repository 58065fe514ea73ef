/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole: birth, the round of the loop, death. */
#include "health/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "health/echo.h"
#include "health/health_internal.h"
#include "health/pattern.h"
#include "health/tls.h"

#define ROUND_BUDGET	  256U	 /* timers and starts of one round: descriptors come between */
#define SETTLE_US	  4000U	 /* of services in one round */
#define MAX_IN_FLIGHT	  16384U /* if descriptors allow */
#define SPARE_DESCRIPTORS 256U	 /* of the process, for all else */

static uint64_t real_now_us(void *arg)
{
	(void)arg;
	return clock_us();
}

static uint64_t real_now_ms(void *arg)
{
	(void)arg;
	return clock_wall_ms();
}

/* Half of the descriptors that are left over: others must find some. */
static uint32_t in_flight_limit(void)
{
	struct rlimit r;
	uint64_t half;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return SPARE_DESCRIPTORS;
	if (r.rlim_cur == RLIM_INFINITY)
		return MAX_IN_FLIGHT;
	half = r.rlim_cur > 2 * SPARE_DESCRIPTORS ? (r.rlim_cur - SPARE_DESCRIPTORS) / 2
						  : r.rlim_cur / 4 + 1;
	return half < MAX_IN_FLIGHT ? (uint32_t)half : MAX_IN_FLIGHT;
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct health *h = arg;
	uint64_t next = health_run(h), now_us = health_now(h), wait = 0;
	struct timeval tv;

	(void)fd;
	(void)what;
	if (next == UINT64_MAX)
		return;
	if (next > now_us)
		wait = next - now_us;
	tv.tv_sec = (time_t)(wait / 1000000);
	tv.tv_usec = (suseconds_t)(wait % 1000000);
	event_add(h->work, &tv);
}

int health_create_with(const struct health_options *options, const struct health_hooks *hooks,
		       struct health **out)
{
	struct health *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->options = *options;
	h->hooks = *hooks;
	h->env.base = options->base;
	h->env.spawn = options->spawn;
	h->env.ports = options->ports;
	h->env.program_user = options->program_user;
	TAILQ_INIT(&h->queue);
	TAILQ_INIT(&h->marked);
	TAILQ_INIT(&h->all);
	LIST_INIT(&h->attempts);
	h->max_in_flight = options->max_in_flight ? options->max_in_flight : in_flight_limit();
	if (ssl_cache_create(&h->env.ssl) || pattern_cache_create(&h->env.patterns) ||
	    echo_create(options->base, &h->env.echo))
		goto err_destroy;
	if (options->ports)
		echo_set_ids(h->env.echo, options->ports->first,
			     (uint16_t)(options->ports->first + options->ports->n - 1));
	if (options->base && !(h->work = event_new(options->base, -1, 0, on_work, h)))
		goto err_destroy;
	*out = h;
	return 0;
err_destroy:
	health_destroy(h);
	return -ENOMEM;
}

int health_create(const struct health_options *options, struct health **out)
{
	const struct health_hooks hooks = {real_now_us, real_now_ms, NULL, checkers};

	return health_create_with(options, &hooks, out);
}

void health_destroy(struct health *h)
{
	if (!h)
		return;
	attempts_cancel(h);
	while (!TAILQ_EMPTY(&h->all))
		health_del_service(h, TAILQ_FIRST(&h->all)->key);
	if (h->work)
		event_free(h->work);
	hash_table_fini(&h->inquiries, NULL);
	hash_table_fini(&h->groups, NULL);
	timers_fini(&h->timers);
	echo_destroy(h->env.echo);
	pattern_cache_destroy(h->env.patterns);
	ssl_cache_destroy(h->env.ssl);
	free(h);
}

static void tell_quorum(struct group *g)
{
	const struct health_options *o = &g->h->options;

	if (group_lost(g) == g->lost)
		return;
	g->lost = !g->lost;
	if (o->quorum)
		o->quorum(o->arg, g->key);
}

/* Then tells of it, changes before edges. */
static void settle(struct group *g)
{
	const struct health_options *o = &g->h->options;

	TAILQ_REMOVE(&g->h->marked, g, of_marked);
	g->marked = false;
	if (group_run(g, health_now(g->h)) || g->tell) {
		g->tell = false;
		if (o->changed)
			o->changed(o->arg, g->key);
	}
	for (uint32_t i = 0; i < g->n; i++) {
		if (!g->members[i]->edge)
			continue;
		g->members[i]->edge = false;
		member_log(g->members[i]);
		if (o->edge)
			o->edge(o->arg, g->key, &g->members[i]->ep);
	}
	tell_quorum(g);
}

/* Settles marked groups; the rest of ten thousand services follows in the next rounds. */
static void settle_marked(struct health *h)
{
	uint64_t end_us = health_now(h) + SETTLE_US;
	struct group *g;

	while ((g = TAILQ_FIRST(&h->marked)) != NULL) {
		settle(g);
		if (health_now(h) >= end_us)
			break;
	}
}

void health_settle(struct health *h, const char *service_key)
{
	struct group *g = group_find(h, service_key);

	if (!g || !g->marked || h->in_round)
		return;
	h->in_round = true;
	settle(g);
	h->in_round = false;
}

uint64_t health_run(struct health *h)
{
	uint64_t now_us = health_now(h), next;
	uint32_t budget = ROUND_BUDGET;
	struct timer *t;

	h->in_round = true;
	while (budget && (t = timers_due(&h->timers, now_us)) != NULL) {
		t->fire(t, now_us);
		budget--;
	}
	runner_pump(h, ROUND_BUDGET);
	settle_marked(h);
	h->in_round = false;
	next = timers_next(&h->timers);
	if (!TAILQ_EMPTY(&h->marked))
		return 0;
	/* The queue goes on at once if there is room, else with the next end of a probe. */
	return h->n_queued && h->in_flight < h->max_in_flight ? 0 : next;
}
