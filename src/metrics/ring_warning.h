/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_RING_WARNING_H
#define PLVS_METRICS_RING_WARNING_H

/*
 * Warns of hand-off rings that overflow. A worker hands packets of other workers' connections over
 * by rings. A full ring drops packets (drop reason ring_full): the worker at its end is overloaded.
 * From the first such packet on there is a warning, in the log once and in the status, until no
 * packet was dropped for RING_CALM_S. The warning names both workers.
 *
 * Context: the control thread.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/limits.h"

struct traffic;

#define RING_CALM_S 60

struct ring_warning {
	const struct traffic *traffic;
	struct event *ev;
	uint64_t seen[MAX_WORKERS][MAX_WORKERS]; /* ring_lost of each worker at the last look */
	uint64_t lost;				 /* since the warning began */
	unsigned int calm_s;			 /* since the last packet */
	bool warns;
	char text[320];
};

/* Looks every second from now on. 0 or -ENOMEM. */
int ring_warning_start(struct ring_warning *r, const struct traffic *traffic,
		       struct event_base *base);
void ring_warning_stop(struct ring_warning *r);
/* The warning, or NULL. */
const char *ring_warning_text(const struct ring_warning *r);
/* Looks once. */
void ring_warning_look(struct ring_warning *r);

#endif
