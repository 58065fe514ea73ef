/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/table_warning.h"

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

const char *const table_family_names[TABLE_FAMILIES] = {"ipv4", "ipv6"};

/* The worker writes these numbers, one word each. */
static uint64_t word_of(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

void table_sums_read(const struct dataplane *dp, struct table_sums *out)
{
	*out = (struct table_sums){0};
	for (uint16_t i = 0; dp && i < dp->n_workers; i++) {
		const struct worker *w = dp->workers[i];

		out->entries[TABLE_IPV4] += word_of(&w->v4.table.n);
		out->entries[TABLE_IPV6] += word_of(&w->v6.table.n);
		out->capacity += w->v4.table.capacity;
		out->bytes += w->v4.table.bytes + w->v6.table.bytes;
	}
}

static void fuller_take(struct table_fill *f, const struct table_fill *seen)
{
	if (f->capacity == 0 || percent(seen) > percent(f))
		*f = *seen;
}

static struct table_fill fill_of(const struct worker *w, enum table_family family,
				 const uint32_t *entries, uint64_t capacity,
				 const struct give_way *way)
{
	return (struct table_fill){
		.worker = w->id,
		.family = family,
		.entries = word_of(entries),
		.capacity = capacity,
		.ending = word_of(&way->list[GIVE_WAY_ENDING].n),
		.half_open = word_of(&way->list[GIVE_WAY_HALF_OPEN].n),
		.not_assured = word_of(&way->list[GIVE_WAY_NOT_ASSURED].n),
	};
}

void table_fill_see(struct table_fill *f, const struct worker *w)
{
	const struct table_fill seen[] = {
		fill_of(w, TABLE_IPV4, &w->v4.table.n, w->v4.table.capacity, &w->v4.way),
		fill_of(w, TABLE_IPV6, &w->v6.table.n, w->v6.table.capacity, &w->v6.way),
	};

	fuller_take(f, &seen[0]);
	fuller_take(f, &seen[1]);
}

void table_fill_format(const struct table_fill *f, char *buf, size_t len)
{
	snprintf(buf, len,
		 "the %s connection table of worker %u is %" PRIu64 "%% full: %" PRIu64
		 " of %" PRIu64 " entries. New connections displace %" PRIu64
		 " that are ending, %" PRIu64 " half-open, %" PRIu64
		 " not assured; assured ones stay. Raise node.workers.connections",
		 f->family == TABLE_IPV6 ? "IPv6" : "IPv4", f->worker, percent(f), f->entries,
		 f->capacity, f->ending, f->half_open, f->not_assured);
}

bool table_fill_warns(const struct table_fill *f, bool warned)
{
	return percent(f) >= (warned ? TABLE_FILL_CALM_PERCENT : TABLE_FILL_WARN_PERCENT);
}

static void look(struct table_warning *t)
{
	const struct dataplane *dp = t->traffic->dp;
	struct table_fill f = {0};
	bool warned = t->warns;

	for (uint16_t i = 0; dp && i < dp->n_workers; i++)
		table_fill_see(&f, dp->workers[i]);
	t->warns = table_fill_warns(&f, warned);
	if (t->warns)
		table_fill_format(&f, t->text, sizeof(t->text));
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

int table_warning_start(struct table_warning *t, const struct traffic *traffic,
			struct event_base *base)
{
	static const struct timeval second = {.tv_sec = 1};

	t->traffic = traffic;
	t->ev = event_new(base, -1, EV_PERSIST, on_second, t);
	return t->ev && event_add(t->ev, &second) == 0 ? 0 : -ENOMEM;
}

void table_warning_stop(struct table_warning *t)
{
	if (t->ev)
		event_free(t->ev);
	t->ev = NULL;
}

const char *table_warning_text(const struct table_warning *t)
{
	return t->warns ? t->text : NULL;
}
