/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/json_diff.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ---- */

/* The value under a path one step longer. */
static int step_diff(const json_t *a, const json_t *b, json_diff_found *found, void *arg,
		     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static int step_diff(const json_t *a, const json_t *b, json_diff_found *found, void *arg,
		     const char *fmt, ...)
{
	char *path;
	va_list args;
	int ret;

	if (a && b && json_equal(a, b))
		return 0;
	va_start(args, fmt);
	ret = vasprintf(&path, fmt, args);
	va_end(args);
	if (ret < 0)
		return -ENOMEM;
	ret = json_diff(path, a, b, found, arg);
	free(path);
	return ret;
}

static int object_diff(const char *path, const json_t *a, const json_t *b, json_diff_found *found,
		       void *arg)
{
	const char *dot = path[0] ? "." : "", *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)b, key, value)
		if (step_diff(json_object_get(a, key), value, found, arg, "%s%s%s", path, dot,
			      key) < 0)
			return -ENOMEM;
	json_object_foreach ((json_t *)(uintptr_t)a, key, value)
		if (!json_object_get(b, key) &&
		    step_diff(value, NULL, found, arg, "%s%s%s", path, dot, key) < 0)
			return -ENOMEM;
	return 0;
}

int json_diff(const char *path, const json_t *a, const json_t *b, json_diff_found *found, void *arg)
{
	if (a && b && json_equal(a, b))
		return 0;
	/* Of an object that stands on one side alone each key differs. */
	if ((json_is_object(a) || !a) && (json_is_object(b) || !b))
		return object_diff(path, a, b, found, arg);
	if (!json_is_array(a) || !json_is_array(b) || json_array_size(a) != json_array_size(b)) {
		found(arg, path, a, b);
		return 0;
	}
	for (size_t i = 0; i < json_array_size(a); i++)
		if (step_diff(json_array_get(a, i), json_array_get(b, i), found, arg, "%s[%zu]",
			      path, i) < 0)
			return -ENOMEM;
	return 0;
}

/* Strings without quotes; to be freed. */
static char *value_text(const json_t *v)
{
	if (!v)
		return strdup("(none)");
	if (json_is_string(v))
		return strdup(json_string_value(v));
	return json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
}

char *json_diff_line(const char *path, const json_t *a, const json_t *b)
{
	char *from = value_text(a), *to = value_text(b), *line = NULL;

	if (from && to && asprintf(&line, "%s: %s -> %s", path, from, to) < 0)
		line = NULL;
	free(from);
	free(to);
	return line;
}

struct detail {
	char *text;
	bool failed;
};

static void detail_found(void *arg, const char *path, const json_t *a, const json_t *b)
{
	struct detail *d = arg;
	char *line = json_diff_line(path, a, b), *joined;

	if (!line) {
		d->failed = true;
	} else if (!d->text) {
		d->text = line;
	} else {
		if (asprintf(&joined, "%s; %s", d->text, line) < 0) {
			d->failed = true;
		} else {
			free(d->text);
			d->text = joined;
		}
		free(line);
	}
}

int json_diff_detail(json_t *a, json_t *b, char **detail)
{
	struct detail d = {0};

	if (!a || !b || json_diff("", a, b, detail_found, &d) < 0)
		d.failed = true;
	json_decref(a);
	json_decref(b);
	if (d.failed) {
		free(d.text);
		return -ENOMEM;
	}
	*detail = d.text;
	return 0;
}

/* ---- order ---- */

void moves_fini(struct moves *m)
{
	free(m->old_pos);
	free(m->tail);
	free(m->prev);
	free(m->moved);
}

int moves_init(struct moves *m, uint32_t n)
{
	*m = (struct moves){.old_pos = calloc(n + 1U, sizeof(uint32_t)),
			    .tail = calloc(n + 1U, sizeof(uint32_t)),
			    .prev = calloc(n + 1U, sizeof(uint32_t)),
			    .moved = calloc(n + 1U, sizeof(bool))};
	return m->old_pos && m->tail && m->prev && m->moved ? 0 : -ENOMEM;
}

/* Entries outside the longest increasing subsequence of old_pos have moved: the fewest moves that
 * explain the new order. tail[k]: the entry at which the best subsequence of k + 1 entries ends. */
void moves_find(struct moves *m)
{
	uint32_t len = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		uint32_t low = 0, high = len;

		m->moved[i] = true;
		while (low < high) {
			uint32_t mid = (low + high) / 2;

			if (m->old_pos[m->tail[mid]] < m->old_pos[i])
				low = mid + 1;
			else
				high = mid;
		}
		m->prev[i] = low ? m->tail[low - 1] : UINT32_MAX;
		m->tail[low] = i;
		if (low == len)
			len++;
	}
	for (uint32_t i = len ? m->tail[len - 1] : UINT32_MAX; i != UINT32_MAX; i = m->prev[i])
		m->moved[i] = false;
}
