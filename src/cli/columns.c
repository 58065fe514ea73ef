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
	t->n_columns++;
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

static void cell_print(const struct table *t, const struct table_cell *cell, size_t at, bool cut)
{
	const char *text = cell->text ? cell->text : "";
	size_t edge = (size_t)(t->out->width > 0 ? t->out->width : 0), len = strlen(text);
	FILE *f = t->out->file;

	fputs(style_on(t->out, cell->style), f);
	if (cut && edge > at + 8 && at + text_width(text) > edge) {
		len = text_fit(text, edge - at - 3);
		fprintf(f, "%.*s...", (int)len, text);
	} else {
		fputs(text, f);
	}
	fputs(style_off(t->out, cell->style), f);
}

static void line_print(const struct table *t, const struct table_cell *cells)
{
	FILE *f = t->out->file;
	size_t pending = 0, last = t->n_columns, at = 0;

	while (last > 0 && !(cells[last - 1].text && cells[last - 1].text[0]))
		last--;
	for (size_t i = 0; i < last; i++) {
		const char *text = cells[i].text ? cells[i].text : "";
		size_t width = text_width(text), pad = t->column[i].width - width;

		if (width > t->column[i].width)
			pad = 0;
		if (t->column[i].right)
			pending += pad;
		fprintf(f, "%*s", (int)pending, "");
		at += pending;
		cell_print(t, &cells[i], at, t->cut && i + 1 == t->n_columns);
		at += width;
		pending = GAP + (t->column[i].right ? 0 : pad);
	}
	fputc('\n', f);
}

static void table_flush(struct table *t)
{
	struct table_cell header[TABLE_COLUMNS];

	if (!t->n_rows)
		return;
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

void table_end(struct table *t)
{
	table_flush(t);
	free(t->cells);
	t->cells = NULL;
}
