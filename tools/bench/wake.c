/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time from an event to the work of a worker that sleeps (worker_sleep.h), in microseconds. A
 * data plane of two workers without EAL's lcores: worker 1, the sleeper, runs its loop on a thread
 * and a CPU of its own. This thread is all other parts of the router, on another CPU: worker 0, the
 * link thread, control, ha, the NIC. An event comes when the sleeper has slept for a moment.
 *
 *	wake/handoff	worker 0 receives a frame that the sleeper owns; until the frame leaves
 *	wake/frame	a frame arrives at the sleeper's queue; until the frame leaves
 *	wake/inject	Linux sends a frame; until the frame leaves
 *	wake/command	control asks for a connection; until the answer
 *	wake/change	a snapshot is published; until a round that has read the snapshot ends
 *	wake/lease	ha takes the lease away; until a round that has read the lease ends
 *	wake/timer	a tick begins, at which timers end; until the round of that tick ends
 *
 * A time in which one of the two threads waited for a CPU that another program had is measured
 * again; after some repeats the wait is subtracted. A wake-up that plvs forgets is not left out so,
 * since a thread that nobody has woken does not wait for a CPU.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "lib/cpu_wait.h"
#include "lib/harness.h"
#include "lib/world.h"

#define LIMIT_US       1000
#define PUBLIC	       0
#define PRIVATE	       1
#define VIP	       "10.1.0.100:53"
#define SLEEPER	       1
#define SLEPT_US       1000 /* before the event */
#define WAIT_MAX_US    50   /* for a CPU, in a time that counts */
#define AGAIN_MAX      3    /* times that one time is measured again */
#define TICK_BEFORE_US 500
#define DEADLINE_US    10000000
#define CLIENT_FIRST   1000 /* source port */

struct bed {
	struct harness h;
	struct worker *w; /* that sleeps */
	uint64_t us;	  /* cycles */
	pthread_t thread;
	int cpu; /* of the sleeper */
	pid_t tid;
	uint32_t running;
	uint16_t client; /* source port of a connection that the sleeper owns */
	uint64_t loops;	 /* of the sleeper, before the event */
	uint64_t begin;	 /* TSC: the event comes */
	uint32_t tick;	 /* of wake/timer */
	struct worker_command command;
	struct conn_view view;
	uint32_t weight;
	uint32_t again; /* times measured again */
};

struct event {
	const char *name;
	void (*prepare)(struct bed *b); /* or NULL */
	void (*act)(struct bed *b);
	bool (*done)(struct bed *b);
};

/* ---- the sleeper ---- */

static void *sleeper_run(void *arg)
{
	struct bed *b = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(b->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0 ||
	    rte_thread_register() != 0)
		fail("no thread on CPU %d", b->cpu);
	b->tid = gettid();
	__atomic_store_n(&b->running, 1, __ATOMIC_RELEASE);
	worker_main(b->w);
	rte_thread_unregister();
	return NULL;
}

static uint64_t loops(const struct bed *b)
{
	return __atomic_load_n(&b->w->progress, __ATOMIC_RELAXED);
}

/* Returns when the sleeper has slept for SLEPT_US. */
static void sleep_await(struct bed *b)
{
	const uint64_t deadline = rte_rdtsc() + DEADLINE_US * b->us;

	do {
		if (rte_rdtsc() > deadline)
			fail("the worker does not fall asleep");
		b->loops = loops(b);
		usleep(SLEPT_US);
	} while (loops(b) != b->loops ||
		 !__atomic_load_n(&b->w->exchange->wake.asleep, __ATOMIC_RELAXED));
}

/* ---- events ---- */

static bool frame_left(struct bed *b)
{
	struct rte_mbuf *m = harness_sent(&b->h, PRIVATE);

	rte_pktmbuf_free(m);
	return m != NULL;
}

static bool looked(struct bed *b)
{
	return loops(b) != b->loops;
}

static struct rte_mbuf *frame_make(struct bed *b, const char *to)
{
	char client[32];
	struct rte_mbuf *m;

	snprintf(client, sizeof(client), "10.1.0.9:%u", b->client);
	m = harness_datagram(&b->h, PUBLIC, client, to);
	if (!m)
		fail("no packet buffers left");
	return m;
}

static void worker_hands_over(struct bed *b)
{
	struct worker *w = b->h.dp->workers[0];

	if (harness_receive(&b->h, PUBLIC, 0, frame_make(b, VIP)) != 0)
		fail("the ring of a port is full");
	loop_round(w, b->h.now_tick, b->h.now_s);
}

static void frame_arrives(struct bed *b)
{
	if (harness_receive(&b->h, PUBLIC, SLEEPER, frame_make(b, VIP)) != 0)
		fail("the ring of a port is full");
}

static void linux_sends(struct bed *b)
{
	if (harness_inject(&b->h, PRIVATE, frame_make(b, "10.2.0.1:2")) != 0)
		fail("the ring of injected frames is full");
}

static void control_asks(struct bed *b)
{
	b->command = (struct worker_command){
		.kind = CMD_FIND, .views = &b->view, .n_max = 1, .eventfd = -1};
	if (dataplane_command(b->h.dp, SLEEPER, &b->command) != 0)
		fail("the ring of commands is full");
}

static bool command_done(struct bed *b)
{
	return __atomic_load_n(&b->command.done, __ATOMIC_ACQUIRE);
}

/* Publication retires the old snapshot, and a grace period begins. */
static void configuration_changes(struct bed *b)
{
	const struct world_server server = {"10.2.0.1:53", 1 + b->weight++ % 100, FWD_DR};

	if (world_service(&b->h, "udp", VIP, NULL, &server, 1) != 0)
		fail("a service is not published");
}

static void lease_changes(struct bed *b)
{
	const uint64_t lease = b->weight++ & 1 ? VIP_LEASE_NONE : VIP_LEASE_OFF;

	__atomic_store_n(&b->h.dp->pub.vip_lease, lease, __ATOMIC_RELEASE);
	published_wake(&b->h.dp->pub);
}

/* Notes the next tick. */
static void tick_next(struct bed *b)
{
	const struct dataplane *dp = b->h.dp;
	const uint64_t cycles = dp->hz / CONN_TICK_HZ;

	b->tick = (uint32_t)((rte_rdtsc() - dp->tsc_start) / cycles) + 1;
	b->begin = dp->tsc_start + b->tick * cycles;
}

/* Returns TICK_BEFORE_US before a tick, or somewhat later. */
static void tick_comes(struct bed *b)
{
	int64_t us;

	tick_next(b);
	us = (int64_t)(b->begin - rte_rdtsc()) / (int64_t)b->us - TICK_BEFORE_US;
	if (us > 0)
		usleep((useconds_t)us);
}

/* The event is the tick itself, which the sleeper awaits by its own clock. */
static void tick_begins(struct bed *b)
{
	tick_next(b);
	while ((int64_t)(rte_rdtsc() - b->begin) < 0)
		rte_pause();
}

static bool tick_seen(struct bed *b)
{
	return (int32_t)(__atomic_load_n(&b->w->env.now_tick, __ATOMIC_RELAXED) - b->tick) >= 0;
}

/* ---- rows ---- */

static uint64_t waited_us(const struct bed *b)
{
	return cpu_wait_us(b->tid) + cpu_wait_us(gettid());
}

static double time_once(struct bed *b, const struct event *e)
{
	for (unsigned int again = 0;; again++) {
		uint64_t waited;
		double took;

		sleep_await(b);
		if (e->prepare)
			e->prepare(b);
		waited = waited_us(b);
		b->begin = rte_rdtsc();
		e->act(b);
		while (!e->done(b)) {
			rte_pause();
			if (rte_rdtsc() - b->begin > DEADLINE_US * b->us)
				fail("%s: the worker sleeps on", e->name);
		}
		took = (double)(rte_rdtsc() - b->begin) / (double)b->us;
		waited = waited_us(b) - waited;
		if (waited <= WAIT_MAX_US)
			return took;
		if (again == AGAIN_MAX)
			return took > (double)waited ? took - (double)waited : 0;
		b->again++;
	}
}

static void row_make(const char *event, const char *what, double us)
{
	char name[40];

	snprintf(name, sizeof(name), "%s/%s", event, what);
	row_add(name, 0, us, "us", 0);
	if (us > LIMIT_US)
		row_failed("%s: %.0f us, of at most %d", name, us, LIMIT_US);
}

static void bench_event(struct bed *b, const struct event *e, uint32_t n)
{
	double *took = calloc(n, sizeof(double)), p50;

	if (!took)
		fail("no memory for %u times", n);
	for (uint32_t i = 0; i < n; i++)
		took[i] = time_once(b, e);
	p50 = median(took, n); /* sorts */
	row_make(e->name, "p50", p50);
	row_make(e->name, "p99", took[(n - 1) * 99 / 100]);
	free(took);
}

/* ---- life ---- */

/* A client whose connections the sleeper has. */
static void client_choose(struct bed *b)
{
	struct endpoint client;
	char text[32];

	for (b->client = CLIENT_FIRST;; b->client++) {
		snprintf(text, sizeof(text), "10.1.0.9:%u", b->client);
		if (endpoint_parse(text, &client) < 0)
			fail("%s is no client", text);
		if (owner4(&b->h.dp->owners, client.addr.v4, client.port) == SLEEPER)
			return;
	}
}

static void bed_create(struct bed *b, int cpu)
{
	const struct harness_config config = {
		.n_workers = 2, .n_queues = 2, .mbufs_per_port = 1024, .wake = true};
	const struct world_server server = {"10.2.0.1:53", 1, FWD_DR};
	char error[256];

	if (harness_create(&b->h, &config, error) != 0)
		fail("%s", error);
	if (world_route(&b->h, "10.2.0.0/16", link_id_of(PRIVATE, 0), NULL) != 0 ||
	    world_neighbour(&b->h, link_id_of(PRIVATE, 0), "10.2.0.1", "02:aa:00:00:00:01") != 0 ||
	    world_service(&b->h, "udp", VIP, NULL, &server, 1) != 0)
		fail("no service");
	b->h.dp->exchange.port_worker[PRIVATE] = SLEEPER;
	b->w = b->h.dp->workers[SLEEPER];
	b->us = rte_get_tsc_hz() / 1000000;
	b->cpu = cpu > 0 ? cpu - 1 : cpu + 1;
	client_choose(b);
	if (pthread_create(&b->thread, NULL, sleeper_run, b) != 0)
		fail("a second thread does not start");
	while (!__atomic_load_n(&b->running, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void bed_destroy(struct bed *b)
{
	__atomic_store_n(&b->h.dp->stop, 1, __ATOMIC_RELEASE);
	dataplane_wake(b->h.dp);
	pthread_join(b->thread, NULL);
	harness_destroy(&b->h);
}

void bench_wake(const struct options *o, int cpu)
{
	static const struct event events[] = {
		{"wake/handoff", NULL, worker_hands_over, frame_left},
		{"wake/frame", NULL, frame_arrives, frame_left},
		{"wake/inject", NULL, linux_sends, frame_left},
		{"wake/command", NULL, control_asks, command_done},
		{"wake/change", NULL, configuration_changes, looked},
		{"wake/lease", NULL, lease_changes, looked},
		{"wake/timer", tick_comes, tick_begins, tick_seen},
	};
	struct bed *b = calloc(1, sizeof(*b));

	if (!b)
		fail("no memory for two workers");
	for (unsigned int i = 0; i < RTE_DIM(events); i++) {
		const bool timer = events[i].done == tick_seen; /* 62.5 ms each */
		const uint32_t n = (o->quick ? 200 : 1000) / (timer ? 5 : 1);

		if (!wanted(o, events[i].name))
			continue;
		if (!b->w)
			bed_create(b, cpu);
		bench_event(b, &events[i], n);
	}
	if (b->w) {
		printf("(%u wake-ups in which a thread waited for a CPU were measured again)\n",
		       b->again);
		bed_destroy(b);
	}
	free(b);
}
