/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_WORDS_LIST_H
#define PLVS_CONFIG_WORDS_LIST_H

/* The lines of a plan in words, and the memory of their texts. For plan_words.c and plan_marks.c.
 */

#include "config/config_plan.h"

/* A copy of n bytes and a NUL, which lasts as long as the words. NULL: out of memory. */
const char *config_words_keep(struct config_words *words, const char *text, size_t n);
void config_words_free_texts(struct config_words *words);
/* A line whose texts are kept. 0, or -ENOMEM, also if a text is NULL. */
int config_words_put(struct config_words *words, const struct config_line *line);
/* Takes detail over (NULL: "", and an edit is left out). 0 or -ENOMEM. */
int config_words_add(struct config_words *words, struct config_line line, char *detail,
		     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
