/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_SHELL_PARTS_H
#define PLVS_CLI_SHELL_PARTS_H

/* The interactive shell adds to commands: a prompt that names the router, a pager, a
 * question before what can cut traffic, and the tree of a session without files. One thread. */

#include "cli/session.h"

/* --- restrict.c --- */

/* A copy of the tree without arguments that name files, and without commands that need one.
 * Never freed; NULL: no memory. */
const struct command *commands_restrict(const struct command *all);

/* --- prompt.c --- */

/* "lb1(active)> ": asks the router, gives up soon. Returns buf. */
const char *prompt_text(struct session *s, char *buf, size_t len);

/* --- confirm.c --- */

/* True: go on. Asks on a terminal of the shell where the command can cut traffic. */
bool confirm(struct session *s, const struct invocation *inv);

/* --- pager.c --- */

struct pager;

/* Output as by more(1): stops at each full screen of out->file. The stream to print to, or NULL:
 * there is no terminal, or no memory. */
FILE *pager_open(const struct out *out, struct pager **pager);
/* Closes the stream. True: the reader had seen enough. */
bool pager_close(FILE *file, struct pager *pager);

#endif
