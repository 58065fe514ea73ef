/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_ANSWER_CHECK_H
#define PLVS_TESTS_ANSWER_CHECK_H

/*
 * An answer of the control socket against the tables of src/shown: each key of an object is a row
 * of the object's table with a value of the row's kind, and no row is missing. A fact that is shown
 * by another way than its table fails the test. Included once, after cmocka.h.
 */

#include <jansson.h>
#include <string.h>

#include "control/method.h"
#include "sched/sched.h"
#include "config/config.h"
#include "shown/shown.h"

static inline bool answer_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* The row of a key; rates: of the key's change per second. NULL: there is none. */
static inline const struct shown *answer_row(const struct shown_table *t, unsigned int in,
					     const char *group, const char *name, bool rates)
{
	for (uint16_t i = 0; i < t->n; i++) {
		const struct shown *r = &t->rows[i];

		if (((rates ? r->rate_in : r->in) & in) && answer_same(r->group, group) &&
		    (!name || strcmp(r->name, name) == 0))
			return r;
	}
	return NULL;
}

/* "rates" -> "counters", "device_rates" -> "device_counters"; NULL: another key. */
static inline const char *answer_rated(const char *key)
{
	return strcmp(key, "rates") == 0	  ? "counters"
	       : strcmp(key, "device_rates") == 0 ? "device_counters"
						  : NULL;
}

static inline bool answer_fits(const struct shown *r, const json_t *v)
{
	switch (r->kind) {
	case SHOWN_COUNTER:
	case SHOWN_GAUGE:
	case SHOWN_ID:
		return json_is_integer(v);
	case SHOWN_YES:
		return json_is_boolean(v);
	case SHOWN_REAL:
	case SHOWN_SHARE:
		return json_is_number(v);
	case SHOWN_AGO:
		return json_is_integer(v) || json_is_null(v);
	case SHOWN_TEXT:
	case SHOWN_INFO:
		return json_is_string(v) || json_is_null(v);
	case SHOWN_VECTOR:
	case SHOWN_LEVELS:
		return json_is_object(v);
	case SHOWN_MADE:
		return json_is_object(v) || json_is_array(v) || json_is_null(v);
	case SHOWN_KEY:
		return true;
	}
	return false;
}

/* Whether a key stands in the schema of the configuration, at any object. */
static inline bool answer_is_configured(const json_t *schema, const char *key)
{
	json_t *v, *in = (json_t *)(uintptr_t)schema;
	const char *k;
	size_t i;

	if (json_is_string(schema)) {
		const char *text = json_string_value(schema), *dot = strrchr(text, '.');

		return strcmp(dot ? dot + 1 : text, key) == 0;
	}
	if (json_is_object(schema)) {
		json_object_foreach (in, k, v)
			if (strcmp(k, key) == 0 || answer_is_configured(v, key))
				return true;
	}
	json_array_foreach (in, i, v)
		if (answer_is_configured(v, key))
			return true;
	return false;
}

static inline bool answer_configured(const char *key)
{
	static json_t *schema;

	if (!schema)
		schema = config_schema_json(sched_names());
	return answer_is_configured(schema, key);
}

static inline void answer_object(const struct shown_table *t, unsigned int in, const json_t *o);

static inline void answer_value(const struct shown_table *t, const struct shown *r, const json_t *v)
{
	const json_t *item;
	size_t i;

	if (!answer_fits(r, v))
		fail_msg("%s: %s has a value of another kind: %s", t->title, r->name,
			 json_dumps(v, JSON_ENCODE_ANY));
	if (!r->of || json_is_null(v))
		return;
	if (json_is_object(v))
		answer_object(r->of, SHOWN_LIST, v);
	json_array_foreach (v, i, item)
		answer_object(r->of, SHOWN_LIST, item);
}

/* The keys of a group, or the changes per second of a group. */
static inline void answer_group(const struct shown_table *t, unsigned int in, const char *group,
				const json_t *o, bool rates)
{
	json_t *inner = (json_t *)(uintptr_t)o, *v;
	const char *key;

	json_object_foreach (inner, key, v) {
		const struct shown *r = answer_row(t, in, group, key, rates);

		if (!r)
			fail_msg("%s: %s.%s is no row of the table", t->title, group, key);
		if (!rates)
			answer_value(t, r, v);
		else if (!json_is_number(v))
			fail_msg("%s: the rate of %s.%s is no number", t->title, group, key);
	}
}

static inline void answer_key(const struct shown_table *t, unsigned int in, const char *key,
			      const json_t *v)
{
	const struct shown *r = answer_row(t, in, NULL, key, false);
	const char *rated = answer_rated(key);

	if (r)
		answer_value(t, r, v);
	else if (answer_row(t, in, key, NULL, false))
		answer_group(t, in, key, v, false);
	else if (rated && answer_row(t, in, rated, NULL, true))
		answer_group(t, in, rated, v, true);
	else if (!t->configured || !(in & SHOWN_LIST) || !answer_configured(key))
		fail_msg("%s: %s is no row of the table", t->title, key);
}

/* The row is always there. */
static inline bool answer_needs(const struct shown *r, unsigned int in)
{
	return (r->in & in) && !r->if_at && r->kind != SHOWN_MADE && r->kind != SHOWN_KEY;
}

static inline void answer_object(const struct shown_table *t, unsigned int in, const json_t *o)
{
	json_t *object = (json_t *)(uintptr_t)o, *v;
	const char *key;

	if (!json_is_object(o))
		fail_msg("%s: no object: %s", t->title, json_dumps(o, JSON_ENCODE_ANY));
	json_object_foreach (object, key, v)
		answer_key(t, in, key, v);
	for (uint16_t i = 0; i < t->n; i++) {
		const struct shown *r = &t->rows[i];
		const json_t *place = r->group ? json_object_get(o, r->group) : o;

		if (answer_needs(r, in) && !json_is_null(place) && !json_object_get(place, r->name))
			fail_msg("%s: %s is missing", t->title, r->name);
	}
}

/* An object, or a list of objects. */
static inline void answer_objects(const struct shown_table *t, unsigned int in, const json_t *v)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(v))
		answer_object(t, in, v);
	json_array_foreach (v, i, item)
		answer_object(t, in, item);
}

static inline void answer_counters(const json_t *result)
{
	static const struct {
		const char *list;
		const struct shown_table *rows;
	} lists[] = {{"services", &shown_service}, {"servers", &shown_server},
		     {"ports", &shown_port},	   {"workers", &shown_worker},
		     {"drops", &shown_reason},	   {"devices", &shown_reason},
		     {"punts", &shown_reason},	   {"health", &shown_figure}};
	json_t *in = (json_t *)(uintptr_t)result, *v;
	const char *key;
	size_t i;

	json_object_foreach (in, key, v) {
		for (i = 0; i < 8 && strcmp(lists[i].list, key) != 0; i++)
			;
		if (i == 8)
			fail_msg("counter.list: %s is no list", key);
		answer_objects(lists[i].rows, SHOWN_COUNTS, v);
	}
}

/* The result of a method. */
static inline void answer_check(const char *method, const json_t *result)
{
	const struct method *m = method_find(method);

	if (strcmp(method, "counter.list") == 0)
		answer_counters(result);
	if (!m || !m->rows || m->stream)
		return;
	answer_objects(m->rows, m->in ? m->in : SHOWN_LIST,
		       m->list ? json_object_get(result, m->list) : result);
}

#endif
