/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_OUT_H
#define PLVS_CLI_OUT_H

/*
 * Text for people: escaping, units and aligned tables. Texts of the router are
 * hostile: no control character of an answer reaches a terminal.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Streams and style of a command's output. */
struct out {
	FILE *file;
	FILE *errors;
	bool json;    /* the result as one JSON document */
	bool numeric; /* exact numbers instead of 1.2M */
	bool color;
	bool tty;
	int width;	   /* columns of the terminal; 0: unknown, or --wide: no line is cut */
	bool wide;	   /* --wide: width stays 0 */
	const char *named; /* tables show the columns with this in their name; or NULL */
	int height;
};

enum style {
	STYLE_NONE,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};

/* Reads width and height of the terminal, if there is one. */
void out_size(struct out *out);

/* The escape sequences around a styled text; "" without colour. */
const char *style_on(const struct out *out, enum style style);
const char *style_off(const struct out *out, enum style style);

/* Copies text with control characters (C0, DEL, C1, bidirectional overrides) and bytes
 * that are no UTF-8 escaped. The result is malloced; NULL only without memory. */
char *text_escape(const char *text);
void text_put(FILE *file, const char *text);
/* Columns that an escaped text takes: one per character. */
size_t text_width(const char *text);

#define UNIT_STRLEN 32

/* 9999, 12.3k, 1.23M: powers of 1000. */
const char *count_format(double v, bool exact, char buf[UNIT_STRLEN]);
/* 512, 1.5KiB, 64MiB: memory. */
const char *memory_format(double v, bool exact, char buf[UNIT_STRLEN]);
/* 45s, 14m59s, 3h02m, 5d04h. */
const char *age_format(double seconds, bool exact, char buf[UNIT_STRLEN]);

/*
 * A table that learns its widths from the first TABLE_LOOK_AHEAD rows, then prints row
 * by row: a listing of a million connections needs no memory.
 */
#define TABLE_COLUMNS	 16
#define TABLE_LOOK_AHEAD 512
#define TABLE_OPEN_MIN	 20
#define TABLE_FIRST_MIN	 52 /* an endpoint of IPv6 with its protocol is whole */

struct table_cell {
	char *text;
	enum style style;
};

struct table {
	const struct out *out;
	size_t n_columns;
	struct {
		char title[32];
		bool right, open, hidden;
		unsigned int rank;
		size_t width;
	} column[TABLE_COLUMNS];
	struct table_cell *cells; /* waiting rows, n_columns each */
	size_t n_rows, next;	  /* next: column that table_cell() fills */
	bool printed;		  /* the header was printed */
	bool cut;		  /* the last column, at the edge of the terminal */
};

void table_init(struct table *t, const struct out *out);
void table_column(struct table *t, const char *title, bool right);
/* Set properties of the column that was added last. On a narrow terminal texts of open columns are
 * shortened first, to TABLE_OPEN_MIN, then those of the first column, to TABLE_FIRST_MIN; then the
 * columns of the highest rank are left out. The default rank is the column's place. Rank 0: never
 * left out. */
void table_rank(struct table *t, unsigned int rank);
void table_open(struct table *t);
/* Cells of a row in the order of columns; text is escaped. NULL prints as "-". */
void table_cell(struct table *t, enum style style, const char *text);
void table_cellf(struct table *t, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the row; columns not given stay empty. */
void table_row(struct table *t);
/* Prints waiting rows and frees the table. A table without rows prints nothing. */
void table_end(struct table *t);

#endif
