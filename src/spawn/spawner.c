/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/capabilities.h"
#include "base/log.h"
#include "spawn/keeper.h"
#include "spawn/program.h"
#include "spawn/spawner_wire.h"

#define AREA	 "spawn"
#define START_MS 6000
#define STOP_MS	 3000

struct spawner {
	pid_t pid; /* of the first keeper: a child, until it was waited for; then 0 */
	int life;
	uint32_t n;
	int lines[SPAWNER_MAX_CLIENTS];
	int permit_fd;
	bool confined;
	struct permit permit;
	struct spawner_status status;
};

/* Descriptors before those of clients: life, the router's pidfd, the permit. */
enum { FD_LIFE, FD_ROUTER, FD_PERMIT, FD_CLIENTS };

/* In the child: descriptors to 3 and up in their order, all others closed. */
static int descriptors_reduce(int *fds, uint32_t n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (uint32_t i = 0; i < n; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
		if (fds[i] < 0)
			return errno;
	}
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return errno;
	for (uint32_t i = 0; i < n; i++) {
		if (dup3(fds[i], 3 + (int)i, O_CLOEXEC) < 0)
			return errno;
		fds[i] = 3 + (int)i;
	}
	return close_range(3 + n, ~0U, 0) == 0 ? 0 : errno;
}

static const char *confined_to;

void spawner_confine(const char *user)
{
	confined_to = user;
}

/* SYS_ADMIN: programs run in the network namespace of linux.netns, if there is one. */
static int confine(const char *user)
{
	program_confine(user, KEEPER_PERMIT);
	return capabilities_reduce(PROGRAM_CAPABILITIES | CAPABILITY(SYS_ADMIN));
}

/* fds[n]: life, a place for the router's pidfd, the permit, lines (keeper.h). */
static void child(pid_t router, int *fds, uint32_t n) __attribute__((noreturn));
static void child(pid_t router, int *fds, uint32_t n)
{
	/* Signals to the router's group, or to all processes of its unit, are the router's:
	 * it may still have notifications to run when it ends. */
	static const int deaf[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE};

	program_signals_reset();
	for (size_t i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++)
		signal(deaf[i], SIG_IGN);
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The end of file on life says it as well, unless somebody else holds the other end. A
	 * kernel without pidfds leaves the place empty. */
	fds[FD_ROUTER] = pidfd_open(router, 0);
	if (fds[FD_ROUTER] < 0 && errno == ENOSYS)
		fds[FD_ROUTER] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fds[FD_ROUTER] < 0 || descriptors_reduce(fds, n) != 0 ||
	    (confined_to && confine(confined_to) != 0))
		_exit(1);
	keeper_run(n - FD_CLIENTS);
}

static void fds_close(const int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Takes what the keeper said; a keeper that was replaced is waited for. */
static void notes_take(struct spawner *s)
{
	struct keeper_note note;
	ssize_t len;

	while ((len = recv(s->life, &note, sizeof(note), MSG_DONTWAIT)) > 0) {
		if (len != (ssize_t)sizeof(note) || note.magic != SPAWN_MAGIC)
			continue;
		s->status.keeper = note.keeper;
		s->status.spawner = note.spawner;
		s->status.restarts = note.restarts;
		s->status.served_us = note.now_us;
	}
	s->status.lost = len == 0;
	if (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == s->pid)
		s->pid = 0;
}

/* The keeper says when signals no longer end a spawner and it is ready to serve. */
static int ready_wait(struct spawner *s)
{
	struct pollfd p = {.fd = s->life, .events = POLLIN};

	if (poll(&p, 1, START_MS) != 1)
		return -ETIMEDOUT;
	notes_take(s);
	return s->status.spawner ? 0 : -EIO;
}

/* Both ends of descriptor n. The child opens the router's pidfd itself: -1. */
static int ends_make(uint32_t n, int *ours, int *theirs)
{
	int pair[2] = {-1, -1};

	if (n == FD_PERMIT) {
		pair[0] = permit_create();
		if (pair[0] < 0)
			return pair[0];
		pair[1] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
		if (pair[1] < 0) {
			int rc = -errno;

			close(pair[0]);
			return rc;
		}
	} else if (n != FD_ROUTER &&
		   socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) !=
			   0) {
		return -errno;
	}
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

int spawner_start(uint32_t n_clients, struct spawner **out)
{
	struct spawner *s;
	int theirs[SPAWNER_MAX_CLIENTS + FD_CLIENTS], ours[SPAWNER_MAX_CLIENTS + FD_CLIENTS];
	int rc = 0;
	pid_t self = getpid();
	uint32_t n = 0;

	if (n_clients == 0 || n_clients > SPAWNER_MAX_CLIENTS)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	for (; n < n_clients + FD_CLIENTS; n++) {
		rc = ends_make(n, &ours[n], &theirs[n]);
		if (rc != 0)
			goto err_fds;
	}
	s->pid = fork();
	if (s->pid == 0)
		child(self, theirs, n);
	if (s->pid < 0) {
		rc = -errno;
		goto err_fds;
	}
	fds_close(theirs, n);
	s->life = ours[FD_LIFE];
	s->permit_fd = ours[FD_PERMIT];
	s->confined = confined_to != NULL;
	s->n = n_clients;
	for (uint32_t i = 0; i < n_clients; i++)
		s->lines[i] = ours[i + FD_CLIENTS];
	rc = ready_wait(s);
	if (rc != 0)
		spawner_stop(s);
	else
		*out = s;
	return rc;

err_fds:
	fds_close(theirs, n);
	fds_close(ours, n);
	free(s);
	return rc;
}

int spawner_permit(struct spawner *s, const struct permit *permit)
{
	int rc = s->confined ? permit_seal(s->permit_fd, permit) : 0;

	if (rc == 0)
		s->permit = *permit;
	return rc;
}

const struct permit *spawner_permitted(const struct spawner *s)
{
	return s && s->confined ? &s->permit : NULL;
}

int spawner_take_fd(struct spawner *s, uint32_t client)
{
	int fd = client < s->n ? s->lines[client] : -1;

	if (client < s->n)
		s->lines[client] = -1;
	return fd;
}

int spawner_set_cpus(struct spawner *s, const cpu_set_t *cpus)
{
	notes_take(s);
	/* Spawners that the keeper starts later have its CPUs. */
	if (sched_setaffinity(s->status.keeper, sizeof(*cpus), cpus) != 0 ||
	    sched_setaffinity(s->status.spawner, sizeof(*cpus), cpus) != 0)
		return -errno;
	return 0;
}

void spawner_status(struct spawner *s, struct spawner_status *out)
{
	notes_take(s);
	*out = s->status;
}

/* Keeper and spawner close their ends of life when they end. */
static bool all_ended(struct spawner *s)
{
	notes_take(s);
	return s->status.lost;
}

void spawner_stop(struct spawner *s)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	int waited = 0;

	if (!s)
		return;
	(void)shutdown(s->life, SHUT_WR);
	fds_close(s->lines, s->n);
	while (!all_ended(s)) {
		if (waited++ == STOP_MS) {
			log_warning(AREA, "the spawner does not end: killed");
			if (s->pid > 0)
				kill(s->pid, SIGKILL);
			if (s->status.spawner > 0)
				kill(s->status.spawner, SIGKILL);
			break;
		}
		nanosleep(&ms, NULL);
	}
	if (s->pid > 0)
		waitpid(s->pid, NULL, 0);
	close(s->life);
	close(s->permit_fd);
	free(s);
}
