/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two workers, each on a thread and a CPU of its own. Worker 0 receives packets of connections that
 * worker 1 owns, and hands all of them over; in turn worker 1 receives such packets itself. Cycles
 * of each worker count while it has packets.
 */
#include "mesh.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#define CONNECTIONS 100000
#define POOL_MBUFS  8191
#define POOL_CACHE  256

struct pair {
	struct mesh m;
	uint32_t rounds, arrived;
	int cpu[2];
	struct rte_mempool *pool[2];
	/* [handed over or not][thread]: cycles in which a worker had work, for a packet */
	double *cycles[2][2];
};

struct member {
	struct pair *p;
	unsigned int me;
};

static void meet(struct pair *p, uint32_t *times)
{
	*times += 2;
	__atomic_fetch_add(&p->arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&p->arrived, __ATOMIC_ACQUIRE) < *times)
		sched_yield();
}

/* Cycles of rounds with a burst each. */
static uint64_t receive(struct pair *p, unsigned int me, struct rte_mbuf **frames)
{
	const uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BATCH; i += BURST_MAX) {
		mesh_round(&p->m, me, frames + i, BURST_MAX);
		if (rte_pktmbuf_alloc_bulk(p->pool[me], frames + i, BURST_MAX) != 0)
			fail("no packet buffers left");
	}
	return rte_rdtsc_precise() - start;
}

/* Cycles of rounds that had packets, until a batch has come. */
static uint64_t take(struct pair *p, unsigned int me)
{
	const struct worker_counters *c = &p->m.s[me].w->counters;
	const uint64_t until = c->ring_in + BATCH;
	uint64_t busy = 0;

	while (c->ring_in < until) {
		const uint64_t before = c->ring_in, start = rte_rdtsc();

		mesh_round(&p->m, me, NULL, 0);
		if (c->ring_in != before)
			busy += rte_rdtsc() - start;
		else
			sched_yield();
	}
	return busy;
}

static void *member_run(void *arg)
{
	const struct member *mb = arg;
	struct pair *p = mb->p;
	struct rte_mbuf *frames[BATCH];
	uint32_t times = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(p->cpu[mb->me], &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0 ||
	    rte_thread_register() != 0)
		fail("no thread on CPU %d", p->cpu[mb->me]);
	if (rte_pktmbuf_alloc_bulk(p->pool[mb->me], frames, BATCH) != 0)
		fail("no packet buffers left");
	for (uint32_t i = 0; i < p->rounds * 2; i++) {
		const bool handed = i % 2 == 0;
		const unsigned int receiver = handed ? 0 : 1;
		uint64_t cycles = 0;

		if (mb->me == receiver)
			mesh_fill(&p->m, receiver, handed, frames, BATCH);
		meet(p, &times);
		if (mb->me == receiver)
			cycles = receive(p, receiver, frames);
		else if (handed)
			cycles = take(p, 1);
		p->cycles[handed][mb->me][i / 2] = (double)cycles / BATCH;
		meet(p, &times);
	}
	rte_pktmbuf_free_bulk(frames, BATCH);
	rte_thread_unregister();
	return NULL;
}

static void threads_run(struct pair *p)
{
	struct member members[2];
	pthread_t threads[2];

	for (unsigned int i = 0; i < 2; i++) {
		members[i] = (struct member){p, i};
		if (pthread_create(&threads[i], NULL, member_run, &members[i]) != 0)
			fail("a second thread does not start");
	}
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* The receiver's work, the owner's, and both, each against a packet that arrives at its owner. */
static void rows_make(struct pair *p)
{
	const double direct = median(p->cycles[false][1], p->rounds);
	const double receiver = median(p->cycles[true][0], p->rounds);
	const double owner = median(p->cycles[true][1], p->rounds);
	const uint32_t n = p->m.connections;

	row_add_limit("handoff-threads/receiver", n, receiver, "cycles/packet", direct,
		      receiver / direct, 0);
	row_add_limit("handoff-threads/owner", n, owner, "cycles/packet", direct, owner / direct,
		      0);
	row_add_limit("handoff-threads/both", n, receiver + owner, "cycles/packet", direct,
		      (receiver + owner) / direct, 0);
}

void bench_handoff_threads(const struct options *o, const uint16_t dev[2], int cpu)
{
	struct pair *p;

	if (!wanted(o, "handoff-threads/"))
		return;
	p = calloc(1, sizeof(*p));
	if (!p)
		fail("no memory for two threads");
	p->rounds = o->quick ? 300 : 1500;
	p->cpu[0] = cpu;
	p->cpu[1] = cpu > 0 ? cpu - 1 : cpu + 1;
	for (unsigned int i = 0; i < 2; i++) {
		p->pool[i] = thread_pool(i);
		for (unsigned int k = 0; k < 2; k++) {
			p->cycles[k][i] = calloc(p->rounds, sizeof(double));
			if (!p->cycles[k][i])
				fail("no memory for %u rounds", p->rounds);
		}
	}
	mesh_create(&p->m, 2, o->connections ? o->connections : CONNECTIONS, dev, NULL, p->pool[0]);
	threads_run(p);
	mesh_sent(&p->m);
	rows_make(p);
	mesh_destroy(&p->m);
	for (unsigned int i = 0; i < 2; i++)
		for (unsigned int k = 0; k < 2; k++)
			free(p->cycles[k][i]);
	free(p);
}
