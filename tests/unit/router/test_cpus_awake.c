/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "router/cpus_awake.h"

static void a_wake_up_within_0_us_is_asked_for_and_held(void **state)
{
	char path[] = "/tmp/plvs-awake.XXXXXX";
	int file = mkstemp(path), fd;
	int32_t us = -1, more;

	(void)state;
	assert_true(file >= 0);
	fd = cpus_awake_hold(path);
	assert_true(fd >= 0);
	/* The kernel takes the number of four bytes as one, and forgets it when the file is closed.
	 */
	assert_int_equal(read(file, &us, sizeof(us)), sizeof(us));
	assert_int_equal(us, 0);
	assert_int_equal(read(file, &more, sizeof(more)), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	close(file);
	unlink(path);
}

static void a_host_that_has_no_such_file_says_so(void **state)
{
	(void)state;
	assert_int_equal(cpus_awake_hold("/nonexistent/cpu_dma_latency"), -ENOENT);
	assert_int_equal(cpus_awake_hold("/dev/full"), -ENOSPC);
}

static void nothing_is_held_unless_wanted(void **state)
{
	(void)state;
	assert_int_equal(cpus_awake_start(false), -1);
}

static void a_router_that_polls_a_linux_interface_keeps_cpus_awake_unless_told(void **state)
{
	const struct {
		uint8_t cpus_awake, idle;
		bool kernel_port, wanted;
	} cases[] = {
		{CONFIG_CPUS_AWAKE_AUTO, CONFIG_IDLE_POLL, true, true},
		{CONFIG_CPUS_AWAKE_AUTO, CONFIG_IDLE_POLL, false, false},
		{CONFIG_CPUS_AWAKE_AUTO, CONFIG_IDLE_SLEEP, true, false},
		{CONFIG_CPUS_AWAKE_ALWAYS, CONFIG_IDLE_SLEEP, false, true},
		{CONFIG_CPUS_AWAKE_NEVER, CONFIG_IDLE_POLL, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config_node node = {.cpus_awake = cases[i].cpus_awake,
						 .idle = cases[i].idle};

		assert_int_equal(cpus_awake_wanted(&node, cases[i].kernel_port), cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wake_up_within_0_us_is_asked_for_and_held),
		cmocka_unit_test(a_host_that_has_no_such_file_says_so),
		cmocka_unit_test(nothing_is_held_unless_wanted),
		cmocka_unit_test(
			a_router_that_polls_a_linux_interface_keeps_cpus_awake_unless_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
