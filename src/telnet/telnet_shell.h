/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TELNET_TELNET_SHELL_H
#define PLVS_TELNET_TELNET_SHELL_H

/* plvsctl on a pseudo-terminal. Context: the process of a session. */

#include <sys/types.h>

#include "telnet/telnet_stream.h"

struct telnet_shell {
	int pty; /* -1: there is no shell */
	pid_t pid;
};

/* Runs a program with the client's terminal and the socket to the monitor. NULL, or a line for the
 * client with the reason why not. */
const char *telnet_shell_start(const char *program, struct telnet_stream *s, int monitor,
			       struct telnet_shell *out);
/* Passes on a new size of the client's window. */
void telnet_shell_resize(const struct telnet_shell *shell, const struct telnet_stream *s);
void telnet_shell_end(struct telnet_shell *shell);

#endif
