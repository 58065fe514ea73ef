/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PUSHED_PROGRAMS_H
#define PLVS_CONTROL_PUSHED_PROGRAMS_H

/*
 * Programs in a shared configuration that the peer sends. The owner of the pair's key can send any
 * configuration, but a program runs on this machine. So this router's node part decides. The
 * program lies in one of node.programs.directories, no user but root can replace the program or a
 * directory above it, and the program runs as node.programs.user. A check that this router runs
 * already, with the same arguments, is allowed as well: the router's own file allowed it.
 *
 * Context: any; reads the file system.
 */

#include "config/config.h"

/* Adds an error for each program of `after` that is not allowed. running: the configuration in
 * force here, with the directories; boot: `node` as the process was started with, with the user. */
void pushed_programs_check(const struct config *boot, const struct config *running,
			   const struct config *after, struct config_errors *errors);

#endif
