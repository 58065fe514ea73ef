/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "spawn_lab.h"

/* ---- how programs end ---- */

static void exit_codes_and_signals_are_told(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	run_shell(f, "exit 0", LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
	assert_int_equal(s.code, 0);
	run_shell(f, "sleep 0.2; exit 37", LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
	assert_int_equal(s.code, 37);
	assert_in_range(s.ran_ms, 200, LIMIT_MS);
	assert_non_null(strstr(s.text, "it: exit code 37 after "));
	run_shell(f, "kill -USR1 $$", LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_SIGNALLED);
	assert_int_equal(s.code, SIGUSR1);
	assert_non_null(strstr(s.text, "signal 10, SIGUSR1"));
}

static void output_and_error_are_kept_apart(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	run_shell(f, "echo out; echo err >&2; echo more", LIMIT_MS, &s);
	assert_string_equal(s.output, "out\nmore\n");
	assert_string_equal(s.error, "err\n");
	assert_int_equal(s.output_dropped, 0);
}

static void programs_that_cannot_run_say_why(void **state)
{
	struct fixture *f = *state;
	char plain[] = "/tmp/plvs-spawn-XXXXXX", script[] = "/tmp/plvs-spawn-XXXXXX";
	const char *argv[] = {"/nonexistent/program", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};
	struct seen s;
	int fd = mkstemp(plain);

	close(fd);
	run(f, &r, &s);
	assert_int_equal(s.outcome, SPAWN_NOT_STARTED);
	assert_int_equal(s.step, SPAWN_STEP_EXEC);
	assert_int_equal(s.code, ENOENT);
	assert_string_equal(s.text, "it: it cannot be executed: No such file or directory");
	argv[0] = plain;
	run(f, &r, &s);
	assert_int_equal(s.step, SPAWN_STEP_EXEC);
	assert_int_equal(s.code, EACCES);
	argv[0] = "plvs-no-such-program";
	run(f, &r, &s);
	assert_int_equal(s.step, SPAWN_STEP_EXEC);
	assert_int_equal(s.code, ENOENT);
	/* A text without #! is for a shell, and there is none. */
	fd = mkstemp(script);
	assert_int_equal(write(fd, "exit 0\n", 7), 7);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	argv[0] = script;
	run(f, &r, &s);
	assert_int_equal(s.step, SPAWN_STEP_EXEC);
	assert_int_equal(s.code, ENOEXEC);
	unlink(plain);
	unlink(script);
}

static void users_are_taken_on_or_refused(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"/bin/sh", "-c", "echo $(id -u) $(id -g) $(id -G)", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};
	const struct passwd *nobody = getpwnam("nobody");
	char expected[64], number[16];
	struct seen s;

	r.user = "plvs-no-such-user";
	run(f, &r, &s);
	assert_int_equal(s.outcome, SPAWN_NOT_STARTED);
	assert_string_equal(s.text, "it: its user does not exist");
	r.user = "4123456789";
	run(f, &r, &s);
	assert_string_equal(s.text, "it: its user does not exist");
	r.user = NULL;
	r.group = "plvs-no-such-group";
	run(f, &r, &s);
	assert_string_equal(s.text, "it: its group does not exist");
	r.group = NULL;
	r.netns = "plvs-no-such-namespace";
	run(f, &r, &s);
	assert_int_equal(s.step, SPAWN_STEP_NETNS);
	r.netns = NULL;
	if (geteuid() != 0 || !nobody)
		return;
	snprintf(expected, sizeof(expected), "%u %u %u\n", nobody->pw_uid, nobody->pw_gid,
		 nobody->pw_gid);
	r.user = "nobody";
	run(f, &r, &s);
	assert_string_equal(s.output, expected);
	snprintf(number, sizeof(number), "%u", nobody->pw_uid);
	r.user = number;
	run(f, &r, &s);
	assert_string_equal(s.output, expected);
	r.group = "daemon";
	argv[2] = "id -gn";
	run(f, &r, &s);
	assert_string_equal(s.output, "daemon\n");
}

/* ---- what programs get ---- */

static void the_environment_is_path_and_what_is_given(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"env", NULL};
	const char *env[] = {"PLVS_SERVER_ADDRESS=10.0.0.1", "EMPTY=", NULL};
	struct spawn_request r = {.argv = argv, .env = env, .time_limit_ms = LIMIT_MS};
	char expected[4200];
	struct seen s;

	snprintf(expected, sizeof(expected), "PLVS_SERVER_ADDRESS=10.0.0.1\nEMPTY=\nPATH=%s\n",
		 getenv("PATH"));
	run(f, &r, &s);
	assert_string_equal(s.output, expected);
	env[1] = "PATH=/usr/bin:/bin";
	run(f, &r, &s);
	assert_string_equal(s.output, "PLVS_SERVER_ADDRESS=10.0.0.1\nPATH=/usr/bin:/bin\n");
}

static void arguments_meet_no_shell(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"/usr/bin/printf", "[%s]", "$(id) `id` ; | > *", "", "\"'\\", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};
	struct seen s;

	run(f, &r, &s);
	assert_string_equal(s.output, "[$(id) `id` ; | > *][][\"'\\]");
}

static void standard_input_is_given_or_empty(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"/usr/bin/md5sum", NULL};
	struct spawn_request r = {.argv = argv, .time_limit_ms = LIMIT_MS};
	char *big = malloc(SPAWN_MAX_INPUT + 1);
	struct seen s;

	run(f, &r, &s);
	assert_string_equal(s.output, "d41d8cd98f00b204e9800998ecf8427e  -\n");
	memset(big, 'a', SPAWN_MAX_INPUT + 1);
	r.input = big;
	r.input_len = SPAWN_MAX_INPUT;
	argv[0] = "/usr/bin/wc";
	argv[1] = NULL;
	run(f, &r, &s);
	assert_non_null(strstr(s.output, "65536"));
	/* A program that does not read must not hold anything up. */
	argv[0] = "/bin/true";
	run(f, &r, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
	assert_int_equal(s.code, 0);
	r.input_len++;
	assert_int_equal(spawn_run(f->client, &r, on_done, &s, NULL), -E2BIG);
	free(big);
}

static uint32_t descriptors_of(pid_t pid)
{
	char path[64];
	uint32_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2; /* "." and ".." */
}

static void no_descriptor_of_the_router_leaks(void **state)
{
	int before[3], after;
	struct fixture own;
	struct seen s;

	(void)state;
	/* Not close-on-exec; one far up. */
	for (int i = 0; i < 2; i++)
		before[i] = open("/dev/null", O_RDONLY);
	before[2] = fcntl(before[0], F_DUPFD, 900);
	fixture_start(&own);
	after = open("/dev/null", O_RDONLY);
	/* 0 to 2, the end of life, the router's pidfd, the permit, two lines; the pair with the
	 * keeper, two clients and one for signals. */
	assert_int_equal(descriptors_of(spawner_pid(own.spawner)), 12);
	/* ls holds one more, for the directory. */
	run_shell(&own, "ls /proc/self/fd | tr '\\n' ' '", LIMIT_MS, &s);
	assert_string_equal(s.output, "0 1 2 3 ");
	/* The supervisor: 0 to 2, channel, signals, output, error; input and failure are closed. */
	run_shell(&own, "sleep 0.2; ls /proc/$PPID/fd | wc -l", LIMIT_MS, &s);
	assert_string_equal(s.output, "7\n");
	fixture_stop(&own);
	for (int i = 0; i < 3; i++)
		close(before[i]);
	close(after);
}

/* A router that was started by posix_spawn(), as make does, ignores signals of glibc's own, which
 * sigaction() does not touch. */
static void internal_signals_ignore(void)
{
	const unsigned long ignore[8] = {(unsigned long)SIG_IGN};

	for (int sig = 32; sig <= 33; sig++)
		assert_int_equal(syscall(SYS_rt_sigaction, sig, ignore, NULL, 8), 0);
}

static void signals_limits_and_session_are_a_programs_own(void **state)
{
	struct fixture *f = *state, own;
	struct seen s;

	internal_signals_ignore();
	fixture_start(&own);
	run_shell(&own, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\n'", LIMIT_MS, &s);
	assert_string_equal(s.output, "SigBlk:\t0000000000000000SigIgn:\t0000000000000000");
	fixture_stop(&own);
	run_shell(f, "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\n'", LIMIT_MS, &s);
	assert_string_equal(s.output, "SigBlk:\t0000000000000000SigIgn:\t0000000000000000");
	run_shell(f, "ulimit -c; pwd; umask; cat /proc/self/oom_score_adj; nice", LIMIT_MS, &s);
	assert_string_equal(s.output, "0\n/\n0022\n500\n5\n");
	run_shell(f,
		  "read -r pid name st ppid pgrp sid rest < /proc/self/stat;"
		  "[ $sid = $$ ] && [ $pgrp = $$ ] && echo own",
		  LIMIT_MS, &s);
	assert_string_equal(s.output, "own\n");
}

/* ---- programs that misbehave ---- */

static void endless_output_is_read_counted_and_thrown_away(void **state)
{
	struct fixture *f = *state;
	struct seen s;

	/* Long enough for a shell to begin on a machine that is busy. */
	run_shell(f, "echo begin; exec yes 0123456789", 1000, &s);
	assert_int_equal(s.outcome, SPAWN_TIMED_OUT);
	assert_int_equal(s.output_len, SPAWN_OUTPUT);
	assert_memory_equal(s.output, "begin\n0123456789\n", 17);
	assert_true(s.output_dropped > 1000000);
	assert_in_range(s.ran_ms, 1000, LIMIT_MS);
	run_shell(f, "exec head -c 1000000 /dev/zero", LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
	assert_int_equal(s.output_len + s.output_dropped, 1000000);
}

static void the_time_limit_asks_and_then_kills(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"/bin/sh", "-c", "trap 'echo asked; exit 0' TERM; sleep 30 & wait",
			      NULL};
	/* The shell has time to begin, and to answer the signal, on a machine that is busy. */
	struct spawn_request r = {.argv = argv, .time_limit_ms = 1000, .grace_ms = 10000};
	struct seen s;

	run(f, &r, &s);
	assert_int_equal(s.outcome, SPAWN_TIMED_OUT);
	assert_string_equal(s.output, "asked\n");
	assert_non_null(strstr(s.text, "it: not done after "));
	run_shell(f, "trap '' TERM; while :; do sleep 1; done", 1000, &s);
	assert_int_equal(s.outcome, SPAWN_TIMED_OUT);
	assert_in_range(s.ran_ms, 1100, LIMIT_MS);
	/* A stopped one hears it as well. */
	argv[2] = "trap 'echo asked; exit 0' TERM; kill -STOP $$; sleep 30";
	run(f, &r, &s);
	assert_int_equal(s.outcome, SPAWN_TIMED_OUT);
	assert_string_equal(s.output, "asked\n");
}

static void grandchildren_end_with_their_program(void **state)
{
	struct fixture *f = *state;
	char script[512], t[32];
	struct seen s;

	/* In sessions of their own, orphaned, deaf to SIGTERM, holding the output. */
	odd_time(t);
	snprintf(
		script, sizeof(script),
		"trap '' TERM; i=0; while [ $i -lt 50 ]; do (setsid sleep %s &) ; i=$((i+1)); done;"
		"sleep %s",
		t, t);
	run_shell(f, script, 1500, &s);
	assert_int_equal(s.outcome, SPAWN_TIMED_OUT);
	wait_processes(t, 0);
	/* The same of a program that ends well. */
	odd_time(t);
	snprintf(script, sizeof(script),
		 "i=0; while [ $i -lt 50 ]; do (setsid sleep %s &) ; i=$((i+1)); done; exit 4", t);
	run_shell(f, script, LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
	assert_int_equal(s.code, 4);
	wait_processes(t, 0);
}

static void a_bomb_that_goes_on_forking_is_ended(void **state)
{
	struct fixture *f = *state;
	char script[512], t[32];
	struct seen s;

	/* Each leaves its session and makes the next, so that group and parents are gone. None
	 * after half a minute: should this test be killed, nobody else ends them. */
	odd_time(t);
	snprintf(script, sizeof(script),
		 "b() { trap '' TERM HUP; while :; do setsid sh -c \"$B\" %s & sleep 0.05; done; };"
		 "export END=$(($(date +%%s) + 30)) B='trap \"\" TERM; sleep 0.01;"
		 " [ $(date +%%s) -ge $END ] || setsid sh -c \"$B\" %s & sleep 0.03'; b",
		 t, t);
	run_shell(f, script, 500, &s);
	assert_int_equal(s.outcome, SPAWN_TIMED_OUT);
	wait_processes(t, 0);
	run_shell(f, "exit 0", LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
}

static void what_a_killed_supervisor_leaves_is_ended(void **state)
{
	struct fixture *f = *state;
	char script[256], t[32];
	struct seen s;

	odd_time(t);
	/* The supervisor is the parent of the program. */
	snprintf(script, sizeof(script), "(setsid sleep %s &); kill -KILL $PPID; sleep %s", t, t);
	run_shell(f, script, LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_NOT_STARTED);
	assert_int_equal(s.step, SPAWN_STEP_LOST);
	wait_processes(t, 0);
	run_shell(f, "exit 0", LIMIT_MS, &s);
	assert_int_equal(s.outcome, SPAWN_EXITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(exit_codes_and_signals_are_told),
		TEST(output_and_error_are_kept_apart),
		TEST(programs_that_cannot_run_say_why),
		TEST(users_are_taken_on_or_refused),
		TEST(the_environment_is_path_and_what_is_given),
		TEST(arguments_meet_no_shell),
		TEST(standard_input_is_given_or_empty),
		TEST(no_descriptor_of_the_router_leaks),
		TEST(signals_limits_and_session_are_a_programs_own),
		TEST(endless_output_is_read_counted_and_thrown_away),
		TEST(the_time_limit_asks_and_then_kills),
		TEST(grandchildren_end_with_their_program),
		TEST(a_bomb_that_goes_on_forking_is_ended),
		TEST(what_a_killed_supervisor_leaves_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
