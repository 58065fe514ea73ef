/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole connections by NAT (lives.c) on two threads at once, each with a worker, a table and packet
 * buffers of its own, or packets of established connections (threads/packets-N: N servers, that a
 * share-nothing worker does not write). Round by round the workers share one service with its
 * servers, or have a service each and share nothing. The ratio is what sharing costs: both sides
 * saw the same machine.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_pause.h>

#define LIMIT	   1.1
#define POOL_MBUFS 4095
#define POOL_CACHE 256

enum side { SHARED, APART, SIDES };

struct crew {
	uint32_t population, rounds;
	bool established; /* packets of established connections in place of lives */
	uint32_t arrived; /* at the round: both go on together */
	int cpu[2];
	uint16_t dev[2];
	struct scene scene[SIDES][2];
	struct lives lives[SIDES][2];
	double *cycles[SIDES][2];
};

struct member {
	struct crew *crew;
	unsigned int me;
};

static void meet(struct crew *c, uint32_t *times)
{
	*times += 2;
	__atomic_fetch_add(&c->arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&c->arrived, __ATOMIC_ACQUIRE) < *times)
		sched_yield();
}

/* Cycles of a life, or of a packet. */
static double subject_run(struct crew *c, unsigned int side, unsigned int me)
{
	struct lives *l = &c->lives[side][me];
	struct memory_arg arg = {&c->scene[side][me], l->pool};

	if (!c->established)
		return (double)lives_round(l) / BATCH;
	packets_fill(arg.s, l->frames, BATCH);
	return (double)batch_pipeline(&arg, l->frames) / BATCH;
}

static void subject_warm(struct crew *c, unsigned int side, unsigned int me)
{
	for (uint32_t i = 0; i < c->population / BATCH + 8; i++)
		subject_run(c, side, me);
}

static void *member_run(void *arg)
{
	const struct member *m = arg;
	struct crew *c = m->crew;
	uint32_t times = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(c->cpu[m->me], &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0 ||
	    rte_thread_register() != 0)
		fail("no thread on CPU %d", c->cpu[m->me]);
	for (unsigned int side = 0; side < SIDES; side++)
		subject_warm(c, side, m->me);
	for (uint32_t i = 0; i < c->rounds * SIDES; i++) {
		meet(c, &times);
		c->cycles[i % SIDES][m->me][i / SIDES] = subject_run(c, i % SIDES, m->me);
	}
	rte_thread_unregister();
	return NULL;
}

struct rte_mempool *thread_pool(unsigned int me)
{
	static struct rte_mempool *pools[2];
	char name[32];

	snprintf(name, sizeof(name), "thread%u", me);
	if (!pools[me])
		pools[me] = rte_pktmbuf_pool_create(name, POOL_MBUFS, POOL_CACHE, 0,
						    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pools[me])
		fail("no memory for packet buffers");
	return pools[me];
}

static void scenes_create(struct crew *c, const char *sched, uint32_t servers)
{
	for (unsigned int side = 0; side < SIDES; side++) {
		for (unsigned int me = 0; me < 2; me++) {
			const bool shares = side == SHARED && me == 1;
			const struct scene_plan plan = {
				.family = ADDR_V4,
				.method = FWD_NAT,
				.n = c->established ? c->population : c->population * 4,
				.max = c->population,
				.dev = c->dev[me],
				.n_servers = servers,
				.sched = sched,
				.worker = side == SHARED ? (uint16_t)me : 0,
				.n_workers = side == SHARED ? 2 : 1,
				.with = shares ? c->scene[side][0].pub : NULL,
			};

			scene_create_as(&c->scene[side][me], &plan);
			lives_init(&c->lives[side][me], &c->scene[side][me], LIVES_TIMED,
				   c->population, thread_pool(me));
			if (c->established)
				scene_connect(&c->scene[side][me], thread_pool(me));
			c->cycles[side][me] = calloc(c->rounds, sizeof(double));
			if (!c->cycles[side][me])
				fail("no memory for %u rounds", c->rounds);
		}
	}
}

/* The second scene of a side first: its service may be the first one's. */
static void scenes_destroy(struct crew *c)
{
	for (unsigned int side = 0; side < SIDES; side++) {
		for (unsigned int me = 2; me-- > 0;) {
			if (!c->established)
				lives_check(&c->lives[side][me]);
			lives_fini(&c->lives[side][me]);
			scene_destroy(&c->scene[side][me]);
			free(c->cycles[side][me]);
		}
	}
}

static void crew_row(struct crew *c, const char *name)
{
	const uint32_t n = c->rounds * 2;
	double *ratios = calloc(n, sizeof(double)), *all[SIDES];
	double ratio;

	for (unsigned int side = 0; side < SIDES; side++)
		all[side] = calloc(n, sizeof(double));
	if (!ratios || !all[SHARED] || !all[APART])
		fail("no memory for %u rounds", n);
	for (uint32_t i = 0; i < n; i++) {
		for (unsigned int side = 0; side < SIDES; side++)
			all[side][i] = c->cycles[side][i % 2][i / 2];
		ratios[i] = all[SHARED][i] / all[APART][i];
	}
	ratio = median(ratios, n);
	row_add_limit(name, c->population, median(all[SHARED], n),
		      c->established ? "cycles/packet" : "cycles/conn", median(all[APART], n),
		      ratio, LIMIT);
	for (unsigned int side = 0; side < SIDES; side++)
		free(all[side]);
	free(ratios);
}

static void bench_pair(const struct options *o, const char *sched, uint32_t servers,
		       bool established, const uint16_t dev[2], int cpu)
{
	struct crew *c;
	struct member members[2];
	pthread_t threads[2];
	char name[32];

	snprintf(name, sizeof(name), "threads/%s-%u", established ? "packets" : sched, servers);
	if (!wanted(o, name))
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		fail("no memory for two threads");
	c->population = o->connections ? o->connections : 100000;
	c->established = established;
	c->rounds = o->quick ? 200 : 800;
	c->cpu[0] = cpu;
	c->cpu[1] = cpu > 0 ? cpu - 1 : cpu + 1;
	for (unsigned int i = 0; i < 2; i++)
		c->dev[i] = dev[i];
	scenes_create(c, sched, servers);
	for (unsigned int i = 0; i < 2; i++) {
		members[i] = (struct member){c, i};
		if (pthread_create(&threads[i], NULL, member_run, &members[i]) != 0)
			fail("a second thread does not start");
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	crew_row(c, name);
	scenes_destroy(c);
	free(c);
}

void bench_threads(const struct options *o, const uint16_t dev[2], int cpu)
{
	bench_pair(o, "rr", N_SERVERS, true, dev, cpu);
	bench_pair(o, "rr", 1, true, dev, cpu);
	bench_pair(o, "wlc", 1, false, dev, cpu);
	bench_pair(o, "wlc", N_SERVERS, false, dev, cpu);
	bench_pair(o, "wlc", 2000, false, dev, cpu);
	bench_pair(o, "rr", N_SERVERS, false, dev, cpu);
	bench_pair(o, "sh", N_SERVERS, false, dev, cpu);
}
