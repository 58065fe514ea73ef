/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/pushed_programs.h"

/* Programs of the peer's configuration that this router runs. */

static const char *const schedulers[] = {"rr", "wlc", NULL};

static char said[2048];

/* node: the rest of the node part; exec: of one check, or NULL. */
static struct config *parse(const char *node, const char *exec)
{
	struct config_errors errors;
	struct config *config = NULL;
	char text[2048], check[1024] = "";

	if (exec)
		snprintf(check, sizeof(check), "{\"name\":\"c\",\"type\":\"exec\",\"exec\":{%s}}",
			 exec);
	snprintf(text, sizeof(text),
		 "{\"node\":{\"ports\":[{\"name\":\"public\",\"device\":\"d0\",\"linux\":{"
		 "\"addresses\":[\"192.0.2.10/24\"]}}]%s},\"shared\":{\"checks\":[%s]}}",
		 node, check);
	config_errors_init(&errors);
	if (config_parse(text, strlen(text), "f", schedulers, &config, &errors) < 0)
		fail_msg("%s", errors.errors.v[0].message);
	config_errors_fini(&errors);
	return config;
}

/* The refusal of the check of `after` where `running` runs; "": the check is allowed. */
static const char *verdict(const char *node, const char *running, const char *after)
{
	struct config *have = parse(node, running), *want = parse("", after);
	struct config_errors errors;

	said[0] = '\0';
	config_errors_init(&errors);
	pushed_programs_check(have, have, want, &errors);
	for (uint32_t i = 0; i < errors.errors.n; i++) {
		char line[512];

		strncat(said, config_error_format(&errors, &errors.errors.v[i], line, sizeof(line)),
			500);
	}
	config_errors_fini(&errors);
	config_destroy(have);
	config_destroy(want);
	return said;
}

#define IN_USR_BIN ",\"programs\":{\"directories\":[\"/usr/bin\"]}"
#define AS_CHECKS  ",\"programs\":{\"directories\":[\"/usr/bin\"],\"user\":\"checks\"}"
#define ENV	   "\"argv\":[\"/usr/bin/env\",\"true\"]"

static void a_program_outside_the_directories_is_refused(void **state)
{
	(void)state;
	assert_non_null(strstr(verdict("", NULL, ENV), "node.programs.directories"));
	assert_non_null(strstr(said, "shared.checks[0].exec.argv[0]"));
	assert_string_equal(verdict(IN_USR_BIN, NULL, ENV), "");
	assert_non_null(strstr(verdict(IN_USR_BIN, NULL, "\"argv\":[\"/usr/bin/../sbin/nologin\"]"),
			       "node.programs.directories"));
	assert_non_null(strstr(verdict(IN_USR_BIN, NULL, "\"argv\":[\"/usr/bin/no-such-program\"]"),
			       "No such file"));
}

static void a_program_that_others_may_change_is_refused(void **state)
{
	char dir[] = "/tmp/plvs-programs-XXXXXX", node[256], exec[256], file[128];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/check", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	chmod(file, 0757);
	snprintf(node, sizeof(node), ",\"programs\":{\"directories\":[\"%s\"]}", dir);
	snprintf(exec, sizeof(exec), "\"argv\":[\"%s\"]", file);
	assert_non_null(strstr(verdict(node, NULL, exec), "others may write"));
	chmod(file, 0755);
	chmod(dir, 0775);
	assert_non_null(strstr(verdict(node, NULL, exec), "others may write"));
	chmod(dir, 0755);
	/* As root; another user cannot make a file of root. */
	assert_true((verdict(node, NULL, exec)[0] == '\0') == (geteuid() == 0));
	unlink(file);
	rmdir(dir);
}

static void the_node_says_whom_a_program_runs_as(void **state)
{
	(void)state;
	assert_non_null(
		strstr(verdict(IN_USR_BIN, NULL, ENV ",\"user\":\"root\""), "node.programs.user"));
	assert_non_null(
		strstr(verdict(AS_CHECKS, NULL, ENV ",\"user\":\"root\""), "node.programs.user"));
	assert_string_equal(verdict(AS_CHECKS, NULL, ENV ",\"user\":\"checks\""), "");
	assert_string_equal(verdict(AS_CHECKS, NULL, ENV), "");
}

static void what_runs_here_already_is_allowed_with_the_same_arguments(void **state)
{
	(void)state;
	assert_string_equal(verdict("", ENV, ENV), "");
	assert_string_not_equal(verdict("", ENV, "\"argv\":[\"/usr/bin/env\",\"false\"]"), "");
	assert_string_not_equal(verdict("", ENV, "\"argv\":[\"/usr/bin/env\"]"), "");
	assert_string_not_equal(verdict("", ENV, ENV ",\"user\":\"root\""), "");
}

static void checks_without_a_program_are_not_asked_about(void **state)
{
	(void)state;
	assert_string_equal(verdict("", NULL, NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_outside_the_directories_is_refused),
		cmocka_unit_test(a_program_that_others_may_change_is_refused),
		cmocka_unit_test(the_node_says_whom_a_program_runs_as),
		cmocka_unit_test(what_runs_here_already_is_allowed_with_the_same_arguments),
		cmocka_unit_test(checks_without_a_program_are_not_asked_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
