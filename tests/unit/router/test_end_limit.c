/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "router/end_limit.h"

/* A process that goes through two steps, each within its limit or not: its status and what it
 * said. */
static int end(bool stuck, char *said, size_t len)
{
	int out[2], status;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out[1], STDERR_FILENO);
		end_limit_step("workers", 1);
		end_limit_step("ports", 1);
		if (stuck)
			for (;;)
				pause();
		end_limit_clear();
		usleep(1200000);
		_exit(0);
	}
	close(out[1]);
	got = read(out[0], said, len - 1);
	said[got > 0 ? got : 0] = '\0';
	for (size_t n = (size_t)(got > 0 ? got : 0);
	     n < len - 1 && (got = read(out[0], said + n, len - 1 - n)) > 0; n += (size_t)got)
		said[n + (size_t)got] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_step_without_end_is_named_and_ends_the_process(void **state)
{
	char said[256];

	(void)state;
	assert_int_equal(end(true, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "at this step: ports;"));
}

static void steps_within_their_limit_end_nothing(void **state)
{
	char said[256];

	(void)state;
	assert_int_equal(end(false, said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_without_end_is_named_and_ends_the_process),
		cmocka_unit_test(steps_within_their_limit_end_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
