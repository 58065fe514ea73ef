/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/metrics.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "metrics/families.h"
#include "metrics/metrics_internal.h"
#include "metrics/page.h"

#define AREA	"control"
#define TICK_MS 100

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

void metrics_start(const struct metrics_options *options, struct metrics **out)
{
	static const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	struct scrape_options scrape = {
		.listen = options->listen,
		.path = options->path,
		.page = &metrics_page,
		.reasons = reasons_write,
		.begin = document_begin,
		.more = document_more,
		.end = document_end,
	};
	struct metrics *m;
	char text[ENDPOINT_STRLEN];

	*out = NULL;
	if (!options->path && options->listen.addr.family == ADDR_NONE)
		return;
	m = calloc(1, sizeof(*m));
	if (m)
		m->tick_ev = event_new(options->base, -1, 0, on_tick, m);
	if (!m || !m->tick_ev) {
		log_error(AREA, "metrics: out of memory: there are none");
		free(m);
		return;
	}
	m->options = *options;
	*out = scrape.arg = m;
	event_add(m->tick_ev, &tick);
	if (scrape_server_create(options->base, &scrape, &m->server, m->fault) < 0) {
		log_error(AREA, "%s: there are none", m->fault);
		return;
	}
	m->fault[0] = '\0';
	log_info(AREA, "metrics at %s",
		 scrape.path ? scrape.path : endpoint_format(&scrape.listen, text, sizeof(text)));
}

void metrics_stop(struct metrics *m)
{
	if (!m)
		return;
	scrape_server_destroy(m->server);
	event_free(m->tick_ev);
	free(m);
}

char *metrics_markdown(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (const struct shown_table *const *t = shown_tables; f && *t; t++) {
		if (!(*t)->prefix)
			continue;
		fprintf(f, "\n## %s\n\n", (*t)->title);
		if ((*t)->labels)
			fprintf(f, "Labels: %s.\n\n", (*t)->labels);
		families_markdown(f, *t);
	}
	if (!f || fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
