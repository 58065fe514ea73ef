/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "announce/worker_stall.h"

/* A worker that stands still is stuck after the limit of time under observation, and no sooner. */

#define PERIOD 10000U
#define LIMIT  150000U

static uint64_t progress[3];
static const uint64_t *const all[] = {&progress[0], &progress[1], &progress[2]};
static struct worker_stall stall;
static uint64_t now, still;

static int setup(void **state)
{
	(void)state;
	now = 5000000;
	worker_stall_init(&stall, all, 3, PERIOD, LIMIT, now);
	return 0;
}

/* A look after a period, in which all workers but `stands` made a round. */
static int look(int stands, uint64_t after_us)
{
	now += after_us;
	for (int i = 0; i < 3; i++)
		progress[i] += i != stands;
	return worker_stall_look(&stall, now, &still);
}

static void workers_that_run_are_not_stuck(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(look(-1, PERIOD), WORKER_STALL_NONE);
}

static void a_worker_that_stands_still_is_stuck_at_the_limit(void **state)
{
	(void)state;
	look(-1, PERIOD);
	for (unsigned int i = 1; i < LIMIT / PERIOD; i++)
		assert_int_equal(look(1, PERIOD), WORKER_STALL_NONE);
	assert_int_equal(look(1, PERIOD), 1);
	assert_int_equal(still, LIMIT);
}

static void a_round_in_time_begins_the_limit_anew(void **state)
{
	(void)state;
	for (int k = 0; k < 3; k++) {
		for (unsigned int i = 1; i < LIMIT / PERIOD; i++)
			assert_int_equal(look(2, PERIOD), WORKER_STALL_NONE);
		look(-1, PERIOD);
	}
}

static void time_without_looks_does_not_count(void **state)
{
	(void)state;
	/* A process that was stopped for a minute. */
	assert_int_equal(look(0, 60000000), WORKER_STALL_NONE);
	assert_int_equal(look(0, PERIOD), WORKER_STALL_NONE);
	for (unsigned int i = 3; i < LIMIT / PERIOD; i++)
		assert_int_equal(look(0, PERIOD), WORKER_STALL_NONE);
	assert_int_equal(look(0, PERIOD), 0);
}

static void without_a_limit_nobody_is_stuck(void **state)
{
	(void)state;
	worker_stall_init(&stall, all, 3, PERIOD, 0, now);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(look(1, PERIOD), WORKER_STALL_NONE);
}

#define T(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(workers_that_run_are_not_stuck),
		T(a_worker_that_stands_still_is_stuck_at_the_limit),
		T(a_round_in_time_begins_the_limit_anew),
		T(time_without_looks_does_not_count),
		T(without_a_limit_nobody_is_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
