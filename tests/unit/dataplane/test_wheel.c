/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/wheel.h"

struct expiry {
	uint32_t tick[16];
	uint32_t n, now;
};

static int note_expiry(void *ctx, struct conn *c, uint32_t index)
{
	struct expiry *e = ctx;

	(void)c;
	e->tick[index] = e->now;
	e->n++;
	return 0;
}

static void entries_expire_at_their_time_and_not_before(void **state)
{
	struct conn4 conns[8];
	struct expiry e = {0};
	struct wheel w;

	(void)state;
	memset(conns, 0, sizeof(conns));
	assert_int_equal(
		wheel_init(&w, conns, sizeof(conns[0]), sizeof(conns) / sizeof(conns[0]), -1, 1000),
		0);
	conns[1].c.timeout = 10;
	conns[2].c.timeout = 10 + WHEEL_SLOTS * 2; /* longer than a revolution */
	conns[3].c.timeout = 100;
	conns[4].c.timeout = 5000;
	for (uint32_t i = 1; i <= 4; i++) {
		conns[i].c.tick = 1000;
		wheel_arm(&w, &conns[i].c, i);
	}
	for (e.now = 1000; e.now < 1000 + WHEEL_SLOTS * 3; e.now++) {
		if (e.now == 1050)
			conns[3].c.tick = 1050; /* a hit: only the tick is written */
		if (e.now == 1060) {		/* a state with a shorter time-out */
			conns[4].c.tick = 1060;
			conns[4].c.timeout = 20;
			wheel_shorten(&w, &conns[4].c, 4);
		}
		while (wheel_advance(&w, e.now, 2, note_expiry, NULL, NULL, &e) == 2)
			;
	}
	assert_int_equal(e.n, 4);
	assert_int_equal(e.tick[1], 1011);
	assert_int_equal(e.tick[3], 1151);
	assert_int_equal(e.tick[4], 1081);
	assert_int_equal(e.tick[2], 1011 + WHEEL_SLOTS * 2);
	wheel_fini(&w);
}

static void work_is_bounded_and_a_long_pause_loses_nobody(void **state)
{
	struct conn4 conns[12];
	struct expiry e = {0};
	struct wheel w;

	(void)state;
	memset(conns, 0, sizeof(conns));
	assert_int_equal(
		wheel_init(&w, conns, sizeof(conns[0]), sizeof(conns) / sizeof(conns[0]), -1, 5),
		0);
	for (uint32_t i = 1; i < 12; i++) {
		conns[i].c.tick = 5;
		conns[i].c.timeout = i * 700;
		wheel_arm(&w, &conns[i].c, i);
	}
	e.now = 5 + WHEEL_SLOTS * 5;
	assert_int_equal(wheel_advance(&w, e.now, 3, note_expiry, NULL, NULL, &e), 3);
	assert_int_equal(e.n, 3);
	while (wheel_advance(&w, e.now, 3, note_expiry, NULL, NULL, &e) == 3)
		;
	assert_int_equal(e.n, 11);
	wheel_fini(&w);
}

/* ---- against a model: a list of entries with the tick at which each is due ---- */

#define ENTRIES 3001

struct model {
	struct conn4 conns[ENTRIES];
	bool armed[ENTRIES];
	uint32_t n_armed, expired, visited, now;
	struct wheel w;
};

static int model_expire(void *ctx, struct conn *c, uint32_t index)
{
	struct model *m = ctx;

	assert_ptr_equal(c, &m->conns[index].c);
	assert_true(m->armed[index]);
	/* Looked at in every tick, so never late. */
	assert_int_equal(m->now, c->tick + c->timeout + 1);
	m->expired++;
	if (rand() % 4 == 0) { /* more time */
		c->tick = m->now;
		c->timeout = 1 + (uint32_t)rand() % 100;
		return 1;
	}
	m->armed[index] = false;
	m->n_armed--;
	return 0;
}

static void model_visit(void *ctx, struct conn *c, uint32_t index)
{
	struct model *m = ctx;

	assert_true(m->armed[index]);
	assert_true((int32_t)(c->tick + c->timeout + 1 - m->now) > 0);
	m->visited++;
}

static void model_arm(struct model *m, uint32_t i, uint32_t timeout)
{
	m->conns[i].c.tick = m->now;
	m->conns[i].c.timeout = timeout;
	wheel_arm(&m->w, &m->conns[i].c, i);
	m->armed[i] = true;
	m->n_armed++;
}

static void model_disarm(struct model *m, uint32_t i)
{
	wheel_disarm(&m->w, &m->conns[i].c, i);
	m->armed[i] = false;
	m->n_armed--;
}

static void model_change(struct model *m, uint32_t i)
{
	struct conn *c = &m->conns[i].c;

	if (!m->armed[i]) {
		model_arm(m, i, 1 + (uint32_t)rand() % (rand() % 2 ? 40 : WHEEL_SLOTS * 2));
		return;
	}
	switch (rand() % 3) {
	case 0:
		model_disarm(m, i);
		break;
	case 1: /* a hit */
		c->tick = m->now;
		break;
	default: /* another state */
		c->tick = m->now;
		c->timeout = 1 + (uint32_t)rand() % 50;
		wheel_shorten(&m->w, c, i);
	}
}

static void model_start(struct model *m, uint32_t now)
{
	memset(m, 0, sizeof(*m));
	m->now = now;
	assert_int_equal(wheel_init(&m->w, m->conns, sizeof(m->conns[0]), ENTRIES, -1, now), 0);
}

/* Every chunk is in a slot or free, and those in slots are as many as there must be. */
static void model_count_chunks(const struct model *m)
{
	uint32_t used = 0, entries = 0;

	for (uint32_t i = 0; i < WHEEL_SLOTS; i++) {
		entries += m->w.slots[i].n;
		for (uint32_t k = m->w.slots[i].chunk; k; k = m->w.chunks[k].next) {
			used++;
			entries += m->w.chunks[k].next ? WHEEL_CHUNK : 0;
		}
	}
	assert_int_equal(entries, m->n_armed);
	for (uint32_t k = m->w.chunk_free; k; k = m->w.chunks[k].next)
		used++;
	assert_int_equal(used + 1, m->w.chunk_unused);
	assert_true(m->w.chunk_unused <= m->w.n_chunks);
}

static void entries_that_come_and_go_are_never_late_nor_lost(void **state)
{
	static struct model m;
	uint32_t budget;

	(void)state;
	srand(11);
	model_start(&m, UINT32_MAX - 500); /* ticks wrap */
	for (uint32_t round = 0; round < 3 * WHEEL_SLOTS; round++, m.now++) {
		for (int k = 0; k < 8; k++)
			model_change(&m, 1 + (uint32_t)rand() % (ENTRIES - 1));
		do {
			budget = 1 + (uint32_t)rand() % 40;
		} while (wheel_advance(&m.w, m.now, budget, model_expire, model_visit, NULL, &m) ==
			 budget);
		if (round % 512 == 0)
			model_count_chunks(&m);
	}
	model_count_chunks(&m);
	assert_true(m.expired > 10000 && m.visited > 1000);
	for (uint32_t i = 1; i < ENTRIES; i++)
		if (m.armed[i])
			model_disarm(&m, i);
	model_count_chunks(&m);
	wheel_fini(&m.w);
}

/* The most chunks are in use when as many slots as can be have one that is not full. */
static void there_are_chunks_for_any_spread_of_entries(void **state)
{
	static struct model m;

	(void)state;
	model_start(&m, 77);
	for (uint32_t revolution = 0; revolution < 2; revolution++) {
		for (uint32_t i = 1; i < ENTRIES; i++)
			model_arm(&m, i, revolution ? i % 200 * 16 : i);
		model_count_chunks(&m);
		for (uint32_t i = ENTRIES - 1; i > 0; i--)
			model_disarm(&m, i);
		model_count_chunks(&m);
	}
	wheel_disarm(&m.w, &m.conns[1].c, 1); /* in no slot */
	model_count_chunks(&m);
	wheel_fini(&m.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_expire_at_their_time_and_not_before),
		cmocka_unit_test(work_is_bounded_and_a_long_pause_loses_nobody),
		cmocka_unit_test(entries_that_come_and_go_are_never_late_nor_lost),
		cmocka_unit_test(there_are_chunks_for_any_spread_of_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
