/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_TABLE_WARNING_H
#define PLVS_METRICS_TABLE_WARNING_H

/*
 * Warns before a connection table is full. A worker has a table for each family. When a table is
 * nine tenths full, there is a warning, in the log once, in the status and as a metric, until all
 * tables are below eight tenths. A full table is no fault by itself: entries give way
 * (conn/give_way.h). So the warning has the number of entries that would give way.
 *
 * Context: the control thread.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct dataplane;
struct traffic;
struct worker;

#define TABLE_FILL_WARN_PERCENT 90
#define TABLE_FILL_CALM_PERCENT 80

struct table_warning {
	const struct traffic *traffic;
	struct event *ev;
	bool warns;
	char text[320];
};

enum table_family { TABLE_IPV4, TABLE_IPV6, TABLE_FAMILIES };

/* "ipv4", "ipv6" */
extern const char *const table_family_names[TABLE_FAMILIES];

/* The tables of all workers together. */
struct table_sums {
	uint64_t entries[TABLE_FAMILIES]; /* in use: connections and templates */
	uint64_t capacity;		  /* entries of each family */
	uint64_t bytes;			  /* of both families */
};

/* dp NULL: all 0. */
void table_sums_read(const struct dataplane *dp, struct table_sums *out);

/* The fullest table of all workers. */
struct table_fill {
	uint16_t worker;
	enum table_family family;
	uint64_t entries, capacity;
	uint64_t ending, half_open, not_assured;
};

/* Takes the tables of one worker into account. */
void table_fill_see(struct table_fill *f, const struct worker *w);
/* The words of the warning. */
void table_fill_format(const struct table_fill *f, char *buf, size_t len);
/* The next state, given the last one. */
bool table_fill_warns(const struct table_fill *f, bool warned);

/* Looks every second from now on. 0 or -ENOMEM. */
int table_warning_start(struct table_warning *t, const struct traffic *traffic,
			struct event_base *base);
void table_warning_stop(struct table_warning *t);
/* The warning, or NULL. */
const char *table_warning_text(const struct table_warning *t);

#endif
