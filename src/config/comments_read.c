/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/comments_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* --- paths --- */

size_t comment_path_push(struct comment_carrier *c, const char *part)
{
	const size_t before = c->path.n;

	if (text_buffer_put("\x1f", 1, &c->path) < 0 ||
	    text_buffer_put(part, strlen(part), &c->path) < 0)
		c->no_memory = true;
	return before;
}

void comment_path_pop(struct comment_carrier *c, size_t before)
{
	c->path.n = before;
	if (c->path.v)
		c->path.v[before] = '\0';
}

const char *comment_path(const struct comment_carrier *c)
{
	return c->path.v ? c->path.v : "";
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

size_t comment_element_push(struct comment_carrier *c, const json_t *element, size_t index)
{
	char *part = identity(element, index);
	const size_t before = comment_path_push(c, part ? part : "");

	c->no_memory |= !part;
	free(part);
	return before;
}

/* --- reading --- */

static void comment_add(struct comment_carrier *c, enum comment_position position, size_t from,
			size_t to)
{
	struct comment *comment;

	if (array_room(&c->comments, c->n, &c->room, sizeof(*c->comments)) < 0) {
		c->no_memory = true;
		return;
	}
	while (to > from && (c->text[to - 1] == '\r' || c->text[to - 1] == ' '))
		to--;
	comment = &c->comments[c->n];
	*comment = (struct comment){.path = strdup(comment_path(c)),
				    .text = strndup(c->text + from, to - from),
				    .position = position,
				    .at = from};
	c->no_memory |= !comment->path || !comment->text;
	c->n++;
}

static bool is_comment(const struct comment_carrier *c)
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

static size_t line_end(const struct comment_carrier *c, size_t at)
{
	while (at < c->len && c->text[at] != '\n')
		at++;
	return at;
}

/* Blanks and comments up to the next token. Comments on the line that is under way are `here`, at
 * the present path; the others are in the result. */
static struct gap gap_skip(struct comment_carrier *c, enum comment_position here)
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
			comment_add(c, here, start, c->pos);
		else if (gap.from == SIZE_MAX)
			gap.from = start;
	}
	gap.to = c->pos;
	return gap;
}

/* The comments of a gap, at the present path. Between them are blanks alone. */
static void gap_take(struct comment_carrier *c, struct gap gap, enum comment_position position)
{
	for (size_t at = gap.from; at < gap.to; at++) {
		const size_t start = at;

		if (is_blank(c->text[at]))
			continue;
		at = line_end(c, at);
		comment_add(c, position, start, at);
	}
}

static void string_skip(struct comment_carrier *c)
{
	for (c->pos++; c->pos < c->len && c->text[c->pos] != '"'; c->pos++)
		if (c->text[c->pos] == '\\')
			c->pos++;
	c->pos++;
}

/* free(). */
static char *key_read(struct comment_carrier *c)
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

static void value_read(struct comment_carrier *c, const json_t *json);

static void scalar_skip(struct comment_carrier *c)
{
	if (c->text[c->pos] == '"') {
		string_skip(c);
		return;
	}
	while (c->pos < c->len && !is_blank(c->text[c->pos]) && !is_comment(c) &&
	       !strchr(",]}", c->text[c->pos]))
		c->pos++;
}

/* A member of an object. Returns what comment_path_pop() needs: the path is that of the member
 * still.
 */
static size_t member_read(struct comment_carrier *c, const json_t *object, struct gap gap)
{
	char *key = key_read(c);
	const size_t before = comment_path_push(c, key ? key : "");
	const json_t *value = json_object_get(object, key ? key : "");

	free(key);
	gap_take(c, gap, COMMENT_BEFORE);
	gap_take(c, gap_skip(c, COMMENT_BEFORE), COMMENT_BEFORE);
	c->pos++; /* the colon */
	gap_take(c, gap_skip(c, COMMENT_BEFORE), COMMENT_BEFORE);
	value_read(c, value);
	return before;
}

static size_t element_read(struct comment_carrier *c, const json_t *array, size_t index,
			   struct gap gap)
{
	const json_t *value = json_array_get(array, index);
	const size_t before = comment_element_push(c, value, index);

	gap_take(c, gap, COMMENT_BEFORE);
	value_read(c, value);
	return before;
}

/* Between the brackets, the closing one included. */
static void parts_read(struct comment_carrier *c, const json_t *json, char close)
{
	struct gap gap = gap_skip(c, COMMENT_OPEN);
	size_t before;

	for (size_t i = 0; c->pos < c->len && c->text[c->pos] != close; i++) {
		before = close == '}' ? member_read(c, json, gap) : element_read(c, json, i, gap);
		gap = gap_skip(c, COMMENT_BEHIND);
		if (c->pos < c->len && c->text[c->pos] == ',') {
			gap_take(c, gap, COMMENT_BEHIND);
			c->pos++;
			gap = gap_skip(c, COMMENT_BEHIND);
		}
		comment_path_pop(c, before);
	}
	gap_take(c, gap, COMMENT_LAST);
	c->pos++;
}

static void value_read(struct comment_carrier *c, const json_t *json)
{
	if (c->pos >= c->len)
		return;
	if (c->text[c->pos] != '{' && c->text[c->pos] != '[') {
		scalar_skip(c);
		return;
	}
	parts_read(c, json, c->text[c->pos++] == '{' ? '}' : ']');
}

int comment_compare(const void *a, const void *b)
{
	const struct comment *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	if (order == 0)
		order = (int)x->position - (int)y->position;
	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

void comments_read(struct comment_carrier *c, const json_t *json)
{
	gap_take(c, gap_skip(c, COMMENT_BEFORE), COMMENT_BEFORE);
	value_read(c, json);
	gap_take(c, gap_skip(c, COMMENT_END), COMMENT_END);
	if (c->n > 0 && !c->no_memory)
		qsort(c->comments, c->n, sizeof(*c->comments), comment_compare);
}
