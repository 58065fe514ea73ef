/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/log_record.h"

#define SOME_TIME UINT64_C(1767225600123) /* 2026-01-01T00:00:00.123Z */

static const char *formatted(enum log_format format, bool journal, const char *line)
{
	static char buf[512];
	const size_t n = log_format_line(buf, sizeof(buf), format, journal, SOME_TIME,
					 LOG_LEVEL_WARNING, "link", line);

	assert_in_range(n, 1, sizeof(buf) - 1);
	assert_int_equal(buf[n - 1], '\n');
	buf[n - 1] = '\0';
	return buf;
}

static void a_line_has_time_level_and_folder(void **state)
{
	(void)state;
	assert_string_equal(formatted(LOG_FORMAT_TEXT, false, "port public: link down"),
			    "2026-01-01T00:00:00.123Z plvs: warning: link: port public: link down");
}

static void the_journal_gets_a_priority_in_place_of_what_it_knows(void **state)
{
	(void)state;
	assert_string_equal(formatted(LOG_FORMAT_TEXT, true, "x"), "<4>link: x");
}

static void json_is_one_object_a_line(void **state)
{
	(void)state;
	assert_string_equal(formatted(LOG_FORMAT_JSON, true, "a \"b\" \\ \n"),
			    "{\"time\":\"2026-01-01T00:00:00.123Z\",\"level\":\"warning\","
			    "\"area\":\"link\",\"message\":\"a \\\"b\\\" \\\\ \\u000a\"}");
}

static void control_characters_reach_no_terminal(void **state)
{
	(void)state;
	assert_string_equal(formatted(LOG_FORMAT_TEXT, true, "\033[2Jgone\r\n\x7f"),
			    "<4>link: \\x1b[2Jgone\\x0d\\x0a\\x7f");
}

static void a_line_that_is_too_long_is_cut_and_stays_a_line(void **state)
{
	char line[LOG_LINE_MAX], buf[128];

	(void)state;
	memset(line, '"', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (size_t len = 96; len <= sizeof(buf); len++) {
		const size_t n = log_format_line(buf, len, LOG_FORMAT_JSON, false, SOME_TIME,
						 LOG_LEVEL_ERROR, "ha", line);

		assert_in_range(n, 1, len);
		assert_memory_equal(buf + n - 3, "\"}\n", 3);
	}
}

static char last[LOG_LINE_MAX];
static unsigned int lines;

static void remember(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	strcpy(last, line);
	lines++;
}

static void a_record_is_written_whatever_the_level_is(void **state)
{
	(void)state;
	log_set_sink(remember);
	log_set_level(LOG_LEVEL_ERROR);
	lines = 0;
	for (unsigned int i = 0; i < LOG_BURST * 2; i++) {
		log_notice("audit", "%s", "left out");
		log_record(LOG_LEVEL_NOTICE, "audit", "100 % of changes");
	}
	assert_int_equal(lines, LOG_BURST * 2);
	assert_string_equal(last, "100 % of changes");
	log_set_level(LOG_LEVEL_INFO);
	log_set_sink(NULL);
	lines = 0;
}

static void a_statement_that_repeats_is_limited(void **state)
{
	(void)state;
	log_set_sink(remember);
	for (unsigned int i = 0; i < 1000; i++)
		log_warning("link", "line %u", i);
	assert_in_range(lines, LOG_BURST, 2 * LOG_BURST);
	/* Another statement has a limit of its own. */
	lines = 0;
	log_warning("link", "another");
	assert_int_equal(lines, 1);
	assert_string_equal(last, "another");
	log_set_sink(NULL);
}

static void what_was_left_out_is_told_later(void **state)
{
	struct log_site site = {0};
	uint32_t left_out;

	(void)state;
	for (unsigned int i = 0; i < LOG_BURST; i++)
		assert_true(log_site_admit(&site, 5000, &left_out));
	for (unsigned int i = 0; i < 7; i++)
		assert_false(log_site_admit(&site, 5000 + LOG_WINDOW_MS - 1, &left_out));
	assert_true(log_site_admit(&site, 5000 + LOG_WINDOW_MS, &left_out));
	assert_int_equal(left_out, 7);
	assert_true(log_site_admit(&site, 5000 + LOG_WINDOW_MS, &left_out));
	assert_int_equal(left_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_and_folder),
		cmocka_unit_test(the_journal_gets_a_priority_in_place_of_what_it_knows),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(control_characters_reach_no_terminal),
		cmocka_unit_test(a_line_that_is_too_long_is_cut_and_stays_a_line),
		cmocka_unit_test(a_record_is_written_whatever_the_level_is),
		cmocka_unit_test(a_statement_that_repeats_is_limited),
		cmocka_unit_test(what_was_left_out_is_told_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
