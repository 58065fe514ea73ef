/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_METRICS_INTERNAL_H
#define PLVS_METRICS_METRICS_INTERNAL_H

/* Shared by the files of src/metrics alone. */

#include <event2/buffer.h>
#include <stdbool.h>

#include "base/lateness.h"
#include "metrics/metrics.h"
#include "metrics/object_view.h"

struct metrics {
	struct metrics_options options;
	struct scrape_server *server; /* NULL: could not be opened */
	char fault[256];
	/* Lateness of the loop: a timer that looks at the clock. */
	struct event *tick_ev;
	uint64_t tick_due_us;
	struct lateness late;
	uint64_t late_max_us; /* since the start */
};

/* --- picture.c: services and servers at one moment --- */

struct picture_service {
	char *labels, *info;
	struct shown_service shown;
};

struct picture_server {
	char *labels;
	struct shown_server shown;
};

struct picture {
	/* Chunks, so that nothing large is ever copied. */
	struct picture_service **services;
	struct picture_server **servers;
	uint32_t n_services, n_servers, max_services, max_servers; /* max: in chunks */
	/* --- the walk --- */
	struct traffic_sum *removed; /* by service id */
	uint64_t *taken;	     /* bit per service id: each service is taken once */
	const struct config *config;
	uint32_t next, n_walked; /* of n_walked services */
};

/* 0 or -ENOMEM. */
int picture_init(struct picture *p, const struct router_parts *parts);
void picture_fini(struct picture *p);
/* Works until about end_us. 1: there is more; 0: complete; -ENOMEM. */
int picture_take(struct picture *p, const struct router_parts *parts, uint64_t end_us);
const struct picture_service *picture_service(const struct picture *p, uint32_t i);
const struct picture_server *picture_server(const struct picture *p, uint32_t i);

/* --- document.c: for scrape_options; arg is a struct metrics --- */

void *document_begin(void *arg, enum expo_format format);
int document_more(void *arg, void *document, struct evbuffer *out, uint64_t end_us);
void document_end(void *arg, void *document);

/* --- reasons.c: for scrape_options; arg is a struct metrics --- */

bool reasons_write(void *arg, struct evbuffer *out);

#endif
