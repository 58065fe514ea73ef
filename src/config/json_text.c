/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error_text.h"

#define BOM	"\xef\xbb\xbf"
#define BOM_LEN 3
#define N_MARKS (sizeof(((struct json_text *)0)->marks) / sizeof(((struct json_text *)0)->marks[0]))

int json_text_read_fd(int fd, size_t size, char **data, size_t *len, char error[ERROR_TEXT])
{
	char *buf = malloc(size + 1);
	size_t n = 0;

	if (!buf)
		return error_text(error, -ENOMEM, "out of memory");
	/* The loop asks for one byte more than size, to notice a file that grows. */
	while (n <= size) {
		ssize_t got = read(fd, buf + n, size + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int err = errno;

			error_text(error, 0, "cannot be read: %s", strerror(err));
			free(buf);
			return -err;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n != size) {
		error_text(error, 0, "%s while it was read (%zu bytes expected): try again",
			   n < size ? "shrank" : "grew", size);
		free(buf);
		return -EIO;
	}
	buf[n] = '\0';
	*data = buf;
	*len = n;
	return 0;
}

int json_text_read(const char *path, size_t max, char **data, size_t *len, char error[ERROR_TEXT])
{
	struct stat st;
	int fd, ret;

	/* O_NONBLOCK: opening a FIFO without a writer must not hang the control thread. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		ret = -errno;
		error_text(error, 0, "cannot be opened: %s", strerror(-ret));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		error_text(error, 0, "is not a regular file");
		ret = -EINVAL;
		goto out;
	}
	if ((uint64_t)st.st_size > max) {
		error_text(error, 0, "has %llu bytes: more than the limit of %zu MiB",
			   (unsigned long long)st.st_size, max >> 20);
		ret = -EFBIG;
		goto out;
	}
	ret = json_text_read_fd(fd, (size_t)st.st_size, data, len, error);
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

void json_text_init(struct json_text *text, char *data, size_t len)
{
	memset(text, 0, sizeof(*text));
	text->data = data;
	text->len = len;
	text->line = 1;
	for (size_t i = 0; i < N_MARKS; i++)
		text->marks[i].array = SIZE_MAX;
}

/* Bytes of the UTF-8 character at p, or 0 if it is not valid (RFC 3629). */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t min;
	} forms[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

	for (size_t extra = 1; extra <= 3; extra++) {
		unsigned char mask = forms[extra - 1].mask;
		uint32_t c = p[0] & (unsigned char)~mask;

		if ((p[0] & mask) != forms[extra - 1].lead)
			continue;
		if (left <= extra)
			return 0;
		for (size_t i = 1; i <= extra; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (p[i] & 0x3f);
		}
		if (c < forms[extra - 1].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		return extra + 1;
	}
	return 0;
}

static int encoding_check(const struct json_text *t, size_t *offset, char error[ERROR_TEXT])
{
	for (size_t i = 0; i < t->len;) {
		unsigned char c = (unsigned char)t->data[i];
		size_t n = 1;

		if (c == 0) {
			error_text(error, 0, "a NUL byte: this is not a text");
			*offset = i;
			return -EINVAL;
		}
		if (c >= 0x80)
			n = utf8_len((const unsigned char *)t->data + i, t->len - i);
		if (n == 0) {
			error_text(error, 0, "byte 0x%02x is not valid UTF-8", c);
			*offset = i;
			return -EINVAL;
		}
		i += n;
	}
	return 0;
}

/* The offset behind a string that starts at i; a line end ends it too (the parser says
 * what is wrong with that). */
static size_t string_end(const struct json_text *t, size_t i)
{
	for (i++; i < t->len; i++) {
		if (t->data[i] == '\\')
			i++;
		else if (t->data[i] == '"')
			return i + 1;
		else if (t->data[i] == '\n')
			return i;
	}
	return t->len;
}

int json_text_blank(struct json_text *t, uint32_t max_depth, size_t *offset, char error[ERROR_TEXT])
{
	uint32_t depth = 0;
	size_t i = 0;

	if (encoding_check(t, offset, error) < 0)
		return -EINVAL;
	if (t->len >= BOM_LEN && memcmp(t->data, BOM, BOM_LEN) == 0)
		memset(t->data, ' ', BOM_LEN);
	while (i < t->len) {
		char c = t->data[i], next = i + 1 < t->len ? t->data[i + 1] : '\0';

		if (c == '"') {
			i = string_end(t, i);
			continue;
		}
		if (c == '/' && next == '*') {
			error_text(error, 0, "comments start with // or # and end with the line");
			*offset = i;
			return -EINVAL;
		}
		if (c == '#' || (c == '/' && next == '/')) {
			while (i < t->len && t->data[i] != '\n')
				t->data[i++] = ' ';
			continue;
		}
		if (c == '{' || c == '[') {
			if (++depth > max_depth) {
				error_text(error, 0, "nested more than %u deep", max_depth);
				*offset = i;
				return -EINVAL;
			}
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
		i++;
	}
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_punctuation(char c)
{
	return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':';
}

static size_t blank_skip(const struct json_text *t, size_t i)
{
	while (i < t->len && is_blank(t->data[i]))
		i++;
	return i;
}

/* The offset behind the token that starts at i (not blank); moves on by one at least. */
static size_t token_end(const struct json_text *t, size_t i)
{
	if (t->data[i] == '"')
		return string_end(t, i);
	if (is_punctuation(t->data[i]))
		return i + 1;
	for (i++; i < t->len; i++)
		if (is_blank(t->data[i]) || is_punctuation(t->data[i]) || t->data[i] == '"')
			break;
	return i;
}

/* The start of the token that contains or ends at offset. */
static size_t token_start(const struct json_text *t, size_t offset)
{
	size_t i = blank_skip(t, 0);

	while (i < t->len) {
		size_t end = token_end(t, i);

		if (end >= offset)
			return i;
		i = blank_skip(t, end);
	}
	return t->len;
}

/* Replaces control characters and bytes that are not UTF-8 by "?". The parser quotes the document,
 * which may hold any bytes, and may cut a quotation within a character. */
static void text_repair(char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		unsigned char c = (unsigned char)*text;

		n = c < 0x80 ? 1 : utf8_len((const unsigned char *)text, left);
		if (n == 0 || c < ' ' || c == 0x7f) {
			*text = '?';
			n = 1;
		}
	}
}

json_t *json_text_parse(struct json_text *t, size_t *offset, char error[ERROR_TEXT])
{
	json_error_t e;
	json_t *json = json_loadb(t->data, t->len, JSON_REJECT_DUPLICATES, &e);

	if (json)
		return json;
	if (json_error_code(&e) == json_error_premature_end_of_input)
		*offset = t->len;
	else
		*offset = token_start(t, e.position > 0 ? (size_t)e.position : 0);
	error_text(error, 0, "not valid JSON: %s", e.text);
	text_repair(error);
	return NULL;
}

/* The offset behind the value at i. */
static size_t value_end(const struct json_text *t, size_t i)
{
	uint32_t depth = 0;

	while (i < t->len) {
		char c = t->data[i];

		i = token_end(t, i);
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth == 0)
			return i;
		i = blank_skip(t, i);
	}
	return t->len;
}

static bool key_matches(const struct json_text *t, size_t start, size_t end, const char *key)
{
	size_t n = strlen(key);
	bool same;
	json_t *s;

	if (end - start < 2)
		return false;
	if (!memchr(t->data + start, '\\', end - start))
		return end - start == n + 2 && memcmp(t->data + start + 1, key, n) == 0;
	s = json_loadb(t->data + start, end - start, JSON_DECODE_ANY, NULL);
	same = s && json_is_string(s) && strcmp(json_string_value(s), key) == 0;
	json_decref(s);
	return same;
}

/* The value of key in the object at *pos; 0 with *pos and *key_pos, or -ENOENT. */
static int member_find(const struct json_text *t, size_t *pos, size_t *key_pos, const char *key)
{
	size_t i = *pos;

	if (i >= t->len || t->data[i] != '{')
		return -ENOENT;
	for (i = blank_skip(t, i + 1); i < t->len && t->data[i] == '"';) {
		size_t start = i, end = string_end(t, i);

		i = blank_skip(t, end);
		if (i >= t->len || t->data[i] != ':')
			return -ENOENT;
		i = blank_skip(t, i + 1);
		if (key_matches(t, start, end, key)) {
			*pos = i;
			*key_pos = start;
			return 0;
		}
		i = blank_skip(t, value_end(t, i));
		if (i < t->len && t->data[i] == ',')
			i = blank_skip(t, i + 1);
	}
	return -ENOENT;
}

static int element_find(struct json_text *t, size_t *pos, uint32_t index, uint32_t depth)
{
	size_t array = *pos, i, mark = depth % N_MARKS;
	uint32_t at = 0;

	if (array >= t->len || t->data[array] != '[')
		return -ENOENT;
	i = blank_skip(t, array + 1);
	if (t->marks[mark].array == array && t->marks[mark].index <= index) {
		i = t->marks[mark].pos;
		at = t->marks[mark].index;
	}
	for (; i < t->len && t->data[i] != ']'; at++) {
		if (at == index) {
			t->marks[mark].array = array;
			t->marks[mark].index = index;
			t->marks[mark].pos = i;
			*pos = i;
			return 0;
		}
		i = blank_skip(t, value_end(t, i));
		if (i < t->len && t->data[i] == ',')
			i = blank_skip(t, i + 1);
	}
	return -ENOENT;
}

size_t json_text_locate(struct json_text *t, const struct json_step *steps, uint32_t n, bool at_key)
{
	size_t pos = blank_skip(t, 0), key_pos = pos;

	for (uint32_t i = 0; i < n; i++) {
		int ret = steps[i].key ? member_find(t, &pos, &key_pos, steps[i].key)
				       : element_find(t, &pos, steps[i].index, i);

		if (ret < 0)
			return pos;
		if (!steps[i].key)
			key_pos = pos;
	}
	return at_key ? key_pos : pos;
}

void json_text_position(struct json_text *t, size_t offset, uint32_t *line, uint32_t *column)
{
	size_t start;

	if (offset > t->len)
		offset = t->len;
	if (offset < t->line_pos) {
		t->line_pos = 0;
		t->line = 1;
	}
	/* line_pos is always the start of its line. */
	for (start = t->line_pos;;) {
		const char *end = memchr(t->data + start, '\n', offset - start);

		if (!end)
			break;
		start = (size_t)(end - t->data) + 1;
		t->line++;
	}
	t->line_pos = start;
	*line = t->line;
	*column = 1;
	for (size_t i = start; i < offset; i++)
		*column += ((unsigned char)t->data[i] & 0xc0) != 0x80;
}
