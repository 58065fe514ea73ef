/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/ha.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/log.h"

#define AREA	      "ha"
#define FIFO_PRIORITY 10

struct ha {
	struct event_base *base;
	pthread_t thread;
};

static void *ha_main(void *arg)
{
	const struct sched_param fifo = {.sched_priority = FIFO_PRIORITY};
	struct ha *ha = arg;

	prctl(PR_SET_NAME, "plvs-ha");
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo) != 0)
		log_info(AREA, "no real-time priority: heartbeats may come late on a busy host");
	event_base_loop(ha->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

int ha_start(struct ha **out)
{
	struct ha *ha = calloc(1, sizeof(*ha));
	int rc;

	if (!ha)
		return -ENOMEM;
	if (evthread_use_pthreads() != 0 || (ha->base = event_base_new()) == NULL) {
		free(ha);
		return -ENOMEM;
	}
	rc = pthread_create(&ha->thread, NULL, ha_main, ha);
	if (rc != 0) {
		event_base_free(ha->base);
		free(ha);
		return -rc;
	}
	*out = ha;
	return 0;
}

void ha_stop(struct ha *ha)
{
	if (!ha)
		return;
	event_base_loopexit(ha->base, NULL);
	pthread_join(ha->thread, NULL);
	event_base_free(ha->base);
	free(ha);
}
