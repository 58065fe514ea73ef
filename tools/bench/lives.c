/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole connections in virtual time: each is made, established, closed by both sides and timed
 * out, while as many as the table is for wait for their end. Time goes on by as much in each
 * round as keeps their number, so that every round makes and expires the same number.
 */
#include "bench.h"

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

/* One packet of each of BATCH connections. */
static uint64_t step_run(struct lives *l, const struct step *step)
{
	struct scene *s = l->s;
	uint64_t start, cycles;

	for (uint32_t k = 0; k < BATCH; k++)
		packet_write(s, l->frames[k], (uint32_t)((l->made + k) % s->n), step->dir,
			     step->flags);
	collect_toggle();
	start = rte_rdtsc_precise();
	for (unsigned int i = 0; i < BATCH; i += BURST_MAX) {
		worker_env_update(s->w, s->tick, s->tick / CONN_TICK_HZ);
		pipeline_run(s->w, l->frames + i, BURST_MAX);
		pipeline_expire(s->w);
		pipeline_flush(s->w);
		scene_sync_drain(s);
		if (rte_pktmbuf_alloc_bulk(l->pool, l->frames + i, BURST_MAX) != 0)
			fail("the stages kept packet buffers");
	}
	cycles = rte_rdtsc_precise() - start;
	collect_toggle();
	scene_sink_drain(s);
	return cycles;
}

/* The time at which connection i of the run is made. */
static uint32_t tick_of(uint64_t i, uint32_t population)
{
	return (uint32_t)(i * CLOSED_TICKS / population);
}

uint64_t lives_round(struct lives *l)
{
	struct scene *s = l->s;
	const struct step *steps = s->method == FWD_NAT ? steps_nat : steps_dr;
	unsigned int n = s->method == FWD_NAT ? RTE_DIM(steps_nat) : RTE_DIM(steps_dr);
	uint64_t cycles = 0;

	for (unsigned int i = 0; i < n; i++) {
		s->tick = tick_of(l->made + BATCH * i / n, l->population);
		cycles += step_run(l, &steps[i]);
		for (uint32_t k = 0; k < BATCH && i == 0; k++) {
			uint32_t id = (uint32_t)((l->made + k) % s->n);

			s->server_of[id] = (uint8_t)scene_server_look(s, id);
		}
	}
	l->made += BATCH;
	return cycles;
}

void lives_init(struct lives *l, struct scene *s, uint32_t population, struct rte_mempool *pool)
{
	*l = (struct lives){.s = s, .population = population, .pool = pool};
	if (rte_pktmbuf_alloc_bulk(pool, l->frames, BATCH) != 0)
		fail("no packet buffers left");
}

void lives_fini(struct lives *l)
{
	rte_pktmbuf_free_bulk(l->frames, BATCH);
}

void lives_check(const struct lives *l)
{
	const struct worker_counters *c = &l->s->w->counters;

	for (unsigned int r = 0; r < DROP_MAX; r++)
		if (c->dropped[r] != 0)
			fail("new connections: packets were dropped: %s", drop_names[r]);
	if (c->created != l->made || c->evicted != 0 || c->reused != 0)
		fail("new connections: %lu made of %lu", (unsigned long)c->created,
		     (unsigned long)l->made);
	if (c->connections > l->population + l->population / 5 + BATCH)
		fail("new connections: %lu wait for their end, %u should",
		     (unsigned long)c->connections, l->population);
}
