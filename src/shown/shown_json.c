/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows as JSON. */
#include <stdio.h>
#include <string.h>

#include "shown/shown.h"

static json_t *vector_json(const struct shown_vector *v, bool zeros)
{
	json_t *o = json_object();

	for (uint16_t i = v->first; i < v->n; i++)
		if (v->values[i] || zeros)
			json_object_set_new(o, v->names[i], json_integer((json_int_t)v->values[i]));
	return o;
}

json_t *shown_value(const struct shown *row, const void *object)
{
	const void *at = (const char *)object + row->at;
	const char *text;
	uint64_t ago;

	switch (row->kind) {
	case SHOWN_YES:
		return json_boolean(*(const bool *)at);
	case SHOWN_ID:
		return json_integer(*(const int64_t *)at);
	case SHOWN_REAL:
	case SHOWN_SHARE:
		return json_real(*(const double *)at);
	case SHOWN_AGO:
		ago = *(const uint64_t *)at;
		return ago == UINT64_MAX ? json_null() : json_integer((json_int_t)ago);
	case SHOWN_TEXT:
	case SHOWN_INFO:
		text = *(const char *const *)at;
		return text ? json_string(text) : json_null();
	case SHOWN_VECTOR:
	case SHOWN_LEVELS:
		return vector_json(at, row->kind == SHOWN_LEVELS);
	case SHOWN_COUNTER:
	case SHOWN_GAUGE:
	case SHOWN_MADE:
	case SHOWN_KEY:
		break;
	}
	return json_integer((json_int_t)shown_count(row, object));
}

/* The object within o that has the keys of a group. */
static json_t *group_of(json_t *o, const char *group)
{
	json_t *inner = group ? json_object_get(o, group) : o;

	if (!inner) {
		inner = json_object();
		json_object_set_new(o, group, inner);
	}
	return inner;
}

double shown_rate(const struct shown_table *t, const struct shown *row, const void *object)
{
	const char *rates = (const char *)object + t->rates_at;
	size_t i = ((size_t)row->at - t->counters_at) / sizeof(uint64_t);
	double rate;

	memcpy(&rate, rates + i * sizeof(rate), sizeof(rate));
	return shown_round(rate);
}

/* "counters" -> "rates", "device_counters" -> "device_rates". */
static void rate_set(json_t *o, const struct shown_table *t, const struct shown *row,
		     const void *object)
{
	char group[64];

	snprintf(group, sizeof(group), "%.*srates", (int)(strlen(row->group) - strlen("counters")),
		 row->group);
	json_object_set_new(group_of(o, group), row->name, json_real(shown_rate(t, row, object)));
}

void shown_json(json_t *o, const struct shown_table *t, const void *object, unsigned int in)
{
	for (uint16_t i = 0; i < t->n; i++) {
		const struct shown *row = &t->rows[i];

		if (row->if_at && !*((const bool *)object + row->if_at))
			continue;
		if ((row->in & in) && row->kind != SHOWN_MADE && row->kind != SHOWN_KEY)
			json_object_set_new(group_of(o, row->group), row->name,
					    shown_value(row, object));
		if (row->rate_in & in)
			rate_set(o, t, row, object);
	}
}

json_t *shown_object(const struct shown_table *t, const void *object, unsigned int in)
{
	json_t *o = json_object();

	if (o)
		shown_json(o, t, object, in);
	return o;
}
