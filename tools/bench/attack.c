/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of 200,000 entries under attack, in virtual time: 10,000 handshakes a second from
 * sources that do not exist, a SYN and a tick later an ACK with any numbers; 1,000 new clients a
 * second beside them, of which the SYN is never sent twice; 20,000 connections that were assured
 * before and are idle. Then the same table with nothing but short connections, many more than
 * have room for their ends, while time stands still.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "dataplane/conn/tcp_state.h"

#define TABLE	    160000 /* and a quarter more: scene_create() */
#define IDLE	    20000
#define PAIRS	    640	       /* a tick: 10,240 a second */
#define CLIENTS	    64	       /* a tick: 1,024 a second */
#define CLIENT_LIFE 8	       /* ticks */
#define ATTACK_FROM 0x1000000U /* the first of the attack's connections */

struct attack {
	struct scene *s;
	struct rte_mempool *pool;
	uint32_t asked, served; /* clients */
};

/* A packet of each of n connections; n is a multiple of BURST_MAX. */
static uint64_t pass(struct attack *a, uint32_t first, uint32_t n, enum pkt_dir dir, uint8_t flags)
{
	struct rte_mbuf *frames[BURST_MAX];
	uint64_t cycles = 0, start;

	for (uint32_t i = first; i < first + n; i += BURST_MAX) {
		if (rte_pktmbuf_alloc_bulk(a->pool, frames, BURST_MAX) != 0)
			fail("no packet buffers left");
		for (uint32_t k = 0; k < BURST_MAX; k++)
			packet_write(a->s, frames[k], i + k, dir, flags);
		start = rte_rdtsc_precise();
		worker_env_update(a->s->w, a->s->tick, a->s->tick / CONN_TICK_HZ);
		pipeline_run(a->s->w, frames, BURST_MAX);
		pipeline_expire(a->s->w);
		pipeline_flush(a->s->w);
		cycles += rte_rdtsc_precise() - start;
	}
	return cycles;
}

/* Returns cycles per packet. No SYN-ACK came, so what an ACK acknowledges proves nothing. */
static double attack_tick(struct attack *a, uint32_t tick)
{
	const uint32_t first = ATTACK_FROM + (tick + 1) * PAIRS;
	uint64_t cycles = pass(a, first, PAIRS, DIR_IN, TCP_SYN);

	cycles += pass(a, first - PAIRS, PAIRS, DIR_IN, TCP_ACK);
	return (double)cycles / (2 * PAIRS);
}

/* Both return cycles, of all packets. */
static uint64_t clients_open(struct attack *a, uint32_t first)
{
	uint64_t cycles = pass(a, first, CLIENTS, DIR_IN, TCP_SYN);

	for (uint32_t i = first; i < first + CLIENTS; i++) {
		a->asked++;
		if (scene_has(a->s, i))
			a->s->server_of[i] = (uint16_t)scene_server_look(a->s, i);
	}
	if (a->s->method == FWD_NAT)
		cycles += pass(a, first, CLIENTS, DIR_OUT, TCP_SYN | TCP_ACK);
	return cycles + pass(a, first, CLIENTS, DIR_IN, TCP_ACK);
}

static uint64_t clients_close(struct attack *a, uint32_t first)
{
	uint64_t cycles;

	for (uint32_t i = first; i < first + CLIENTS; i++)
		a->served += scene_has(a->s, i);
	cycles = pass(a, first, CLIENTS, DIR_IN, TCP_FIN | TCP_ACK);
	if (a->s->method == FWD_NAT)
		cycles += pass(a, first, CLIENTS, DIR_OUT, TCP_FIN | TCP_ACK);
	return cycles + pass(a, first, CLIENTS, DIR_IN, TCP_ACK);
}

static uint32_t idle_left(const struct scene *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < IDLE; i++)
		n += scene_has(s, i);
	return n;
}

static void bench_method(const struct options *o, enum forward_method method, uint16_t dev,
			 struct rte_mempool *pool)
{
	const char *const name = method == FWD_NAT ? "attack/nat" : "attack/dr";
	const uint32_t ticks = (o->quick ? 60 : 240) * CONN_TICK_HZ;
	const uint32_t first = (IDLE + BATCH - 1) / BATCH * BATCH;
	const uint32_t full = TABLE * 2 / PAIRS;
	const uint32_t half = TABLE / 2 / PAIRS; /* ticks until the table is half full */
	struct attack a = {.pool = pool};
	struct scene s;
	double *cycles;
	char row[64];

	if (!wanted(o, name))
		return;
	cycles = calloc(ticks, sizeof(*cycles));
	if (!cycles)
		fail("no memory for %u values", ticks);
	a.s = &s;
	scene_create(&s, ADDR_V4, method, first + ticks * CLIENTS, TABLE, dev);
	s.n = IDLE;
	scene_connect(&s, pool);
	for (uint32_t t = 0; t < ticks; t++, s.tick++) {
		cycles[t] = attack_tick(&a, t);
		clients_open(&a, first + t * CLIENTS);
		if (t >= CLIENT_LIFE)
			clients_close(&a, first + (t - CLIENT_LIFE) * CLIENTS);
	}
	if (s.w->counters.evicted + s.w->counters.evicted_not_assured < TABLE)
		fail("%s: the attack did not fill the table", name);
	row_add(name, s.w->v4.table.capacity, median(cycles + full, ticks - full), "cycles",
		median(cycles, half));
	snprintf(row, sizeof(row), "%s/served", name);
	row_add(row, a.asked - CLIENT_LIFE * CLIENTS,
		100.0 * a.served / (a.asked - CLIENT_LIFE * CLIENTS), "%", 0);
	snprintf(row, sizeof(row), "%s/idle", name);
	row_add(row, IDLE, 100.0 * idle_left(&s) / IDLE, "%", 0);
	scene_destroy(&s);
	free(cycles);
}

/* Each connection displaces the end of another. */
static void bench_ends(const struct options *o, enum forward_method method, uint16_t dev,
		       struct rte_mempool *pool)
{
	const char *const name = method == FWD_NAT ? "ends/nat" : "ends/dr";
	const uint32_t rounds = (o->quick ? 10 : 40) * (TABLE / CLIENTS), full = rounds / 4;
	struct attack a = {.pool = pool};
	struct scene s;
	double *cycles;

	if (!wanted(o, name))
		return;
	cycles = calloc(rounds, sizeof(*cycles));
	if (!cycles)
		fail("no memory for %u values", rounds);
	a.s = &s;
	scene_create(&s, ADDR_V4, method, rounds * CLIENTS, TABLE, dev);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t sum = clients_open(&a, i * CLIENTS);

		sum += clients_close(&a, i * CLIENTS);
		cycles[i] = (double)sum / CLIENTS;
	}
	if (a.served != a.asked || s.w->counters.evicted_ending < a.asked / 2)
		fail("%s: %u of %u connections were served", name, a.served, a.asked);
	row_add(name, s.w->v4.table.capacity,
		(double)rte_get_tsc_hz() / median(cycles + full, rounds - full), "connections/s",
		0);
	scene_destroy(&s);
	free(cycles);
}

void bench_attack(const struct options *o, uint16_t dev, struct rte_mempool *pool)
{
	bench_method(o, FWD_DR, dev, pool);
	bench_method(o, FWD_NAT, dev, pool);
	bench_ends(o, FWD_DR, dev, pool);
	bench_ends(o, FWD_NAT, dev, pool);
}
