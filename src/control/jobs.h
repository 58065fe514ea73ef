/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_JOBS_H
#define PLVS_CONTROL_JOBS_H

/*
 * Long work off the control thread: parsing, plans, compiling rules, texts of whole
 * configurations. One thread beside it, jobs in order. While a job runs the control thread
 * answers others; what the job reads nobody may change meanwhile (change_queue.h).
 * Context: the control thread, but for work().
 */

#include <event2/event.h>
#include <sys/queue.h>

struct jobs;

/* Part of the object that it works on; free again once done() is called. */
struct job {
	STAILQ_ENTRY(job) entry;
	void (*work)(void *arg); /* on the other thread */
	void (*done)(void *arg); /* on the control thread, after it */
	void *arg;
};

/* Starts the thread. 0 or -errno. */
int jobs_create(struct event_base *base, struct jobs **out);
/* Waits for the job that is under way; it and those behind it are not done(). NULL is
 * allowed. */
void jobs_destroy(struct jobs *jobs);
void jobs_run(struct jobs *jobs, struct job *job);

#endif
