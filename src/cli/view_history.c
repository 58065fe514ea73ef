/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <time.h>

#include "cli/view.h"

static const struct view_column version_columns[] = {
	{"N", "number", FORMAT_ID},
	{"VERSION", "short", FORMAT_TEXT},
	{"STATE", "state", FORMAT_TEXT},
	{"TIME", "when", FORMAT_TEXT},
	{"AUTHOR", "author", FORMAT_TEXT},
	{"COMMENT", "comment", FORMAT_OPEN},
	{NULL, NULL, 0},
};
static const struct list_view versions = {"versions", "no versions", version_columns, NULL};

static json_t *version_row(const json_t *v)
{
	const json_t *time_s = view_at(v, "time");
	const time_t s = (time_t)json_integer_value(time_s);
	json_t *row = json_is_object(v) ? json_copy((json_t *)(uintptr_t)v) : json_object();
	char when[32];
	struct tm tm;

	json_object_set_new(row, "short", json_sprintf("%.8s", view_text(v, "id")));
	json_object_set_new(row, "state",
			    json_string(json_is_true(view_at(v, "running")) ? "running"
					: json_is_true(view_at(v, "kept"))  ? "kept"
									    : "not kept"));
	if (json_is_integer(time_s) && localtime_r(&s, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm))
		json_object_set_new(row, "when", json_string(when));
	return row;
}

void view_history(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const char *fault = view_text(result, "fault"), *trial = view_text(result, "trial.version");
	json_t *rows = json_array(), *shown;
	const json_t *v;
	size_t i;

	(void)inv;
	json_array_foreach (json_object_get(result, "versions"), i, v)
		json_array_append_new(rows, version_row(v));
	shown = json_pack("{s:o}", "versions", rows);
	view_list(out, &versions, shown);
	json_decref(shown);
	if (trial[0])
		fprintf(out->file, "version %.8s waits for `plvsctl config confirm`: %.0f s left\n",
			trial, view_number(result, "trial.left_s"));
	if (!fault[0])
		return;
	fputs("not stored: ", out->file);
	text_put(out->file, fault);
	fputc('\n', out->file);
}

static const struct view_column difference_columns[] = {
	{"ACTION", "action", FORMAT_STATE},
	{"OBJECT", "object", FORMAT_TEXT},
	{"DETAIL", "detail", FORMAT_OPEN},
	{NULL, NULL, 0},
};
static const struct list_view difference = {"changes", "no difference", difference_columns, NULL};

void view_difference(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	view_list(out, &difference, result);
}
