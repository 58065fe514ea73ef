/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_JOBS_H
#define PLVS_CONTROL_JOBS_H

/*
 * Work that takes long: parsing, plans, compiling rules, texts of whole configurations. A thread
 * beside the control thread runs jobs in order, and the control thread answers requests meanwhile.
 * A turn of the change queue keeps the data of a job unchanged (change_queue.h). Context: the
 * control thread, but for work().
 */

#include <event2/event.h>
#include <sys/queue.h>

struct jobs;

/* Part of the object that the job works on; the job is over when done() is called. */
struct job {
	STAILQ_ENTRY(job) entry;
	void (*work)(void *arg); /* on the other thread */
	void (*done)(void *arg); /* on the control thread, after it */
	void *arg;
};

/* Starts the thread. 0 or -errno. */
int jobs_create(struct event_base *base, struct jobs **out);
/* Waits for the job that is under way. Neither that job nor the jobs behind it get a call of
 * done(). NULL is allowed. */
void jobs_destroy(struct jobs *jobs);
void jobs_run(struct jobs *jobs, struct job *job);

#endif
