/* SPDX-License-Identifier: BSD-3-Clause */
/* Listings of services with their real servers, by the columns of the tables of shown. */
#include <stdlib.h>
#include <string.h>

#include "cli/view.h"

/* ---- states in words ---- */

const char *view_health_state(const json_t *row, char buf[64])
{
	const char *admin = view_text(row, "admin"), *state = view_text(row, "standing");

	if (!*state)
		state = view_text(row, "health");
	if (strcmp(admin, "up") == 0 || strcmp(admin, "down") == 0)
		snprintf(buf, 64, "forced %.20s", admin);
	else
		snprintf(buf, 64, "%.40s%s", *state ? state : "-",
			 json_is_true(view_at(row, "drain")) ? ", drained" : "");
	return buf;
}

enum style view_health_style(const json_t *row, const char *state)
{
	enum style style = view_state_style(state);

	return style == STYLE_GOOD && !json_is_true(view_at(row, "chosen")) ? STYLE_WARN : style;
}

double view_weight(const json_t *server)
{
	return view_number(server, json_is_number(view_at(server, "effective_weight"))
					   ? "effective_weight"
					   : "weight");
}

static const char *server_condition(const json_t *server, char buf[64])
{
	const char *state = json_is_true(view_at(server, "overloaded")) ? "overloaded" : "up";
	const char *health = view_text(server, "health");

	if (json_is_integer(view_at(server, "weight")) && view_weight(server) < 1)
		state = "quiesced";
	if (*health && strcmp(health, "up") != 0)
		return view_health_state(server, buf);
	/* Up, and passed over all the same. */
	if (json_is_true(view_at(server, "down")))
		return json_is_true(view_at(server, "sorry")) ? "in reserve"
		       : *health			      ? "not chosen"
							      : "down";
	return strcmp(view_text(server, "admin"), "up") == 0 ? "forced up" : state;
}

static void condition_cell(struct table *t, const struct shown_table *shown, const json_t *row)
{
	const bool any = json_array_size(json_object_get(row, "servers"));
	const char *state;
	char buf[64];

	if (shown == &shown_server) {
		state = server_condition(row, buf);
		table_cell(t, view_state_style(state), state);
	} else if (json_is_true(view_at(row, "quorum_lost"))) {
		table_cell(t, STYLE_BAD, "quorum lost");
	} else {
		table_cell(t, any ? STYLE_NONE : STYLE_WARN, any ? "" : "no servers");
	}
}

/* ---- cells ---- */

/* Asked for by name, as top does for the column that it sorts by. */
static bool column_named(const struct out *out, const struct shown_column *c)
{
	return out->named && strstr(c->name, out->named);
}

static bool column_fits(const struct out *out, const struct shown_column *c)
{
	return out->width == 0 || out->width >= c->width || column_named(out, c);
}

static void named_cell(struct table *t, const struct shown_column *c, const json_t *row,
		       const char *indent)
{
	const enum style style = *indent ? STYLE_NONE : STYLE_BOLD;
	const json_t *with = c->with ? view_at(row, c->with) : NULL;
	const char *value = view_text(row, c->name), *name = json_string_value(with);

	if (!*value && !*indent)
		value = "?";
	if (json_is_true(with))
		name = c->with;
	if (name && *name)
		table_cellf(t, style, "%s%s (%s)", indent, value, name);
	else
		table_cellf(t, style, "%s%s", indent, value);
}

static void of_cell(struct table *t, const struct shown_column *c, const json_t *row)
{
	const json_t *value = view_at(row, c->name), *all = view_at(row, c->with);
	const double whole = json_number_value(all);
	const double part = json_is_number(value) ? json_number_value(value) : whole;

	if (!json_is_number(all))
		table_cell(t, STYLE_NONE, NULL);
	else if (part < whole || part > whole)
		table_cellf(t, STYLE_NONE, "%.0f of %.0f", part, whole);
	else
		table_cellf(t, STYLE_NONE, "%.0f", whole);
}

static void value_cell(struct table *t, const struct shown_table *shown,
		       const struct shown_column *c, const json_t *row, const json_t *outer)
{
	const char *dot = strchr(c->name, '.');
	const enum format format = view_shown_format(shown, c);
	const json_t *value = view_at(row, c->name);
	char path[64], *text;

	if (c->form == SHOWN_RATE || c->form == SHOWN_BITS) {
		snprintf(path, sizeof(path), "rates%s", dot);
		value = view_at(row, path);
	}
	if (c->form == SHOWN_OUTER && !*view_text(row, c->name))
		value = view_at(outer, c->name);
	text = view_format(t->out, value, format);
	table_cell(t, STYLE_NONE, text || format != FORMAT_OPEN ? text : "");
	free(text);
}

static void cell(struct table *t, const struct shown_table *shown, const struct shown_column *c,
		 const json_t *row, const json_t *outer)
{
	char state[64];

	if (!*c->name) {
		table_cell(t, STYLE_NONE, "");
		return;
	}
	switch (c->form) {
	case SHOWN_NAMED:
		named_cell(t, c, row, outer ? "  " : "");
		break;
	case SHOWN_OF:
		of_cell(t, c, row);
		break;
	case SHOWN_CONDITION:
		condition_cell(t, shown, row);
		break;
	case SHOWN_STANDING:
		view_health_state(row, state);
		table_cell(t, view_health_style(row, state), state);
		break;
	default:
		value_cell(t, shown, c, row, outer);
		break;
	}
}

/* ---- rows ---- */

void view_tree_init(struct table *t, const struct out *out, const struct tree_view *view)
{
	char buf[32], title[40];

	table_init(t, out);
	t->cut = view->cut;
	for (const struct shown_column *c = view->inner_columns; c->name; c++) {
		const char *text = view_shown_title(c, buf), *unit = strstr(text, "BIT/S");

		if (!column_fits(out, c))
			continue;
		if (unit && out->numeric)
			snprintf(title, sizeof(title), "%.*sBYTE/S", (int)(unit - text), text);
		else
			snprintf(title, sizeof(title), "%s", text);
		table_column(t, title, view_format_right(view_shown_format(view->inner, c)));
		if (column_named(out, c) || c->form == SHOWN_CONDITION || c->form == SHOWN_STANDING)
			table_rank(t, 0);
	}
}

void view_outer_row(struct table *t, const struct tree_view *view, const json_t *row)
{
	for (const struct shown_column *c = view->outer_columns; c->name; c++)
		if (column_fits(t->out, c))
			cell(t, view->outer, c, row, NULL);
	table_row(t);
}

void view_inner_row(struct table *t, const struct tree_view *view, const json_t *row,
		    const json_t *outer)
{
	for (const struct shown_column *c = view->inner_columns; c->name; c++)
		if (column_fits(t->out, c))
			cell(t, view->inner, c, row, outer);
	table_row(t);
}
