/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Expected data connections, read by all workers while their owners fill and whoever finds
 * them empties them: nobody ever sees a slot that is half one and half another. Clean under
 * TSan as well (every access is atomic; what holds them together is the word, before and
 * after).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp.h"

#define WORKERS 3
#define CLIENTS 16    /* few, so that slots are filled again at once */
#define ROUNDS	60000 /* of each worker */

static struct dataplane dp;
static struct worker *workers[WORKERS];
static uint64_t found[WORKERS], torn;

/* All of it follows from one number. */
static struct ftp_expect expectation(uint32_t k)
{
	uint32_t client = k % CLIENTS;

	return (struct ftp_expect){.caddr = addr_from_v4(be32_from(0x0a000000 + client)),
				   .vaddr = addr_from_v4(be32_from(0xc0000250)),
				   .vport = be16_from((uint16_t)(2000 + client)),
				   .daddr = addr_from_v4(be32_from(k * 2654435761U)),
				   .dport = be16_from((uint16_t)(k * 40503U)),
				   .server = k,
				   .until = 1000};
}

static bool look(struct worker *w, uint32_t client, struct ftp_expect *e, struct ftp_ticket *t)
{
	const struct ftp_expect key = expectation(client);

	return ftp_expect_find(w, &key.caddr, 0, &key.vaddr, key.vport, e, t);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct ftp_ticket mine = {0};
	uint32_t random = w->id + 1;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct ftp_expect e, whole;
		struct ftp_ticket seen;

		random = random * 1664525 + 1013904223;
		if (random >> 30 == 0)
			ftp_expect_end(&mine);
		e = expectation(random >> 8);
		ftp_expect_add(w, &e, &mine);
		if (!look(w, random >> 12, &e, &seen))
			continue;
		found[w->id]++;
		whole = expectation(e.server);
		if (memcmp(&e, &whole, sizeof(e)) != 0)
			__atomic_fetch_add(&torn, 1, __ATOMIC_RELAXED);
		if (random >> 29 & 1)
			ftp_expect_end(&seen);
	}
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	memset(&dp, 0, sizeof(dp));
	torn = 0;
	for (uint16_t i = 0; i < WORKERS; i++) {
		workers[i] = aligned_alloc(64, (sizeof(struct worker) + 63) / 64 * 64);
		assert_non_null(workers[i]);
		memset(workers[i], 0, sizeof(struct worker));
		workers[i]->id = i;
		workers[i]->dp = &dp;
		workers[i]->n_workers = WORKERS;
		workers[i]->ftp = calloc(1, sizeof(*workers[i]->ftp));
		assert_non_null(workers[i]->ftp);
		dp.workers[i] = workers[i];
		found[i] = 0;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < WORKERS; i++) {
		free(workers[i]->ftp);
		free(workers[i]);
	}
	return 0;
}

static void what_is_found_is_whole_whoever_fills_and_empties(void **state)
{
	pthread_t threads[WORKERS];

	(void)state;
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, workers[i]), 0);
	for (unsigned int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_true(found[i] > ROUNDS / 100);
	assert_int_equal(torn, 0);
}

static void what_is_ended_is_found_by_nobody(void **state)
{
	struct ftp_expect e = expectation(7), got;
	struct ftp_ticket mine, seen, stale;

	(void)state;
	assert_true(ftp_expect_add(workers[0], &e, &mine));
	assert_true(look(workers[2], 7, &got, &seen));
	stale = seen;
	ftp_expect_end(&seen);
	assert_false(look(workers[1], 7, &got, &seen));
	/* An old ticket does not end what came into the slot after it. */
	assert_true(ftp_expect_add(workers[0], &e, &mine));
	ftp_expect_end(&stale);
	assert_true(look(workers[1], 7, &got, &seen));
	ftp_expect_end(&mine);
	assert_false(look(workers[1], 7, &got, &seen));
	/* Nor is it found past its time. */
	assert_true(ftp_expect_add(workers[0], &e, &mine));
	workers[1]->env.now_tick = 1000;
	assert_false(look(workers[1], 7, &got, &seen));
}

static void of_a_full_set_the_oldest_gives_way_that_is_not_assured(void **state)
{
	struct ftp_expect e = expectation(7), got;
	struct ftp_ticket t[FTP_EXPECT_WAYS], mine;

	(void)state;
	for (unsigned int i = 0; i < FTP_EXPECT_WAYS; i++) {
		e.server = i;
		e.until = 1000 + (i + 2) % FTP_EXPECT_WAYS; /* the third is the oldest */
		e.assured = i == 2;
		assert_true(ftp_expect_add(workers[0], &e, &t[i]));
	}
	/* Then the fourth; what has given way is ended by its old ticket no more. */
	e.assured = 1;
	e.until = 1100;
	assert_true(ftp_expect_add(workers[0], &e, &mine));
	assert_false(ftp_expect_read(&t[3], &got));
	ftp_expect_end(&t[3]);
	assert_true(ftp_expect_read(&mine, &got));
	assert_true(ftp_expect_read(&t[2], &got));
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(ftp_expect_add(workers[0], &e, &mine));
		assert_false(ftp_expect_read(&t[i], &got));
	}
	assert_int_equal(workers[0]->counters.ftp_full, 3);
	assert_false(ftp_expect_add(workers[0], &e, &mine));
	assert_true(ftp_expect_read(&t[2], &got));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_found_is_whole_whoever_fills_and_empties),
		T(what_is_ended_is_found_by_nobody),
		T(of_a_full_set_the_oldest_gives_way_that_is_not_assured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
