/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "spawn/descendants.h"
#include "spawn/program.h"
#include "spawn/server.h"
#include "spawn/spawner_wire.h"

#define DELAY_MIN_MS 100U
#define DELAY_MAX_MS 30000U
#define STABLE_US    (60 * UINT64_C(1000000)) /* a spawner that lived so long: no delay */
#define PING_MS	     1000
#define PINGS_MAX    5	  /* unanswered: the spawner is killed */
#define READY_MS     5000 /* from the fork until the spawner says that it serves */
#define SWEEP_MS     10
#define SWEEPS_MAX   200

struct keeper {
	uint32_t n;
	uint32_t restarts;
	uint32_t delay_ms;
	uint64_t started_us;
	pid_t spawner;
	int pair; /* -1: no spawner */
};

/* ---- lines ---- */

union control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

bool line_send(int line, int fd)
{
	char byte = 0;
	union control control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(line, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

int line_receive(int line)
{
	char byte;
	union control control;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	ssize_t len = recvmsg(line, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = len == 1 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPIPE;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* ---- one spawner ---- */

/* In the child. Returns when the keeper has ended: this process is the keeper then. */
static void become_spawner(struct keeper *k, int pair, int *clients)
{
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, "plvs-spawner");
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* fork does not hand it on */
	server_run(KEEPER_ROUTER, KEEPER_LIFE, pair, clients, k->n);
}

/* Remains of the last spawner, or of this process as a spawner, are killed. */
static void keeper_clean(struct keeper *k)
{
	prctl(PR_SET_NAME, "plvs-keeper");
	signal(SIGCHLD, SIG_IGN); /* children are reaped as they end */
	(void)close_range(KEEPER_FIRST_LINE + k->n, ~0U, 0);
	k->pair = -1;
	for (int i = 0; i < SWEEPS_MAX && descendants_signal(SIGKILL, NULL, 0) > 0; i++)
		(void)poll(NULL, 0, SWEEP_MS);
}

static int pair_make(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair);
}

/* The spawner serves: the router's ends of the sockets go to the clients. */
static void spawner_announce(struct keeper *k, const int *ends)
{
	const struct keeper_note note = {SPAWN_MAGIC, k->restarts, getpid(), k->spawner,
					 clock_us()};

	for (uint32_t i = 0; i < k->n; i++)
		(void)line_send(KEEPER_FIRST_LINE + (int)i, ends[i]);
	(void)send(KEEPER_LIFE, &note, sizeof(note), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool spawner_ready(int pair)
{
	struct pollfd p = {.fd = pair, .events = POLLIN};
	char byte;

	return poll(&p, 1, READY_MS) == 1 && recv(pair, &byte, 1, MSG_DONTWAIT) == 1;
}

static void spawner_start_one(struct keeper *k)
{
	int pair[2], ours[SPAWNER_MAX_CLIENTS], theirs[SPAWNER_MAX_CLIENTS];
	uint32_t n = 0;
	bool whole = pair_make(pair) == 0;
	const int room = SPAWN_SOCKET_ROOM;

	for (; whole && n < k->n; n++) {
		int client[2];

		if (pair_make(client) != 0)
			return; /* keeper_clean() closes them */
		(void)setsockopt(client[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		(void)setsockopt(client[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		ours[n] = client[0];
		theirs[n] = client[1];
	}
	k->started_us = clock_us();
	k->spawner = whole ? fork() : -1;
	if (k->spawner < 0)
		return;
	if (k->spawner == 0) {
		close(pair[0]);
		for (uint32_t i = 0; i < n; i++)
			close(ours[i]);
		become_spawner(k, pair[1], theirs);
		return;
	}
	close(pair[1]);
	for (uint32_t i = 0; i < n; i++)
		close(theirs[i]);
	if (spawner_ready(pair[0])) {
		k->pair = pair[0];
		spawner_announce(k, ours);
	}
	for (uint32_t i = 0; i < n; i++)
		close(ours[i]);
}

/* ---- the loop ---- */

/* Waits for the spawner's end, or without a spawner for the time. False: the router is gone. */
static bool keeper_wait(const struct keeper *k, int ms)
{
	uint32_t unanswered = 0;

	for (;;) {
		struct pollfd p[3] = {{.fd = KEEPER_LIFE, .events = POLLIN},
				      {.fd = KEEPER_ROUTER, .events = POLLIN},
				      {.fd = k->pair, .events = POLLIN}};
		int n = poll(p, 3, k->pair < 0 ? ms : PING_MS);
		char bytes[16];

		program_permit_take();
		if (p[0].revents || p[1].revents)
			return false;
		if (n < 0)
			continue;
		if (k->pair < 0)
			return true;
		if (p[2].revents) {
			unanswered = 0;
			if (recv(k->pair, bytes, sizeof(bytes), MSG_DONTWAIT) == 0 ||
			    (p[2].revents & (POLLHUP | POLLERR)))
				return true;
		}
		if (n == 0 && unanswered++ == PINGS_MAX)
			return true; /* stopped: the next keeper_clean() kills it */
		if (n == 0)
			(void)send(k->pair, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

/* The spawner ends as well: it polls the same descriptors. */
static void keeper_end(const struct keeper *k) __attribute__((noreturn));
static void keeper_end(const struct keeper *k)
{
	struct pollfd p = {.fd = k->pair, .events = POLLIN};
	uint64_t until = clock_us() + 1000 * SERVER_END_MS;
	char byte;

	while (k->pair >= 0 && clock_us() < until && poll(&p, 1, SWEEP_MS) >= 0)
		if (p.revents && recv(k->pair, &byte, 1, MSG_DONTWAIT) == 0)
			break;
	_exit(0);
}

void keeper_run(uint32_t n)
{
	struct keeper k = {.n = n, .pair = -1, .delay_ms = DELAY_MIN_MS};

	for (;; k.restarts++) {
		keeper_clean(&k);
		if (k.restarts > 0) {
			if (clock_us() - k.started_us >= STABLE_US)
				k.delay_ms = DELAY_MIN_MS;
			if (!keeper_wait(&k, (int)k.delay_ms))
				keeper_end(&k);
			k.delay_ms = k.delay_ms < DELAY_MAX_MS / 2 ? 2 * k.delay_ms : DELAY_MAX_MS;
		}
		spawner_start_one(&k);
		if (k.spawner != 0 && k.pair >= 0 && !keeper_wait(&k, 0))
			keeper_end(&k);
	}
}
