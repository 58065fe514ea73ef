/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent check against agents on loopback, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "health/pattern.h"
#include "health/tls.h"
#include "descriptors.h"
#include "fake_probe.h"
#include "health_servers.h"

static void ask(const struct check_spec *spec, uint16_t port, uint32_t limit_ms)
{
	asked = (struct probe){.target = {.addr = addr_from_v4(be32_from(INADDR_LOOPBACK)),
					  .port = be16_from(port)}};
	probe_begin(spec);
	probe_await(limit_ms);
}

/* Words of agents, their forms, and their effects. */
static const struct row {
	enum manner manner;
	const char *text;
	uint8_t verdict;
	uint32_t advice, percent;
	const char *said;
} rows[] = {
	{GREETS, "75%\n", PROBE_OK, ADVICE_WEIGHT, 75, "says \"75%\""},
	{GREETS, "up 50%\r\nrest that is not read\n", PROBE_OK, ADVICE_UP | ADVICE_WEIGHT, 50,
	 "says \"up 50%\""},
	{DRIPS, "drain\n", PROBE_OK, ADVICE_DRAIN, 0, "says \"drain\""},
	{DRIPS, "READY, 100%\n", PROBE_OK, ADVICE_READY | ADVICE_WEIGHT, 100, "says"},
	{GREETS, "maint\n", PROBE_OK, ADVICE_MAINT, 0, "says \"maint\""},
	{GREETS, "down # disk is full\n", PROBE_FAIL, ADVICE_DOWN, 0,
	 "says \"down # disk is full\""},
	{GREETS, "stopped\n", PROBE_FAIL, ADVICE_DOWN, 0, "says \"stopped\""},
	{GREETS, "fail\n", PROBE_FAIL, ADVICE_DOWN, 0, "says \"fail\""},
	{GREETS, "hello\n", PROBE_ERROR, 0, 0, "no word that the agent protocol knows"},
	{GREETS, "\n", PROBE_ERROR, 0, 0, "no word that the agent protocol knows"},
	{GREETS, "99999999999999999999%\n", PROBE_ERROR, 0, 0, "no word"},
	{ENDLESS, "up ", PROBE_ERROR, 0, 0, "more than 1024 bytes without a newline"},
	{CLOSES, NULL, PROBE_ERROR, 0, 0, "without a word"},
};

static void agents_are_heard_however_they_speak(void **state)
{
	const struct check_spec spec = {.type = CHECK_AGENT};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct test_server s = {
			.base = env.base, .manner = rows[i].manner, .text = rows[i].text};

		server_start(&s);
		ask(&spec, s.port, 20000);
		assert_said(rows[i].verdict, rows[i].said);
		assert_int_equal(last.advice, rows[i].advice);
		assert_int_equal(last.weight_percent, rows[i].percent);
		server_stop(&s);
	}
}

static void an_agent_may_be_asked_and_may_close_instead_of_a_newline(void **state)
{
	struct match step = {.kind = MATCH_SEND, .len = 8, .bytes = (char *)"how\r\n\r\n "};
	const struct check_spec spec = {.type = CHECK_AGENT, .steps = &step, .n_steps = 1};
	struct test_server s = {.base = env.base, .manner = ANSWERS, .text = "up 20%"};

	(void)state;
	server_start(&s);
	ask(&spec, s.port, 20000);
	assert_said(PROBE_OK, "says \"up 20%\"");
	assert_int_equal(last.weight_percent, 20);
	assert_string_equal(s.request, "how\r\n\r\n ");
	server_stop(&s);
}

static void agents_that_are_silent_or_away_end_in_words(void **state)
{
	const struct check_spec spec = {.type = CHECK_AGENT};
	struct test_server s = {.base = env.base, .manner = HANGS};
	uint32_t before;

	(void)state;
	server_start(&s);
	before = count_descriptors();
	for (int i = 0; i < 5; i++) {
		ask(&spec, s.port, 50);
		assert_said(PROBE_FAIL, "no line from the agent");
		assert_int_equal(last.advice, 0);
	}
	s.manner = DRIPS;
	s.text = "up"; /* then x, and no newline */
	ask(&spec, s.port, 300);
	assert_said(PROBE_FAIL, "no line from the agent");
	for (int i = 0; i < 200 && s.closed < s.accepted; i++)
		event_base_loop(env.base, EVLOOP_ONCE);
	assert_int_equal(count_descriptors(), before);
	server_stop(&s);
	ask(&spec, server_free_port(), 20000);
	assert_said(PROBE_FAIL, "refused the connection");
	assert_int_equal(last.advice, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_are_heard_however_they_speak),
		cmocka_unit_test(an_agent_may_be_asked_and_may_close_instead_of_a_newline),
		cmocka_unit_test(agents_that_are_silent_or_away_end_in_words),
	};

	return cmocka_run_group_tests(tests, probe_env_setup, probe_env_teardown);
}
