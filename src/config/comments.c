/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/comments.h"

#include <stdlib.h>
#include <string.h>

#include "config/comments_internal.h"

/* The first comment at the present path and position, or c->n. */
static size_t comment_find(const struct comment_carrier *c, enum comment_position position)
{
	const struct comment wanted = {.path = (char *)(uintptr_t)comment_path(c),
				       .position = position};
	size_t low = 0, high = c->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (comment_compare(&c->comments[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool comment_is(const struct comment_carrier *c, size_t i, enum comment_position position)
{
	return i < c->n && c->comments[i].position == position && !c->comments[i].used &&
	       strcmp(c->comments[i].path, comment_path(c)) == 0;
}

static bool has_comments(const struct comment_carrier *c, enum comment_position position)
{
	return comment_is(c, comment_find(c, position), position);
}

static void line_start(struct comment_carrier *c, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		fputc('\t', c->out);
}

static void comment_line(struct comment_carrier *c, struct comment *comment, size_t depth)
{
	line_start(c, depth);
	fprintf(c->out, "%s\n", comment->text);
	comment->used = true;
}

static void comments_lines(struct comment_carrier *c, enum comment_position position, size_t depth)
{
	for (size_t i = comment_find(c, position); comment_is(c, i, position); i++)
		comment_line(c, &c->comments[i], depth);
}

/* Behind what is written of the line; the first alone fits there. */
static void comments_behind(struct comment_carrier *c, enum comment_position position, size_t depth)
{
	bool first = true;

	for (size_t i = comment_find(c, position); comment_is(c, i, position); i++) {
		c->comments[i].used = true;
		if (!first) {
			fputc('\n', c->out);
			line_start(c, depth);
		}
		fprintf(c->out, "%s%s", first ? " " : "", c->comments[i].text);
		first = false;
	}
}

/* Writes the comments of keys that are left out of an object. */
static void orphans_lines(struct comment_carrier *c, const json_t *object, size_t depth)
{
	const char *path = comment_path(c);
	const size_t n = strlen(path);

	for (size_t i = comment_find(c, COMMENT_BEFORE); i < c->n; i++) {
		struct comment *comment = &c->comments[i];
		const char *key = comment->path + n + 1;
		char *name;

		if (strncmp(comment->path, path, n) != 0)
			break;
		if (comment->used || comment->path[n] != COMMENT_SEPARATOR)
			continue;
		name = strndup(key, strcspn(key, "\x1f"));
		if (name && !json_object_get(object, name))
			comment_line(c, comment, depth);
		c->no_memory |= !name;
		free(name);
	}
}

static void scalar_write(struct comment_carrier *c, const json_t *json)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY);

	fputs(text ? text : "null", c->out);
	c->no_memory |= !text;
	free(text);
}

static void value_write(struct comment_carrier *c, const json_t *json, size_t depth);

static void part_write(struct comment_carrier *c, const char *key, const json_t *value, bool last,
		       size_t depth)
{
	comments_lines(c, COMMENT_BEFORE, depth);
	line_start(c, depth);
	if (key) {
		json_t *name = json_string(key);

		scalar_write(c, name);
		fputs(": ", c->out);
		json_decref(name);
	}
	value_write(c, value, depth);
	fputs(last ? "" : ",", c->out);
	comments_behind(c, COMMENT_BEHIND, depth);
	fputc('\n', c->out);
}

static void object_write(struct comment_carrier *c, const json_t *json, size_t depth)
{
	json_t *object = (json_t *)(uintptr_t)json, *value;
	size_t left = json_object_size(json);
	const char *key;

	orphans_lines(c, json, depth);
	json_object_foreach (object, key, value) {
		const size_t before = comment_path_push(c, key);

		part_write(c, key, value, --left == 0, depth);
		comment_path_pop(c, before);
	}
}

static void array_write(struct comment_carrier *c, const json_t *json, size_t depth)
{
	const size_t n = json_array_size(json);
	json_t *value;
	size_t i;

	json_array_foreach (json, i, value) {
		const size_t before = comment_element_push(c, value, i);

		part_write(c, NULL, value, i + 1 == n, depth);
		comment_path_pop(c, before);
	}
}

static void value_write(struct comment_carrier *c, const json_t *json, size_t depth)
{
	const bool object = json_is_object(json);

	if (!object && !json_is_array(json)) {
		scalar_write(c, json);
		return;
	}
	fputc(object ? '{' : '[', c->out);
	if (json_object_size(json) + json_array_size(json) > 0 || has_comments(c, COMMENT_OPEN) ||
	    has_comments(c, COMMENT_LAST)) {
		comments_behind(c, COMMENT_OPEN, depth + 1);
		fputc('\n', c->out);
		if (object)
			object_write(c, json, depth + 1);
		else
			array_write(c, json, depth + 1);
		comments_lines(c, COMMENT_LAST, depth + 1);
		line_start(c, depth);
	}
	fputc(object ? '}' : ']', c->out);
}

char *comments_carry(const char *old, size_t len, const json_t *old_json, const json_t *json)
{
	struct comment_carrier c = {.text = old, .len = len};
	char *out = NULL;
	size_t size = 0;

	comments_read(&c, old_json);
	c.out = c.no_memory ? NULL : open_memstream(&out, &size);
	if (c.out) {
		comment_path_pop(&c, 0);
		comments_lines(&c, COMMENT_BEFORE, 0);
		value_write(&c, json, 0);
		fputc('\n', c.out);
		comments_lines(&c, COMMENT_END, 0);
		c.no_memory |= ferror(c.out);
		c.no_memory |= fclose(c.out) != 0;
	}
	if (c.no_memory) {
		free(out);
		out = NULL;
	}
	for (size_t i = 0; i < c.n; i++) {
		free(c.comments[i].path);
		free(c.comments[i].text);
	}
	free(c.comments);
	free(c.path.v);
	return out;
}
