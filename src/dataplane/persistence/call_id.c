/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/persistence/call_id.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/hash_table.h"

#define HASH_VALUES 65535U

static bool is_end(uint8_t c)
{
	return c == '\r' || c == '\n';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A character of a word (RFC 3261, 25.1). */
static bool is_word(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9') ||
	       (c && strchr("-.!%*_+`'~()<>:\\\"/[]?{}", c));
}

/* Behind a line's end: CR, LF or CR LF. */
static size_t line_end(const uint8_t *p, size_t at, size_t len)
{
	return at + (at + 1 < len && p[at] == '\r' && p[at + 1] == '\n' ? 2 : 1);
}

/* Behind blanks, and behind line ends that a blank follows (folded lines). */
static size_t blanks_skip(const uint8_t *p, size_t at, size_t len)
{
	while (at < len) {
		size_t next;

		if (is_blank(p[at])) {
			at++;
			continue;
		}
		if (!is_end(p[at]))
			break;
		next = line_end(p, at, len);
		if (next >= len || !is_blank(p[next]))
			break;
		at = next;
	}
	return at;
}

/* Behind the name of the header and its colon, if the line at `at` has it; else 0. */
static size_t name_skip(const uint8_t *p, size_t at, size_t len)
{
	static const char name[] = "call-id";
	const size_t n = sizeof(name) - 1;

	if (len - at > n && strncasecmp((const char *)p + at, name, n) == 0)
		at += n;
	else if (len - at > 1 && (p[at] == 'i' || p[at] == 'I') && !is_letter(p[at + 1]))
		at++;
	else
		return 0;
	at = blanks_skip(p, at, len);
	return at < len && p[at] == ':' ? at + 1 : 0;
}

static size_t word_skip(const uint8_t *p, size_t at, size_t len)
{
	while (at < len && is_word(p[at]))
		at++;
	return at;
}

/* The value at `at`: word ["@" word], and the end of its line. */
static size_t value_take(const uint8_t *p, size_t at, size_t len, const uint8_t **out)
{
	size_t begin, end;

	begin = blanks_skip(p, at, len);
	end = word_skip(p, begin, len);
	if (end > begin && end < len && p[end] == '@')
		end = word_skip(p, end + 1, len);
	at = end;
	while (at < len && is_blank(p[at]))
		at++;
	if (end == begin || end - begin > CALL_ID_MAX || at >= len || !is_end(p[at]))
		return 0;
	*out = p + begin;
	return end - begin;
}

size_t call_id_find(const uint8_t *message, size_t len, const uint8_t **at)
{
	size_t line = 0;

	while (line < len && is_end(message[line])) /* before the start line */
		line++;
	while (line < len) {
		size_t value;

		while (line < len && !is_end(message[line]))
			line++;
		if (line >= len)
			return 0;
		line = line_end(message, line, len);
		if (line >= len || is_end(message[line])) /* the body follows */
			return 0;
		value = name_skip(message, line, len);
		if (value)
			return value_take(message, value, len, at);
	}
	return 0;
}

uint16_t call_id_hash(const uint8_t *message, size_t len)
{
	const uint8_t *at;
	const size_t n = call_id_find(message, len, &at);
	uint64_t h;

	if (n == 0)
		return 0;
	h = hash_bytes(HASH_START, at, n);
	return (uint16_t)(1 + (h ^ h >> 32) % HASH_VALUES);
}
