/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_PATTERN_H
#define PLVS_HEALTH_PATTERN_H

/*
 * Regular expressions by libpcre2, with limits of text, compiled size, and of the steps, depth and
 * memory of one search. A search ends within some milliseconds, for all patterns and all bytes.
 *
 * POSIX extended syntax is accepted where PCRE gives the same meaning: bracket classes, a dot that
 * also matches a newline, $ only at the very end. \< \> \` \' of GNU are refused, since PCRE reads
 * them differently.
 *
 * Context: control.
 */

#include <stddef.h>
#include <stdint.h>

#include "health/check.h"

/* 0, or -EINVAL with why in words: for the configuration. */
int pattern_check(const char *text, size_t len, char *why, size_t why_len);

/* A cache of compiled patterns by text. 0 or -ENOMEM. */
int pattern_cache_create(struct pattern_cache **out);
void pattern_cache_destroy(struct pattern_cache *c); /* NULL is allowed */

/*
 * 1: found, *end is behind it; 0: not found; -EINVAL: not a pattern; -E2BIG: a limit was
 * reached; -ENOMEM.
 */
int pattern_find(struct pattern_cache *c, const char *text, size_t text_len, const char *data,
		 size_t len, size_t *end);

/* --- comparing, of all kinds --- */
enum match_result {
	MATCH_FOUND,
	MATCH_NOT_YET, /* more bytes may lead to a match */
	MATCH_NEVER,
	MATCH_GAVE_UP /* a pattern reached a limit, or cannot be used */
};
/* from: bytes before it were searched already, without a match (LITERAL). */
enum match_result match_find(struct pattern_cache *c, const struct match *m, const char *data,
			     size_t len, size_t from, size_t *end);
/* The same for complete data. For a pattern "$" also matches before a newline at the end. */
enum match_result match_find_all(struct pattern_cache *c, const struct match *m, const char *data,
				 size_t len, size_t from, size_t *end);

#endif
