/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/own_user.h"

#define MAX_THREADS 1024
#define ANSWER_MS   2000

int privileges_user(struct privileges *p, const char *name)
{
	const struct passwd *pw;

	memset(p, 0, sizeof(*p));
	p->uid = geteuid();
	p->gid = getegid();
	if (!name)
		return 0;
	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return errno && errno != ESRCH ? -errno : -ENOENT;
	if (geteuid() != 0 && geteuid() != pw->pw_uid)
		return -EPERM;
	p->become = geteuid() == 0;
	p->uid = pw->pw_uid;
	p->gid = pw->pw_gid;
	p->n_groups = PRIVILEGES_MAX_GROUPS;
	if (getgrouplist(name, pw->pw_gid, p->groups, &p->n_groups) < 0)
		return -E2BIG;
	return 0;
}

uint64_t privileges_left(enum privileges_xdp xdp)
{
	/* NET_ADMIN: TAPs, routes, sysctls of interfaces. NET_RAW: packet sockets.
	 * NET_BIND_SERVICE: checks and listeners. IPC_LOCK: memory of devices.
	 * SYS_NICE: SCHED_FIFO of the ha and link threads. BPF: a program
	 * that chooses the queue of a TAP, which is made again when somebody deletes it. */
	uint64_t left = CAPABILITY(NET_ADMIN) | CAPABILITY(NET_RAW) | CAPABILITY(NET_BIND_SERVICE) |
			CAPABILITY(IPC_LOCK) | CAPABILITY(SYS_NICE) | CAPABILITY(BPF);

	/* PERFMON: the kernel checks programs that compute with packet pointers. SYS_ADMIN: libxdp
	 * looks for programs on the interface by their ids. */
	if (xdp != XDP_NONE)
		left |= CAPABILITY(PERFMON);
	return xdp == XDP_OF_LIBXDP ? left | CAPABILITY(SYS_ADMIN) : left;
}

/* ---- one thread ---- */

static struct {
	const struct privileges *user;
	uint64_t left;
	int failed; /* errno of the first call that failed */
	uint32_t done;
} order;

/* Raw calls: those of glibc change all threads, and are not for handlers. */
static int thread_drop(const struct privileges *p, uint64_t left)
{
	if (p->become && (syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
			  syscall(SYS_setgroups, (size_t)p->n_groups, p->groups) != 0 ||
			  syscall(SYS_setresgid, p->gid, p->gid, p->gid) != 0 ||
			  syscall(SYS_setresuid, p->uid, p->uid, p->uid) != 0))
		return -errno;
	if (syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
	    syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	return capabilities_reduce(left);
}

static void on_signal(int sig)
{
	const int saved = errno;
	const int rc = thread_drop(order.user, order.left);
	int none = 0;

	(void)sig;
	if (rc != 0)
		__atomic_compare_exchange_n(&order.failed, &none, rc, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	__atomic_add_fetch(&order.done, 1, __ATOMIC_RELEASE);
	errno = saved;
}

/* ---- all threads ---- */

static bool known(const pid_t *tids, uint32_t n, pid_t tid)
{
	for (uint32_t i = 0; i < n; i++)
		if (tids[i] == tid)
			return true;
	return false;
}

/* Sends the signal to a thread and waits for its answer; a thread that has ended is no error. */
static int thread_ask(pid_t tid)
{
	static const struct timespec ms = {.tv_nsec = 1000000};
	const uint32_t before = __atomic_load_n(&order.done, __ATOMIC_ACQUIRE);

	if (syscall(SYS_tgkill, getpid(), tid, OWN_USER_SIGNAL) != 0)
		return errno == ESRCH ? 0 : -errno;
	for (int waited = 0; __atomic_load_n(&order.done, __ATOMIC_ACQUIRE) == before; waited++) {
		if (waited == ANSWER_MS)
			return syscall(SYS_tgkill, getpid(), tid, 0) != 0 ? 0 : -ETIMEDOUT;
		nanosleep(&ms, NULL);
	}
	return __atomic_load_n(&order.failed, __ATOMIC_RELAXED);
}

/* Until a whole look at the list of threads shows none that was not asked. */
static int threads_ask(void)
{
	static pid_t asked[MAX_THREADS];
	uint32_t n = 0, before;
	int rc = 0;

	do {
		DIR *dir = opendir("/proc/self/task");
		const struct dirent *e;

		if (!dir)
			return -errno;
		for (before = n; rc == 0 && (e = readdir(dir));) {
			const pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);

			if (tid <= 0 || known(asked, n, tid))
				continue;
			if (n == MAX_THREADS)
				rc = -E2BIG;
			else
				asked[n++] = tid;
			/* The first thread goes last: it has to be able to ask the others. */
			if (rc == 0 && tid != getpid())
				rc = thread_ask(tid);
		}
		closedir(dir);
	} while (rc == 0 && n > before);
	return rc == 0 ? thread_ask(getpid()) : rc;
}

int privileges_drop(const struct privileges *p, uint64_t left)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, old;
	int rc;

	order.user = p;
	order.left = left;
	order.failed = 0;
	sigemptyset(&action.sa_mask);
	if (sigaction(OWN_USER_SIGNAL, &action, &old) != 0)
		return -errno;
	rc = threads_ask();
	/* A signal that comes late would end the process by default. */
	action.sa_handler = SIG_IGN;
	sigaction(OWN_USER_SIGNAL, &action, NULL);
	/* A change of user takes core dumps away, and /proc/self. */
	if (rc == 0 && p->become)
		prctl(PR_SET_DUMPABLE, 1);
	return rc;
}
