/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "spawn/program.h"
#include "spawn/server.h"

#define AREA	    "spawn"
#define SOCKET_ROOM (256 << 10) /* holds the largest request; the system's limit may be lower */
#define START_MS    5000
#define STOP_MS	    3000

struct spawner {
	pid_t pid;
	int life;
	uint32_t n;
	int fds[SPAWNER_MAX_CLIENTS];
};

/* In the child: descriptors to 3 and up in their order, all others closed. */
static int descriptors_keep(int *fds, uint32_t n)
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
	prctl(PR_SET_NAME, "plvs-spawner");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (descriptors_keep(fds, n) != 0)
		_exit(1);
	server_run(router, fds[0], fds + 1, n - 1);
}

static int pair_make(int pair[2])
{
	int room = SOCKET_ROOM;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return 0;
}

static void fds_close(const int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The spawner says when signals no longer end it and it is ready to serve. */
static int ready_wait(int life)
{
	struct pollfd p = {.fd = life, .events = POLLIN};
	char byte;

	if (poll(&p, 1, START_MS) != 1)
		return -ETIMEDOUT;
	return recv(life, &byte, 1, MSG_DONTWAIT) == 1 ? 0 : -EIO;
}

int spawner_start(uint32_t n_clients, struct spawner **out)
{
	struct spawner *s;
	int theirs[SPAWNER_MAX_CLIENTS + 1], ours[SPAWNER_MAX_CLIENTS + 1], rc = 0;
	pid_t self = getpid();
	uint32_t n = 0;

	if (n_clients == 0 || n_clients > SPAWNER_MAX_CLIENTS)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	for (; n < n_clients + 1; n++) {
		int pair[2];

		rc = pair_make(pair);
		if (rc != 0)
			goto err_fds;
		ours[n] = pair[0];
		theirs[n] = pair[1];
	}
	s->pid = fork();
	if (s->pid == 0)
		child(self, theirs, n);
	if (s->pid < 0) {
		rc = -errno;
		goto err_fds;
	}
	fds_close(theirs, n);
	s->life = ours[0];
	s->n = n_clients;
	for (uint32_t i = 0; i < n_clients; i++)
		s->fds[i] = ours[i + 1];
	rc = ready_wait(s->life);
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

int spawner_take_fd(struct spawner *s, uint32_t client)
{
	int fd = client < s->n ? s->fds[client] : -1;

	if (client < s->n)
		s->fds[client] = -1;
	return fd;
}

int spawner_set_cpus(struct spawner *s, const cpu_set_t *cpus)
{
	return sched_setaffinity(s->pid, sizeof(*cpus), cpus) == 0 ? 0 : -errno;
}

int spawner_pid(const struct spawner *s)
{
	return s->pid;
}

void spawner_stop(struct spawner *s)
{
	const struct timespec ms = {.tv_nsec = 1000000};
	int waited = 0;

	if (!s)
		return;
	close(s->life);
	fds_close(s->fds, s->n);
	while (waitpid(s->pid, NULL, WNOHANG) == 0) {
		if (waited++ == STOP_MS) {
			log_warning(AREA, "the spawner does not end: killed");
			kill(s->pid, SIGKILL);
			waitpid(s->pid, NULL, 0);
			break;
		}
		nanosleep(&ms, NULL);
	}
	free(s);
}
