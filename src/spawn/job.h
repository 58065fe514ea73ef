/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SPAWN_JOB_H
#define PLVS_SPAWN_JOB_H

/* Requests in the spawner, and the clients that sent them. Context: the spawner's process; one
 * thread. */

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "spawn/spawner_wire.h"

/*
 * A request:
 *
 *	WAITING --slot--> RUNNING --result--> DONE --sent, supervisor gone--> freed
 *	   |                  | supervisor gone without one -> a result is made up ^
 *	   +-- waited too long, cancelled, client full: a result is made up -------+
 */
struct job {
	TAILQ_ENTRY(job) link;
	struct spawn_order order; /* points into msg */
	void *msg;
	size_t len;
	uint64_t asked_us;
	pid_t supervisor;
	int channel; /* -1: none, or gone */
	bool cancelled, sent;
	void *result; /* NULL: none yet */
	size_t result_len;
};

TAILQ_HEAD(jobs, job);

struct spawner_client {
	int fd;				    /* -1: gone */
	struct jobs waiting, running, done; /* done: no supervisor, result not sent yet */
	uint32_t n_waiting, n_running, n_done, parallel;
	size_t bytes;
};

void spawner_client_init(struct spawner_client *p, int fd);
/* Kills the client's programs; its jobs end when their supervisors do. */
void spawner_client_closed(struct spawner_client *p);

/* Takes a request as received. A message that is no request, or is over the limits, is refused. */
void job_add(struct spawner_client *p, const void *msg, size_t len);
void job_cancel(struct spawner_client *p, uint64_t id);
/* Starts a bounded number of waiting jobs, so that the loop hears cancellations among many starts.
 * True: there are slots for more. */
bool jobs_start(struct spawner_client *p);
/* Reads a result from the channel of the job; buf has room for a result. False: the supervisor was
 * killed, and the processes under the supervisor have become children of the spawner. May free the
 * job, and no other. */
bool job_hear(struct spawner_client *p, struct job *j, void *buf, size_t room);
/* Sends results that could not be sent before. */
void results_send(struct spawner_client *p);
/* Ends jobs that have waited too long. Returns the milliseconds until the next job has; -1: none
 * waits. */
int waiting_expire(struct spawner_client *p, uint64_t now_us);

#endif
