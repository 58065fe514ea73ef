/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows as text, equal to shown_json(), without an object for each key. */
#include <string.h>

#include "base/json_write.h"
#include "shown/shown.h"

static void put(struct json_writer *w, const char *text)
{
	json_writer_put(w, text, strlen(text));
}

static void key_put(struct json_writer *w, bool *first, const char *name, size_t n)
{
	if (!*first)
		put(w, ",");
	*first = false;
	put(w, "\"");
	json_writer_put(w, name, n);
	put(w, "\":");
}

static void value_put(struct json_writer *w, const struct shown *row, const void *object)
{
	const void *at = (const char *)object + row->at;
	const char *text;
	json_t *json;

	switch (row->kind) {
	case SHOWN_COUNTER:
	case SHOWN_GAUGE:
		json_writer_integer(w, (int64_t)shown_count(row, object));
		return;
	case SHOWN_ID:
		json_writer_integer(w, *(const int64_t *)at);
		return;
	case SHOWN_YES:
		put(w, *(const bool *)at ? "true" : "false");
		return;
	case SHOWN_TEXT:
	case SHOWN_INFO:
		text = *(const char *const *)at;
		if (text)
			json_writer_string(w, text, strlen(text));
		else
			put(w, "null");
		return;
	default:
		json = shown_value(row, object);
		json_writer_value(w, json);
		json_decref(json);
	}
}

static bool is_shown(const struct shown *row, const void *object)
{
	return !row->if_at || *((const bool *)object + row->if_at);
}

static bool has_value(const struct shown *row, unsigned int in)
{
	return (row->in & in) && row->kind != SHOWN_MADE && row->kind != SHOWN_KEY;
}

static bool same_group(const struct shown *a, const struct shown *b)
{
	return a->group == b->group || (a->group && b->group && strcmp(a->group, b->group) == 0);
}

/* "counters" -> "rates", "device_counters" -> "device_rates". */
static void rates_key_put(struct json_writer *w, bool *first, const char *group)
{
	char name[64];
	size_t n = strlen(group) - strlen("counters");

	if (n > sizeof(name) - sizeof("rates"))
		n = sizeof(name) - sizeof("rates");
	memcpy(name, group, n);
	memcpy(name + n, "rates", sizeof("rates"));
	key_put(w, first, name, n + strlen("rates"));
}

/* Rows that are not shown here do not end a group. */
static bool goes_on(const struct shown *begin, const struct shown *row, unsigned int in)
{
	return same_group(begin, row) || (!has_value(row, in) && !(row->rate_in & in));
}

/* The group that begins at row i; how many rows it has. */
static uint16_t group_put(struct json_writer *w, bool *first, const struct shown_table *t,
			  uint16_t i, const void *object, unsigned int in)
{
	const struct shown *begin = &t->rows[i];
	bool inner = true;
	uint16_t n = 0;

	for (; i + n < t->n && goes_on(begin, &begin[n], in); n++) {
		if (!is_shown(&begin[n], object) || !has_value(&begin[n], in) ||
		    !same_group(begin, &begin[n]))
			continue;
		if (inner) {
			key_put(w, first, begin->group, strlen(begin->group));
			put(w, "{");
		}
		key_put(w, &inner, begin[n].name, strlen(begin[n].name));
		value_put(w, &begin[n], object);
	}
	put(w, inner ? "" : "}");
	inner = true;
	for (uint16_t k = 0; k < n; k++) {
		if (!is_shown(&begin[k], object) || !(begin[k].rate_in & in))
			continue;
		if (inner) {
			rates_key_put(w, first, begin->group);
			put(w, "{");
		}
		key_put(w, &inner, begin[k].name, strlen(begin[k].name));
		json_writer_real(w, shown_rate(t, &begin[k], object));
	}
	put(w, inner ? "" : "}");
	return n;
}

void shown_write(struct json_writer *w, bool *first, const struct shown_table *t,
		 const void *object, unsigned int in)
{
	for (uint16_t i = 0; i < t->n;) {
		const struct shown *row = &t->rows[i];

		if (row->group) {
			i = (uint16_t)(i + group_put(w, first, t, i, object, in));
			continue;
		}
		if (is_shown(row, object) && has_value(row, in)) {
			key_put(w, first, row->name, strlen(row->name));
			value_put(w, row, object);
		}
		i++;
	}
}
