/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the cost of a connection's life: cycles of all its packets and of its end, less those of
 * as many packets, in the same order, on connections that are established and assured. Rounds of
 * both alternate, and a pair during which the kernel took the CPU away is left out.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>

#define PAIRS_TRIED 20 /* times as many as are wanted, at most */

static const char *const kind_names[] = {[LIVES_TIMED] = "life",
					 [LIVES_FULL] = "life-full",
					 [LIVES_SYN_TIMED] = "syn",
					 [LIVES_SYN_FULL] = "syn-full"};

/* The table's size, for scene_create(). Half-open connections get half of a table. */
static uint32_t table_for(enum lives_kind kind, uint32_t population)
{
	switch (kind) {
	case LIVES_FULL:
		return population * 4ULL / 5;
	case LIVES_SYN_TIMED:
		return population * 2;
	case LIVES_SYN_FULL:
		return population * 8ULL / 5;
	default:
		return population;
	}
}

static void measure_kind(const struct options *o, enum lives_kind kind, const char *name,
			 struct lives *established, uint32_t population, uint16_t dev)
{
	const uint32_t rounds = o->quick ? 300 : 2000, fill = population / BATCH * 5 / 4 + 8;
	double *over = calloc(rounds, sizeof(*over)), *packets = calloc(rounds, sizeof(*packets));
	struct lives lives;
	uint32_t n = 0;
	struct scene s;

	if (!over || !packets)
		fail("no memory for %u rounds", rounds);
	scene_create(&s, ADDR_V4, established->s->method, population * 4,
		     table_for(kind, population), dev);
	lives_init(&lives, &s, kind, population, established->pool);
	for (uint32_t i = 0; i < fill; i++)
		lives_round(&lives);
	for (uint32_t i = 0; n < rounds && i < rounds * PAIRS_TRIED; i++) {
		const long before = times_preempted();
		const double life = (double)lives_round(&lives) / BATCH;

		packets[n] = (double)lives_established(established, lives_packets(&lives)) / BATCH;
		over[n] = life - packets[n];
		n += times_preempted() == before;
	}
	if (n < rounds / 10)
		fail("%s: the CPU was taken away in nearly all rounds", name);
	lives_check(&lives);
	row_add(name, population, median(over, n), "cycles/conn", median(packets, n));
	lives_fini(&lives);
	scene_destroy(&s);
	free(over);
	free(packets);
}

void bench_life_cost(const struct options *o, enum forward_method method, uint32_t population,
		     uint16_t dev, struct rte_mempool *pool)
{
	char names[RTE_DIM(kind_names)][32];
	struct lives established;
	uint64_t sent, lookups;
	bool any = false;
	struct scene s;

	for (unsigned int kind = 0; kind < RTE_DIM(kind_names); kind++) {
		snprintf(names[kind], sizeof(names[kind]), "%s/%s", kind_names[kind],
			 method == FWD_NAT ? "nat" : "dr");
		any |= wanted(o, names[kind]);
	}
	if (!any)
		return;
	scene_create(&s, ADDR_V4, method, population, population, dev);
	scene_connect(&s, pool);
	sent = s.w->counters.sent;
	lookups = s.w->counters.lookups;
	lives_init(&established, &s, LIVES_TIMED, population, pool);
	for (unsigned int kind = 0; kind < RTE_DIM(kind_names); kind++)
		if (wanted(o, names[kind]))
			measure_kind(o, (enum lives_kind)kind, names[kind], &established,
				     population, dev);
	check_sent(s.w, sent, lookups);
	lives_fini(&established);
	scene_destroy(&s);
}
