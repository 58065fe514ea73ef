/* SPDX-License-Identifier: BSD-3-Clause */
#include "spawn/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "spawn/program.h"

#define STARTS 16 /* programs started in one round */

/* ---- results ---- */

static void job_free(struct spawner_client *p, struct job *j)
{
	p->bytes -= j->len;
	free(j->msg);
	free(j->result);
	free(j);
}

/* Without memory for it there is none: the client's own patrol ends the wait. */
static void result_set(struct job *j, const void *msg, size_t len)
{
	if (j->result)
		return;
	j->result = malloc(len);
	if (!j->result)
		return;
	memcpy(j->result, msg, len);
	j->result_len = len;
}

static void result_make(struct job *j, enum spawn_outcome outcome, enum spawn_step step, int code)
{
	struct {
		struct spawn_msg_result m;
		char nuls[8];
	} r = {.m = {
		       .head = {SPAWN_MAGIC, SPAWN_MSG_RESULT, j->order.id},
		       .outcome = outcome,
		       .step = step,
		       .code = code,
	       }};

	result_set(j, &r, sizeof(r.m) + 2);
}

/* True: sent, or its client has gone. */
static bool result_sent(struct spawner_client *p, struct job *j)
{
	if (j->sent || p->fd < 0 || !j->result)
		return true;
	if (send(p->fd, j->result, j->result_len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
	    (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR))
		return false;
	/* The client counts it no more, though its supervisor may still sweep. */
	j->sent = true;
	p->bytes -= j->len;
	j->len = 0;
	return true;
}

/* A job that stands in no list any more. */
static void job_finish(struct spawner_client *p, struct job *j)
{
	if (result_sent(p, j)) {
		job_free(p, j);
		return;
	}
	TAILQ_INSERT_TAIL(&p->done, j, link);
	p->n_done++;
}

static void done_send(struct spawner_client *p)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&p->done)) != NULL && result_sent(p, j)) {
		TAILQ_REMOVE(&p->done, j, link);
		p->n_done--;
		job_free(p, j);
	}
}

/* ---- running ---- */

static void waiting_end(struct spawner_client *p, struct job *j, enum spawn_outcome outcome,
			enum spawn_step step)
{
	TAILQ_REMOVE(&p->waiting, j, link);
	p->n_waiting--;
	result_make(j, outcome, step, 0);
	job_finish(p, j);
}

/* In the supervisor-to-be: of the spawner's descriptors only the channel stays, as 3. */
static void become_supervisor(struct spawn_order *order, int channel) __attribute__((noreturn));
static void become_supervisor(struct spawn_order *order, int channel)
{
	if ((channel != 3 && dup3(channel, 3, SOCK_CLOEXEC) < 0) || close_range(4, ~0U, 0) != 0)
		_exit(1);
	supervise(order, 3);
}

static void job_start(struct spawner_client *p, struct job *j)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		result_make(j, SPAWN_NOT_STARTED, SPAWN_STEP_RESOURCES, errno);
		job_finish(p, j);
		return;
	}
	pid = fork();
	if (pid == 0)
		become_supervisor(&j->order, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		result_make(j, SPAWN_NOT_STARTED, SPAWN_STEP_RESOURCES, errno);
		close(pair[0]);
		job_finish(p, j);
		return;
	}
	j->channel = pair[0];
	j->supervisor = pid;
	TAILQ_INSERT_TAIL(&p->running, j, link);
	p->n_running++;
}

bool jobs_start(struct spawner_client *p)
{
	struct job *j;

	for (int i = 0; i < STARTS; i++) {
		if (p->n_running + p->n_done >= p->parallel ||
		    (j = TAILQ_FIRST(&p->waiting)) == NULL)
			return false;
		TAILQ_REMOVE(&p->waiting, j, link);
		p->n_waiting--;
		job_start(p, j);
	}
	return true;
}

/* Its supervisor has ended, and with it all that the program left. */
static bool job_ended(struct spawner_client *p, struct job *j)
{
	bool lost = !j->result && !j->cancelled;

	close(j->channel);
	TAILQ_REMOVE(&p->running, j, link);
	p->n_running--;
	if (!j->result && j->cancelled) {
		result_make(j, SPAWN_CANCELLED, SPAWN_STEP_NONE, 0);
	} else if (!j->result) {
		result_make(j, SPAWN_NOT_STARTED, SPAWN_STEP_LOST, 0);
	}
	job_finish(p, j);
	return !lost;
}

bool job_hear(struct spawner_client *p, struct job *j, void *buf, size_t room)
{
	ssize_t len = recv(j->channel, buf, room, MSG_DONTWAIT);

	if (len > 0) {
		result_set(j, buf, (size_t)len);
		(void)result_sent(p, j);
	} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
		return job_ended(p, j);
	}
	return true;
}

/* The supervisor hears the end of file, kills, and ends: then we do. */
static void job_end(struct job *j)
{
	j->cancelled = true;
	(void)shutdown(j->channel, SHUT_WR);
}

void results_send(struct spawner_client *p)
{
	struct job *j;

	done_send(p);
	TAILQ_FOREACH(j, &p->running, link)
	{
		(void)result_sent(p, j);
	}
}

int waiting_expire(struct spawner_client *p, uint64_t now_us)
{
	struct job *j = TAILQ_FIRST(&p->waiting), *next;
	int wait = -1;

	for (; j; j = next) {
		uint64_t end = j->asked_us + 1000 * (uint64_t)j->order.queue_limit_ms;
		int left = now_us >= end ? 0 : (int)((end - now_us) / 1000 + 1);

		next = TAILQ_NEXT(j, link);
		if (left == 0)
			waiting_end(p, j, SPAWN_NOT_STARTED, SPAWN_STEP_QUEUE);
		else if (wait < 0 || left < wait)
			wait = left;
	}
	return wait;
}

/* ---- clients ---- */

void spawner_client_init(struct spawner_client *p, int fd)
{
	p->fd = fd;
	p->parallel = SPAWN_PARALLEL;
	TAILQ_INIT(&p->waiting);
	TAILQ_INIT(&p->running);
	TAILQ_INIT(&p->done);
}

void spawner_client_closed(struct spawner_client *p)
{
	struct job *j;

	close(p->fd);
	p->fd = -1;
	while ((j = TAILQ_FIRST(&p->waiting)) != NULL)
		waiting_end(p, j, SPAWN_CANCELLED, SPAWN_STEP_NONE);
	TAILQ_FOREACH(j, &p->running, link)
	{
		job_end(j);
	}
	done_send(p);
}

void job_add(struct spawner_client *p, const void *msg, size_t len)
{
	struct job *j = calloc(1, sizeof(*j));
	enum spawn_step refused = SPAWN_STEP_NONE;

	if (!j)
		return;
	j->channel = -1;
	j->msg = malloc(len);
	if (!j->msg) {
		free(j);
		return;
	}
	memcpy(j->msg, msg, len);
	j->len = len;
	j->asked_us = clock_us();
	p->bytes += len;
	if (spawn_order_decode(j->msg, len, &j->order) != 0) {
		/* Only its id is of use: from there on nothing can be trusted. */
		j->order.id = ((const struct spawn_msg_head *)msg)->id;
		refused = SPAWN_STEP_REFUSED;
	} else if (p->n_waiting + p->n_done >= SPAWN_MAX_REQUESTS || p->bytes > SPAWN_MAX_BYTES) {
		refused = SPAWN_STEP_REFUSED;
	}
	if (refused == SPAWN_STEP_NONE) {
		TAILQ_INSERT_TAIL(&p->waiting, j, link);
		p->n_waiting++;
		return;
	}
	/* A client that does not read gets no answers stored: it broke its limits. */
	result_make(j, SPAWN_NOT_STARTED, refused, 0);
	(void)result_sent(p, j);
	job_free(p, j);
}

void job_cancel(struct spawner_client *p, uint64_t id)
{
	struct job *j;

	TAILQ_FOREACH(j, &p->waiting, link)
	{
		if (j->order.id == id) {
			waiting_end(p, j, SPAWN_CANCELLED, SPAWN_STEP_NONE);
			return;
		}
	}
	TAILQ_FOREACH(j, &p->running, link)
	{
		if (j->order.id == id && !j->cancelled) {
			job_end(j);
			return;
		}
	}
}
