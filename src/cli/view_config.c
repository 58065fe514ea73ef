/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/view.h"

/* A warning of the configuration: "12:7: shared.services[2].lower: 5 has no effect"; the caller
 * frees it. */
static char *warning_format(const json_t *v)
{
	const char *path = view_text(v, "path");
	char where[48] = "", *text = NULL;

	if (json_is_integer(view_at(v, "line")))
		snprintf(where, sizeof(where), "%.0f:%.0f: ", view_number(v, "line"),
			 view_number(v, "column"));
	if (asprintf(&text, "%s%s%s%s", where, path, *path ? ": " : "", view_text(v, "message")) <
	    0)
		return NULL;
	return text;
}

static void texts_put(const struct out *out, const json_t *list, const char *label,
		      enum style style)
{
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v) {
		char *text =
			json_is_object(v) ? warning_format(v) : view_format(out, v, FORMAT_TEXT);

		fprintf(out->file, "%s%s%s ", style_on(out, style), label, style_off(out, style));
		text_put(out->file, text ? text : "?");
		fputc('\n', out->file);
		free(text);
	}
}

void view_config(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *config = json_object_get(result, "config");

	view_pretty(out, config ? config : result, inv);
}

void view_check(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *warnings = json_object_get(result, "warnings");

	texts_put(out, warnings, "warning:", STYLE_WARN);
	text_put(out->file, inv && inv->object ? inv->object : "configuration");
	fprintf(out->file, ": valid%s\n", json_array_size(warnings) ? ", with warnings" : "");
}

static const struct view_column change_columns[] = {
	{"ACTION", "action", FORMAT_STATE},
	{"OBJECT", "object", FORMAT_TEXT},
	{"DETAIL", "detail", FORMAT_OPEN},
	{"CONNECTIONS", "connections", FORMAT_COUNT},
	{NULL, NULL, 0},
};
static const struct list_view changes = {"changes", "no changes", change_columns, NULL};

/* config.plan, and config.apply that also tells what it did. */
void view_plan(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const json_t *generation = json_object_get(result, "generation");
	const json_t *listed = json_object_get(result, "changes");
	const json_t *at_once = json_object_get(result, "at_once");
	char within[32];

	(void)inv;
	if (json_array_size(listed) > 0 || (json_is_array(listed) && json_array_size(at_once) == 0))
		view_list(out, &changes, result);
	texts_put(out, json_object_get(result, "warnings"), "warning:", STYLE_WARN);
	texts_put(out, at_once, "at once:", STYLE_GOOD);
	texts_put(out, json_object_get(result, "restart"), "needs a restart:", STYLE_WARN);
	if (generation)
		fprintf(out->file, "applied: generation %.0f, live in %.3g ms\n",
			json_number_value(generation), view_number(result, "duration_us") / 1000);
	if (view_number(result, "confirm_within_ms") > 0)
		fprintf(out->file, "taken back in %s unless confirmed: plvsctl config confirm\n",
			duration_format((uint32_t)view_number(result, "confirm_within_ms"), within,
					sizeof(within)));
}

static void not_stored_put(const struct out *out, const json_t *result, const char *path,
			   const char *who)
{
	const char *why = view_text(result, path);

	if (!why[0])
		return;
	fprintf(out->errors, "%s the change is not stored: ", who);
	text_put(out->errors, why);
	fputc('\n', out->errors);
}

void view_stored(const struct out *out, const json_t *result)
{
	if (!json_is_object(json_object_get(result, "stored")))
		return;
	not_stored_put(out, result, "stored.why_not_here", "at this router");
	not_stored_put(out, result, "stored.why_not_peer", "at the peer");
}

void view_confirmed(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	fprintf(out->file, "confirmed: version %.8s\n", view_text(result, "version"));
}

void view_saved(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	fputs("saved to ", out->file);
	text_put(out->file, view_text(result, "path"));
	if (*view_text(result, "before")) {
		fputs("; what was there before is in ", out->file);
		text_put(out->file, view_text(result, "before"));
	}
	fputc('\n', out->file);
}
