/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "config/health_config.h"
#include "health/advice.h"
#include "health/checkers.h"
#include "health/health.h"
#include "health/pattern.h"
#include "../spawn/spawn_lab.h"

/* Programs as checks: the real spawner, the real checker, without the core around it. */

struct asking {
	struct check_spec spec;
	struct checker_env env;
	struct probe probe;
	uint8_t state[64];
	uint32_t ended;
	struct probe_result result;
};

static void on_ended(struct probe *p, const struct probe_result *r)
{
	struct asking *a = p->arg;

	a->ended++;
	a->result = *r;
}

static void asking_init(struct fixture *f, struct asking *a, char **argv)
{
	memset(a, 0, sizeof(*a));
	assert_true(check_exec_ops.state_size <= sizeof(a->state));
	a->env.base = f->base;
	a->env.spawn = f->client;
	a->spec.type = CHECK_EXEC;
	a->spec.timeout_ms = LIMIT_MS;
	a->spec.exec.argv = argv;
	while (argv[a->spec.exec.n_argv])
		a->spec.exec.n_argv++;
	assert_int_equal(endpoint_parse("10.0.0.12:8080", &a->probe.server), 0);
	assert_int_equal(endpoint_parse("192.0.2.80:80", &a->probe.vip), 0);
	a->probe.target = a->probe.server;
	a->probe.spec = &a->spec;
	a->probe.env = &a->env;
	a->probe.ended = on_ended;
	a->probe.arg = a;
	a->probe.state = a->state;
}

static void ask(struct fixture *f, struct asking *a)
{
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;

	a->ended = 0;
	memset(&a->result, 0, sizeof(a->result));
	memset(a->state, 0, sizeof(a->state));
	check_exec_ops.start(&a->probe);
	while (!a->ended && clock_us() < until)
		loop_once(f);
	assert_int_equal(a->ended, 1);
}

static char sh[] = "/bin/sh", dash_c[] = "-c";

static void ask_shell(struct fixture *f, struct asking *a, const char *script)
{
	static char text[512];
	static char *argv[] = {sh, dash_c, text, NULL};

	snprintf(text, sizeof(text), "%s", script);
	a->spec.exec.argv = argv;
	a->spec.exec.n_argv = 3;
	ask(f, a);
}

static void match_set(struct match *m, enum match_kind kind, const char *text)
{
	static char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	*m = (struct match){.kind = (uint8_t)kind, .len = (uint32_t)strlen(copy), .bytes = copy};
}

static void an_exit_code_may_be_a_weight(void **state)
{
	static const struct {
		const char *command;
		uint8_t verdict;
		bool weighs;
		uint32_t units;
	} rows[] = {{"exit 0", PROBE_OK, false, 0},    {"exit 1", PROBE_FAIL, false, 0},
		    {"exit 2", PROBE_OK, true, 0},     {"exit 7", PROBE_OK, true, 5},
		    {"exit 255", PROBE_OK, true, 253}, {"kill -KILL $$", PROBE_FAIL, false, 0}};
	static char *none[] = {NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, none);
	a.spec.exec.code_weight = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask_shell(f, &a, rows[i].command);
		assert_int_equal(a.result.verdict, rows[i].verdict);
		assert_int_equal((a.result.advice & ADVICE_UNITS) != 0, rows[i].weighs);
		if (rows[i].weighs)
			assert_int_equal(a.result.weight_units, rows[i].units);
	}
	ask_shell(f, &a, "exit 7");
	assert_string_equal(a.result.reason, "exit code 7 of sh: weight 5");
}

static void exit_code_and_output_make_the_verdict(void **state)
{
	static char *none[] = {NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, none);
	ask_shell(f, &a, "echo fine");
	assert_int_equal(a.result.verdict, PROBE_OK);
	assert_string_equal(a.result.reason, "exit code 0 of sh: \"fine\"");
	ask_shell(f, &a, "echo no disk >&2; exit 3");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	assert_string_equal(a.result.reason, "exit code 3 of sh: \"no disk\"");
	ask_shell(f, &a, "kill -KILL $$");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	assert_string_equal(a.result.reason, "sh was ended by signal 9, SIGKILL");
	match_set(&a.spec.exec.output, MATCH_LITERAL, "OK");
	ask_shell(f, &a, "echo all OK");
	assert_int_equal(a.result.verdict, PROBE_OK);
	ask_shell(f, &a, "echo all bad");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	assert_string_equal(a.result.reason, "the output of sh does not match: \"all bad\"");
	ask_shell(f, &a, "exit 0");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	ask_shell(f, &a, "echo OK; exit 1");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	a.spec.exec.any_code = true;
	ask_shell(f, &a, "echo OK; exit 1");
	assert_int_equal(a.result.verdict, PROBE_OK);
	match_set(&a.spec.exec.output, MATCH_PREFIX, "OK");
	ask_shell(f, &a, "echo all OK; exit 1");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	ask_shell(f, &a, "echo OK all; exit 1");
	assert_int_equal(a.result.verdict, PROBE_OK);
}

static void output_is_compared_with_a_pattern_that_has_limits(void **state)
{
	static char *none[] = {NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, none);
	assert_int_equal(pattern_cache_create(&a.env.patterns), 0);
	match_set(&a.spec.exec.output, MATCH_PATTERN, "^free: [1-9][0-9]*$");
	ask_shell(f, &a, "printf 'free: 12'");
	assert_int_equal(a.result.verdict, PROBE_OK);
	ask_shell(f, &a, "echo free: 12");
	assert_int_equal(a.result.verdict, PROBE_OK);
	ask_shell(f, &a, "printf 'free: 12\\n\\n'");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	ask_shell(f, &a, "printf 'free: 0'");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	match_set(&a.spec.exec.output, MATCH_PATTERN, "^(a+)+$");
	ask_shell(f, &a, "printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'");
	assert_int_not_equal(a.result.verdict, PROBE_OK);
	pattern_cache_destroy(a.env.patterns);
}

static void arguments_and_environment_name_server_and_vip(void **state)
{
	static char printf_name[] = "/usr/bin/printf", format[] = "%%s;", all[] = "%h:%p via %v",
		    other[] = "100%% %x %", env_name[] = "/usr/bin/env";
	static char *argv[] = {printf_name, format, all, other, NULL}, *env[] = {env_name, NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, argv);
	match_set(&a.spec.exec.output, MATCH_LITERAL, "10.0.0.12:8080 via 192.0.2.80;100% %x %;");
	ask(f, &a);
	assert_string_equal(a.result.reason, "exit code 0 of printf: "
					     "\"10.0.0.12:8080 via 192.0.2.80;100% %x %;\"");
	asking_init(f, &a, env);
	match_set(&a.spec.exec.output, MATCH_PREFIX,
		  "PLVS_SERVER_ADDRESS=10.0.0.12\nPLVS_SERVER_PORT=8080\n");
	ask(f, &a);
	assert_int_equal(a.result.verdict, PROBE_OK);
	match_set(&a.spec.exec.output, MATCH_LITERAL,
		  "\nPLVS_VIP_ADDRESS=192.0.2.80\nPLVS_VIP_PORT=80\nPATH=");
	ask(f, &a);
	assert_int_equal(a.result.verdict, PROBE_OK);
}

static void a_program_that_cannot_be_run_says_nothing_of_the_server(void **state)
{
	static char missing[] = "/nonexistent/check", nobody[] = "plvs-no-such-user";
	static char *argv[] = {missing, NULL}, *none[] = {NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, argv);
	ask(f, &a);
	assert_int_equal(a.result.verdict, PROBE_ERROR);
	assert_string_equal(a.result.reason,
			    "check: it cannot be executed: No such file or directory");
	a.spec.exec.user = nobody;
	ask_shell(f, &a, "exit 0");
	assert_int_equal(a.result.verdict, PROBE_ERROR);
	assert_string_equal(a.result.reason, "sh: its user does not exist");
	asking_init(f, &a, none);
	ask(f, &a);
	assert_int_equal(a.result.verdict, PROBE_ERROR);
	a.env.spawn = NULL;
	ask_shell(f, &a, "exit 0");
	assert_int_equal(a.result.verdict, PROBE_ERROR);
	assert_string_equal(a.result.reason, "no programs can be run: the spawner has ended");
}

static void the_time_limit_begins_with_the_program(void **state)
{
	static char *none[] = {NULL};
	struct fixture *f = *state;
	struct asking a;
	struct seen s;

	assert_int_equal(spawn_client_set_parallel(f->client, 1), 0);
	asking_init(f, &a, none);
	a.spec.timeout_ms = 400;
	start_shell(f, "sleep 0.8", &s, NULL);
	ask_shell(f, &a, "exit 0");
	assert_int_equal(s.calls, 1);
	assert_int_equal(a.result.verdict, PROBE_OK);
	ask_shell(f, &a, "sleep 30");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	assert_true(a.result.timeout);
	assert_string_equal(a.result.reason, "sh was not done within 400ms");
}

static void a_cancelled_probe_ends_its_program_and_never_answers(void **state)
{
	static char *none[] = {NULL};
	static char text[64];
	char t[32], phase[64];
	static char *argv[] = {sh, dash_c, text, NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, none);
	snprintf(text, sizeof(text), "sleep %s & wait", odd_time(t));
	a.spec.exec.argv = argv;
	a.spec.exec.n_argv = 3;
	check_exec_ops.start(&a.probe);
	wait_processes(t, 1);
	check_exec_ops.cancel(&a.probe, phase, sizeof(phase));
	assert_string_equal(phase, "no end of sh");
	wait_processes(t, 0);
	for (int i = 0; i < 10; i++)
		loop_once(f);
	assert_int_equal(a.ended, 0);
}

static void a_load_number_and_an_agents_words_are_advice(void **state)
{
	static char *none[] = {NULL};
	struct fixture *f = *state;
	struct asking a;

	asking_init(f, &a, none);
	a.spec.exec.load = true;
	ask_shell(f, &a, "echo ' 10:00:00 up 3 days, 2 users, load average: 0.52, 0.58, 0.59'");
	assert_int_equal(a.result.verdict, PROBE_OK);
	assert_int_equal(a.result.advice, ADVICE_LOAD);
	assert_true(a.result.load > 0.519 && a.result.load < 0.521);
	ask_shell(f, &a, "echo high");
	assert_int_equal(a.result.verdict, PROBE_ERROR);
	assert_int_equal(a.result.advice, 0);
	ask_shell(f, &a, "echo 0.3; exit 1");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	a.spec.exec.load = false;
	a.spec.weight = true;
	ask_shell(f, &a, "echo 40% drain");
	assert_int_equal(a.result.verdict, PROBE_OK);
	assert_int_equal(a.result.advice, ADVICE_WEIGHT | ADVICE_DRAIN);
	assert_int_equal(a.result.weight_percent, 40);
	ask_shell(f, &a, "echo 'down # no licence'");
	assert_int_equal(a.result.verdict, PROBE_FAIL);
	assert_string_equal(a.result.reason, "sh says down: no licence");
	ask_shell(f, &a, "echo just talk");
	assert_int_equal(a.result.verdict, PROBE_OK);
	assert_int_equal(a.result.advice, 0);
}

static void ignore_change(void *arg, const char *key)
{
	(void)arg;
	(void)key;
}

static void ignore_edge(void *arg, const char *key, const struct endpoint *server)
{
	(void)arg;
	(void)key;
	(void)server;
}

/* The core arms no limit of its own: programs that wait for a place are not late. */
static void a_server_is_not_down_because_programs_wait(void **state)
{
	static char name[] = "program", script[] = "exit 0";
	static char *argv[] = {sh, dash_c, script, NULL};
	struct fixture *f = *state;
	const struct health_options o = {.base = f->base,
					 .specs = &config_spec_ops,
					 .spawn = f->client,
					 .changed = ignore_change,
					 .edge = ignore_edge};
	struct check_spec spec = {.name = name,
				  .type = CHECK_EXEC,
				  .interval_ms = 200,
				  .timeout_ms = 200,
				  .fall = 1,
				  .exec = {.argv = argv, .n_argv = 3}};
	const struct check_spec *const checks[] = {&spec, NULL};
	struct health_server server = {.weight = 1, .checks = checks};
	struct health_policy policy = {0};
	uint64_t until = clock_us() + 1000 * DEADLINE_MS;
	struct endpoint vip;
	struct health_view v;
	struct health *h;
	struct seen s;

	assert_int_equal(endpoint_parse("10.0.0.12:80", &server.ep), 0);
	assert_int_equal(endpoint_parse("192.0.2.80:80", &vip), 0);
	assert_int_equal(spawn_client_set_parallel(f->client, 1), 0);
	start_shell(f, "sleep 1.2", &s, NULL);
	assert_int_equal(health_create(&o, &h), 0);
	assert_int_equal(health_set_service(h, "tcp:192.0.2.80:80", &vip, &policy, &server, 1), 0);
	do {
		loop_once(f);
		assert_int_equal(health_get(h, "tcp:192.0.2.80:80", &server.ep, &v), 0);
	} while (v.state != HEALTH_UP && clock_us() < until);
	assert_int_equal(s.calls, 1);
	assert_int_equal(v.state, HEALTH_UP);
	assert_int_equal(v.failures, 0);
	health_destroy(h);
}

static uint32_t advice_of(const char *text, uint32_t *percent)
{
	struct probe_result r = {0};
	char why[32];

	advice_parse(text, strlen(text), &r, why, sizeof(why));
	*percent = r.weight_percent;
	return r.advice;
}

static void agents_words_are_read_as_haproxy_does(void **state)
{
	uint32_t percent;

	(void)state;
	assert_int_equal(advice_of("75%\n", &percent), ADVICE_WEIGHT);
	assert_int_equal(percent, 75);
	assert_int_equal(advice_of("ready,up,100%\r\nmaint", &percent),
			 ADVICE_WEIGHT | ADVICE_UP | ADVICE_READY);
	assert_int_equal(advice_of("MAINT maxconn:30", &percent), ADVICE_MAINT);
	assert_int_equal(advice_of("drain ready", &percent), ADVICE_READY);
	assert_int_equal(advice_of("up stopped", &percent), ADVICE_DOWN);
	assert_int_equal(advice_of("fail#up 50%", &percent), ADVICE_DOWN);
	assert_int_equal(advice_of("", &percent), 0);
	assert_int_equal(advice_of("%", &percent), 0);
	assert_int_equal(advice_of("-5% 5.5% 99999999999999999999% upper", &percent), 0);
}

static void load_numbers_are_found_or_refused(void **state)
{
	static const struct {
		const char *text;
		double load; /* under 0: refused */
	} rows[] = {
		{"0.25", 0.25},
		{"  3\n", 3},
		{"host up 3:10, load average: 1.50, 0.2, 0.1", 1.5},
		{" 12:00  up 1 day, load averages: 2.25 1.00 0.50\n", 2.25},
		{"0", 0},
		{"", -1},
		{"-1", -1},
		{"nan", -1},
		{"inf", -1},
		{"0x10", -1},
		{"1e300", -1},
		{"12abc", -1},
		{"load average: none", -1},
		{"load average", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double load = -2;
		int rc = load_parse(rows[i].text, strlen(rows[i].text), &load);

		assert_int_equal(rc, rows[i].load < 0 ? -EINVAL : 0);
		if (rc == 0)
			assert_true(load == rows[i].load);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exit_code_and_output_make_the_verdict),
		TEST(an_exit_code_may_be_a_weight),
		TEST(output_is_compared_with_a_pattern_that_has_limits),
		TEST(arguments_and_environment_name_server_and_vip),
		TEST(a_program_that_cannot_be_run_says_nothing_of_the_server),
		TEST(the_time_limit_begins_with_the_program),
		TEST(a_cancelled_probe_ends_its_program_and_never_answers),
		TEST(a_load_number_and_an_agents_words_are_advice),
		TEST(a_server_is_not_down_because_programs_wait),
		cmocka_unit_test(agents_words_are_read_as_haproxy_does),
		cmocka_unit_test(load_numbers_are_found_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
