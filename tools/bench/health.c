/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cost of health for forwarding, and the number of checks that it carries. Checks run on a
 * thread of their own, as in the router, on CPU 0; one process on the same CPU answers for all
 * servers.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <event2/event.h>

#include "config/health_config.h"
#include "health/health.h"
#include "responder.h"

#define SERVERS_A_SERVICE 100U
#define WARM_S		  5
#define TIME_S		  10

struct checks {
	const char *name;
	bool talk, tls;
	uint32_t n;
	uint32_t interval_ms;
	uint16_t port;
	struct check_spec spec;
	struct event_base *base;
	struct health *health;
	pthread_t thread;
};

static volatile sig_atomic_t paused;

/* The checks stand still where they are for as long as a block of the other kind lasts. */
static void on_pause(int sig)
{
	const struct timespec a_little = {.tv_nsec = 50000};

	(void)sig;
	while (paused)
		nanosleep(&a_little, NULL);
}

static void on_cpu_0(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static void services_set(struct checks *c)
{
	const struct check_spec *const checks[] = {&c->spec, NULL};
	const struct health_policy policy = {0};
	struct health_server list[SERVERS_A_SERVICE];
	struct endpoint vip = {.port = be16_from(80)};
	char key[32];

	addr_parse("10.9.9.9", &vip.addr);
	for (uint32_t first = 0; first < c->n; first += SERVERS_A_SERVICE) {
		uint32_t count = RTE_MIN(c->n - first, SERVERS_A_SERVICE);

		for (uint32_t i = 0; i < count; i++) {
			list[i] = (struct health_server){.weight = 1, .checks = checks};
			list[i].ep.addr = addr_from_v4(be32_from(0x7f000101U + first + i));
			list[i].ep.port = be16_from(c->port);
		}
		snprintf(key, sizeof(key), "tcp:10.9.9.9:%u", 1 + first / SERVERS_A_SERVICE);
		if (health_set_service(c->health, key, &vip, &policy, list, count))
			fail("health does not take %u checks", c->n);
	}
}

static void run_for(struct checks *c, int s)
{
	const struct timeval tv = {s, 0};

	event_base_loopexit(c->base, &tv);
	event_base_dispatch(c->base);
}

static void checks_create(struct checks *c)
{
	struct health_options o = {.specs = &config_spec_ops};

	c->spec = (struct check_spec){.name = (char *)"bench",
				      .type = c->talk ? CHECK_HTTP : CHECK_TCP,
				      .interval_ms = c->interval_ms,
				      .timeout_ms = 2000,
				      .fall = 3,
				      .tls = {.on = c->tls}};
	c->base = event_base_new();
	o.base = c->base;
	if (!c->base || health_create(&o, &c->health))
		fail("health does not start");
	services_set(c);
}

static void checks_destroy(struct checks *c)
{
	health_destroy(c->health);
	event_base_free(c->base);
}

/* The responder is a child of this process, and on CPU 0 as it is forked from there. */
static pid_t responder(struct checks *c)
{
	cpu_set_t before;
	pid_t pid;

	(void)sched_getaffinity(0, sizeof(before), &before);
	on_cpu_0();
	pid = responder_start(c->talk, c->tls, &c->port);
	(void)sched_setaffinity(0, sizeof(before), &before);
	return pid;
}

static void responder_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- what checks cost forwarding --- */

static void *checks_run(void *arg)
{
	on_cpu_0();
	event_base_dispatch(((struct checks *)arg)->base);
	return NULL;
}

struct health_arg {
	struct memory_arg memory;
	struct checks *checks;
	uint32_t *stamps; /* what counts handshakes, or NULL */
	bool runs;
};

static uint64_t batch_checks(void *arg, struct rte_mbuf **frames)
{
	struct health_arg *a = arg;

	if (paused == a->runs) {
		paused = !a->runs;
		if (paused)
			pthread_kill(a->checks->thread, SIGUSR1);
	}
	return batch_pipeline(&a->memory, frames);
}

static uint64_t batch_stamps(void *arg, struct rte_mbuf **frames)
{
	struct health_arg *a = arg;

	a->memory.s->w->v4.syn_stamps = a->stamps;
	return batch_pipeline(&a->memory, frames);
}

void bench_health(const struct options *o, uint32_t n, uint16_t dev, struct rte_mempool *pool)
{
	struct scene s;
	struct checks c = {.n = 10000, .interval_ms = 2000};
	struct health_arg on = {{&s, pool}, &c, NULL, true}, off = {{&s, pool}, &c, NULL, false};
	struct subject subjects[] = {{"health/forwarding", batch_checks, &on, 0},
				     {"without", batch_checks, &off, 0}};
	struct subject counted[] = {{"passive/established", batch_stamps, &on, 0},
				    {"without", batch_stamps, &off, 0}};
	struct health_counters made;
	pid_t pid;

	if (!wanted(o, subjects[0].name) && !wanted(o, counted[0].name))
		return;
	scene_create(&s, ADDR_V4, FWD_NAT, n, n, dev);
	scene_connect(&s, pool);
	on.stamps = s.w->v4.syn_stamps;
	if (wanted(o, counted[0].name)) {
		measure(&s, counted, 2, o->blocks, pool);
		row_add_cycles(counted[0].name, n, counted[0].cycles, counted[1].cycles);
		s.w->v4.syn_stamps = on.stamps;
	}
	if (wanted(o, subjects[0].name)) {
		pid = responder(&c);
		checks_create(&c);
		signal(SIGUSR1, on_pause);
		if (pthread_create(&c.thread, NULL, checks_run, &c))
			fail("no thread for checks");
		measure(&s, subjects, 2, o->blocks, pool);
		paused = 0;
		event_base_loopbreak(c.base);
		pthread_join(c.thread, NULL);
		health_counters(c.health, &made);
		if (made.probes == 0 || made.failures || made.errors)
			fail("health/forwarding: the checks were not made");
		row_add_cycles(subjects[0].name, n, subjects[0].cycles, subjects[1].cycles);
		checks_destroy(&c);
		responder_end(pid);
	}
	scene_destroy(&s);
}

/* --- what one loop carries --- */

static void carry(const struct options *o, struct checks *c)
{
	struct health_counters a, b;
	double cpu, probes;
	struct timespec t;
	char name[40];
	pid_t pid;

	if (!wanted(o, c->name))
		return;
	pid = responder(c);
	checks_create(c);
	run_for(c, WARM_S);
	health_counters(c->health, &a);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	cpu = -(double)t.tv_sec - (double)t.tv_nsec / 1e9;
	run_for(c, TIME_S);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	cpu += (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	health_counters(c->health, &b);
	probes = (double)(b.probes - a.probes);
	/* On a machine that others use, checks wait for longer than their time-out: the rows behind
	 * this one come all the same. */
	if (b.failures != a.failures || b.errors != a.errors)
		row_failed("%s: %lu checks failed", c->name,
			   (unsigned long)(b.failures - a.failures));
	snprintf(name, sizeof(name), "%s/started", c->name);
	row_add(name, c->n, probes / TIME_S, "checks/s", c->n * 1e3 / c->interval_ms);
	snprintf(name, sizeof(name), "%s/late-p99", c->name);
	row_add(name, c->n, (double)b.late_us[1] / 1e3, "ms", 0);
	snprintf(name, sizeof(name), "%s/a-core", c->name);
	row_add(name, c->n, probes / cpu, "checks/s", 0);
	checks_destroy(c);
	responder_end(pid);
}

void bench_checks(const struct options *o)
{
	struct checks kinds[] = {
		{.name = "checks/tcp", .n = 10000, .interval_ms = 2000},
		{.name = "checks/http", .n = 10000, .interval_ms = 2000, .talk = true},
		{.name = "checks/https", .n = 1000, .interval_ms = 2000, .talk = true, .tls = true},
	};
	/* A descriptor for each probe under way, and room. */
	struct rlimit fds = {65536, 65536};

	(void)setrlimit(RLIMIT_NOFILE, &fds);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < RTE_DIM(kinds); i++)
		carry(o, &kinds[i]);
}
