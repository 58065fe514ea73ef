/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process with threads, one of which blocks all signals as the link thread does, gives up its
 * rights; then every thread, and one that starts later, tries what is forbidden and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own_user.h"
#include "router/privileges.h"
#include "router/syscall_filter.h"

#define N_THREADS 3

static bool go;
static uid_t expected_uid;

/* ---- what a thread tries ---- */

static long try_exec(void)
{
	char name[] = "true", *argv[] = {name, NULL};

	return execve("/bin/true", argv, NULL);
}

static long try_process(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long try_namespace(void)
{
	return unshare(CLONE_NEWNET);
}

static long try_enter(void)
{
	return setns(0, 0);
}

static long try_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static long try_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_root(void)
{
	return syscall(SYS_setresuid, 0, 0, 0);
}

static long try_bpf(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long try_module(void)
{
	return syscall(SYS_init_module, "", 0, "");
}

static long try_clock(void)
{
	return syscall(SYS_settimeofday, NULL, NULL);
}

static long try_ring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long try_chroot(void)
{
	return chroot("/");
}

static long try_alg(void)
{
	return socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static const struct {
	const char *what;
	long (*call)(void);
} forbidden[] = {
	{"a program", try_exec},  {"a process", try_process}, {"a namespace", try_namespace},
	{"setns", try_enter},	  {"a mount", try_mount},     {"ptrace", try_trace},
	{"root", try_root},	  {"bpf", try_bpf},	      {"a module", try_module},
	{"the clock", try_clock}, {"io_uring", try_ring},     {"chroot", try_chroot},
	{"AF_ALG", try_alg},
};

static const char *refused(void)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		errno = 0;
		if (forbidden[i].call() != -1 || errno != EPERM)
			return forbidden[i].what;
	}
	return NULL;
}

static uint64_t capabilities(void)
{
	unsigned long long effective = ~0ULL;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", gettid());
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapPrm: %llx", &effective) == 1)
			break;
	if (f)
		fclose(f);
	return effective;
}

/* NULL, or what is wrong in this thread. */
static const char *look(void)
{
	char byte = 0;
	int fds[2];

	if (geteuid() != expected_uid)
		return "the user";
	if (capabilities() & ~privileges_left(XDP_NONE))
		return "capabilities";
	if (pipe(fds) != 0 || write(fds[1], "x", 1) != 1 || read(fds[0], &byte, 1) != 1)
		return "a pipe does not work";
	close(fds[0]);
	close(fds[1]);
	return refused();
}

static void *thread_main(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE))
		usleep(1000);
	return (void *)(uintptr_t)look();
}

/* As the link thread is started. */
static int thread_start(pthread_t *thread, bool deaf)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigdelset(&all, OWN_USER_SIGNAL);
	if (deaf)
		pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(thread, NULL, thread_main, NULL);
	if (deaf)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* In a process of its own: 0, or the number of the thread in which something is wrong. */
static int drop_and_look(const char *user)
{
	pthread_t threads[N_THREADS + 1];
	struct privileges p;
	void *wrong;
	int rc;

	if (privileges_user(&p, user) != 0)
		return 100;
	for (int i = 0; i < N_THREADS; i++)
		if (thread_start(&threads[i], i == 1) != 0)
			return 101;
	rc = privileges_drop(&p, privileges_left(XDP_NONE));
	if (rc == 0)
		rc = syscall_filter_load(false);
	if (rc != 0) {
		fprintf(stderr, "%s\n", strerror(-rc));
		return 102;
	}
	__atomic_store_n(&go, true, __ATOMIC_RELEASE);
	if (thread_start(&threads[N_THREADS], false) != 0)
		return 103;
	for (int i = 0; i <= N_THREADS; i++) {
		pthread_join(threads[i], &wrong);
		if (wrong) {
			fprintf(stderr, "thread %d: %s\n", i, (const char *)wrong);
			return 1 + i;
		}
	}
	wrong = (void *)(uintptr_t)look();
	if (wrong)
		fprintf(stderr, "main: %s\n", (const char *)wrong);
	return wrong ? 110 : 0;
}

static void run(const char *user, uid_t uid)
{
	int status;
	pid_t pid;

	expected_uid = uid;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(drop_and_look(user));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool sanitized(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(syscall_filter_load(false) == -ENOSYS ? 0 : 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void every_thread_is_refused_what_is_forbidden(void **state)
{
	(void)state;
	if (sanitized())
		skip();
	run(NULL, geteuid());
}

static void every_thread_becomes_the_user(void **state)
{
	(void)state;
	if (geteuid() != 0 || sanitized())
		skip();
	run("nobody", 65534);
}

static void a_user_that_is_not_there_is_refused(void **state)
{
	struct privileges p;

	(void)state;
	assert_int_equal(privileges_user(&p, "no-such-user"), -ENOENT);
	assert_int_equal(privileges_user(&p, NULL), 0);
	assert_false(p.become);
}

static void files_are_trusted_of_root_and_the_user(void **state)
{
	(void)state;
	assert_true(own_user_is(geteuid()));
	own_user_set(4711, 4712);
	assert_true(own_user_is(4711));
	assert_true(own_user_is(0));
	assert_false(own_user_is(4712));
	assert_true(own_group_is(4712));
	assert_true(own_group_is(0));
	assert_false(own_group_is(4711));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_is_refused_what_is_forbidden),
		cmocka_unit_test(every_thread_becomes_the_user),
		cmocka_unit_test(a_user_that_is_not_there_is_refused),
		cmocka_unit_test(files_are_trusted_of_root_and_the_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
