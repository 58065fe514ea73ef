/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts that checks send or compare: escapes are resolved, and the text stays as written. */
#include "config/config_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health/pattern.h"

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
	       : c >= 'a' && c <= 'f'	 ? c - 'a' + 10
	       : c >= 'A' && c <= 'F'	 ? c - 'A' + 10
					 : -1;
}

/* Of a text without escapes as many bytes as it has, else fewer. NULL, *at: not an escape. */
static char *unescape(const char *text, uint32_t *len, size_t *at)
{
	static const char names[] = "rnt0\\", bytes[] = {'\r', '\n', '\t', '\0', '\\'};
	char *out = malloc(strlen(text) + 1);
	uint32_t n = 0;

	for (const char *p = text; out && *p; p++) {
		const char *name;

		if (*p != '\\') {
			out[n++] = *p;
			continue;
		}
		*at = (size_t)(p - text);
		p++;
		if (*p == 'x' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			out[n++] = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
			p += 2;
		} else if (*p && (name = strchr(names, *p)) != NULL) {
			out[n++] = bytes[name - names];
		} else {
			free(out);
			return NULL;
		}
	}
	*at = SIZE_MAX;
	if (out)
		out[n] = '\0';
	*len = n;
	return out;
}

/* "expected one of expect, expect_prefix, expect_pattern" */
static int second_report(struct config_context *ctx, const struct config_field *f)
{
	char text[128];
	size_t at = (size_t)snprintf(text, sizeof(text), "expected one of ");

	for (size_t i = 0; f->one_of[i] && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? ", " : "",
				       f->one_of[i]);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	return -EINVAL;
}

static int pattern_report(struct config_context *ctx, const char *text)
{
	char why[160];

	if (pattern_check(text, strlen(text), why, sizeof(why)) == 0)
		return 0;
	config_report(ctx, -EINVAL, NULL, "not a pattern: %s", why);
	return -EINVAL;
}

int config_bytes_parse(struct config_context *ctx, const struct config_field *f, const char *text,
		       struct match *out)
{
	const bool pattern = f->kind == MATCH_PATTERN; /* escapes are the pattern's own */
	struct match m = {
		.kind = f->kind, .len = (uint32_t)strlen(text), .timeout_ms = out->timeout_ms};
	size_t at = SIZE_MAX;
	int ret = 0;

	if (out->kind != MATCH_NONE)
		return second_report(ctx, f);
	m.text = strdup(text);
	m.bytes = pattern ? strdup(text) : unescape(text, &m.len, &at);
	if (pattern) {
		ret = pattern_report(ctx, text);
	} else if (!m.bytes && at != SIZE_MAX) {
		config_report(ctx, -EINVAL, NULL,
			      "character %zu: expected \\r, \\n, \\t, \\0, \\\\ or \\xHH after the "
			      "backslash",
			      at + 1);
		ret = -EINVAL;
	} else if (m.bytes && m.len == 0) {
		config_report(ctx, -EINVAL, NULL, "is empty");
		ret = -EINVAL;
	}
	if (ret == 0 && (!m.text || !m.bytes)) {
		config_report_memory(ctx);
		ret = -ENOMEM;
	}
	if (ret < 0)
		config_bytes_fini(&m);
	*out = m;
	return ret;
}

bool config_bytes_equal(const struct match *a, const struct match *b)
{
	return a->kind == b->kind && a->len == b->len &&
	       (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

bool config_bytes_own(struct match *m)
{
	char *bytes = malloc((size_t)m->len + 1);

	if (bytes) {
		memcpy(bytes, m->bytes, m->len);
		bytes[m->len] = '\0';
	}
	m->bytes = bytes;
	if (!m->text)
		return bytes != NULL;
	m->text = strdup(m->text);
	return bytes && m->text;
}

void config_bytes_fini(struct match *m)
{
	free(m->bytes);
	free(m->text);
	*m = (struct match){0};
}
