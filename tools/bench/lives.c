/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections in virtual time, while as many as the table is for wait for their end. A round makes
 * BATCH of them, and as many end. Where they end by time-out, the table has room, and time goes on
 * by as much in each round as keeps their number. Where they end by giving way, the table is full,
 * and each entry becomes another's within a second.
 */
#include "bench.h"

#include <rte_cycles.h>

#include "dataplane/conn/tcp_state.h"

#define CLOSED_TICKS (120 * CONN_TICK_HZ) /* TIME_WAIT, FIN_WAIT */
#define SYN_TICKS    (60 * CONN_TICK_HZ)  /* SYN_RECV */
#define FULL_TICKS   CONN_TICK_HZ

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

static bool syns_alone(const struct lives *l)
{
	return l->kind == LIVES_SYN_TIMED || l->kind == LIVES_SYN_FULL;
}

static bool gives_way(const struct lives *l)
{
	return l->kind == LIVES_FULL || l->kind == LIVES_SYN_FULL;
}

static const struct step *steps_of(const struct lives *l)
{
	return scene_replies(l->s) ? steps_nat : steps_dr;
}

unsigned int lives_packets(const struct lives *l)
{
	if (syns_alone(l))
		return 1;
	return scene_replies(l->s) ? RTE_DIM(steps_nat) : RTE_DIM(steps_dr);
}

static uint32_t id_of(const struct lives *l, uint32_t k)
{
	return (uint32_t)((l->made + k) % l->s->n);
}

/* A packet of each of BATCH connections. */
static uint64_t step_run(struct lives *l, enum pkt_dir dir, uint8_t flags)
{
	struct scene *s = l->s;
	uint64_t start, cycles;

	for (uint32_t k = 0; k < BATCH; k++)
		packet_write(s, l->frames[k], id_of(l, k), dir, flags);
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
static uint32_t tick_of(const struct lives *l, uint64_t i)
{
	const uint64_t ticks = gives_way(l) ? FULL_TICKS : syns_alone(l) ? SYN_TICKS : CLOSED_TICKS;

	return (uint32_t)(i * ticks / l->population);
}

uint64_t lives_round(struct lives *l)
{
	struct scene *s = l->s;
	const unsigned int n = lives_packets(l);
	uint64_t cycles = 0;

	for (unsigned int i = 0; i < n; i++) {
		s->tick = tick_of(l, l->made + BATCH * i / n);
		cycles += step_run(l, steps_of(l)[i].dir, steps_of(l)[i].flags);
		for (uint32_t k = 0; k < BATCH && i == 0; k++)
			scene_note(s, id_of(l, k));
	}
	for (uint32_t k = 0; k < BATCH; k++)
		l->lost += !scene_has(s, id_of(l, k));
	l->made += BATCH;
	return cycles;
}

uint64_t lives_established(struct lives *l, unsigned int n)
{
	uint64_t cycles = 0;

	for (unsigned int i = 0; i < n; i++)
		cycles += step_run(l, steps_of(l)[i].dir, TCP_ACK | TCP_PSH);
	l->made += BATCH;
	return cycles;
}

void lives_init(struct lives *l, struct scene *s, enum lives_kind kind, uint32_t population,
		struct rte_mempool *pool)
{
	*l = (struct lives){.s = s, .kind = kind, .population = population, .pool = pool};
	if (rte_pktmbuf_alloc_bulk(pool, l->frames, BATCH) != 0)
		fail("no packet buffers left");
}

void lives_fini(struct lives *l)
{
	rte_pktmbuf_free_bulk(l->frames, BATCH);
}

/* Each connection ended as it should: those of a full table by giving way, the others by time-out.
 * Expiry is some rounds late at most. */
static void check_ends(const struct lives *l)
{
	const struct worker_counters *c = &l->s->w->counters;
	const uint64_t evicted = c->evicted + c->evicted_not_assured + c->evicted_idle;
	const uint64_t kind = syns_alone(l) ? c->evicted : c->evicted_ending;

	if (gives_way(l)) {
		if (kind + c->connections != l->made || c->expired != 0 ||
		    evicted + c->evicted_ending != kind)
			fail("new connections: %lu of %lu gave way, %lu expired",
			     (unsigned long)kind, (unsigned long)(l->made - c->connections),
			     (unsigned long)c->expired);
	} else if (evicted + c->evicted_ending != 0) {
		fail("new connections: %lu gave way", (unsigned long)(evicted + c->evicted_ending));
	}
	if (c->connections > l->population + l->population / 5 + BATCH ||
	    c->connections + l->population / 5 < l->population)
		fail("new connections: %lu wait for their end, %u should",
		     (unsigned long)c->connections, l->population);
}

void lives_check(const struct lives *l)
{
	const struct worker_counters *c = &l->s->w->counters;

	for (unsigned int r = 0; r < DROP_MAX; r++)
		if (c->dropped[r] != 0)
			fail("new connections: packets were dropped: %s", drop_names[r]);
	if (c->created != l->made || c->reused != 0)
		fail("new connections: %lu made of %lu", (unsigned long)c->created,
		     (unsigned long)l->made);
	if (c->sent != l->made * lives_packets(l) || l->lost != 0)
		fail("new connections: %lu packets sent of %lu, %lu connections ended early",
		     (unsigned long)c->sent, (unsigned long)(l->made * lives_packets(l)),
		     (unsigned long)l->lost);
	check_ends(l);
}
