/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

STAILQ_HEAD(job_list, job);

struct jobs {
	pthread_t thread;
	pthread_mutex_t lock; /* of the two lists and of stop */
	pthread_cond_t more;
	struct job_list waiting, finished;
	bool stop;
	int wake_fd; /* eventfd: a job is finished */
	struct event *wake_ev;
};

static void *run(void *arg)
{
	static const uint64_t one = 1;
	struct jobs *jobs = arg;
	struct job *job;

	pthread_setname_np(pthread_self(), "plvs-jobs");
	pthread_mutex_lock(&jobs->lock);
	for (;;) {
		while (!jobs->stop && STAILQ_EMPTY(&jobs->waiting))
			pthread_cond_wait(&jobs->more, &jobs->lock);
		if (jobs->stop)
			break;
		job = STAILQ_FIRST(&jobs->waiting);
		STAILQ_REMOVE_HEAD(&jobs->waiting, entry);
		pthread_mutex_unlock(&jobs->lock);
		job->work(job->arg);
		pthread_mutex_lock(&jobs->lock);
		STAILQ_INSERT_TAIL(&jobs->finished, job, entry);
		(void)!write(jobs->wake_fd, &one, sizeof(one));
	}
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct jobs *jobs = arg;
	struct job_list list = STAILQ_HEAD_INITIALIZER(list);
	struct job *job;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	pthread_mutex_lock(&jobs->lock);
	STAILQ_CONCAT(&list, &jobs->finished);
	pthread_mutex_unlock(&jobs->lock);
	while ((job = STAILQ_FIRST(&list))) {
		STAILQ_REMOVE_HEAD(&list, entry);
		job->done(job->arg);
	}
}

int jobs_create(struct event_base *base, struct jobs **out)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	int ret = -ENOMEM;

	if (!jobs)
		return -ENOMEM;
	STAILQ_INIT(&jobs->waiting);
	STAILQ_INIT(&jobs->finished);
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->more, NULL);
	jobs->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (jobs->wake_fd < 0) {
		ret = -errno;
		goto err_free;
	}
	jobs->wake_ev = event_new(base, jobs->wake_fd, EV_READ | EV_PERSIST, on_wake, jobs);
	if (!jobs->wake_ev || event_add(jobs->wake_ev, NULL) < 0)
		goto err_event;
	ret = -pthread_create(&jobs->thread, NULL, run, jobs);
	if (ret < 0)
		goto err_event;
	*out = jobs;
	return 0;

err_event:
	if (jobs->wake_ev)
		event_free(jobs->wake_ev);
	close(jobs->wake_fd);
err_free:
	free(jobs);
	return ret;
}

void jobs_destroy(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->stop = true;
	pthread_cond_signal(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(jobs->thread, NULL);
	event_free(jobs->wake_ev);
	close(jobs->wake_fd);
	pthread_cond_destroy(&jobs->more);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

void jobs_run(struct jobs *jobs, struct job *job)
{
	pthread_mutex_lock(&jobs->lock);
	STAILQ_INSERT_TAIL(&jobs->waiting, job, entry);
	pthread_cond_signal(&jobs->more);
	pthread_mutex_unlock(&jobs->lock);
}
