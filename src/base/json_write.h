/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_JSON_WRITE_H
#define PLVS_BASE_JSON_WRITE_H

/*
 * Long JSON as text: compact, as json_dumps() of jansson with JSON_COMPACT writes it. jansson
 * writes pieces of a few bytes, prints each number by printf, and keeps a table of arrays and
 * objects to find loops. For documents of a megabyte this work costs more than the rest of an
 * answer. Documents here have no loops: nesting beyond JSON_WRITE_DEPTH is an error.
 *
 * Reals with one decimal are written with one decimal (jansson writes 0.1 as
 * 0.10000000000000001); both texts are the same number.
 *
 * Context: any thread.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_WRITE_DEPTH 256
#define JSON_WRITE_PIECE 8192

/* Takes a piece of the text. 0, or -1 to end. */
typedef int json_write_piece(const char *text, size_t n, void *arg);

/* A text that is written part by part; the caller writes brackets, commas and keys. Parts are
 * collected into pieces. */
struct json_writer {
	json_write_piece *piece;
	void *arg;
	size_t n;
	bool failed; /* piece failed, or the nesting is too deep */
	char text[JSON_WRITE_PIECE];
};

void json_writer_init(struct json_writer *w, json_write_piece *piece, void *arg);
void json_writer_put(struct json_writer *w, const char *text, size_t n);
/* A string of UTF-8, quoted and escaped. */
void json_writer_string(struct json_writer *w, const char *text, size_t n);
void json_writer_integer(struct json_writer *w, int64_t v);
/* A finite number. */
void json_writer_real(struct json_writer *w, double v);
void json_writer_value(struct json_writer *w, const json_t *json);
/* Passes the rest of the text to piece. 0, or -1: piece or the nesting failed. */
int json_writer_end(struct json_writer *w);

/* embed: without the outer brackets. 0, or -1: piece failed, or the nesting is too deep. */
int json_write(const json_t *json, bool embed, json_write_piece *piece, void *arg);
/* The text, and its length unless n is NULL. free() it. NULL: out of memory, or json is NULL. */
char *json_write_text(const json_t *json, size_t *n);

#endif
