/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_TABLE_WATCH_H
#define PLVS_METRICS_TABLE_WATCH_H

/*
 * Says before the connection table is full: from nine tenths of a worker's table on there is a
 * warning, in the log once, in the status and as a metric until every worker's is below eight
 * tenths. A table that is full is no fault by itself: entries give way (conn/give_way.h). So the
 * warning says how many of them would.
 *
 * Context: the control thread; table_fill_see(): any.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct traffic;
struct worker_counters;

#define TABLE_FILL_WARN_PERCENT 90
#define TABLE_FILL_CALM_PERCENT 80

struct table_watch {
	const struct traffic *traffic;
	struct event *ev;
	bool warns;
	char text[320];
};

/* The worker with the fullest table, as a look at all workers finds it. */
struct table_fill {
	uint16_t worker;
	uint64_t entries, capacity;
	uint64_t ending, half_open, not_assured;
};

/* Takes one worker into account. */
void table_fill_see(struct table_fill *f, uint16_t worker, const struct worker_counters *c,
		    uint64_t capacity);
/* The next state, given the last one. */
bool table_fill_warns(const struct table_fill *f, bool warned);

/* Looks every second from now on. 0 or -ENOMEM. */
int table_watch_start(struct table_watch *t, const struct traffic *traffic,
		      struct event_base *base);
void table_watch_stop(struct table_watch *t);
/* The warning, or NULL. */
const char *table_watch_warning(const struct table_watch *t);

#endif
