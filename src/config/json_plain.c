/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/json_plain.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS_MAX 18 /* of a number that fits an int64_t whatever its digits are */

/* The rest of a text. A NUL ends the text, and is part of no value. */
struct reader {
	const char *at;
};

static json_t *value_read(struct reader *r);

static void blank_skip(struct reader *r)
{
	while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')
		r->at++;
}

/* Whether the next character but blanks is c, which is passed then. */
static bool is_next(struct reader *r, char c)
{
	blank_skip(r);
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

/* The string behind a quotation mark; NULL: has an escape or a control character, or has no end. */
static const char *string_read(struct reader *r, size_t *len)
{
	const char *from = r->at, *p = from;

	while (*p != '"' && *p != '\\' && (unsigned char)*p >= ' ')
		p++;
	if (*p != '"')
		return NULL;
	*len = (size_t)(p - from);
	r->at = p + 1;
	return from;
}

static json_t *number_read(struct reader *r)
{
	const char *p = r->at;
	const bool negative = *p == '-';
	const char *first = p += negative;
	json_int_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (p - first == DIGITS_MAX)
			return NULL;
		v = v * 10 + (*p - '0');
	}
	if (p == first || (*first == '0' && p - first > 1))
		return NULL;
	if (*p == '.' || *p == 'e' || *p == 'E')
		return NULL;
	r->at = p;
	return json_integer(negative ? -v : v);
}

static json_t *word_read(struct reader *r, const char *word, json_t *value)
{
	const size_t n = strlen(word);

	if (strncmp(r->at, word, n) != 0)
		return NULL;
	r->at += n;
	return value;
}

static json_t *array_read(struct reader *r)
{
	json_t *array = json_array();

	if (is_next(r, ']'))
		return array;
	do {
		/* Takes the value, also if it fails; fails for NULL. */
		if (json_array_append_new(array, value_read(r)) < 0)
			goto err;
	} while (is_next(r, ','));
	if (is_next(r, ']'))
		return array;
err:
	json_decref(array);
	return NULL;
}

static json_t *object_read(struct reader *r)
{
	json_t *object = json_object();

	if (is_next(r, '}'))
		return object;
	do {
		const size_t n = json_object_size(object);
		const char *key;
		size_t len;

		if (!is_next(r, '"'))
			goto err;
		key = string_read(r, &len);
		if (!key || !is_next(r, ':') ||
		    json_object_setn_new_nocheck(object, key, len, value_read(r)) < 0)
			goto err;
		if (json_object_size(object) == n) /* a key twice */
			goto err;
	} while (is_next(r, ','));
	if (is_next(r, '}'))
		return object;
err:
	json_decref(object);
	return NULL;
}

static json_t *value_read(struct reader *r)
{
	const char *string;
	size_t len;

	blank_skip(r);
	switch (*r->at) {
	case '{':
		r->at++;
		return object_read(r);
	case '[':
		r->at++;
		return array_read(r);
	case '"':
		r->at++;
		string = string_read(r, &len);
		return string ? json_stringn_nocheck(string, len) : NULL;
	case 't':
		return word_read(r, "true", json_true());
	case 'f':
		return word_read(r, "false", json_false());
	case 'n':
		return word_read(r, "null", json_null());
	default:
		return number_read(r);
	}
}

json_t *json_plain_parse(const char *text, size_t len)
{
	struct reader r = {.at = text};
	json_t *json;

	blank_skip(&r);
	if (*r.at != '{' && *r.at != '[') /* as jansson: no value alone */
		return NULL;
	json = value_read(&r);
	blank_skip(&r);
	if (json && r.at == text + len)
		return json;
	json_decref(json);
	return NULL;
}
