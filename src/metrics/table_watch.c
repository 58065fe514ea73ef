/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/table_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "metrics/traffic.h"
#include "dataplane/dataplane.h"

#define AREA "control"

static uint64_t percent(const struct table_fill *f)
{
	return f->capacity ? f->entries * 100 / f->capacity : 0;
}

void table_fill_see(struct table_fill *f, uint16_t worker, const struct worker_counters *c,
		    uint64_t capacity)
{
	const struct table_fill seen = {
		.worker = worker,
		.entries = c->connections + c->templates,
		.capacity = capacity,
		.ending = c->ending,
		.half_open = c->embryonic,
		.not_assured = c->not_assured,
	};

	if (f->capacity == 0 || percent(&seen) > percent(f))
		*f = seen;
}

bool table_fill_warns(const struct table_fill *f, bool warned)
{
	return percent(f) >= (warned ? TABLE_FILL_CALM_PERCENT : TABLE_FILL_WARN_PERCENT);
}

static void look(struct table_watch *t)
{
	const struct dataplane *dp = t->traffic->dp;
	struct table_fill f = {0};
	bool warned = t->warns;

	for (uint16_t i = 0; dp && i < dp->n_workers; i++) {
		struct worker_counters c;

		traffic_read_worker(t->traffic, i, &c);
		table_fill_see(&f, i, &c, dp->workers[i]->v4.table.capacity);
	}
	t->warns = table_fill_warns(&f, warned);
	if (t->warns)
		snprintf(t->text, sizeof(t->text),
			 "the connection table of worker %u is %" PRIu64 "%% full: %" PRIu64
			 " of %" PRIu64 " entries. New connections displace %" PRIu64
			 " that are ending, %" PRIu64 " half-open, %" PRIu64
			 " not assured; assured ones stay. Raise node.workers.connections",
			 f.worker, percent(&f), f.entries, f.capacity, f.ending, f.half_open,
			 f.not_assured);
	if (t->warns && !warned)
		log_warning(AREA, "%s", t->text);
	else if (!t->warns && warned)
		log_notice(AREA,
			   "the connection tables have room again: the fullest is %" PRIu64
			   "%% full",
			   percent(&f));
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	look(arg);
}

int table_watch_start(struct table_watch *t, const struct traffic *traffic, struct event_base *base)
{
	static const struct timeval second = {.tv_sec = 1};

	t->traffic = traffic;
	t->ev = event_new(base, -1, EV_PERSIST, on_second, t);
	return t->ev && event_add(t->ev, &second) == 0 ? 0 : -ENOMEM;
}

void table_watch_stop(struct table_watch *t)
{
	if (t->ev)
		event_free(t->ev);
	t->ev = NULL;
}

const char *table_watch_warning(const struct table_watch *t)
{
	return t->warns ? t->text : NULL;
}
