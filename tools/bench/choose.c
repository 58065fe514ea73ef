/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole connections by NAT (lives.c) with many servers against 16, in turn: the cost of a choice
 * must not grow with the list. The rows of rr, which looks at no server but the next, say what the
 * counters, next hops and run-time state of so many servers cost apart from the choice.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT 1.15

struct side {
	struct scene s;
	struct lives lives;
	double *cycles;
};

static void side_start(struct side *e, const char *sched, uint32_t servers, uint32_t population,
		       uint32_t rounds, uint16_t dev, struct rte_mempool *pool)
{
	const struct scene_plan plan = {.family = ADDR_V4,
					.method = FWD_NAT,
					.n = population * 4,
					.max = population,
					.dev = dev,
					.n_servers = servers,
					.sched = sched,
					.n_workers = 1};

	e->cycles = calloc(rounds, sizeof(double));
	if (!e->cycles)
		fail("no memory for %u rounds", rounds);
	scene_create_as(&e->s, &plan);
	lives_init(&e->lives, &e->s, LIVES_TIMED, population, pool);
	for (uint32_t i = 0; i < population / BATCH + 8; i++)
		lives_round(&e->lives);
}

static void side_end(struct side *e)
{
	lives_check(&e->lives);
	lives_fini(&e->lives);
	scene_destroy(&e->s);
	free(e->cycles);
}

static void bench_servers(const struct options *o, const char *sched, uint32_t servers,
			  uint32_t population, double limit, uint16_t dev, struct rte_mempool *pool)
{
	const uint32_t rounds = o->quick ? 300 : 1000;
	struct side *many = calloc(2, sizeof(*many)), *few = many + 1;
	double *ratios = calloc(rounds, sizeof(double)), ratio;
	char name[32];

	snprintf(name, sizeof(name), "choose/%s-%u", sched, servers);
	if (!many || !ratios)
		fail("no memory for %u rounds", rounds);
	if (wanted(o, name)) {
		side_start(many, sched, servers, population, rounds, dev, pool);
		side_start(few, sched, N_SERVERS, population, rounds, dev, pool);
		for (uint32_t i = 0; i < rounds; i++) {
			many->cycles[i] = (double)lives_round(&many->lives) / BATCH;
			few->cycles[i] = (double)lives_round(&few->lives) / BATCH;
			ratios[i] = many->cycles[i] / few->cycles[i];
		}
		ratio = median(ratios, rounds);
		row_add_limit(name, population, median(many->cycles, rounds), "cycles/conn",
			      median(few->cycles, rounds), ratio, limit);
		side_end(many);
		side_end(few);
	}
	free(ratios);
	free(many);
}

void bench_choose(const struct options *o, uint16_t dev, struct rte_mempool *pool)
{
	const uint32_t population = o->connections ? o->connections : 200000;

	if (population < BATCH * 4)
		return;
	bench_servers(o, "wlc", 200, population, LIMIT, dev, pool);
	bench_servers(o, "wlc", 2000, population, LIMIT, dev, pool);
	bench_servers(o, "lc", 2000, population, LIMIT, dev, pool);
	bench_servers(o, "sed", 2000, population, LIMIT, dev, pool);
	bench_servers(o, "nq", 2000, population, LIMIT, dev, pool);
	bench_servers(o, "rr", 2000, population, 0, dev, pool);
}
