/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_COMMENTS_INTERNAL_H
#define PLVS_CONFIG_COMMENTS_INTERNAL_H

/* Comments between reading (comments_read.c) and writing (comments.c). Context: any. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text_buffer.h"

#define COMMENT_SEPARATOR '\x1f' /* of the parts of a path: in no key and no identity */

enum comment_position {
	COMMENT_BEFORE, /* on lines of its own, before a key or an element */
	COMMENT_BEHIND, /* on the line on which a value ends */
	COMMENT_OPEN,	/* on the line of an opening bracket */
	COMMENT_LAST,	/* on lines of its own, before a closing bracket */
	COMMENT_END,	/* behind the document */
};

struct comment {
	char *path, *text; /* text: a comment from its first character to the end of its line */
	enum comment_position position;
	bool used;
	size_t at; /* offset in the file: orders comments at one position */
};

struct comment_carrier {
	const char *text;
	size_t len, pos;
	struct comment *comments;
	uint32_t n, room;
	struct text_buffer path;
	FILE *out;
	bool no_memory;
};

/* Appends a key, or the identity of an element, to the path. The length before, for
 * comment_path_pop(). */
size_t comment_path_push(struct comment_carrier *c, const char *part);
size_t comment_element_push(struct comment_carrier *c, const json_t *element, size_t index);
void comment_path_pop(struct comment_carrier *c, size_t before);
const char *comment_path(const struct comment_carrier *c);

/* Orders by path, position and order in the file. */
int comment_compare(const void *a, const void *b);

/* The comments of c->text into c->comments, in the order of comment_compare(). json: the value of
 * the text, which has been parsed without error. */
void comments_read(struct comment_carrier *c, const json_t *json);

#endif
