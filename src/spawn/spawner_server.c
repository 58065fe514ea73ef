/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "spawn/descendants.h"
#include "spawn/job.h"
#include "spawn/program.h"

#define STRAYS_MS  20 /* between looks for what a killed supervisor left */
#define FAIR_READS 8  /* messages of one client in one round */

struct server {
	int router, life, pair, signals;
	uint32_t n;
	bool strays;
	struct spawner_client clients[SPAWNER_MAX_CLIENTS];
	_Alignas(8) uint8_t msg[SPAWN_MSG_MAX + 1];
	_Alignas(8) uint8_t result[SPAWN_MSG_RESULT_MAX];
};

/* Descriptors of the server itself come before those of clients. */
enum { FD_LIFE, FD_ROUTER, FD_PAIR, FD_SIGNALS, FD_OWN };
#define MAX_FDS (FD_OWN + SPAWNER_MAX_CLIENTS * (1 + SPAWN_MAX_PARALLEL))

/* ---- clients ---- */

static void msg_take(struct spawner_client *p, const void *msg, size_t len)
{
	const struct spawn_msg_head *head = msg;

	if (len < sizeof(*head) || len > SPAWN_MSG_MAX || head->magic != SPAWN_MAGIC)
		return;
	if (head->type == SPAWN_MSG_RUN)
		job_add(p, msg, len);
	else if (head->type == SPAWN_MSG_CANCEL)
		job_cancel(p, head->id);
	else if (head->type == SPAWN_MSG_PARALLEL && head->id >= 1 &&
		 head->id <= SPAWN_MAX_PARALLEL)
		p->parallel = (uint32_t)head->id;
}

static void client_hear(struct server *s, struct spawner_client *p, short revents)
{
	for (int i = 0; i < FAIR_READS; i++) {
		ssize_t len = recv(p->fd, s->msg, sizeof(s->msg), MSG_DONTWAIT);

		if (len > 0)
			msg_take(p, s->msg, (size_t)len);
		else if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else if (len < 0 || (revents & POLLHUP)) {
			spawner_client_closed(p);
			return;
		}
		/* An empty record looks like the end of file, but nobody has hung up. */
	}
}

/* ---- the loop ---- */

/* The children of a killed supervisor are now this process's. */
static void strays_kill(struct server *s)
{
	static pid_t spared[SPAWNER_MAX_CLIENTS * SPAWN_MAX_PARALLEL];
	uint32_t n = 0;
	struct job *j;

	for (uint32_t i = 0; i < s->n; i++) {
		TAILQ_FOREACH(j, &s->clients[i].running, link)
		{
			spared[n++] = j->supervisor;
		}
	}
	s->strays = descendants_signal(SIGKILL, spared, n) > 0;
}

static void reap(struct server *s)
{
	struct signalfd_siginfo info[16];

	while (read(s->signals, info, sizeof(info)) > 0)
		continue;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

/* Supervisors hear the end of file; they have a while for it. */
static void server_end(struct server *s)
{
	uint64_t until = clock_us() + 1000 * SERVER_END_MS;
	struct pollfd p = {.fd = s->signals, .events = POLLIN};

	for (uint32_t i = 0; i < s->n; i++)
		if (s->clients[i].fd >= 0)
			spawner_client_closed(&s->clients[i]);
	while (clock_us() < until) {
		reap(s);
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			break;
		if (s->strays)
			strays_kill(s);
		(void)poll(&p, 1, STRAYS_MS);
	}
}

/* The keeper's question whether the spawner still goes round. False: the keeper is gone. */
static bool keeper_answer(const struct server *s)
{
	char byte;
	ssize_t len = recv(s->pair, &byte, 1, MSG_DONTWAIT);

	if (len == 1)
		(void)send(s->pair, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	return len == 1 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The owner of a descriptor that poll() looks at: a client, or a job of the client. */
struct polled {
	struct spawner_client *client;
	struct job *job;
};

static uint32_t fds_collect(struct server *s, struct pollfd *fds, struct polled *w)
{
	uint32_t n = FD_OWN;
	struct job *j;

	fds[FD_LIFE] = (struct pollfd){.fd = s->life, .events = POLLIN};
	fds[FD_ROUTER] = (struct pollfd){.fd = s->router, .events = POLLIN};
	fds[FD_PAIR] = (struct pollfd){.fd = s->pair, .events = POLLIN};
	fds[FD_SIGNALS] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	for (uint32_t i = 0; i < s->n; i++) {
		struct spawner_client *p = &s->clients[i];
		bool unsent = p->n_done > 0;

		TAILQ_FOREACH(j, &p->running, link)
		{
			unsent = unsent || (j->result && !j->sent && p->fd >= 0);
			w[n] = (struct polled){p, j};
			fds[n++] = (struct pollfd){.fd = j->channel, .events = POLLIN};
		}
		w[n] = (struct polled){p, NULL};
		fds[n++] = (struct pollfd){.fd = p->fd,
					   .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
	}
	return n;
}

static void fd_serve(struct server *s, const struct polled *w, short revents)
{
	if (w->job) {
		if (!job_hear(w->client, w->job, s->result, sizeof(s->result)))
			s->strays = true;
		return;
	}
	if (revents & POLLOUT)
		results_send(w->client);
	if (revents & ~POLLOUT)
		client_hear(s, w->client, revents);
}

/* False: the keeper is gone. */
static bool server_round(struct server *s, int wait)
{
	static struct pollfd fds[MAX_FDS];
	static struct polled polled[MAX_FDS];
	uint32_t n = fds_collect(s, fds, polled);

	if (poll(fds, n, wait) < 0)
		return true;
	/* Before supervisors' ends are heard: what they left is a child of ours by then. */
	if (fds[FD_SIGNALS].revents)
		reap(s);
	if (fds[FD_LIFE].revents || fds[FD_ROUTER].revents) {
		server_end(s);
		_exit(0);
	}
	if (fds[FD_PAIR].revents && !keeper_answer(s))
		return false;
	/* A job stands before its client, and serving it frees none but itself. */
	for (uint32_t i = FD_OWN; i < n; i++)
		if (fds[i].revents)
			fd_serve(s, &polled[i], fds[i].revents);
	return true;
}

void server_run(int router, int life, int pair, const int *clients, uint32_t n)
{
	static struct server s;
	sigset_t set;
	int wait;

	memset(&s, 0, sizeof(s)); /* a keeper's spawner may come after this process was one */
	s.router = router;
	s.life = life;
	s.pair = pair;
	s.n = n;
	for (uint32_t i = 0; i < n; i++)
		spawner_client_init(&s.clients[i], clients[i]);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signals < 0 || send(pair, "", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	do {
		program_permit_take();
		wait = s.strays ? STRAYS_MS : -1;
		for (uint32_t i = 0; i < n; i++) {
			int left = waiting_expire(&s.clients[i], clock_us());

			if (jobs_start(&s.clients[i]))
				left = 0;
			if (left >= 0 && (wait < 0 || left < wait))
				wait = left;
		}
		if (s.strays)
			strays_kill(&s);
	} while (server_round(&s, wait));
	server_end(&s);
	close(s.signals);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
