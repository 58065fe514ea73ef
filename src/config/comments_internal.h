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

#define NOTE_SEPARATOR '\x1f' /* of the parts of a path: in no key and no identity */

enum note_position {
	NOTE_BEFORE, /* on lines of its own, before a key or an element */
	NOTE_BEHIND, /* on the line on which a value ends */
	NOTE_OPEN,   /* on the line of an opening bracket */
	NOTE_LAST,   /* on lines of its own, before a closing bracket */
	NOTE_END,    /* behind the document */
};

struct note {
	char *path, *text; /* text: a comment from its first character to the end of its line */
	enum note_position position;
	bool used;
	size_t at; /* offset in the file: orders comments at one position */
};

struct comment_carrier {
	const char *text;
	size_t len, pos;
	struct note *notes;
	uint32_t n, room;
	struct text_buffer path;
	FILE *out;
	bool no_memory;
};

/* Appends a key, or the identity of an element, to the path. The length before, for
 * note_path_pop(). */
size_t note_path_push(struct comment_carrier *c, const char *part);
size_t note_element_push(struct comment_carrier *c, const json_t *element, size_t index);
void note_path_pop(struct comment_carrier *c, size_t before);
const char *note_path(const struct comment_carrier *c);

/* Orders by path, position and order in the file. */
int note_compare(const void *a, const void *b);

/* The comments of c->text into c->notes, in the order of note_compare(). json: the value of the
 * text, which has been parsed without error. */
void comments_read(struct comment_carrier *c, const json_t *json);

#endif
