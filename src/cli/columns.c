/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/out.h"

#define GAP 2

void table_init(struct table *t, const struct out *out)
{
	memset(t, 0, sizeof(*t));
	t->out = out;
}

void table_column(struct table *t, const char *title, bool right)
{
	if (t->n_columns == TABLE_COLUMNS)
		return;
	snprintf(t->column[t->n_columns].title, sizeof(t->column[0].title), "%s", title);
	t->column[t->n_columns].right = right;
	t->column[t->n_columns].width = text_width(title);
	t->column[t->n_columns].rank = (unsigned int)t->n_columns;
	t->n_columns++;
}

void table_rank(struct table *t, unsigned int rank)
{
	t->column[t->n_columns - 1].rank = rank;
}

void table_open(struct table *t)
{
	t->column[t->n_columns - 1].open = true;
}

static void cell_take(struct table *t, enum style style, char *text)
{
	struct table_cell *cell;
	size_t width;

	if (!t->cells)
		t->cells = calloc(TABLE_LOOK_AHEAD * t->n_columns, sizeof(*t->cells));
	if (!t->cells || t->next >= t->n_columns) {
		free(text);
		return;
	}
	cell = &t->cells[t->n_rows * t->n_columns + t->next];
	cell->text = text;
	cell->style = style;
	width = text ? text_width(text) : 1;
	if (width > t->column[t->next].width)
		t->column[t->next].width = width;
	t->next++;
}

void table_cell(struct table *t, enum style style, const char *text)
{
	cell_take(t, style, text_escape(text ? text : "-"));
}

void table_cellf(struct table *t, enum style style, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	table_cell(t, style, text);
	free(text);
}

/* Of an escaped text the bytes that room columns take. */
static size_t text_fit(const char *text, size_t room)
{
	size_t columns = 0, i = 0;

	for (; text[i]; i++) {
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (columns > room)
			break;
	}
	return i;
}

/* room: columns; 0: as many as it takes. */
static void cell_print(const struct table *t, const struct table_cell *cell, size_t room)
{
	const char *text = cell->text ? cell->text : "";
	size_t len = strlen(text);
	FILE *f = t->out->file;

	fputs(style_on(t->out, cell->style), f);
	if (room > 8 && text_width(text) > room) {
		len = text_fit(text, room - 3);
		fprintf(f, "%.*s...", (int)len, text);
	} else {
		fputs(text, f);
	}
	fputs(style_off(t->out, cell->style), f);
}

/* The columns that a cell may take. */
static size_t cell_room(const struct table *t, size_t column, size_t at)
{
	const size_t edge = t->out->width > 0 ? (size_t)t->out->width : 0;

	if (t->cut && column + 1 == t->n_columns)
		return edge > at ? edge - at : 0;
	return t->column[column].open && edge ? t->column[column].width : 0;
}

static void line_print(const struct table *t, const struct table_cell *cells)
{
	FILE *f = t->out->file;
	size_t pending = 0, last = t->n_columns, at = 0;

	while (last > 0 && !(cells[last - 1].text && cells[last - 1].text[0]))
		last--;
	for (size_t i = 0; i < last; i++) {
		const char *text = cells[i].text ? cells[i].text : "";
		size_t width = text_width(text), pad = t->column[i].width - width, room;

		if (t->column[i].hidden)
			continue;
		if (width > t->column[i].width)
			pad = 0;
		if (t->column[i].right)
			pending += pad;
		fprintf(f, "%*s", (int)pending, "");
		at += pending;
		room = cell_room(t, i, at);
		cell_print(t, &cells[i], room);
		at += room && width > room ? room : width;
		pending = GAP + (t->column[i].right ? 0 : pad);
	}
	fputc('\n', f);
}

static size_t table_width(const struct table *t)
{
	size_t sum = 0;

	for (size_t i = 0; i < t->n_columns; i++) {
		size_t width = t->column[i].width;

		if (t->cut && i + 1 == t->n_columns && width > TABLE_OPEN_MIN)
			width = TABLE_OPEN_MIN;
		if (!t->column[i].hidden)
			sum += width + (i ? GAP : 0);
	}
	return sum;
}

/* The column that is to be left out next; 0: none. The first one stays. */
static size_t column_worst(const struct table *t)
{
	size_t worst = 0;

	for (size_t i = 1; i < t->n_columns; i++)
		if (!t->column[i].hidden && t->column[i].rank > 0 &&
		    (!worst || t->column[i].rank >= t->column[worst].rank))
			worst = i;
	return worst;
}

/* Takes what is over the edge from a column, down to min. */
static void column_shrink(struct table *t, size_t i, size_t min, size_t edge)
{
	const size_t width = table_width(t), over = width > edge ? width - edge : 0;
	const size_t spare = t->column[i].width > min ? t->column[i].width - min : 0;

	t->column[i].width -= over < spare ? over : spare;
	t->column[i].open |= over && spare;
}

static void table_fit(struct table *t)
{
	const size_t edge = t->out->width > 0 ? (size_t)t->out->width : SIZE_MAX;
	size_t i;

	for (i = 0; i < t->n_columns; i++)
		if (t->column[i].open)
			column_shrink(t, i, TABLE_OPEN_MIN, edge);
	/* The first column stays: a long name in it must not take the room of all others. */
	column_shrink(t, 0, TABLE_FIRST_MIN, edge);
	while (table_width(t) > edge && (i = column_worst(t)) > 0)
		t->column[i].hidden = true;
}

static void table_flush(struct table *t)
{
	struct table_cell header[TABLE_COLUMNS];

	if (!t->n_rows)
		return;
	if (!t->printed)
		table_fit(t);
	if (!t->printed) {
		for (size_t i = 0; i < t->n_columns; i++) {
			header[i].text = t->column[i].title;
			header[i].style = STYLE_BOLD;
		}
		line_print(t, header);
		t->printed = true;
	}
	for (size_t i = 0; i < t->n_rows; i++)
		line_print(t, &t->cells[i * t->n_columns]);
	for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
		free(t->cells[i].text);
	memset(t->cells, 0, t->n_rows * t->n_columns * sizeof(*t->cells));
	t->n_rows = 0;
}

void table_row(struct table *t)
{
	t->next = 0;
	if (!t->cells)
		return;
	t->n_rows++;
	/* Once widths are known rows go out as they come. */
	if (t->printed || t->n_rows == TABLE_LOOK_AHEAD)
		table_flush(t);
}

/* Pictures of top and watch, whose errors are a part of the picture, have no room for it. */
static void hidden_print(const struct table *t)
{
	const char *sep = "left out: ";

	if (!t->out->tty || t->out->errors == t->out->file)
		return;
	for (size_t i = 0; i < t->n_columns; i++) {
		if (!t->column[i].hidden)
			continue;
		fprintf(t->out->errors, "%s%s", sep, t->column[i].title);
		sep = ", ";
	}
	if (*sep == ',')
		fputs("; --wide shows all columns\n", t->out->errors);
}

void table_end(struct table *t)
{
	table_flush(t);
	fflush(t->out->file);
	hidden_print(t);
	free(t->cells);
	t->cells = NULL;
}
