/* SPDX-License-Identifier: BSD-3-Clause */
/* A document: first a picture of services and servers, then the families of each table. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "metrics/families.h"
#include "metrics/metrics_internal.h"

#define CLOCK_N 64U /* samples between two looks at the clock */

enum part {
	PART_TAKE, /* nothing is written yet */
	PART_PROCESS,
	PART_SERVICES,
	PART_SERVERS,
	PART_WORKERS,
	PART_PORTS,
	PART_HEALTH,
	PART_PAIR,
	PART_FLEET,
	PART_END,
};

struct document {
	enum expo_format format;
	struct picture picture;
	enum part part;
	uint32_t row, object; /* of the part under way */
};

/* --- tables with few objects: one step each --- */

static void process_put(const struct router_parts *p, enum expo_format format, struct evbuffer *out)
{
	struct process_texts texts;
	struct ledger_view ledger_texts;
	struct shown_process s;
	struct shown_ledger l;

	process_view(p, &texts, &s);
	families_write(out, format,
		       &(struct shown_objects){&shown_process, &s, sizeof(s), 1, NULL});
	ledger_shown(p, &ledger_texts, &l);
	families_write(out, format, &(struct shown_objects){&shown_ledger, &l, sizeof(l), 1, NULL});
}

static void worker_labels(const void *object, char *buf, size_t len)
{
	snprintf(buf, len, "worker=\"%u\"",
		 (uint32_t)((const struct shown_worker *)object)->worker);
}

static void workers_put(const struct router_parts *p, enum expo_format format, struct evbuffer *out)
{
	const uint16_t n = p->dp ? p->dp->n_workers : 0;
	struct shown_worker *v = calloc(n + 1U, sizeof(*v));

	for (uint16_t i = 0; v && i < n; i++)
		worker_view(p, i, &v[i]);
	families_write(
		out, format,
		&(struct shown_objects){&shown_worker, v, sizeof(*v), v ? n : 0, worker_labels});
	free(v);
}

static void port_labels(const void *object, char *buf, size_t len)
{
	expo_label(buf, len, "port", ((const struct shown_port *)object)->name);
}

static void ports_put(const struct router_parts *p, enum expo_format format, struct evbuffer *out)
{
	const uint16_t n = p->dp ? p->dp->n_ports : 0;
	struct shown_port *v = calloc(n + 1U, sizeof(*v));
	struct port_texts texts;

	for (uint16_t i = 0; v && i < n; i++)
		port_view(p, i, &texts, &v[i]);
	families_write(out, format,
		       &(struct shown_objects){&shown_port, v, sizeof(*v), v ? n : 0, port_labels});
	free(v);
}

static void health_put(const struct router_parts *p, enum expo_format format, struct evbuffer *out)
{
	struct shown_health s;

	health_totals(p, &s);
	families_write(out, format, &(struct shown_objects){&shown_health, &s, sizeof(s), 1, NULL});
}

static void path_labels(const void *object, char *buf, size_t len)
{
	expo_label(buf, len, "path", ((const struct shown_path *)object)->name);
}

static void witness_labels(const void *object, char *buf, size_t len)
{
	expo_label(buf, len, "link", ((const struct shown_witness *)object)->link);
}

struct pair_shown {
	struct shown_pair pair;
	struct shown_path paths[HA_PATHS];
	struct shown_witness witnesses[ROLE_MAX_VIP_LINKS];
	struct path_texts texts;
};

/* Without an ha thread the families have no samples. */
static void pair_put(const struct router_parts *p, enum expo_format format, struct evbuffer *out)
{
	struct pair_shown *v = calloc(1, sizeof(*v));
	const struct ha_status *s;

	if (!v)
		return;
	s = &v->pair.s;
	if (p->ha)
		ha_status(p->ha, &v->pair.s);
	pair_view(&v->pair);
	for (uint8_t i = 0; i < s->n_paths; i++)
		path_view(&s->paths[i], &v->texts, &v->paths[i]);
	for (uint8_t i = 0; i < s->n_links; i++)
		witness_view(&s->witnesses[i], &v->witnesses[i]);
	families_write(out, format,
		       &(struct shown_objects){&shown_pair, &v->pair, sizeof(v->pair),
					       p->ha ? 1 : 0, NULL});
	families_write(out, format,
		       &(struct shown_objects){&shown_path, v->paths, sizeof(v->paths[0]),
					       s->n_paths, path_labels});
	families_write(out, format,
		       &(struct shown_objects){&shown_witness, v->witnesses,
					       sizeof(v->witnesses[0]), s->n_links,
					       witness_labels});
	free(v);
}

static void fleet_labels(const void *object, char *buf, size_t len)
{
	expo_label(buf, len, "member", ((const struct shown_fleet *)object)->member);
}

static void fleet_put(const struct router_parts *p, enum expo_format format, struct evbuffer *out)
{
	struct shown_fleet s;

	fleet_view(p, &s);
	families_write(out, format,
		       &(struct shown_objects){&shown_fleet, &s, sizeof(s), 1, fleet_labels});
}

/* --- services and servers: in slices --- */

/* True: time to let others run. */
static bool enough(const struct document *d, const struct evbuffer *out, uint64_t end_us)
{
	return d->object % CLOCK_N == 0 &&
	       (evbuffer_get_length(out) >= SCRAPE_SLICE || clock_us() >= end_us);
}

static void picture_sample(const struct document *d, const struct row_family *f, bool servers,
			   struct evbuffer *out)
{
	if (servers) {
		const struct picture_server *s = picture_server(&d->picture, d->object);

		family_sample(out, f, &s->shown, s->labels);
	} else {
		const struct picture_service *s = picture_service(&d->picture, d->object);

		family_sample(out, f, &s->shown, s->labels);
	}
}

/* 1: there is more of it; 0: it is done. */
static int picture_put(struct document *d, const struct shown_table *t, struct evbuffer *out,
		       uint64_t end_us)
{
	const bool servers = t == &shown_server;
	const uint32_t n = servers ? d->picture.n_servers : d->picture.n_services;
	struct row_family f;

	for (; d->row < t->n; d->row++, d->object = 0) {
		if (!family_of(t, (uint16_t)d->row, &f))
			continue;
		if (d->object == 0)
			expo_head(out, d->format, &f.family);
		while (d->object < n) {
			picture_sample(d, &f, servers, out);
			d->object++;
			if (d->object < n && enough(d, out, end_us))
				return 1;
		}
	}
	return 0;
}

/* --- the whole --- */

/* Writes the next part, or some of it. 1: the part has more; 0: the part is done; negative: no
 * memory. */
static int part_step(struct document *d, const struct router_parts *p, struct evbuffer *out,
		     uint64_t end_us)
{
	switch (d->part) {
	case PART_TAKE:
		return picture_take(&d->picture, p, end_us);
	case PART_PROCESS:
		process_put(p, d->format, out);
		break;
	case PART_SERVICES:
		return picture_put(d, &shown_service, out, end_us);
	case PART_SERVERS:
		return picture_put(d, &shown_server, out, end_us);
	case PART_WORKERS:
		workers_put(p, d->format, out);
		break;
	case PART_PORTS:
		ports_put(p, d->format, out);
		break;
	case PART_HEALTH:
		health_put(p, d->format, out);
		break;
	case PART_PAIR:
		pair_put(p, d->format, out);
		break;
	case PART_FLEET:
		fleet_put(p, d->format, out);
		break;
	case PART_END:
		expo_end(out, d->format);
		break;
	}
	return 0;
}

void *document_begin(void *arg, enum expo_format format)
{
	struct document *d = calloc(1, sizeof(*d));
	const struct metrics *m = arg;
	struct router_parts p;

	m->options.parts(m->options.arg, &p);
	if (d && picture_init(&d->picture, &p) < 0) {
		free(d);
		d = NULL;
	}
	if (d)
		d->format = format;
	return d;
}

int document_more(void *arg, void *document, struct evbuffer *out, uint64_t end_us)
{
	const struct metrics *m = arg;
	struct document *d = document;
	struct router_parts p;

	m->options.parts(m->options.arg, &p);
	while (d->part <= PART_END) {
		int more = part_step(d, &p, out, end_us);

		if (more != 0)
			return more < 0 ? -1 : 1;
		d->part++;
		d->row = d->object = 0;
		if (evbuffer_get_length(out) >= SCRAPE_SLICE || clock_us() >= end_us)
			break;
	}
	return d->part <= PART_END;
}

void document_end(void *arg, void *document)
{
	struct document *d = document;

	(void)arg;
	picture_fini(&d->picture);
	free(d);
}
