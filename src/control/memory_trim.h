/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_MEMORY_TRIM_H
#define PLVS_CONTROL_MEMORY_TRIM_H

/*
 * Returns memory to the system. To apply or list a configuration of ten thousand services takes
 * hundreds of megabytes for a moment, and malloc keeps them. A second after the last such work
 * another thread gives back the pages that are free. Context: the control thread.
 */

#include <event2/event.h>
#include <stdbool.h>

#include "control/jobs.h"

struct control;

struct memory_trim {
	struct event *ev; /* NULL before the start */
	struct job job;
	bool busy;
};

/* 0 or -ENOMEM. */
int memory_trim_start(struct control *c);
void memory_trim_stop(struct control *c);
/* Call after much memory was freed. */
void memory_trim_soon(struct control *c);

#endif
