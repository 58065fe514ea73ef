/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/families.h"

#include <string.h>

#define LABELS 512

static enum expo_type type_of(enum shown_kind kind)
{
	switch (kind) {
	case SHOWN_COUNTER:
	case SHOWN_REAL:
	case SHOWN_VECTOR:
		return EXPO_COUNTER;
	case SHOWN_INFO:
		return EXPO_INFO;
	default:
		return EXPO_GAUGE;
	}
}

/* The divisor that makes seconds of a unit; 0: no unit of time. */
static double divisor(const char *unit)
{
	return !unit			 ? 0
	       : strcmp(unit, "us") == 0 ? 1e6
	       : strcmp(unit, "ms") == 0 ? 1e3
	       : strcmp(unit, "s") == 0	 ? 1
					 : 0;
}

bool family_of(const struct shown_table *t, uint16_t i, struct row_family *out)
{
	const struct shown *row = &t->rows[i];
	size_t len;

	if (!row->metric)
		return false;
	snprintf(out->name, sizeof(out->name), "%s%s", t->prefix, row->metric);
	len = strlen(out->name);
	if (out->name[len - 1] == '_')
		out->name[len - 1] = '\0';
	out->row = row;
	out->family = (struct expo_family){.name = out->name,
					   .type = type_of(row->kind),
					   .unit = divisor(row->unit) > 0 ? "seconds" : row->unit,
					   .help = row->help};
	return true;
}

static void number_put(struct evbuffer *out, const struct row_family *f, const char *labels,
		       uint64_t value)
{
	const double by = divisor(f->row->unit);

	if (by > 0)
		expo_number(out, &f->family, labels, (double)value / by);
	else
		expo_count(out, &f->family, labels, value);
}

static void vector_put(struct evbuffer *out, const struct row_family *f,
		       const struct shown_vector *v, const char *labels)
{
	char all[LABELS];

	for (uint16_t i = v->first; i < v->n; i++) {
		snprintf(all, sizeof(all), "%s", labels);
		expo_label(all, sizeof(all), f->row->label, v->names[i]);
		number_put(out, f, all, v->values[i]);
	}
}

void family_sample(struct evbuffer *out, const struct row_family *f, const void *object,
		   const char *labels)
{
	const struct shown *row = f->row;
	const void *at = (const char *)object + row->at;

	if (row->metric_if && !*((const bool *)object + row->metric_if))
		return;
	switch (row->kind) {
	case SHOWN_YES:
		expo_count(out, &f->family, labels, *(const bool *)at);
		break;
	case SHOWN_REAL:
	case SHOWN_SHARE:
		expo_number(out, &f->family, labels, *(const double *)at);
		break;
	case SHOWN_VECTOR:
	case SHOWN_LEVELS:
		vector_put(out, f, at, labels);
		break;
	case SHOWN_INFO:
		expo_count(out, &f->family, *(const char *const *)at, 1);
		break;
	case SHOWN_COUNTER:
	case SHOWN_GAUGE:
	case SHOWN_AGO:
		number_put(out, f, labels, shown_count(row, object));
		break;
	case SHOWN_ID:
	case SHOWN_TEXT:
	case SHOWN_MADE:
	case SHOWN_KEY:
		break; /* in no metric */
	}
}

void families_write(struct evbuffer *out, enum expo_format format, const struct shown_objects *o)
{
	struct row_family f;
	char labels[LABELS];

	for (uint16_t i = 0; i < o->table->n; i++) {
		if (!family_of(o->table, i, &f))
			continue;
		expo_head(out, format, &f.family);
		for (uint32_t k = 0; k < o->n; k++) {
			const void *object = (const char *)o->objects + k * o->size;

			labels[0] = '\0';
			if (o->labels)
				o->labels(object, labels, sizeof(labels));
			family_sample(out, &f, object, labels);
		}
	}
}

void families_markdown(FILE *f, const struct shown_table *t)
{
	static const char *const types[] = {
		[EXPO_GAUGE] = "gauge", [EXPO_COUNTER] = "counter", [EXPO_INFO] = "info"};
	struct row_family r;

	fprintf(f, "| family | type | unit | meaning |\n|---|---|---|---|\n");
	for (uint16_t i = 0; i < t->n; i++)
		if (family_of(t, i, &r))
			fprintf(f, "| `%s` | %s | %s | %s |\n", r.name, types[r.family.type],
				r.family.unit ? r.family.unit : "", r.family.help);
}
