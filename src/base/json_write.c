/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/json_write.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text_buffer.h"

static void writer_flush(struct json_writer *w)
{
	if (w->n > 0 && !w->failed && w->piece(w->text, w->n, w->arg) < 0)
		w->failed = true;
	w->n = 0;
}

void json_writer_put(struct json_writer *w, const char *text, size_t n)
{
	if (n > sizeof(w->text) - w->n)
		writer_flush(w);
	if (n > sizeof(w->text)) {
		if (!w->failed && w->piece(text, n, w->arg) < 0)
			w->failed = true;
		return;
	}
	memcpy(w->text + w->n, text, n);
	w->n += n;
}

static void put_char(struct json_writer *w, char c)
{
	if (w->n == sizeof(w->text))
		writer_flush(w);
	w->text[w->n++] = c;
}

static void put_escaped(struct json_writer *w, unsigned char c)
{
	static const char names[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	const char *name = c ? strchr(names, c) : NULL;
	char text[8];

	if (name)
		json_writer_put(w, (const char[]){'\\', letters[name - names]}, 2);
	else
		json_writer_put(w, text, (size_t)snprintf(text, sizeof(text), "\\u%04X", c));
}

/* jansson has checked that the text is UTF-8. */
void json_writer_string(struct json_writer *w, const char *text, size_t n)
{
	size_t from = 0;

	put_char(w, '"');
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		json_writer_put(w, text + from, i - from);
		put_escaped(w, c);
		from = i + 1;
	}
	json_writer_put(w, text + from, n - from);
	put_char(w, '"');
}

static void put_count(struct json_writer *w, uint64_t v, bool negative)
{
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	if (negative)
		text[--at] = '-';
	json_writer_put(w, text + at, sizeof(text) - at);
}

void json_writer_integer(struct json_writer *w, int64_t v)
{
	put_count(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
}

static int put_piece(const char *text, size_t n, void *arg)
{
	json_writer_put(arg, text, n);
	return 0;
}

void json_writer_real(struct json_writer *w, double v)
{
	const double tenths = fabs(v) * 10;
	const uint64_t n = tenths < 1e15 ? (uint64_t)(tenths + 0.5) : 0;

	if (tenths < 1e15 && (double)n / 10 == fabs(v)) {
		put_count(w, n / 10, signbit(v) != 0);
		json_writer_put(w, (const char[]){'.', (char)('0' + n % 10)}, 2);
	} else {
		json_t *json = json_real(v);

		if (!json || json_dump_callback(json, put_piece, w, JSON_ENCODE_ANY) < 0)
			w->failed = true;
		json_decref(json);
	}
}

static void put_value(struct json_writer *w, const json_t *json, unsigned int depth, bool embed);

static void put_object(struct json_writer *w, const json_t *json, unsigned int depth)
{
	json_t *o = (json_t *)(uintptr_t)json;

	for (void *at = json_object_iter(o), *first = at; at; at = json_object_iter_next(o, at)) {
		if (at != first)
			put_char(w, ',');
		json_writer_string(w, json_object_iter_key(at), json_object_iter_key_len(at));
		put_char(w, ':');
		put_value(w, json_object_iter_value(at), depth, false);
	}
}

static void put_array(struct json_writer *w, const json_t *json, unsigned int depth)
{
	const size_t n = json_array_size(json);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			put_char(w, ',');
		put_value(w, json_array_get(json, i), depth, false);
	}
}

static void put_value(struct json_writer *w, const json_t *json, unsigned int depth, bool embed)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (depth == JSON_WRITE_DEPTH) {
			w->failed = true;
			return;
		}
		if (!embed)
			put_char(w, json_is_object(json) ? '{' : '[');
		(json_is_object(json) ? put_object : put_array)(w, json, depth + 1);
		if (!embed)
			put_char(w, json_is_object(json) ? '}' : ']');
		return;
	case JSON_STRING:
		json_writer_string(w, json_string_value(json), json_string_length(json));
		return;
	case JSON_INTEGER:
		json_writer_integer(w, json_integer_value(json));
		return;
	case JSON_REAL:
		json_writer_real(w, json_real_value(json));
		return;
	case JSON_TRUE:
		json_writer_put(w, "true", 4);
		return;
	case JSON_FALSE:
		json_writer_put(w, "false", 5);
		return;
	case JSON_NULL:
		json_writer_put(w, "null", 4);
		return;
	}
}

void json_writer_value(struct json_writer *w, const json_t *json)
{
	put_value(w, json, 0, false);
}

void json_writer_init(struct json_writer *w, json_write_piece *piece, void *arg)
{
	w->piece = piece;
	w->arg = arg;
	w->n = 0;
	w->failed = false;
}

int json_writer_end(struct json_writer *w)
{
	writer_flush(w);
	return w->failed ? -1 : 0;
}

int json_write(const json_t *json, bool embed, json_write_piece *piece, void *arg)
{
	struct json_writer w;

	if (!json)
		return -1;
	json_writer_init(&w, piece, arg);
	put_value(&w, json, 0, embed);
	return json_writer_end(&w);
}

char *json_write_text(const json_t *json, size_t *n)
{
	struct text_buffer b = {0};

	if (json_write(json, false, text_buffer_put, &b) < 0) {
		free(b.v);
		return NULL;
	}
	if (n)
		*n = b.n;
	return b.v;
}
