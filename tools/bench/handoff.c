/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hand-off between workers: established NAT packets through many workers on one thread, one
 * after the other as their loops would. In one subject each packet arrives at a worker that does
 * not own its connection, so that each is handed over, and a worker's packets go to all others
 * alike. In the other each packet arrives at its owner. The difference is what a handed-off packet
 * costs in work: parse and steer are done once, rings are filled and looked at, bursts are
 * gathered. What caches of other CPUs add, handoff_threads.c measures.
 */
#include "mesh.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "dataplane/arrivals.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/rings.h"

#define CONNECTIONS 100000 /* of all workers together */

static void rings_make(struct mesh *m)
{
	for (unsigned int from = 0; from < m->n; from++) {
		for (unsigned int to = 0; to < m->n; to++) {
			if (from == to)
				continue;
			m->rings[from][to] = handoff_ring_create(m->n, -1);
			if (!m->rings[from][to])
				fail("no memory for the rings of %u workers", m->n);
			m->s[from].w->ring_to[to] = m->rings[from][to];
			m->s[to].w->ring_from[from] = m->rings[from][to];
		}
	}
}

static unsigned int owner_of(const struct mesh *m, uint32_t i)
{
	return owner4(&m->owners, scene4_client(i), scene_client_port(i));
}

/* A packet of connection i, at its owner. */
static void pass(struct mesh *m, uint32_t i, enum pkt_dir dir, uint8_t flags,
		 struct rte_mempool *pool)
{
	struct scene *front = &m->front;
	struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);

	if (!frame)
		fail("no packet buffers left");
	front->w = m->s[owner_of(m, i)].w;
	packet_write(front, frame, i, dir, flags);
	pipeline_run(front->w, &frame, 1);
	pipeline_flush(front->w);
	scene_sink_drain(front);
}

static void connect_all(struct mesh *m, struct rte_mempool *pool)
{
	for (uint32_t i = 0; i < m->connections; i++) {
		const unsigned int owner = owner_of(m, i);

		pass(m, i, DIR_IN, TCP_SYN, pool);
		scene_note(&m->front, i);
		pass(m, i, DIR_OUT, TCP_SYN | TCP_ACK, pool);
		pass(m, i, DIR_IN, TCP_ACK, pool);
		m->of[owner][m->n_of[owner]++] = i;
	}
	for (unsigned int k = 0; k < m->n; k++)
		if (m->n_of[k] == 0)
			fail("worker %u of %u owns no connection", k, m->n);
}

void mesh_create(struct mesh *m, unsigned int n, uint32_t connections, const uint16_t *devs,
		 struct rte_ring *sink, struct rte_mempool *pool)
{
	memset(m, 0, sizeof(*m));
	m->n = n;
	m->connections = connections;
	owner_map_init(&m->owners, n);
	for (unsigned int k = 0; k < n; k++) {
		const struct scene_plan plan = {.family = ADDR_V4,
						.method = FWD_NAT,
						.n = connections,
						.max = connections / n,
						.dev = devs[k],
						.n_servers = N_SERVERS,
						.sched = "wlc",
						.worker = (uint16_t)k,
						.n_workers = (uint16_t)n,
						.with = k ? m->s[0].pub : NULL};

		scene_create_as(&m->s[k], &plan);
		m->s[k].w->n_workers = (uint16_t)n;
		m->s[k].w->owners = &m->owners;
		m->of[k] = calloc(connections, sizeof(*m->of[k]));
		if (!m->of[k])
			fail("no memory for %u connections", connections);
	}
	m->front = m->s[0];
	m->front.sink = sink;
	rings_make(m);
	connect_all(m, pool);
}

void mesh_destroy(struct mesh *m)
{
	for (unsigned int from = 0; from < m->n; from++)
		for (unsigned int to = 0; to < m->n; to++)
			handoff_ring_free(m->rings[from][to]);
	for (unsigned int k = m->n; k-- > 0;) {
		scene_destroy(&m->s[k]);
		free(m->of[k]);
	}
}

void mesh_fill(struct mesh *m, unsigned int at, bool handed, struct rte_mbuf **frames,
	       unsigned int n)
{
	for (unsigned int k = 0; k < n; k++) {
		const unsigned int owner =
			handed ? (at + 1 + m->next_owner++ % (m->n - 1)) % m->n : at;
		const uint64_t x = worker_random(m->s[0].w);

		packet_write(&m->front, frames[k], m->of[owner][(x >> 32) * m->n_of[owner] >> 32],
			     x & 1 ? DIR_OUT : DIR_IN, TCP_ACK | TCP_PSH);
	}
}

uint64_t mesh_sent(const struct mesh *m)
{
	uint64_t sent = 0;

	for (unsigned int k = 0; k < m->n; k++) {
		const struct worker_counters *c = &m->s[k].w->counters;

		sent += c->sent;
		for (unsigned int r = 0; r < DROP_MAX; r++)
			if (c->dropped[r])
				fail("hand-off: packets were dropped: %s", drop_names[r]);
	}
	return sent;
}

void mesh_round(struct mesh *m, unsigned int at, struct rte_mbuf **frames, uint16_t n)
{
	struct worker *w = m->s[at].w;

	worker_env_update(w, 0, 1);
	if (n)
		pipeline_run(w, frames, n);
	arrivals_receive(w);
	pipeline_expire(w);
	pipeline_flush(w);
}

/* A burst for each worker, and what it hands over. Returns TSC cycles. */
static uint64_t all_rounds(struct mesh *m, bool handed, struct rte_mempool *pool)
{
	struct rte_mbuf *frames[MAX_WORKERS][BURST_MAX];
	const uint64_t sent = mesh_sent(m);
	uint64_t cycles;

	for (unsigned int k = 0; k < m->n; k++) {
		if (rte_pktmbuf_alloc_bulk(pool, frames[k], BURST_MAX) != 0)
			fail("no packet buffers left");
		mesh_fill(m, k, handed, frames[k], BURST_MAX);
	}
	collect_toggle();
	cycles = rte_rdtsc_precise();
	for (unsigned int k = 0; k < m->n; k++)
		mesh_round(m, k, frames[k], BURST_MAX);
	/* Packets in the rings of workers that had had their turn. */
	for (unsigned int k = 0; k < m->n && handed; k++)
		mesh_round(m, k, NULL, 0);
	cycles = rte_rdtsc_precise() - cycles;
	collect_toggle();
	scene_sink_drain(&m->front);
	if (mesh_sent(m) - sent != m->n * BURST_MAX)
		fail("hand-off: %lu packets were sent of %u", (unsigned long)(mesh_sent(m) - sent),
		     m->n * BURST_MAX);
	return cycles;
}

uint32_t mesh_run(struct mesh *m, bool handed, uint32_t rounds, struct rte_mempool *pool)
{
	for (uint32_t i = 0; i < rounds; i++)
		all_rounds(m, handed, pool);
	return rounds * m->n * BURST_MAX;
}

static void bench_workers(const struct options *o, unsigned int n, uint16_t dev,
			  struct rte_mempool *pool)
{
	const uint32_t blocks = o->quick ? 100 : 400, rounds = 256 / n;
	double *values[2], *ratios = calloc(blocks, sizeof(double));
	struct mesh *m = calloc(1, sizeof(*m));
	uint16_t devs[MAX_WORKERS];
	char name[32];

	snprintf(name, sizeof(name), "handoff/nat-%u", n);
	for (unsigned int k = 0; k < n; k++)
		devs[k] = dev;
	for (unsigned int side = 0; side < 2; side++)
		values[side] = calloc(blocks, sizeof(double));
	if (!m || !values[0] || !values[1] || !ratios)
		fail("no memory for %u workers", n);
	if (wanted(o, name)) {
		mesh_create(m, n, o->connections ? o->connections : CONNECTIONS, devs, NULL, pool);
		for (uint32_t i = 0; i < blocks * 2; i++) {
			uint64_t cycles = 0;

			for (uint32_t k = 0; k < rounds; k++)
				cycles += all_rounds(m, i % 2 == 0, pool);
			values[i % 2][i / 2] = (double)cycles / (rounds * n * BURST_MAX);
		}
		for (uint32_t i = 0; i < blocks; i++)
			ratios[i] = values[0][i] / values[1][i];
		row_add_limit(name, m->connections, median(values[0], blocks), "cycles/packet",
			      median(values[1], blocks), median(ratios, blocks), 0);
		mesh_destroy(m);
	}
	for (unsigned int side = 0; side < 2; side++)
		free(values[side]);
	free(ratios);
	free(m);
}

void bench_handoff(const struct options *o, uint16_t dev, struct rte_mempool *pool)
{
	static const unsigned int workers[] = {2, 4, 8, 16, 32, 64};

	for (unsigned int i = 0; i < RTE_DIM(workers); i++)
		if (!o->quick || workers[i] == 2 || workers[i] == 8 || workers[i] == 64)
			bench_workers(o, workers[i], dev, pool);
}
