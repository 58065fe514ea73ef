/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * New connections per second, sustained: each is made, established, closed by both sides
 * and timed out, while as many as the table is for wait for their end. Time is virtual: it
 * goes on by as much in each round as keeps their number, so that every round makes and
 * expires the same number of connections.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "dataplane/conn/tcp_state.h"

#define CLOSED_TICKS (120 * CONN_TICK_HZ) /* TIME_WAIT, FIN_WAIT */

struct step {
	enum pkt_dir dir;
	uint8_t flags;
};

static const struct step steps_nat[] = {
	{DIR_IN, TCP_SYN},	     {DIR_OUT, TCP_SYN | TCP_ACK}, {DIR_IN, TCP_ACK},
	{DIR_IN, TCP_FIN | TCP_ACK}, {DIR_OUT, TCP_FIN | TCP_ACK}, {DIR_IN, TCP_ACK},
};
static const struct step steps_dr[] = {
	{DIR_IN, TCP_SYN},
	{DIR_IN, TCP_ACK},
	{DIR_IN, TCP_FIN | TCP_ACK},
	{DIR_IN, TCP_ACK},
};

/* One packet of each of BATCH connections, first and following. */
static uint64_t step_run(struct scene *s, const struct step *step, uint64_t first,
			 struct rte_mbuf **frames, struct rte_mempool *pool)
{
	uint64_t start;

	for (uint32_t k = 0; k < BATCH; k++)
		packet_write(s, frames[k], (uint32_t)((first + k) % s->n), step->dir, step->flags);
	start = rte_rdtsc_precise();
	for (unsigned int i = 0; i < BATCH; i += BURST_MAX) {
		worker_env_update(s->w, s->tick, s->tick / CONN_TICK_HZ);
		pipeline_run(s->w, frames + i, BURST_MAX);
		pipeline_expire(s->w);
		pipeline_flush(s->w);
		scene_sync_drain(s);
		if (rte_pktmbuf_alloc_bulk(pool, frames + i, BURST_MAX) != 0)
			fail("the stages kept packet buffers");
	}
	return rte_rdtsc_precise() - start;
}

/* The time at which connection i of the run is made. */
static uint32_t tick_of(uint64_t i, uint32_t population)
{
	return (uint32_t)(i * CLOSED_TICKS / population);
}

static uint64_t round_run(struct scene *s, uint64_t first, uint32_t population,
			  struct rte_mbuf **frames, struct rte_mempool *pool)
{
	const struct step *steps = s->method == FWD_NAT ? steps_nat : steps_dr;
	unsigned int n = s->method == FWD_NAT ? RTE_DIM(steps_nat) : RTE_DIM(steps_dr);
	uint64_t cycles = 0;

	for (unsigned int i = 0; i < n; i++) {
		s->tick = tick_of(first + BATCH * i / n, population);
		cycles += step_run(s, &steps[i], first, frames, pool);
		for (uint32_t k = 0; k < BATCH && i == 0; k++) {
			uint32_t id = (uint32_t)((first + k) % s->n);

			s->server_of[id] = (uint8_t)scene_server_look(s, id);
		}
	}
	return cycles;
}

static void check_sustained(const struct scene *s, uint64_t created, uint32_t population)
{
	const struct worker_counters *c = &s->w->counters;

	for (unsigned int r = 0; r < DROP_MAX; r++)
		if (c->dropped[r] != 0)
			fail("new connections: packets were dropped: %s", drop_names[r]);
	if (c->created != created || c->evicted != 0 || c->reused != 0)
		fail("new connections: %lu made of %lu", (unsigned long)c->created,
		     (unsigned long)created);
	if (c->connections > population + population / 5)
		fail("new connections: %lu wait for their end, %u should",
		     (unsigned long)c->connections, population);
}

static void bench_method(const struct options *o, enum forward_method method, uint32_t population,
			 uint16_t dev, struct rte_mempool *pool, bool sync)
{
	const char *name = sync		       ? "new-connections/sync"
			   : method == FWD_NAT ? "new-connections"
					       : "new-connections/dr";
	uint32_t fill = population / BATCH + 8, rounds = o->quick ? 300 : 2000;
	uint64_t first = 0;
	struct rte_mbuf *frames[BATCH];
	double *cycles;
	struct scene s;

	if (!wanted(o, name))
		return;
	cycles = calloc(rounds, sizeof(double));
	scene_create(&s, method, population * 4, population, dev);
	if (sync)
		scene_sync(&s);
	if (!cycles || rte_pktmbuf_alloc_bulk(pool, frames, BATCH) != 0)
		fail("no packet buffers left");
	for (uint32_t i = 0; i < fill; i++, first += BATCH)
		round_run(&s, first, population, frames, pool);
	for (uint32_t i = 0; i < rounds; i++, first += BATCH)
		cycles[i] = (double)round_run(&s, first, population, frames, pool) / BATCH;
	check_sustained(&s, (uint64_t)(fill + rounds) * BATCH, population);
	row_add(name, population, (double)rte_get_tsc_hz() / median(cycles, rounds),
		"connections/s", 0);
	rte_pktmbuf_free_bulk(frames, BATCH);
	if (sync)
		scene_sync_end(&s);
	scene_destroy(&s);
	free(cycles);
}

/* Rounds with counting of handshakes and without, in turn. */
static void bench_counted(const struct options *o, uint32_t population, uint16_t dev,
			  struct rte_mempool *pool)
{
	uint32_t fill = population / BATCH + 8, rounds = o->quick ? 600 : 3000;
	struct rte_mbuf *frames[BATCH];
	double *cycles[2];
	uint64_t first = 0;
	uint32_t *stamps;
	struct scene s;

	if (!wanted(o, "passive/connection"))
		return;
	cycles[0] = calloc(rounds, sizeof(double));
	cycles[1] = calloc(rounds, sizeof(double));
	scene_create(&s, FWD_NAT, population * 4, population, dev);
	stamps = s.w->syn_stamps;
	if (!cycles[0] || !cycles[1] || rte_pktmbuf_alloc_bulk(pool, frames, BATCH) != 0)
		fail("no packet buffers left");
	for (uint32_t i = 0; i < fill; i++, first += BATCH)
		round_run(&s, first, population, frames, pool);
	for (uint32_t i = 0; i < rounds * 2; i++, first += BATCH) {
		s.w->syn_stamps = i % 2 ? stamps : NULL;
		cycles[i % 2][i / 2] =
			(double)round_run(&s, first, population, frames, pool) / BATCH;
	}
	s.w->syn_stamps = stamps;
	check_sustained(&s, (uint64_t)(fill + rounds * 2) * BATCH, population);
	row_add("passive/connection", population, median(cycles[1], rounds), "cycles/conn",
		median(cycles[0], rounds));
	rte_pktmbuf_free_bulk(frames, BATCH);
	scene_destroy(&s);
	free(cycles[0]);
	free(cycles[1]);
}

void bench_lifecycle(const struct options *o, uint16_t dev, struct rte_mempool *pool)
{
	uint32_t population = o->connections ? o->connections : 1000000;

	if (population < BATCH * 4)
		return;
	bench_method(o, FWD_DR, population, dev, pool, false);
	bench_method(o, FWD_NAT, population, dev, pool, false);
	bench_method(o, FWD_NAT, population, dev, pool, true);
	bench_counted(o, population, dev, pool);
}
