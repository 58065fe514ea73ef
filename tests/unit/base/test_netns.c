/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/netns.h"

/* The namespaces of this process and of a child, which the child visits and enters. */

static ino_t here(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

/* Runs `body` in a child with a network namespace of its own. */
static void in_namespace(void (*body)(const char *parent, ino_t theirs, ino_t own))
{
	const ino_t theirs = here();
	char parent[64];
	int status;
	pid_t child;

	snprintf(parent, sizeof(parent), "/proc/%d/ns/net", (int)getpid());
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNET) < 0)
			_exit(77);
		body(parent, theirs, here());
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* a namespace needs CAP_SYS_ADMIN */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Of a child, whose assertions would run the parent's tests on. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: " #condition "\n", __FILE__, __LINE__);            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void enters(const char *parent, ino_t theirs, ino_t own)
{
	char error[ERROR_TEXT];

	MUST(own != theirs);
	MUST(netns_enter(parent, error) == 0);
	MUST(here() == theirs);
}

static void a_thread_enters_a_namespace_by_its_path(void **state)
{
	(void)state;
	in_namespace(enters);
}

static void visits(const char *parent, ino_t theirs, ino_t own)
{
	char error[ERROR_TEXT];
	int home;

	for (int ret = 0; ret >= -EIO; ret -= EIO) {
		MUST(netns_visit(parent, &home, error) == 0);
		MUST(home >= 0);
		MUST(here() == theirs);
		MUST(netns_return(home, ret, error) == ret);
		MUST(here() == own);
		MUST(close(home) < 0 && errno == EBADF);
	}
}

static void a_visit_ends_where_it_began_and_hands_on_its_result(void **state)
{
	(void)state;
	in_namespace(visits);
}

static void a_namespace_that_is_missing_is_named_and_nobody_moves(void **state)
{
	const ino_t own = here();
	char error[ERROR_TEXT] = "";
	int home = 0;

	(void)state;
	assert_int_equal(netns_enter("no-such", error), -ENOENT);
	assert_non_null(strstr(error, "node.linux.netns: /run/netns/no-such: "));
	error[0] = '\0';
	assert_int_equal(netns_visit("/no/such", &home, error), -ENOENT);
	assert_non_null(strstr(error, "node.linux.netns: /no/such: "));
	assert_int_equal(home, -1);
	assert_true(here() == own);
}

static void no_name_is_the_namespace_of_the_thread(void **state)
{
	static const char *const none[] = {NULL, ""};
	const ino_t own = here();
	char error[ERROR_TEXT];
	int home;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(netns_enter(none[i], error), 0);
		assert_int_equal(netns_visit(none[i], &home, error), 0);
		assert_int_equal(home, -1);
		assert_int_equal(netns_return(home, -EIO, error), -EIO);
	}
	assert_true(here() == own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_enters_a_namespace_by_its_path),
		cmocka_unit_test(a_visit_ends_where_it_began_and_hands_on_its_result),
		cmocka_unit_test(a_namespace_that_is_missing_is_named_and_nobody_moves),
		cmocka_unit_test(no_name_is_the_namespace_of_the_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
