/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_PATTERN_H
#define PLVS_HEALTH_PATTERN_H

/*
 * Regular expressions by libpcre2, with limits: of the text, the compiled size, the steps,
 * the depth and the memory of one search. A search ends within some milliseconds, for all
 * patterns and all bytes.
 *
 * POSIX extended syntax is accepted as far as it means the same: bracket classes, a dot that
 * matches a newline too, $ only at the very end. \< \> \` \' of GNU are refused, since they
 * would mean something else.
 *
 * Context: control.
 */

#include <stddef.h>
#include <stdint.h>

#include "health/check.h"

/* 0, or -EINVAL with why in words: for the configuration. */
int pattern_check(const char *text, size_t len, char *why, size_t why_len);

/* Compiled ones, by text. 0 or -ENOMEM. */
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
	MATCH_NOT_YET, /* more bytes may change that */
	MATCH_NEVER,
	MATCH_GAVE_UP /* a pattern reached a limit, or cannot be used */
};
/* from: the bytes before it were looked at already, without success (LITERAL). */
enum match_result match_find(struct pattern_cache *c, const struct match *m, const char *data,
			     size_t len, size_t from, size_t *end);
/* The same of all that there is; a pattern also without the newline at the end of it, where
 * people put "$". */
enum match_result match_find_all(struct pattern_cache *c, const struct match *m, const char *data,
				 size_t len, size_t from, size_t *end);

#endif
