/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/comments.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define SEPARATOR '\x1f' /* of the parts of a path: in no key and no identity */

enum note_place {
	NOTE_BEFORE, /* on lines of its own, before a key or an element */
	NOTE_BEHIND, /* on the line on which a value ends */
	NOTE_OPEN,   /* on the line of an opening bracket */
	NOTE_LAST,   /* on lines of its own, before a closing bracket */
	NOTE_END,    /* behind the document */
};

struct note {
	char *path, *text; /* text: a comment from its first character to the end of its line */
	enum note_place place;
	bool used;
	size_t at; /* in the file: of several at one place, the order */
};

struct path {
	char *text;
	size_t len, room;
};

struct carrier {
	const char *text;
	size_t len, pos;
	struct note *notes;
	uint32_t n, room;
	struct path path;
	FILE *out;
	bool no_memory;
};

/* --- paths --- */

/* The length before, for path_pop(). */
static size_t path_push(struct carrier *c, const char *part)
{
	struct path *p = &c->path;
	const size_t before = p->len, n = strlen(part);

	if (p->len + n + 2 > p->room) {
		const size_t room = (p->len + n + 2) * 2;
		char *more = realloc(p->text, room);

		if (!more) {
			c->no_memory = true;
			return before;
		}
		p->text = more;
		p->room = room;
	}
	p->text[p->len++] = SEPARATOR;
	memcpy(p->text + p->len, part, n + 1);
	p->len += n;
	return before;
}

static void path_pop(struct carrier *c, size_t before)
{
	c->path.len = before;
	if (c->path.text)
		c->path.text[before] = '\0';
}

static const char *path_text(const struct carrier *c)
{
	return c->path.text ? c->path.text : "";
}

/* Of an element of a list; free(). */
static char *identity(const json_t *element, size_t index)
{
	static const char *const keys[] = {"address", "name", "id", "link"};
	const json_t *listen = json_object_get(element, "listen");
	const char *protocol = json_string_value(json_object_get(element, "protocol"));
	char *out = NULL;

	if (json_array_size(listen) > 0) {
		char *first = json_dumps(json_array_get(listen, 0), JSON_ENCODE_ANY);

		if (first && asprintf(&out, "%s %s", protocol ? protocol : "tcp", first) < 0)
			out = NULL;
		free(first);
		return out;
	}
	for (size_t i = 0; json_is_object(element) && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(element, keys[i]))
			return json_dumps(json_object_get(element, keys[i]),
					  JSON_ENCODE_ANY | JSON_COMPACT);
	if (element)
		return json_dumps(element, JSON_ENCODE_ANY | JSON_COMPACT);
	return asprintf(&out, "%zu", index) < 0 ? NULL : out;
}

static size_t element_push(struct carrier *c, const json_t *element, size_t index)
{
	char *part = identity(element, index);
	const size_t before = path_push(c, part ? part : "");

	c->no_memory |= !part;
	free(part);
	return before;
}

/* --- reading: the text has been parsed without error --- */

static void note_add(struct carrier *c, enum note_place place, size_t from, size_t to)
{
	struct note *note;

	if (array_room(&c->notes, c->n, &c->room, sizeof(*c->notes)) < 0) {
		c->no_memory = true;
		return;
	}
	while (to > from && (c->text[to - 1] == '\r' || c->text[to - 1] == ' '))
		to--;
	note = &c->notes[c->n];
	*note = (struct note){.path = strdup(path_text(c)),
			      .text = strndup(c->text + from, to - from),
			      .place = place,
			      .at = from};
	c->no_memory |= !note->path || !note->text;
	c->n++;
}

static bool is_comment(const struct carrier *c)
{
	return c->text[c->pos] == '#' ||
	       (c->text[c->pos] == '/' && c->pos + 1 < c->len && c->text[c->pos + 1] == '/');
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* Lines of comments that wait for a path. */
struct gap {
	size_t from, to;
};

static size_t line_end(const struct carrier *c, size_t at)
{
	while (at < c->len && c->text[at] != '\n')
		at++;
	return at;
}

/* Blanks and comments up to the next token. Comments on the line that is under way are `here`, at
 * the present path; the others are in the result. */
static struct gap gap_skip(struct carrier *c, enum note_place here)
{
	struct gap gap = {SIZE_MAX, SIZE_MAX};
	bool line_ended = false;

	while (c->pos < c->len) {
		const size_t start = c->pos;

		if (is_blank(c->text[c->pos])) {
			line_ended |= c->text[c->pos++] == '\n';
			continue;
		}
		if (!is_comment(c))
			break;
		c->pos = line_end(c, start);
		if (!line_ended)
			note_add(c, here, start, c->pos);
		else if (gap.from == SIZE_MAX)
			gap.from = start;
	}
	gap.to = c->pos;
	return gap;
}

/* The comments of a gap, at the present path. Between them are blanks alone. */
static void gap_take(struct carrier *c, struct gap gap, enum note_place place)
{
	for (size_t at = gap.from; at < gap.to; at++) {
		const size_t start = at;

		if (is_blank(c->text[at]))
			continue;
		at = line_end(c, at);
		note_add(c, place, start, at);
	}
}

static void string_skip(struct carrier *c)
{
	for (c->pos++; c->pos < c->len && c->text[c->pos] != '"'; c->pos++)
		if (c->text[c->pos] == '\\')
			c->pos++;
	c->pos++;
}

/* free(). */
static char *key_read(struct carrier *c)
{
	const size_t start = c->pos;
	json_t *key;
	char *out;

	string_skip(c);
	key = json_loadb(c->text + start, c->pos - start, JSON_DECODE_ANY, NULL);
	out = strdup(json_is_string(key) ? json_string_value(key) : "");
	json_decref(key);
	c->no_memory |= !out;
	return out;
}

static void value_read(struct carrier *c, const json_t *json);

static void scalar_skip(struct carrier *c)
{
	if (c->text[c->pos] == '"') {
		string_skip(c);
		return;
	}
	while (c->pos < c->len && !is_blank(c->text[c->pos]) && !is_comment(c) &&
	       !strchr(",]}", c->text[c->pos]))
		c->pos++;
}

/* A member of an object. Returns what path_pop() needs: the path is that of the member still. */
static size_t member_read(struct carrier *c, const json_t *object, struct gap gap)
{
	char *key = key_read(c);
	const size_t before = path_push(c, key ? key : "");
	const json_t *value = json_object_get(object, key ? key : "");

	free(key);
	gap_take(c, gap, NOTE_BEFORE);
	gap_take(c, gap_skip(c, NOTE_BEFORE), NOTE_BEFORE);
	c->pos++; /* the colon */
	gap_take(c, gap_skip(c, NOTE_BEFORE), NOTE_BEFORE);
	value_read(c, value);
	return before;
}

static size_t element_read(struct carrier *c, const json_t *array, size_t index, struct gap gap)
{
	const json_t *value = json_array_get(array, index);
	const size_t before = element_push(c, value, index);

	gap_take(c, gap, NOTE_BEFORE);
	value_read(c, value);
	return before;
}

/* Between the brackets, the closing one included. */
static void parts_read(struct carrier *c, const json_t *json, char close)
{
	struct gap gap = gap_skip(c, NOTE_OPEN);
	size_t before;

	for (size_t i = 0; c->pos < c->len && c->text[c->pos] != close; i++) {
		before = close == '}' ? member_read(c, json, gap) : element_read(c, json, i, gap);
		gap = gap_skip(c, NOTE_BEHIND);
		if (c->pos < c->len && c->text[c->pos] == ',') {
			gap_take(c, gap, NOTE_BEHIND);
			c->pos++;
			gap = gap_skip(c, NOTE_BEHIND);
		}
		path_pop(c, before);
	}
	gap_take(c, gap, NOTE_LAST);
	c->pos++;
}

static void value_read(struct carrier *c, const json_t *json)
{
	if (c->pos >= c->len)
		return;
	if (c->text[c->pos] != '{' && c->text[c->pos] != '[') {
		scalar_skip(c);
		return;
	}
	parts_read(c, json, c->text[c->pos++] == '{' ? '}' : ']');
}

static int note_compare(const void *a, const void *b)
{
	const struct note *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order == 0)
		order = (int)x->place - (int)y->place;
	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static void document_read(struct carrier *c, const json_t *json)
{
	gap_take(c, gap_skip(c, NOTE_BEFORE), NOTE_BEFORE);
	value_read(c, json);
	gap_take(c, gap_skip(c, NOTE_END), NOTE_END);
	if (c->n > 0 && !c->no_memory)
		qsort(c->notes, c->n, sizeof(*c->notes), note_compare);
}

/* --- writing --- */

/* The first note at the present path and place, or c->n. */
static size_t note_find(const struct carrier *c, enum note_place place)
{
	const struct note wanted = {.path = (char *)(uintptr_t)path_text(c), .place = place};
	size_t low = 0, high = c->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (note_compare(&c->notes[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool note_is(const struct carrier *c, size_t i, enum note_place place)
{
	return i < c->n && c->notes[i].place == place && !c->notes[i].used &&
	       strcmp(c->notes[i].path, path_text(c)) == 0;
}

static bool has_notes(const struct carrier *c, enum note_place place)
{
	return note_is(c, note_find(c, place), place);
}

static void line_start(struct carrier *c, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		fputc('\t', c->out);
}

static void note_line(struct carrier *c, struct note *note, size_t depth)
{
	line_start(c, depth);
	fprintf(c->out, "%s\n", note->text);
	note->used = true;
}

static void notes_lines(struct carrier *c, enum note_place place, size_t depth)
{
	for (size_t i = note_find(c, place); note_is(c, i, place); i++)
		note_line(c, &c->notes[i], depth);
}

/* Behind what is written of the line; the first alone fits there. */
static void notes_behind(struct carrier *c, enum note_place place, size_t depth)
{
	bool first = true;

	for (size_t i = note_find(c, place); note_is(c, i, place); i++) {
		c->notes[i].used = true;
		if (!first) {
			fputc('\n', c->out);
			line_start(c, depth);
		}
		fprintf(c->out, "%s%s", first ? " " : "", c->notes[i].text);
		first = false;
	}
}

/* Writes the comments of keys that are left out of an object. */
static void orphans_lines(struct carrier *c, const json_t *object, size_t depth)
{
	const char *path = path_text(c);
	const size_t n = strlen(path);

	for (size_t i = note_find(c, NOTE_BEFORE); i < c->n; i++) {
		struct note *note = &c->notes[i];
		const char *key = note->path + n + 1;
		char *name;

		if (strncmp(note->path, path, n) != 0)
			break;
		if (note->used || note->path[n] != SEPARATOR)
			continue;
		name = strndup(key, strcspn(key, "\x1f"));
		if (name && !json_object_get(object, name))
			note_line(c, note, depth);
		c->no_memory |= !name;
		free(name);
	}
}

static void scalar_write(struct carrier *c, const json_t *json)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY);

	fputs(text ? text : "null", c->out);
	c->no_memory |= !text;
	free(text);
}

static void value_write(struct carrier *c, const json_t *json, size_t depth);

static void part_write(struct carrier *c, const char *key, const json_t *value, bool last,
		       size_t depth)
{
	notes_lines(c, NOTE_BEFORE, depth);
	line_start(c, depth);
	if (key) {
		json_t *name = json_string(key);

		scalar_write(c, name);
		fputs(": ", c->out);
		json_decref(name);
	}
	value_write(c, value, depth);
	fputs(last ? "" : ",", c->out);
	notes_behind(c, NOTE_BEHIND, depth);
	fputc('\n', c->out);
}

static void object_write(struct carrier *c, const json_t *json, size_t depth)
{
	json_t *object = (json_t *)(uintptr_t)json, *value;
	size_t left = json_object_size(json);
	const char *key;

	orphans_lines(c, json, depth);
	json_object_foreach (object, key, value) {
		const size_t before = path_push(c, key);

		part_write(c, key, value, --left == 0, depth);
		path_pop(c, before);
	}
}

static void array_write(struct carrier *c, const json_t *json, size_t depth)
{
	const size_t n = json_array_size(json);
	json_t *value;
	size_t i;

	json_array_foreach (json, i, value) {
		const size_t before = element_push(c, value, i);

		part_write(c, NULL, value, i + 1 == n, depth);
		path_pop(c, before);
	}
}

static void value_write(struct carrier *c, const json_t *json, size_t depth)
{
	const bool object = json_is_object(json);

	if (!object && !json_is_array(json)) {
		scalar_write(c, json);
		return;
	}
	fputc(object ? '{' : '[', c->out);
	if (json_object_size(json) + json_array_size(json) > 0 || has_notes(c, NOTE_OPEN) ||
	    has_notes(c, NOTE_LAST)) {
		notes_behind(c, NOTE_OPEN, depth + 1);
		fputc('\n', c->out);
		if (object)
			object_write(c, json, depth + 1);
		else
			array_write(c, json, depth + 1);
		notes_lines(c, NOTE_LAST, depth + 1);
		line_start(c, depth);
	}
	fputc(object ? '}' : ']', c->out);
}

/* --- both --- */

char *comments_carry(const char *old, size_t len, const json_t *old_json, const json_t *json)
{
	struct carrier c = {.text = old, .len = len};
	char *out = NULL;
	size_t size = 0;

	document_read(&c, old_json);
	c.out = c.no_memory ? NULL : open_memstream(&out, &size);
	if (c.out) {
		path_pop(&c, 0);
		notes_lines(&c, NOTE_BEFORE, 0);
		value_write(&c, json, 0);
		fputc('\n', c.out);
		notes_lines(&c, NOTE_END, 0);
		c.no_memory |= ferror(c.out);
		c.no_memory |= fclose(c.out) != 0;
	}
	if (c.no_memory) {
		free(out);
		out = NULL;
	}
	for (size_t i = 0; i < c.n; i++) {
		free(c.notes[i].path);
		free(c.notes[i].text);
	}
	free(c.notes);
	free(c.path.text);
	return out;
}
