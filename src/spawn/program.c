/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/netns.h"
#include "spawn/permit.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NICENESS     5
#define OOM_SCORE    "500" /* of 1000: long before the router */

/* The kernel's sigaction with SIG_DFL, on every architecture with 64 signals: all zeros. */
#define KERNEL_SIGSET  8
#define KERNEL_DEFAULT ((const unsigned long[8]){0})

/* The system call, since sigaction() refuses the signals 32 and 33 of glibc's own: make, and
 * whoever else starts programs by posix_spawn(), leaves them ignored. */
void program_signals_reset(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)syscall(SYS_rt_sigaction, sig, KERNEL_DEFAULT, NULL, KERNEL_SIGSET);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- limits ---- */

/* Never more than the router has. */
static void limit_lower(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)resource, &l) != 0)
		return;
	if (l.rlim_max > hard)
		l.rlim_max = hard;
	l.rlim_cur = soft < l.rlim_max ? soft : l.rlim_max;
	(void)setrlimit((__rlimit_resource_t)resource, &l);
}

/* A router may have memory locked, thousands of descriptors and real-time priority; programs
 * get what a login has. A failure here does not keep the program from running. */
static void limits_set(void)
{
	const struct sched_param other = {0};
	int fd;

	limit_lower(RLIMIT_CORE, 0, RLIM_INFINITY);
	limit_lower(RLIMIT_NOFILE, 1024, 4096);
	limit_lower(RLIMIT_NPROC, 4096, 4096);
	limit_lower(RLIMIT_MEMLOCK, 8U << 20, 8U << 20);
	limit_lower(RLIMIT_RTPRIO, 0, 0);
	(void)sched_setscheduler(0, SCHED_OTHER, &other);
	(void)setpriority(PRIO_PROCESS, 0, NICENESS);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
			errno = 0;
		close(fd);
	}
}

/* ---- who it runs as ---- */

/* A number that is one: digits alone. */
static bool id_parse(const char *text, unsigned int *out)
{
	char *end;
	unsigned long v;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (*end || errno || v >= UINT32_MAX)
		return false;
	*out = (unsigned int)v;
	return true;
}

static int errno_or_enoent(void)
{
	/* The one of these that means "no such name" differs between name services. */
	if (errno == 0 || errno == ESRCH || errno == EPERM || errno == EBADF)
		return ENOENT;
	return errno;
}

static const char *confined_to; /* NULL: programs run as whoever the router is, by default */
static int permit_fd = -1;
static struct permit permitted; /* nobody, before it is sealed */

void program_confine(const char *user, int permit)
{
	confined_to = user;
	permit_fd = permit;
}

void program_permit_take(void)
{
	struct permit read;
	int rc = permit_fd < 0 ? -EAGAIN : permit_read(permit_fd, &read);

	if (rc == -EAGAIN)
		return;
	permit_fd = -1;
	if (rc != 0)
		return;
	permitted = read;
	if (!read.netns)
		(void)capabilities_reduce(PROGRAM_CAPABILITIES);
}

static struct program_failure identity_set(const struct spawn_order *o)
{
	const char *user = o->user ? o->user : confined_to;
	struct program_failure ok = {SPAWN_STEP_NONE, 0};
	struct passwd *pw = NULL;
	struct group *gr = NULL;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	unsigned int id;

	if (user) {
		errno = 0;
		pw = id_parse(user, &id) ? getpwuid(id) : getpwnam(user);
		if (!pw)
			return (struct program_failure){SPAWN_STEP_USER, errno_or_enoent()};
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (o->group) {
		errno = 0;
		gr = id_parse(o->group, &id) ? getgrgid(id) : getgrnam(o->group);
		if (!gr)
			return (struct program_failure){SPAWN_STEP_GROUP, errno_or_enoent()};
		gid = gr->gr_gid;
	}
	if (uid == geteuid() && gid == getegid() && uid != 0)
		return ok;
	if (confined_to && (uid == 0 || gid == 0 || gr || !permit_has(&permitted, uid)))
		return (struct program_failure){SPAWN_STEP_IDENTITY, EPERM};
	if (!user && !o->group)
		return ok;
	if ((pw ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) != 0 ||
	    setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return (struct program_failure){SPAWN_STEP_IDENTITY, errno};
	return ok;
}

/* ---- the program ---- */

/* As execvpe(), but a file without a known format is not given to a shell. Returns errno. */
static int exec_in_path(struct spawn_order *o, const char *path)
{
	const char *name = o->argv[0];
	char file[4096];
	int last = ENOENT;

	if (strchr(name, '/')) {
		execve(name, o->argv, o->envp);
		return errno;
	}
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, ":");

		if (len > 0 && len + strlen(name) + 2 <= sizeof(file)) {
			memcpy(file, at, len);
			file[len] = '/';
			strcpy(file + len + 1, name);
			execve(file, o->argv, o->envp);
			if (errno != ENOENT && errno != ENOTDIR)
				last = errno;
		}
		at += len + (at[len] == ':');
	}
	return last;
}

/* The PATH of the request, or the router's. */
static const char *path_give(struct spawn_order *o)
{
	static char given[4096];
	const char *own = getenv("PATH");
	uint32_t n = 0;

	for (; o->envp[n]; n++)
		if (strncmp(o->envp[n], "PATH=", 5) == 0)
			return o->envp[n] + 5;
	snprintf(given, sizeof(given), "PATH=%s", own && *own ? own : DEFAULT_PATH);
	o->envp[n] = given;
	o->envp[n + 1] = NULL;
	return given + 5;
}

/* Descriptors 0 to 2 may be among those given: first out of the way. */
static int descriptors_set(int in, int out, int err, int *failure)
{
	int from[4] = {in, out, err, *failure};

	for (int i = 0; i < 4; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 4);
		if (from[i] < 0)
			return errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(from[i], i) < 0)
			return errno;
	if (dup3(from[3], 3, O_CLOEXEC) < 0)
		return errno;
	*failure = 3;
	return close_range(4, ~0U, 0) == 0 ? 0 : errno;
}

struct program_failure program_exec(struct spawn_order *order, int in, int out, int err,
				    int *failure)
{
	struct program_failure f;
	char error[ERROR_TEXT];
	const char *path;
	int rc;

	setsid();
	rc = descriptors_set(in, out, err, failure);
	if (rc != 0)
		return (struct program_failure){SPAWN_STEP_RESOURCES, rc};
	program_signals_reset();
	limits_set();
	umask(022);
	if (chdir("/") != 0)
		return (struct program_failure){SPAWN_STEP_RESOURCES, errno};
	rc = -netns_enter(order->netns, error);
	if (rc != 0)
		return (struct program_failure){SPAWN_STEP_NETNS, rc};
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	f = identity_set(order);
	if (f.step != SPAWN_STEP_NONE)
		return f;
	/* After the change of user, which clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Libraries of name services may have opened something. */
	if (close_range(4, ~0U, 0) != 0)
		return (struct program_failure){SPAWN_STEP_RESOURCES, errno};
	path = path_give(order);
	return (struct program_failure){SPAWN_STEP_EXEC, exec_in_path(order, path)};
}
