/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

/* Kinds of objects with counters: the same names under "counters" and under "rates". */
static const struct {
	const char *rows;
	const struct shown_table *shown;
} counter_views[] = {{"services", &shown_service},
		     {"servers", &shown_server},
		     {"ports", &shown_port},
		     {"workers", &shown_worker}};

static void cell_put(struct table *t, const json_t *value, enum format format)
{
	char *text = view_format(t->out, value, format);

	table_cell(t, STYLE_NONE, text);
	free(text);
}

static void heading_put(const struct out *out, bool *first, bool several, const char *heading)
{
	if (several)
		fprintf(out->file, "%s%s%s%s\n", *first ? "" : "\n", style_on(out, STYLE_DIM),
			heading, style_off(out, STYLE_DIM));
	*first = false;
}

static void objects_put(const struct out *out, const struct shown_table *shown, const json_t *rows,
			const char *part)
{
	const bool rates = strcmp(part, "rates") == 0;
	const struct shown_column *c;
	const json_t *row;
	struct table t;
	char buf[32], title[40];
	size_t i;

	table_init(&t, out);
	for (c = shown->of_counters; c->name; c++) {
		const char *dot = strchr(c->name, '.');

		snprintf(title, sizeof(title), "%s%s", view_shown_title(c, buf),
			 dot && rates ? "/S" : "");
		table_column(&t, title, view_format_right(view_shown_format(shown, c)));
	}
	json_array_foreach (rows, i, row) {
		for (c = shown->of_counters; c->name; c++) {
			const char *dot = strchr(c->name, '.');
			const json_t *values = dot ? json_object_get(row, part) : row;

			cell_put(&t, json_object_get(values, dot ? dot + 1 : c->name),
				 dot ? FORMAT_COUNT : FORMAT_ID);
		}
		table_row(&t);
	}
	table_end(&t);
}

/* Reasons and classes: those that ever happened, and what each means. */
static void reasons_put(const struct out *out, const json_t *rows, const char *title, bool ports)
{
	const json_t *row;
	struct table t;
	size_t i, n = 0;

	table_init(&t, out);
	if (ports)
		table_column(&t, "PORT", false);
	table_column(&t, title, false);
	table_column(&t, "PACKETS", true);
	table_column(&t, "PKT/S", true);
	table_column(&t, "MEANING", false);
	json_array_foreach (rows, i, row) {
		if (view_number(row, "count") == 0)
			continue;
		n++;
		if (ports)
			cell_put(&t, json_object_get(row, "port"), FORMAT_TEXT);
		cell_put(&t, json_object_get(row, "name"), FORMAT_TEXT);
		cell_put(&t, json_object_get(row, "count"), FORMAT_COUNT);
		cell_put(&t, json_object_get(row, "rate"), FORMAT_COUNT);
		cell_put(&t, json_object_get(row, "help"), FORMAT_TEXT);
		table_row(&t);
	}
	table_end(&t);
	if (!n)
		fprintf(out->file, "no packets\n");
}

static void health_put(const struct out *out, const json_t *rows)
{
	const json_t *row;
	struct table t;
	size_t i;

	table_init(&t, out);
	table_column(&t, "NAME", false);
	table_column(&t, "VALUE", true);
	table_column(&t, "MEANING", false);
	json_array_foreach (rows, i, row) {
		cell_put(&t, json_object_get(row, "name"), FORMAT_TEXT);
		cell_put(&t, json_object_get(row, "value"), FORMAT_COUNT);
		cell_put(&t, json_object_get(row, "help"), FORMAT_TEXT);
		table_row(&t);
	}
	table_end(&t);
}

static void counters_put(const struct out *out, const json_t *result, const char *part)
{
	bool first = true, several = json_object_size(result) > 1;
	const json_t *rows;

	for (size_t i = 0; i < sizeof(counter_views) / sizeof(counter_views[0]); i++) {
		rows = json_object_get(result, counter_views[i].rows);
		if (!json_is_array(rows))
			continue;
		heading_put(out, &first, several, counter_views[i].rows);
		if (json_array_size(rows))
			objects_put(out, counter_views[i].shown, rows, part);
		else
			fprintf(out->file, "no %s\n", counter_views[i].rows);
	}
	rows = json_object_get(result, "drops");
	if (json_is_array(rows)) {
		heading_put(out, &first, several, "drops");
		reasons_put(out, rows, "REASON", false);
	}
	rows = json_object_get(result, "devices");
	if (json_is_array(rows)) {
		heading_put(out, &first, several, "devices");
		reasons_put(out, rows, "LOST", true);
	}
	rows = json_object_get(result, "punts");
	if (json_is_array(rows)) {
		heading_put(out, &first, several, "punts");
		reasons_put(out, rows, "CLASS", false);
	}
	/* Much of it has no rate. */
	rows = json_object_get(result, "health");
	if (json_is_array(rows) && !several && strcmp(part, "rates") == 0)
		fprintf(out->file, "health has no rates: see plvsctl counters health\n");
	else if (json_is_array(rows) && strcmp(part, "rates") != 0) {
		heading_put(out, &first, several, "health");
		health_put(out, rows);
	}
}

void view_counters(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	counters_put(out, result, "counters");
}

void view_rates(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	counters_put(out, result, "rates");
}

void view_ended(const struct out *out, const json_t *result, const struct invocation *inv)
{
	const double n = view_number(result, "count");

	(void)inv;
	fprintf(out->file, "%.0f connection%s ended\n", n, n > 0 && n < 2 ? "" : "s");
}

void view_zeroed(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)result;
	fputs("counters of ", out->file);
	text_put(out->file, inv && inv->object ? inv->object : "all services");
	fputs(" begin at 0\n", out->file);
}
