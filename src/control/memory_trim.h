/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_MEMORY_TRIM_H
#define PLVS_CONTROL_MEMORY_TRIM_H

/*
 * Returns memory to the system. To apply or list a configuration of ten thousand services takes
 * hundreds of megabytes for a moment, and malloc keeps them. A second after the last such work
 * another thread gives back the pages that are free, once they are 16 MiB more than the last time
 * has left. Context: the control thread.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/jobs.h"

struct control;

struct memory_trim {
	struct event *ev; /* NULL before the start */
	struct job job;
	bool busy;
	uint64_t left; /* bytes that nothing used after the last time; the job's while busy */
};

/* 0 or -ENOMEM. */
int memory_trim_start(struct control *c);
void memory_trim_stop(struct control *c);
/* Call after much memory was freed. */
void memory_trim_soon(struct control *c);

#endif
