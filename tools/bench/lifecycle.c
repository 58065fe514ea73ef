/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of whole connections (lives.c): how many a second, and what events and counting cost. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

enum told { TOLD_NOBODY, TOLD_PEER, TOLD_LEDGER };

static void bench_lives(const struct options *o, const char *name, enum addr_family family,
			enum forward_method method, uint32_t population, uint16_t dev,
			struct rte_mempool *pool, enum told told)
{
	uint32_t fill = population / BATCH + 8, rounds = o->quick ? 300 : 2000;
	struct lives lives;
	double *cycles;
	struct scene s;

	if (!wanted(o, name))
		return;
	cycles = calloc(rounds, sizeof(double));
	scene_create(&s, family, method, population * 4, population, dev);
	if (told == TOLD_PEER)
		scene_sync(&s);
	else if (told == TOLD_LEDGER)
		scene_ledger(&s);
	if (!cycles)
		fail("no memory for %u rounds", rounds);
	lives_init(&lives, &s, LIVES_TIMED, population, pool);
	for (uint32_t i = 0; i < fill; i++)
		lives_round(&lives);
	for (uint32_t i = 0; i < rounds; i++)
		cycles[i] = (double)lives_round(&lives) / BATCH;
	lives_check(&lives);
	row_add(name, population, (double)rte_get_tsc_hz() / median(cycles, rounds),
		"connections/s", 0);
	lives_fini(&lives);
	if (told == TOLD_PEER)
		scene_sync_end(&s);
	else if (told == TOLD_LEDGER)
		scene_ledger_end(&s);
	scene_destroy(&s);
	free(cycles);
}

/* Full NAT and NAT, round by round in turn. */
static void bench_fullnat(const struct options *o, uint32_t population, uint16_t dev,
			  struct rte_mempool *pool)
{
	static const enum forward_method methods[] = {FWD_NAT, FWD_FULLNAT};
	uint32_t fill = population / BATCH + 8, rounds = o->quick ? 300 : 2000;
	double *cycles[2], *ratios, hz = (double)rte_get_tsc_hz();
	struct lives lives[2];
	struct scene s[2];

	if (!wanted(o, "new-connections/fullnat"))
		return;
	ratios = calloc(rounds, sizeof(double));
	for (unsigned int m = 0; m < 2; m++) {
		cycles[m] = calloc(rounds, sizeof(double));
		if (!cycles[m] || !ratios)
			fail("no memory for %u rounds", rounds);
		scene_create(&s[m], ADDR_V4, methods[m], population * 4, population, dev);
		lives_init(&lives[m], &s[m], LIVES_TIMED, population, pool);
		for (uint32_t i = 0; i < fill; i++)
			lives_round(&lives[m]);
	}
	for (uint32_t i = 0; i < rounds; i++) {
		for (unsigned int m = 0; m < 2; m++)
			cycles[m][i] = (double)lives_round(&lives[m]) / BATCH;
		ratios[i] = cycles[1][i] / cycles[0][i];
	}
	for (unsigned int m = 0; m < 2; m++) {
		lives_check(&lives[m]);
		lives_fini(&lives[m]);
		scene_destroy(&s[m]);
	}
	row_add_limit("new-connections/fullnat", population, hz / median(cycles[1], rounds),
		      "connections/s", hz / median(cycles[0], rounds), median(ratios, rounds), 1.3);
	free(cycles[0]);
	free(cycles[1]);
	free(ratios);
}

static void bench_bare_fullnat(const struct options *o, uint32_t population)
{
	if (wanted(o, "bare-connections/fullnat"))
		row_add("bare-connections/fullnat", population,
			(double)rte_get_tsc_hz() /
				bare_lives_cycles(population, o->quick ? 300 : 2000),
			"connections/s", 0);
}

/* Rounds with counting of handshakes and without, in turn. */
static void bench_counted(const struct options *o, uint32_t population, uint16_t dev,
			  struct rte_mempool *pool)
{
	uint32_t fill = population / BATCH + 8, rounds = o->quick ? 600 : 3000;
	struct lives lives;
	double *cycles[2];
	uint32_t *stamps;
	struct scene s;

	if (!wanted(o, "passive/connection"))
		return;
	cycles[0] = calloc(rounds, sizeof(double));
	cycles[1] = calloc(rounds, sizeof(double));
	scene_create(&s, ADDR_V4, FWD_NAT, population * 4, population, dev);
	stamps = s.w->v4.syn_stamps;
	if (!cycles[0] || !cycles[1])
		fail("no memory for %u rounds", rounds);
	lives_init(&lives, &s, LIVES_TIMED, population, pool);
	for (uint32_t i = 0; i < fill; i++)
		lives_round(&lives);
	for (uint32_t i = 0; i < rounds * 2; i++) {
		s.w->v4.syn_stamps = i % 2 ? stamps : NULL;
		cycles[i % 2][i / 2] = (double)lives_round(&lives) / BATCH;
	}
	s.w->v4.syn_stamps = stamps;
	lives_check(&lives);
	row_add("passive/connection", population, median(cycles[1], rounds), "cycles/conn",
		median(cycles[0], rounds));
	lives_fini(&lives);
	scene_destroy(&s);
	free(cycles[0]);
	free(cycles[1]);
}

void bench_lifecycle(const struct options *o, uint16_t dev, struct rte_mempool *pool)
{
	uint32_t population = o->connections ? o->connections : 1000000;

	if (population < BATCH * 4)
		return;
	bench_lives(o, "new-connections/dr", ADDR_V4, FWD_DR, population, dev, pool, TOLD_NOBODY);
	bench_lives(o, "new-connections", ADDR_V4, FWD_NAT, population, dev, pool, TOLD_NOBODY);
	bench_lives(o, "new-connections/dr6", ADDR_V6, FWD_DR, population, dev, pool, TOLD_NOBODY);
	bench_lives(o, "new-connections/6", ADDR_V6, FWD_NAT, population, dev, pool, TOLD_NOBODY);
	bench_fullnat(o, population, dev, pool);
	bench_bare_fullnat(o, population);
	bench_lives(o, "new-connections/ledger", ADDR_V4, FWD_NAT, population, dev, pool,
		    TOLD_LEDGER);
	bench_lives(o, "new-connections/sync", ADDR_V4, FWD_NAT, population, dev, pool, TOLD_PEER);
	bench_counted(o, population, dev, pool);
	bench_life_cost(o, FWD_DR, population, dev, pool);
	bench_life_cost(o, FWD_NAT, population, dev, pool);
}
