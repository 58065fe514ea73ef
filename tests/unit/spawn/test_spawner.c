/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include "spawn_lab.h"

/* ---- many ---- */

static void two_hundred_wait_for_eight_places(void **state)
{
	static struct seen seen[200];
	struct fixture *f = *state;
	char dir[] = "/tmp/plvs-spawn-XXXXXX", script[256], command[64];
	uint64_t asked_ms[200], started_ms = 0;
	uint32_t waited = 0, most = 0;
	struct spawn_counters c;

	assert_non_null(mkdtemp(dir));
	snprintf(script, sizeof(script), "touch %s/$$; ls %s | wc -l; sleep 0.02; rm %s/$$", dir,
		 dir, dir);
	assert_int_equal(spawn_client_set_parallel(f->client, 8), 0);
	for (uint32_t i = 0; i < 200; i++) {
		asked_ms[i] = clock_us() / 1000;
		start_shell(f, script, &seen[i], NULL);
	}
	wait_calls(f, seen, 200, 200);
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t n = (uint32_t)atoi(seen[i].output);

		assert_int_equal(seen[i].calls, 1);
		assert_int_equal(seen[i].outcome, SPAWN_EXITED);
		assert_in_range(n, 1, 8);
		most = n > most ? n : most;
		/* In order, about, and waiting is not running. */
		assert_true(asked_ms[i] + seen[i].waited_ms + 200 >= started_ms);
		if (asked_ms[i] + seen[i].waited_ms > started_ms)
			started_ms = asked_ms[i] + seen[i].waited_ms;
		waited = seen[i].waited_ms > waited ? seen[i].waited_ms : waited;
	}
	assert_true(most > 1);
	assert_true(waited > 100);
	spawn_client_counters(f->client, &c);
	assert_int_equal(c.requests, 200);
	assert_int_equal(c.ended, 200);
	assert_int_equal(c.open, 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void the_queue_is_bounded_in_number_and_time(void **state)
{
	static struct seen seen[SPAWN_MAX_REQUESTS];
	struct fixture *f = *state;
	const char *argv[] = {"/bin/sleep", "60", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = 60000, .queue_limit_ms = 300};
	uint32_t n = 0, queued = 0;
	int rc;

	memset(seen, 0, sizeof(seen));
	while ((rc = spawn_run(f->client, &r, on_done, &seen[n], NULL)) == 0)
		n++;
	assert_int_equal(rc, -ENOBUFS);
	assert_int_equal(n, SPAWN_MAX_REQUESTS);
	wait_calls(f, seen, n, n - SPAWN_PARALLEL);
	for (uint32_t i = 0; i < n; i++)
		queued += seen[i].calls && seen[i].step == SPAWN_STEP_QUEUE;
	assert_int_equal(queued, n - SPAWN_PARALLEL);
	assert_non_null(strstr(seen[n - 1].text, "no slot came free in "));
}

static void large_requests_are_bounded_in_bytes(void **state)
{
	static struct seen seen[SPAWN_MAX_REQUESTS];
	struct fixture *f = *state;
	const char *argv[] = {"/usr/bin/wc", "-c", NULL};
	char *big = calloc(1, SPAWN_MAX_INPUT);
	struct spawn_request r = {.argv = argv,
				  .time_limit_ms = LIMIT_MS,
				  .input = big,
				  .input_len = SPAWN_MAX_INPUT};
	uint32_t n = 0;
	int rc;

	memset(seen, 0, sizeof(seen));
	while ((rc = spawn_run(f->client, &r, on_done, &seen[n], NULL)) == 0)
		n++;
	assert_int_equal(rc, -ENOBUFS);
	assert_in_range(n, 60, 64);
	wait_calls(f, seen, n, n);
	for (uint32_t i = 0; i < n; i++)
		assert_string_equal(seen[i].output, "65536\n");
	/* The queue has room again. */
	run(f, &r, &seen[0]);
	assert_string_equal(seen[0].output, "65536\n");
	free(big);
}

/* Time for which this thread could have run and had no CPU (Documentation/scheduler/sched-stats).
 */
static uint64_t robbed_us(void)
{
	FILE *file = fopen("/proc/thread-self/schedstat", "r");
	unsigned long long ran = 0, waited = 0;

	if (file && fscanf(file, "%llu %llu", &ran, &waited) != 2)
		waited = 0;
	if (file)
		fclose(file);
	return waited / 1000;
}

static void asking_for_a_hundred_programs_does_not_hold_up_the_caller(void **state)
{
	static struct seen seen[100];
	struct fixture *f = *state;
	uint64_t worst = 0, all = clock_us(), robbed = robbed_us();

	for (uint32_t i = 0; i < 100; i++) {
		uint64_t begin = clock_us(), took;

		start_shell(f, "exit 0", &seen[i], NULL);
		took = clock_us() - begin;
		worst = took > worst ? took : worst;
	}
	all = clock_us() - all;
	robbed = robbed_us() - robbed;
	print_message("          100 calls: %llu us, the longest %llu us\n",
		      (unsigned long long)all, (unsigned long long)worst);
	wait_calls(f, seen, 100, 100);
	/* Far above what a call takes and far below what starting one of them does when all are
	 * waited for. The time without a CPU is that of a busy machine. */
	assert_true(all < 200000 + robbed);
}

/* ---- the end of it ---- */

static void a_cancelled_program_is_called_back_once_and_killed(void **state)
{
	struct fixture *f = *state;
	char script[64], t[32];
	struct seen s[12];
	uint64_t id[12];
	struct spawn_counters c;

	snprintf(script, sizeof(script), "sleep %s & wait", odd_time(t));
	for (uint32_t i = 0; i < 12; i++)
		start_shell(f, script, &s[i], &id[i]);
	/* Eight run, four wait. */
	wait_processes(t, SPAWN_PARALLEL);
	for (uint32_t i = 0; i < 12; i++) {
		spawn_cancel(f->client, id[i]);
		assert_int_equal(s[i].calls, 1);
		assert_int_equal(s[i].outcome, SPAWN_CANCELLED);
		spawn_cancel(f->client, id[i]);
	}
	wait_processes(t, 0);
	run_shell(f, "exit 3", LIMIT_MS, &s[0]);
	assert_int_equal(s[0].code, 3);
	for (uint32_t i = 1; i < 12; i++)
		assert_int_equal(s[i].calls, 1);
	do {
		loop_once(f);
		spawn_client_counters(f->client, &c);
	} while (c.open > 0);
	spawn_cancel(f->client, 0);
	spawn_cancel(f->client, UINT64_MAX);
}

static void a_client_that_goes_takes_its_programs_along(void **state)
{
	struct fixture *f = *state;
	char script[64], t[32];
	struct spawn_client *other;
	struct seen s, o;
	const char *argv[] = {"/bin/sh", "-c", "sleep 1; exit 5", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};

	assert_int_equal(spawn_client_create(f->base, spawner_take_fd(f->spawner, 1), &other), 0);
	assert_int_equal(spawner_take_fd(f->spawner, 1), -1);
	memset(&o, 0, sizeof(o));
	assert_int_equal(spawn_run(other, &r, on_done, &o, NULL), 0);
	snprintf(script, sizeof(script), "setsid sleep %s & wait", odd_time(t));
	start_shell(f, script, &s, NULL);
	wait_processes(t, 1);
	spawn_client_destroy(f->client);
	f->client = NULL;
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.outcome, SPAWN_CANCELLED);
	wait_processes(t, 0);
	/* The other client's do not notice. */
	wait_calls(f, &o, 1, 1);
	assert_int_equal(o.code, 5);
	spawn_client_destroy(other);
}

static void nothing_is_left_when_the_router_is_killed(void **state)
{
	struct fixture *f = *state;
	char t[32], command[128];
	int pipefd[2];
	pid_t router;
	char byte;

	odd_time(t);
	snprintf(command, sizeof(command), "setsid sleep %s & sleep %s", t, t);
	assert_int_equal(pipe(pipefd), 0);
	router = fork();
	if (router == 0) {
		static struct seen seen;
		struct fixture own;

		fixture_start(&own);
		start_shell(&own, command, &seen, NULL);
		while (processes_with(t) < 2)
			usleep(20000);
		if (write(pipefd[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(pipefd[0], &byte, 1), 1);
	kill(router, SIGKILL);
	waitpid(router, NULL, 0);
	wait_processes(t, 0);
	close(pipefd[0]);
	close(pipefd[1]);
	(void)f;
}

static void signals_to_the_whole_unit_are_the_routers(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	kill(spawner_pid(f->spawner), SIGTERM);
	kill(spawner_pid(f->spawner), SIGINT);
	kill(spawner_pid(f->spawner), SIGHUP);
	run_shell(f, "exit 6", LIMIT_MS, &s);
	assert_int_equal(s.code, 6);
}

/* ---- bad input ---- */

static void the_spawner_lives_through_any_bytes(void **state)
{
	static uint8_t junk[SPAWN_MSG_MAX + 4096];
	struct fixture *f = *state;
	const char *argv[] = {"/bin/true", "x", NULL}, *env[] = {"A=b", NULL};
	const struct spawn_request r = {.argv = argv, .env = env, .time_limit_ms = 100};
	int fd = spawner_socket(f->spawner, 1);
	uint32_t seed = 4;
	struct seen s;
	size_t len;
	void *good;

	assert_int_equal(spawn_order_encode(&r, NULL, 7, &good, &len), 0);
	for (uint32_t i = 0; i < 4000; i++) {
		size_t n = 0;

		for (size_t k = 0; k < 256; k++)
			junk[k] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		if (i % 4 == 0) {
			n = junk[0] % 64 == 0 ? sizeof(junk) : junk[1];
		} else {
			/* A good one with one word of its head changed, or cut short. */
			size_t at = 8 + 4 * (junk[2] % 10);
			uint32_t word = junk[3] % 3 ? junk[4] : 0xffffffffU - junk[5];

			n = i % 4 == 1 ? junk[6] % len : len;
			memcpy(junk, good, len);
			if (i % 4 > 1)
				memcpy(junk + at, &word, sizeof(word));
		}
		/* Results are thrown away, else the spawner's answers pile up. */
		while (recv(fd, junk + 4096, 40000, MSG_DONTWAIT) > 0)
			continue;
		if (send(fd, junk, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			assert_true(errno == EAGAIN || errno == EMSGSIZE);
	}
	free(good);
	close(fd);
	run_shell(f, "exit 9", LIMIT_MS, &s);
	assert_int_equal(s.code, 9);
}

static void a_client_that_never_reads_holds_up_no_other(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"/usr/bin/head", "-c", "4096", "/dev/zero", NULL};
	const struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};
	int fd = spawner_socket(f->spawner, 1);
	struct seen s;
	size_t len;
	void *msg;

	assert_int_equal(spawn_order_encode(&r, NULL, 7, &msg, &len), 0);
	for (uint32_t i = 0; i < 300; i++)
		(void)send(fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(msg);
	run_shell(f, "sleep 0.5; exit 9", LIMIT_MS, &s);
	assert_int_equal(s.code, 9);
	close(fd);
}

static void bad_requests_are_refused_by_the_client(void **state)
{
	struct fixture *f = *state;
	const char *none[] = {NULL}, *empty[] = {"", NULL}, *many[SPAWN_MAX_ARGV + 2];
	char *text = malloc(SPAWN_MAX_TEXT + 1);
	const char *longest[] = {text, NULL};
	struct spawn_request r = {.argv = none, .time_limit_ms = 1};
	struct seen s = {0};

	assert_int_equal(spawn_run(f->client, &r, on_done, &s, NULL), -EINVAL);
	r.argv = empty;
	assert_int_equal(spawn_run(f->client, &r, on_done, &s, NULL), -EINVAL);
	for (uint32_t i = 0; i < SPAWN_MAX_ARGV + 1; i++)
		many[i] = "x";
	many[SPAWN_MAX_ARGV + 1] = NULL;
	r.argv = many;
	assert_int_equal(spawn_run(f->client, &r, on_done, &s, NULL), -E2BIG);
	memset(text, 'x', SPAWN_MAX_TEXT);
	text[SPAWN_MAX_TEXT] = '\0';
	r.argv = longest;
	assert_int_equal(spawn_run(f->client, &r, on_done, &s, NULL), -E2BIG);
	r.time_limit_ms = 0;
	r.argv = many + SPAWN_MAX_ARGV;
	assert_int_equal(spawn_run(f->client, &r, on_done, &s, NULL), -EINVAL);
	assert_int_equal(spawn_client_set_parallel(f->client, 0), -EINVAL);
	assert_int_equal(spawn_client_set_parallel(f->client, SPAWN_MAX_PARALLEL + 1), -EINVAL);
	assert_int_equal(s.calls, 0);
	free(text);
}

/* ---- the end of the spawner ---- */

static void a_killed_spawner_leaves_nothing_and_is_started_again(void **state)
{
	struct fixture *f = *state;
	struct spawner_status status;
	char script[64], t[32];
	struct seen s[20];
	int before;

	snprintf(script, sizeof(script), "setsid sleep %s & wait", odd_time(t));
	for (uint32_t i = 0; i < 20; i++)
		start_shell(f, script, &s[i], NULL);
	wait_processes(t, 8);
	logged = 0;
	before = spawner_pid(f->spawner);
	kill(before, SIGKILL);
	wait_calls(f, s, 20, 20);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(s[i].outcome, SPAWN_NO_SPAWNER);
	assert_non_null(strstr(s[0].text, "cannot run programs"));
	assert_int_equal(logged, 1);
	wait_processes(t, 0);
	wait_works(f, true);
	assert_int_equal(logged, 2);
	run_shell(f, "exit 7", LIMIT_MS, &s[0]);
	assert_int_equal(s[0].code, 7);
	wait_restarts(f, 1, &status);
	assert_true(status.spawner != before);
}

static void the_limit_of_places_holds_for_the_next_spawner(void **state)
{
	struct fixture *f = *state;
	char script[64], t[32];
	struct seen s[4];

	assert_int_equal(spawn_client_set_parallel(f->client, 2), 0);
	kill(spawner_pid(f->spawner), SIGKILL);
	wait_works(f, false);
	assert_int_equal(spawn_run(f->client,
				   &(struct spawn_request){.argv = (const char *[]){"true", NULL},
							   .time_limit_ms = 1},
				   on_done, s, NULL),
			 -EPIPE);
	wait_works(f, true);
	snprintf(script, sizeof(script), "setsid sleep %s & wait", odd_time(t));
	for (uint32_t i = 0; i < 4; i++)
		start_shell(f, script, &s[i], NULL);
	wait_processes(t, 2);
	usleep(200000);
	wait_processes(t, 2);
}

static void a_killed_keeper_is_replaced_and_its_successor_keeps(void **state)
{
	struct fixture *f = *state;
	struct spawner_status before, after;
	char script[64], t[32];
	struct seen s;

	spawner_status(f->spawner, &before);
	snprintf(script, sizeof(script), "setsid sleep %s & wait", odd_time(t));
	start_shell(f, script, &s, NULL);
	wait_processes(t, 1);
	kill(before.keeper, SIGKILL);
	wait_calls(f, &s, 1, 1);
	assert_int_equal(s.outcome, SPAWN_NO_SPAWNER);
	wait_processes(t, 0);
	wait_works(f, true);
	wait_restarts(f, 1, &after);
	assert_int_equal(after.keeper, before.spawner);
	kill(after.spawner, SIGKILL);
	wait_works(f, false);
	wait_works(f, true);
	run_shell(f, "exit 8", LIMIT_MS, &s);
	assert_int_equal(s.code, 8);
}

static void a_stopped_spawner_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct seen s;
	int pid = spawner_pid(f->spawner);

	kill(pid, SIGSTOP);
	wait_works(f, false);
	wait_works(f, true);
	run_shell(f, "exit 9", LIMIT_MS, &s);
	assert_int_equal(s.code, 9);
	assert_int_equal(kill(pid, 0), -1);
}

static void without_spawner_and_keeper_the_loss_is_for_good_and_said(void **state)
{
	struct fixture *f = *state;
	struct spawner_status status;
	struct seen s;

	spawner_status(f->spawner, &status);
	assert_false(status.lost);
	logged = 0;
	kill(status.keeper, SIGSTOP); /* so that it does not see the spawner end first */
	kill(status.spawner, SIGKILL);
	kill(status.keeper, SIGKILL);
	wait_works(f, false);
	for (int i = 0; i < 50; i++)
		loop_once(f);
	assert_false(spawn_client_works(f->client));
	assert_non_null(strstr(log_last, "until plvs is started again"));
	spawner_status(f->spawner, &status);
	assert_true(status.lost);
	assert_int_equal(spawn_run(f->client, &(struct spawn_request){0}, on_done, &s, NULL),
			 -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_hundred_wait_for_eight_places),
		TEST(the_queue_is_bounded_in_number_and_time),
		TEST(large_requests_are_bounded_in_bytes),
		TEST(asking_for_a_hundred_programs_does_not_hold_up_the_caller),
		TEST(a_cancelled_program_is_called_back_once_and_killed),
		TEST(a_client_that_goes_takes_its_programs_along),
		TEST(signals_to_the_whole_unit_are_the_routers),
		TEST(the_spawner_lives_through_any_bytes),
		TEST(a_client_that_never_reads_holds_up_no_other),
		TEST(bad_requests_are_refused_by_the_client),
		TEST(nothing_is_left_when_the_router_is_killed),
		TEST(a_killed_spawner_leaves_nothing_and_is_started_again),
		TEST(the_limit_of_places_holds_for_the_next_spawner),
		TEST(a_killed_keeper_is_replaced_and_its_successor_keeps),
		TEST(a_stopped_spawner_is_replaced),
		TEST(without_spawner_and_keeper_the_loss_is_for_good_and_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
