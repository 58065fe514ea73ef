/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/http_answer.h"

#include <string.h>
#include <strings.h>

static void bad(struct http_answer *a, const char *why)
{
	a->stage = HTTP_BAD;
	a->why = why;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" */
static void status_line(struct http_answer *a, const char *line, size_t len)
{
	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ' ||
	    !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) ||
	    (len > 12 && line[12] != ' ')) {
		bad(a, "no HTTP answer");
		return;
	}
	a->status = (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
	a->stage = HTTP_HEADER;
}

static bool name_is(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(line, name, len) == 0;
}

static void content_length(struct http_answer *a, const char *value, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (!is_digit(value[i]) || n > UINT64_MAX / 10 - 9) {
			bad(a, "a Content-Length that is no number");
			return;
		}
		n = n * 10 + (uint64_t)(value[i] - '0');
	}
	if (len == 0 || (a->length_known && a->left != n)) {
		bad(a, "two values of Content-Length");
		return;
	}
	a->length_known = true;
	a->left = n;
}

static void header_line(struct http_answer *a, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name_len, value_len;
	const char *value;

	if (!colon) {
		bad(a, "a header line without a colon");
		return;
	}
	name_len = (size_t)(colon - line);
	value = colon + 1;
	value_len = len - name_len - 1;
	while (value_len && (*value == ' ' || *value == '\t')) {
		value++;
		value_len--;
	}
	while (value_len && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
		value_len--;
	if (name_is(line, name_len, "content-length"))
		content_length(a, value, value_len);
	else if (name_is(line, name_len, "transfer-encoding"))
		/* We accept no other coding, so chunked is the last one. */
		a->chunked =
			value_len >= 7 && strncasecmp(value + value_len - 7, "chunked", 7) == 0;
}

static void header_end(struct http_answer *a)
{
	if (a->status < 200 && a->status != 101) {
		/* An interim answer: the real one follows. */
		a->stage = HTTP_STATUS;
		a->status = 0;
		a->chunked = a->length_known = false;
	} else if (a->head || a->status == 204 || a->status == 304) {
		a->stage = HTTP_DONE;
	} else if (a->chunked) {
		a->stage = HTTP_CHUNK_SIZE;
	} else if (a->length_known && a->left == 0) {
		a->stage = HTTP_DONE;
	} else {
		a->stage = HTTP_BODY;
		if (!a->length_known)
			a->left = UINT64_MAX;
	}
}

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void chunk_line(struct http_answer *a, const char *line, size_t len)
{
	size_t i;

	a->left = 0;
	for (i = 0; i < len && hex(line[i]) >= 0; i++) {
		if (i == 15)
			break;
		a->left = a->left << 4 | (uint64_t)hex(line[i]);
	}
	if (i == 0 || (i < len && line[i] != ';' && line[i] != ' ' && line[i] != '\t')) {
		bad(a, "a chunk without a size");
		return;
	}
	a->stage = a->left ? HTTP_CHUNK : HTTP_TRAILER;
}

static void whole_line(struct http_answer *a, const char *line, size_t len)
{
	switch (a->stage) {
	case HTTP_STATUS:
		status_line(a, line, len);
		break;
	case HTTP_HEADER:
		if (len)
			header_line(a, line, len);
		else
			header_end(a);
		break;
	case HTTP_CHUNK_SIZE:
		chunk_line(a, line, len);
		break;
	case HTTP_CHUNK_END:
		if (len)
			bad(a, "a chunk that does not end");
		else
			a->stage = HTTP_CHUNK_SIZE;
		break;
	default: /* HTTP_TRAILER */
		if (len == 0)
			a->stage = HTTP_DONE;
	}
}

/* Of the body or a chunk. */
static size_t content(struct http_answer *a, const char *data, size_t len)
{
	size_t n = a->left < len ? (size_t)a->left : len;
	size_t room = a->body_room - a->body_len;

	if (room > n)
		room = n;
	if (a->body && room) {
		memcpy(a->body + a->body_len, data, room);
		a->body_len += room;
	}
	if (a->left != UINT64_MAX || a->stage == HTTP_CHUNK)
		a->left -= n;
	if (a->left == 0)
		a->stage = a->stage == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_DONE;
	return n;
}

size_t http_answer_take(struct http_answer *a, const char *data, size_t len)
{
	size_t used = 0;

	while (used < len && a->stage != HTTP_DONE && a->stage != HTTP_BAD) {
		const char *end;
		size_t line;

		if (a->stage == HTTP_BODY || a->stage == HTTP_CHUNK) {
			used += content(a, data + used, len - used);
			continue;
		}
		end = memchr(data + used, '\n', len - used);
		/* An answer that is no HTTP is refused before it fills the buffer. */
		if (a->stage == HTTP_STATUS && data[used] != 'H') {
			bad(a, "no HTTP answer");
			break;
		}
		line = end ? (size_t)(end - data) - used : len - used;
		if (a->header + line > HTTP_HEADER_MAX) {
			bad(a, "a header of more than 16 KiB");
			break;
		}
		if (!end)
			break;
		/* Chunks' lines are bounded one by one: there may be many. */
		if (a->stage != HTTP_CHUNK_SIZE && a->stage != HTTP_CHUNK_END)
			a->header += (uint32_t)line + 1;
		whole_line(a, data + used, line && end[-1] == '\r' ? line - 1 : line);
		used += line + 1;
	}
	return used;
}

void http_answer_close(struct http_answer *a)
{
	if (a->stage == HTTP_DONE || a->stage == HTTP_BAD)
		return;
	if (a->stage == HTTP_BODY && !a->length_known)
		a->stage = HTTP_DONE;
	else
		bad(a, a->stage == HTTP_STATUS ? "no answer" : "an answer that was cut off");
}
