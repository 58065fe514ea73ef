/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_COMPLETE_H
#define PLVS_CLI_COMPLETE_H

/* Completion: the words that can stand at the cursor. The module uses no terminal: shells and tests
 * call complete(). */

#include "cli/grammar.h"

struct candidate {
	char *text; /* "" for a hint: no text to insert; help has the expected value */
	char *help; /* may be NULL */
	bool open;  /* more of the same word follows: no blank after it */
};

struct candidates {
	struct candidate *items;
	uint32_t n, max;
};

struct names {
	/* An array (new) of strings, or NULL. `of` for ARG_SERVER: the service, or NULL for all;
	 * for ARG_ASSIGN: "service" or "server", for its keys; for ARG_PATH and ARG_TEXT_FILE: the
	 * typed part of the name. */
	json_t *(*fetch)(void *arg, enum arg_kind kind, const char *of);
	void *arg;
};

/* words[0..n) stand before the cursor's word, of which partial is typed. shell: offer
 * commands of the shell too. *out is to be cleared by the caller. */
void complete(const struct command *commands, char *const *words, size_t n, const char *partial,
	      const struct names *names, bool shell, struct candidates *out);
void candidates_clear(struct candidates *c);
/* The number of leading bytes that all candidates share (hints apart). */
size_t candidates_common(const struct candidates *c);

#endif
