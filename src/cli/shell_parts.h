/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_SHELL_PARTS_H
#define PLVS_CLI_SHELL_PARTS_H

/* Parts of the interactive shell: a prompt that names the router, a pager, a question before
 * commands that can cut traffic, and the command tree of a session without files. One thread. */

#include "cli/session.h"

/* --- restrict.c --- */

/* A copy of the tree without arguments that name files, and without commands that need one.
 * Never freed; NULL: no memory. */
const struct command *commands_restrict(const struct command *all);

/* --- prompt.c --- */

/* "lb1(active)> ": asks the router with a short time limit. Returns buf. */
const char *prompt_text(struct session *s, char *buf, size_t len);

/* --- confirm.c --- */

/* True: run the command. Asks on the terminal of a shell if the command can cut traffic. */
bool confirm(struct session *s, const struct invocation *inv);

/* --- pager.c --- */

struct pager;

/* Output as by more(1): stops at each full screen of out->file. Returns the stream to print to, or
 * NULL without a terminal or memory. */
FILE *pager_open(const struct out *out, struct pager **pager);
/* Closes the stream. True: the reader ended the output. */
bool pager_close(FILE *file, struct pager *pager);

#endif
