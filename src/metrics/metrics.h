/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_METRICS_H
#define PLVS_METRICS_METRICS_H

/*
 * The tables of shown/ as OpenMetrics over HTTP (docs/metrics.md). A document begins with a copy
 * (struct picture) of services and servers, taken in slices. The families are then written from the
 * copy. Context: the control thread, or main before it starts and after it ended.
 */

#include "metrics/parts.h"
#include "rpc/scrape.h"

struct metrics_options {
	struct event_base *base;
	struct endpoint listen; /* listen or path; neither: no metrics */
	const char *path;
	void (*parts)(void *arg, struct router_parts *out);
	void *arg;
};

/* *out is NULL if no metrics are configured or without memory. If an address cannot be opened, the
 * error is logged and shown by metrics_fault(), and the router runs without metrics. */
void metrics_start(const struct metrics_options *options, struct metrics **out);
void metrics_stop(struct metrics *m); /* NULL is allowed */
/* The reason why metrics are not served, or NULL. */
const char *metrics_fault(const struct metrics *m);

/* Lateness of the control loop's timers over the last 10 s: median, 99th percentile, maximum; the
 * worst since the start. */
void metrics_lateness(const struct metrics *m, uint64_t late_us[3], uint64_t *max_us);
/* The counters of the server of metrics. */
void metrics_scrapes(const struct metrics *m, struct scrape_counters *out);

/* The second half of docs/metrics.md: the families of every table; malloced. NULL: no memory. */
char *metrics_markdown(void);

#endif
