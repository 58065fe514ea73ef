/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics.h"

#include <stdlib.h>

#include "base/log.h"
#include "control/metrics_internal.h"

#define AREA	"control"
#define TICK_MS 100

/* --- a document --- */

enum part {
	PART_TAKE, /* nothing is written yet */
	PART_PROCESS,
	PART_SERVICES,
	PART_SERVERS,
	PART_WORKERS,
	PART_PORTS,
	PART_HEALTH,
	PART_HA,
	PART_END,
};

struct metrics_document {
	struct control *control;
	enum part part;
	struct metrics_rows rows;
	struct metrics_place at;
};

struct metrics_document *metrics_document_create(struct control *c)
{
	struct metrics_document *d = calloc(1, sizeof(*d));

	if (d && metrics_rows_init(&d->rows, c) < 0) {
		free(d);
		d = NULL;
	}
	if (d)
		d->control = c;
	return d;
}

void metrics_document_destroy(struct metrics_document *d)
{
	metrics_rows_fini(&d->rows);
	free(d);
}

/* One part, or some of it. 1: there is more of it; 0: it is done; -1: it cannot be. */
static int part_step(struct metrics_document *d, struct evbuffer *out, uint64_t end_us)
{
	const struct control *c = d->control;

	switch (d->part) {
	case PART_TAKE:
		return metrics_rows_take(&d->rows, end_us);
	case PART_PROCESS:
		metrics_write_process(c, out);
		break;
	case PART_SERVICES:
		return metrics_write_services(&d->rows, &d->at, out, end_us);
	case PART_SERVERS:
		return metrics_write_servers(&d->rows, &d->at, out, end_us);
	case PART_WORKERS:
		metrics_write_workers(c, out);
		break;
	case PART_PORTS:
		metrics_write_ports(c, out);
		break;
	case PART_HEALTH:
		metrics_write_health(c, out);
		break;
	case PART_HA:
		metrics_write_ha(c, out);
		break;
	case PART_END:
		expo_end(out);
		break;
	}
	return 0;
}

int metrics_document_more(struct metrics_document *d, struct evbuffer *out, uint64_t end_us)
{
	while (d->part <= PART_END) {
		int more = part_step(d, out, end_us);

		if (more != 0)
			return more < 0 ? -1 : 1;
		d->part++;
		d->at = (struct metrics_place){0};
		if (evbuffer_get_length(out) >= SCRAPE_SLICE || clock_us() >= end_us)
			break;
	}
	return d->part <= PART_END;
}

/* --- for the server --- */

static void *begin(void *arg)
{
	return metrics_document_create(arg);
}

static int more(void *arg, void *document, struct evbuffer *out, uint64_t end_us)
{
	(void)arg;
	return metrics_document_more(document, out, end_us);
}

static void end(void *arg, void *document)
{
	(void)arg;
	metrics_document_destroy(document);
}

/* --- lateness of the loop --- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	uint64_t now = clock_us(), late;
	struct metrics *m = arg;

	(void)fd;
	(void)what;
	late = m->tick_due_us && now > m->tick_due_us ? now - m->tick_due_us : 0;
	lateness_add(&m->late, now, late);
	if (late > m->late_max_us)
		m->late_max_us = late;
	m->tick_due_us = now + TICK_MS * 1000ULL;
	event_add(m->tick_ev, &tick);
}

/* --- life --- */

const char *metrics_fault(const struct control *c)
{
	return c->metrics && c->metrics->fault[0] ? c->metrics->fault : NULL;
}

void metrics_start(struct control *c)
{
	static const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	const struct config_node *node = &c->boot->node;
	const struct scrape_options options = {
		.listen = node->metrics_listen,
		.path = node->metrics_socket,
		.content_type = EXPO_CONTENT_TYPE,
		.begin = begin,
		.more = more,
		.end = end,
		.arg = c,
	};
	struct metrics *m;
	char text[ENDPOINT_STRLEN];

	if (!options.path && options.listen.addr.family == ADDR_NONE)
		return;
	m = c->metrics = calloc(1, sizeof(*m));
	if (m)
		m->tick_ev = event_new(c->base, -1, 0, on_tick, m);
	if (!m || !m->tick_ev) {
		log_error(AREA, "out of memory: there are none");
		metrics_stop(c);
		return;
	}
	event_add(m->tick_ev, &tick);
	if (scrape_server_create(c->base, &options, &m->server, m->fault) < 0) {
		log_error(AREA, "%s: there are none", m->fault);
		return;
	}
	m->fault[0] = '\0';
	log_info(AREA, "metrics at %s",
		 options.path ? options.path
			      : endpoint_format(&options.listen, text, sizeof(text)));
}

void metrics_stop(struct control *c)
{
	struct metrics *m = c->metrics;

	if (!m)
		return;
	scrape_server_destroy(m->server);
	if (m->tick_ev)
		event_free(m->tick_ev);
	free(m);
	c->metrics = NULL;
}
