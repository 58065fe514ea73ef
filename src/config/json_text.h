/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_JSON_TEXT_H
#define PLVS_CONFIG_JSON_TEXT_H

/*
 * The text of a JSON document as a person wrote it: reads the text from a file of any kind, blanks
 * comments so that offsets stay the same, and finds the position of a value after parsing, since
 * the parser keeps no positions. Context: control.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error_text.h"

/* A step from a value to a part of that value: key, or with key NULL the index. */
struct json_step {
	const char *key;
	uint32_t index;
};

struct json_text {
	char *data; /* len bytes and a NUL; owned by the caller */
	size_t len;
	/* The position of the last look-up in the array of each depth, so that errors in order cost
	 * one pass. */
	struct {
		size_t array, pos;
		uint32_t index;
	} marks[8];
	/* The same for counting lines. */
	size_t line_pos;
	uint32_t line;
};

/* Reads a regular file of at most max bytes whole. 0 with *data (NUL-terminated, to be freed) and
 * *len; or -errno of open(), -EINVAL (no regular file), -EFBIG, -EIO (changed while read), -ENOMEM,
 * with a sentence in error. Never blocks on a FIFO. */
int json_text_read(const char *path, size_t max, char **data, size_t *len, char error[ERROR_TEXT]);
/* The same for an open file; size is that of fstat(). */
int json_text_read_fd(int fd, size_t size, char **data, size_t *len, char error[ERROR_TEXT]);

void json_text_init(struct json_text *text, char *data, size_t len);
/* Blanks comments in place; refuses NUL bytes, invalid UTF-8 and nesting beyond max_depth.
 * 0, or -EINVAL with a sentence in error and the offset. */
int json_text_blank(struct json_text *text, uint32_t max_depth, size_t *offset,
		    char error[ERROR_TEXT]);
/* Parses a blanked text. NULL: as json_text_blank(). */
json_t *json_text_parse(struct json_text *text, size_t *offset, char error[ERROR_TEXT]);

/* The offset of the value at the end of the steps, or of the deepest value on the way that exists;
 * with at_key, of the last step's key. The text has been parsed without error. */
size_t json_text_locate(struct json_text *text, const struct json_step *steps, uint32_t n,
			bool at_key);
/* Line and column of an offset, from 1; the column counts characters. */
void json_text_position(struct json_text *text, size_t offset, uint32_t *line, uint32_t *column);

#endif
