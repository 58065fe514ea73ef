/* SPDX-License-Identifier: BSD-3-Clause */
/* Jumps of the wall clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/clock_jump.h"

#define SECOND 1000000ULL
#define START  (1700000000 * SECOND)

static void a_clock_that_ntp_slews_has_no_jump(void **state)
{
	struct clock_jump w = {0};
	uint64_t wall = START;

	(void)state;
	/* An hour of 500 ppm, with looks that come late. */
	for (uint64_t boot = 7 * SECOND; boot < 3607 * SECOND; boot += 10 * SECOND) {
		assert_false(clock_jump_look(&w, wall, boot));
		wall += 10 * SECOND + 5000;
	}
	assert_int_equal(w.jumps, 0);
}

static void jumps_are_counted_with_their_direction(void **state)
{
	struct clock_jump w = {0};

	(void)state;
	assert_false(clock_jump_look(&w, START, 7 * SECOND));
	assert_false(clock_jump_look(&w, START + SECOND + CLOCK_JUMP_US - 1, 8 * SECOND));
	assert_true(clock_jump_look(&w, START + 3602 * SECOND, 9 * SECOND));
	assert_false(clock_jump_look(&w, START + 3603 * SECOND, 10 * SECOND));
	assert_int_equal(w.jumps, 1);
	assert_int_equal(w.last_us / 1000, 3599500);
	assert_int_equal(w.at_us, 9 * SECOND);
	assert_true(clock_jump_look(&w, START, 11 * SECOND));
	assert_int_equal(w.jumps, 2);
	assert_int_equal(w.last_us / 1000, -3604000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_ntp_slews_has_no_jump),
		cmocka_unit_test(jumps_are_counted_with_their_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
