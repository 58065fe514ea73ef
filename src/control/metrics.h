/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_METRICS_H
#define PLVS_CONTROL_METRICS_H

/*
 * What the router knows of itself, as OpenMetrics over HTTP (docs/metrics.md). A document is a
 * picture of services and servers that is taken in slices, and then written family by family.
 * Context: the control thread, or main before it starts and after it ended.
 */

#include <event2/buffer.h>
#include <stdint.h>

struct control;
struct metrics;

/* Where `node.metrics` says; nothing otherwise. What hinders it is logged and shown by status:
 * a router serves without metrics. */
void metrics_start(struct control *c);
void metrics_stop(struct control *c);
/* Why there are none although there should be, or NULL. */
const char *metrics_fault(const struct control *c);

/* --- a document; for tests as well --- */

struct metrics_document;

struct metrics_document *metrics_document_create(struct control *c);
/* As scrape_options.more(). */
int metrics_document_more(struct metrics_document *d, struct evbuffer *out, uint64_t end_us);
void metrics_document_destroy(struct metrics_document *d);

#endif
