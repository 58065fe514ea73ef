/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/view.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PATH_DEPTH 9

const json_t *view_at(const json_t *json, const char *path)
{
	char part[64];

	for (int depth = 0; json && depth < PATH_DEPTH; depth++) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(part))
			return NULL;
		memcpy(part, path, len);
		part[len] = '\0';
		json = json_object_get(json, part);
		if (!path[len])
			return json;
		path += len + 1;
	}
	return NULL;
}

double view_number(const json_t *json, const char *path)
{
	return json_number_value(view_at(json, path));
}

const char *view_text(const json_t *json, const char *path)
{
	const char *text = json_string_value(view_at(json, path));

	return text ? text : "";
}

static char *queue_format(const struct out *out, const json_t *value)
{
	char *port = view_format(out, view_at(value, "port"), FORMAT_TEXT);
	char *queue = view_format(out, view_at(value, "queue"), FORMAT_ID), *text = NULL;

	if (asprintf(&text, "%s:%s", port ? port : "?", queue ? queue : "?") < 0)
		text = NULL;
	free(port);
	free(queue);
	return text;
}

static char *list_join(const struct out *out, const json_t *list, enum format format)
{
	char *joined = NULL, *more, *item;
	const json_t *v;
	size_t i;

	json_array_foreach (list, i, v) {
		item = format == FORMAT_QUEUES && json_is_object(v)
			       ? queue_format(out, v)
			       : view_format(out, v, FORMAT_TEXT);
		if (asprintf(&more, "%s%s%s", joined ? joined : "", joined ? ", " : "",
			     item ? item : "-") < 0)
			more = NULL;
		free(item);
		free(joined);
		joined = more;
	}
	return joined;
}

static char *number_format(const struct out *out, double v, enum format format)
{
	char buf[UNIT_STRLEN], *text = NULL;

	switch (format) {
	case FORMAT_BITS:
		count_format(out->numeric ? v : v * 8, out->numeric, buf);
		break;
	case FORMAT_MEMORY:
		memory_format(v, out->numeric, buf);
		break;
	case FORMAT_SECONDS:
		age_format(v, out->numeric, buf);
		break;
	case FORMAT_SHARE:
		snprintf(buf, sizeof(buf), out->numeric ? "%.4f" : "%.0f%%",
			 out->numeric ? v : (fabs(v) < 1e6 ? v * 100 : 0));
		break;
	case FORMAT_MS:
		snprintf(buf, sizeof(buf), "%.1f ms", fabs(v) < 1e15 ? v / 1000 : 0);
		break;
	case FORMAT_ID:
	case FORMAT_TEXT:
	case FORMAT_OPEN:
		count_format(v, true, buf);
		break;
	default:
		count_format(v, out->numeric, buf);
		break;
	}
	text = strdup(buf);
	return text;
}

char *view_format(const struct out *out, const json_t *value, enum format format)
{
	char buf[UNIT_STRLEN];

	if (!value || json_is_null(value))
		return NULL;
	if (json_is_string(value))
		return *json_string_value(value) ? strdup(json_string_value(value)) : NULL;
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (format == FORMAT_ID && json_is_integer(value) && json_integer_value(value) < 0)
		return NULL;
	/* Through a double, 64-bit counters would lose their last digits. */
	if (json_is_integer(value) && format != FORMAT_MS &&
	    (format == FORMAT_ID || format == FORMAT_TEXT || out->numeric)) {
		snprintf(buf, sizeof(buf), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return strdup(buf);
	}
	if (json_is_number(value))
		return number_format(out, json_number_value(value), format);
	if (json_is_array(value))
		return list_join(out, value, format);
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

enum style view_state_style(const char *state)
{
	static const struct {
		const char *state;
		enum style style;
	} styles[] = {
		{"up", STYLE_GOOD},	    {"reachable", STYLE_GOOD},	{"ok", STYLE_GOOD},
		{"quiesced", STYLE_WARN},   {"overloaded", STYLE_WARN}, {"incomplete", STYLE_WARN},
		{"down", STYLE_BAD},	    {"failed", STYLE_BAD},	{"delete", STYLE_BAD},
		{"add", STYLE_GOOD},	    {"edit", STYLE_WARN},	{"move", STYLE_WARN},
		{"SYN_RECV", STYLE_WARN},   {"unknown", STYLE_WARN},	{"maintenance", STYLE_WARN},
		{"forced down", STYLE_BAD}, {"not chosen", STYLE_WARN},
	};

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		if (strcasecmp(state, styles[i].state) == 0)
			return styles[i].style;
	return STYLE_NONE;
}

bool view_format_right(enum format format)
{
	return format != FORMAT_TEXT && format != FORMAT_STATE && format != FORMAT_YES &&
	       format != FORMAT_QUEUES && format != FORMAT_OPEN;
}

/* --- columns of the tables of shown/ --- */

static enum format kind_format(const struct shown *row)
{
	switch (row->kind) {
	case SHOWN_YES:
		return FORMAT_YES;
	case SHOWN_SHARE:
		return FORMAT_SHARE;
	case SHOWN_ID:
	case SHOWN_AGO:
		return FORMAT_ID;
	case SHOWN_MADE:
		return FORMAT_QUEUES;
	case SHOWN_TEXT:
	case SHOWN_KEY:
		return FORMAT_TEXT;
	default:
		break;
	}
	if (!row->unit || strcmp(row->unit, "bytes") == 0)
		return FORMAT_COUNT;
	return strcmp(row->unit, "s") == 0 ? FORMAT_SECONDS : FORMAT_ID;
}

enum format view_shown_format(const struct shown_table *t, const struct shown_column *c)
{
	const struct shown *row = shown_find(t, c->name);

	switch (c->form) {
	case SHOWN_COLOURED:
		return FORMAT_STATE;
	case SHOWN_AS_MS:
		return FORMAT_MS;
	case SHOWN_OPEN:
		return FORMAT_OPEN;
	case SHOWN_NAMED:
		return FORMAT_TEXT;
	case SHOWN_CONDITION:
	case SHOWN_STANDING:
		return FORMAT_STATE;
	case SHOWN_OF:
	case SHOWN_RATE:
		return FORMAT_COUNT;
	case SHOWN_BITS:
		return FORMAT_BITS;
	case SHOWN_OUTER:
	case SHOWN_PLAIN:
		break;
	}
	return row ? kind_format(row) : FORMAT_TEXT;
}

const char *view_shown_title(const struct shown_column *c, char buf[32])
{
	const char *dot = strchr(c->name, '.');
	size_t n = 0;

	if (c->title)
		return c->title;
	for (const char *p = dot ? dot + 1 : c->name; *p && n < 31; p++)
		buf[n++] = (char)(*p == '_' ? ' ' : toupper((unsigned char)*p));
	buf[n] = '\0';
	return buf;
}

/* --- lists --- */

/* Column i of a list. False: there is none. */
static bool column_of(const struct list_view *view, size_t i, struct view_column *out, char buf[32])
{
	const struct shown_column *c;

	if (view->columns) {
		*out = view->columns[i];
		return out->title;
	}
	c = &view->shown->columns[i];
	if (!c->name)
		return false;
	*out = (struct view_column){view_shown_title(c, buf), c->name,
				    view_shown_format(view->shown, c)};
	return true;
}

void view_table_init(struct table *t, const struct out *out, const struct list_view *view)
{
	struct view_column c;
	char buf[32];

	table_init(t, out);
	for (size_t i = 0; column_of(view, i, &c, buf); i++) {
		table_column(t, c.format == FORMAT_BITS && out->numeric ? "BYTE/S" : c.title,
			     view_format_right(c.format));
		if (c.format == FORMAT_OPEN)
			table_open(t);
	}
}

void view_table_row(struct table *t, const struct list_view *view, const json_t *row)
{
	struct view_column c;
	char buf[32];

	for (size_t i = 0; column_of(view, i, &c, buf); i++) {
		char *text = view_format(t->out, view_at(row, c.path), c.format);
		enum style style = STYLE_NONE;

		if (c.format == FORMAT_STATE && text)
			style = view_state_style(text);
		table_cell(t, style, text || c.format != FORMAT_OPEN ? text : "");
		free(text);
	}
	table_row(t);
}

void view_list(const struct out *out, const struct list_view *view, const json_t *result)
{
	const json_t *rows = view->rows ? json_object_get(result, view->rows) : result, *row;
	struct table t;
	size_t i;

	if (!json_array_size(rows)) {
		fprintf(out->file, "%s\n", view->empty);
		return;
	}
	view_table_init(&t, out, view);
	json_array_foreach (rows, i, row)
		view_table_row(&t, view, row);
	table_end(&t);
}

void view_json(const struct out *out, const json_t *json)
{
	/* On a terminal only ASCII: text in a result may hold what a terminal acts on. */
	size_t flags = out->tty ? JSON_INDENT(2) | JSON_ENSURE_ASCII : JSON_COMPACT;

	json_dumpf(json, out->file, flags | JSON_ENCODE_ANY);
	fputc('\n', out->file);
}

void view_pretty(const struct out *out, const json_t *result, const struct invocation *inv)
{
	(void)inv;
	json_dumpf(result, out->file, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
	fputc('\n', out->file);
}
