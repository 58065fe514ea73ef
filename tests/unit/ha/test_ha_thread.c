/* SPDX-License-Identifier: BSD-3-Clause */
/* The ha thread of a router without a peer, from its start to its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ha/ha.h"
#include "ha/ha_internal.h"

#define KEEPALIVE_MS 50
#define LEFT_MS	     10000
#define WATCHED_MS   (10 * KEEPALIVE_MS)

static uint64_t grace_start(void *arg)
{
	(void)arg;
	return 0;
}

static bool grace_passed(void *arg, uint64_t token)
{
	(void)arg;
	(void)token;
	return true;
}

static uint64_t progress(const struct ha *ha)
{
	return __atomic_load_n(ha_progress(ha), __ATOMIC_RELAXED);
}

/* The thread has a real-time priority, and the main thread, which is to stop it, may have none. So
 * the main thread may come late, when all times of the role machine have passed. */
static void a_thread_that_has_left_still_sleeps_between_its_ticks(void **state)
{
	struct published *pub = calloc(1, sizeof(*pub));
	struct ha_options *options = calloc(1, sizeof(*options));
	char error[ERROR_TEXT];
	uint64_t term, begin, ticks, ms;
	struct ha *ha;
	bool dump;

	(void)state;
	assert_non_null(pub);
	assert_non_null(options);
	pub->grace = (struct grace){grace_start, grace_passed, NULL};
	options->config.role.keepalive_ms = KEEPALIVE_MS;
	options->config.role.deadtime_ms = 4 * KEEPALIVE_MS;
	options->pub = pub;
	options->spawn_fd = -1;
	if (ha_start(options, &ha, error) < 0)
		fail_msg("%s", error);
	assert_int_equal(ha_leave(ha), 0);
	assert_int_equal(ha_left(ha, LEFT_MS, &dump, &term), 0);
	usleep(2 * KEEPALIVE_MS * 1000);
	begin = clock_us();
	ticks = progress(ha);
	usleep(WATCHED_MS * 1000);
	ticks = progress(ha) - ticks;
	ms = (clock_us() - begin) / 1000;
	print_message("%u ticks in %u ms\n", (unsigned int)ticks, (unsigned int)ms);
	assert_true(ticks <= ms / HA_TICK_MS + 2);
	ha_stop(ha);
	free(options);
	free(pub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_that_has_left_still_sleeps_between_its_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
