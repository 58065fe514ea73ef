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

static json_int_t said(const struct clock_jump *w, uint64_t boot_us, const char *key)
{
	json_t *o = clock_jump_json(w, boot_us);
	const json_t *v = json_object_get(o, key);
	const json_int_t n = v ? json_integer_value(v) : -1;

	json_decref(o);
	return n;
}

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
	assert_int_equal(said(&w, 0, "jumps"), 0);
	assert_int_equal(said(&w, 0, "last_ms"), -1);
}

static void jumps_are_counted_with_their_direction(void **state)
{
	struct clock_jump w = {0};

	(void)state;
	assert_false(clock_jump_look(&w, START, 7 * SECOND));
	assert_false(clock_jump_look(&w, START + SECOND + CLOCK_JUMP_US - 1, 8 * SECOND));
	assert_true(clock_jump_look(&w, START + 3602 * SECOND, 9 * SECOND));
	assert_false(clock_jump_look(&w, START + 3603 * SECOND, 10 * SECOND));
	assert_int_equal(said(&w, 19 * SECOND, "jumps"), 1);
	assert_int_equal(said(&w, 19 * SECOND, "last_ms"), 3599500);
	assert_int_equal(said(&w, 19 * SECOND, "ago_s"), 10);
	assert_true(clock_jump_look(&w, START, 11 * SECOND));
	assert_int_equal(said(&w, 11 * SECOND, "jumps"), 2);
	assert_int_equal(said(&w, 11 * SECOND, "last_ms"), -3604000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_ntp_slews_has_no_jump),
		cmocka_unit_test(jumps_are_counted_with_their_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
