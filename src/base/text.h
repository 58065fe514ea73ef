/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_TEXT_H
#define PLVS_BASE_TEXT_H

/* Parsing and formatting of texts for people. Context: any but worker. */

#include <stddef.h>
#include <stdint.h>

/* "500ms", "3s", "15m", "2h", "1d", or a bare number of seconds ("1.5").
 * 0, -EINVAL (not a time) or -ERANGE (over about 49 days: must fit uint32_t ms). */
int duration_parse(const char *text, uint32_t *ms);
/* The shortest exact form: 1500 -> "1500ms", 90000 -> "90s", 900000 -> "15m". */
const char *duration_format(uint32_t ms, char *buf, size_t len);

/* The candidate nearest to text, if the edit distance is at most 2 and less than half the length of
 * text; else NULL. candidates ends with NULL. */
const char *text_near_miss(const char *text, const char *const *candidates);

#endif
