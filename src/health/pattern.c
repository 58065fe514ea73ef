/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/hash_table.h"

#define CACHE_MAX     1024U  /* patterns; beyond it the cache begins anew */
#define COMPILED_MAX  65536U /* bytes */
#define MATCH_LIMIT   50000U /* steps: about a millisecond */
#define DEPTH_LIMIT   2000U
#define HEAP_LIMIT_KB 1024U
#define NEST_LIMIT    50U /* of parentheses */

struct entry {
	struct hash_node node;
	pcre2_code *code;
	size_t len;
	char text[];
};

struct pattern_cache {
	struct hash_table entries;
	pcre2_match_context *limits;
	pcre2_match_data *found; /* of the whole match only */
};

/* A construct that GNU knows and libpcre2 does not; NULL if there is none. */
static const char *foreign(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '\\')
			continue;
		i++;
		if (text[i] == '<' || text[i] == '>')
			return "\\< and \\> are not known: use \\b";
		if (text[i] == '`' || text[i] == '\'')
			return "\\` and \\' are not known: use ^ and $";
	}
	return NULL;
}

static int compile(const char *text, size_t len, pcre2_code **out, char *why, size_t why_len)
{
	const char *alien = foreign(text, len);
	pcre2_compile_context *limits;
	pcre2_code *code;
	PCRE2_SIZE at = 0;
	size_t size = 0;
	int err = 0;

	if (len > CHECK_MAX_PATTERN) {
		snprintf(why, why_len, "longer than %d bytes", CHECK_MAX_PATTERN);
		return -EINVAL;
	}
	if (alien) {
		snprintf(why, why_len, "%s", alien);
		return -EINVAL;
	}
	limits = pcre2_compile_context_create(NULL);
	if (!limits)
		return -ENOMEM;
	pcre2_set_parens_nest_limit(limits, NEST_LIMIT);
	code = pcre2_compile((PCRE2_SPTR)text, len,
			     PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF |
				     PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
			     &err, &at, limits);
	pcre2_compile_context_free(limits);
	if (!code) {
		unsigned char words[128] = "";

		pcre2_get_error_message(err, words, sizeof(words));
		snprintf(why, why_len, "%s, at byte %zu", (char *)words, (size_t)at + 1);
		return -EINVAL;
	}
	if (pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size) || size > COMPILED_MAX) {
		snprintf(why, why_len, "too large when compiled (%zu bytes, at most %u)", size,
			 COMPILED_MAX);
		pcre2_code_free(code);
		return -EINVAL;
	}
	*out = code;
	return 0;
}

int pattern_check(const char *text, size_t len, char *why, size_t why_len)
{
	pcre2_code *code;
	int err = compile(text, len, &code, why, why_len);

	if (!err)
		pcre2_code_free(code);
	return err;
}

int pattern_cache_create(struct pattern_cache **out)
{
	struct pattern_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->limits = pcre2_match_context_create(NULL);
	c->found = pcre2_match_data_create(1, NULL);
	if (!c->limits || !c->found) {
		pattern_cache_destroy(c);
		return -ENOMEM;
	}
	pcre2_set_match_limit(c->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(c->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(c->limits, HEAP_LIMIT_KB);
	*out = c;
	return 0;
}

static void entry_free(struct hash_node *node)
{
	struct entry *e = (struct entry *)node;

	pcre2_code_free(e->code);
	free(e);
}

void pattern_cache_destroy(struct pattern_cache *c)
{
	if (!c)
		return;
	hash_table_fini(&c->entries, entry_free);
	pcre2_match_context_free(c->limits);
	pcre2_match_data_free(c->found);
	free(c);
}

static int cache_get(struct pattern_cache *c, const char *text, size_t len, const pcre2_code **out)
{
	uint64_t hash = hash_bytes(HASH_START, text, len);
	struct hash_node *node;
	struct entry *e;
	char why[128];
	int err;

	for (node = hash_table_first(&c->entries, hash); node; node = hash_table_next(node)) {
		e = (struct entry *)node;
		if (e->len == len && memcmp(e->text, text, len) == 0) {
			*out = e->code;
			return 0;
		}
	}
	if (c->entries.n >= CACHE_MAX)
		hash_table_clear(&c->entries, entry_free);
	e = malloc(sizeof(*e) + len);
	if (!e || hash_table_reserve(&c->entries)) {
		free(e);
		return -ENOMEM;
	}
	err = compile(text, len, &e->code, why, sizeof(why));
	if (err) {
		free(e);
		return err;
	}
	e->len = len;
	memcpy(e->text, text, len);
	hash_table_add(&c->entries, &e->node, hash);
	*out = e->code;
	return 0;
}

int pattern_find(struct pattern_cache *c, const char *text, size_t text_len, const char *data,
		 size_t len, size_t *end)
{
	const pcre2_code *code;
	int n, err = cache_get(c, text, text_len, &code);

	if (err)
		return err;
	n = pcre2_match(code, (PCRE2_SPTR)data, len, 0, 0, c->found, c->limits);
	if (n == PCRE2_ERROR_NOMATCH)
		return 0;
	if (n < 0)
		return n == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -E2BIG;
	*end = pcre2_get_ovector_pointer(c->found)[1];
	return 1;
}

enum match_result match_find(struct pattern_cache *c, const struct match *m, const char *data,
			     size_t len, size_t from, size_t *end)
{
	const char *at;
	size_t common = len < m->len ? len : m->len;

	switch (m->kind) {
	case MATCH_NONE:
		*end = 0;
		return MATCH_FOUND;
	case MATCH_PREFIX:
		*end = m->len;
		if (memcmp(data, m->bytes, common) != 0)
			return MATCH_NEVER;
		return len >= m->len ? MATCH_FOUND : MATCH_NOT_YET;
	case MATCH_LITERAL:
		/* A match may have begun before the bytes that came last. */
		from = from >= m->len ? from - m->len + 1 : 0;
		at = from <= len ? memmem(data + from, len - from, m->bytes, m->len) : NULL;
		if (!at)
			return MATCH_NOT_YET;
		*end = (size_t)(at - data) + m->len;
		return MATCH_FOUND;
	default:
		switch (pattern_find(c, m->bytes, m->len, data, len, end)) {
		case 1:
			return MATCH_FOUND;
		case 0:
			return MATCH_NOT_YET;
		default:
			return MATCH_GAVE_UP;
		}
	}
}

enum match_result match_find_all(struct pattern_cache *c, const struct match *m, const char *data,
				 size_t len, size_t from, size_t *end)
{
	enum match_result r = match_find(c, m, data, len, from, end);

	if (r != MATCH_NOT_YET || m->kind != MATCH_PATTERN || len == 0 || data[len - 1] != '\n')
		return r;
	return match_find(c, m, data, len - 1, from, end);
}
