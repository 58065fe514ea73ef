/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_UNCONFIRMED_H
#define PLVS_ROUTER_UNCONFIRMED_H

/* A start after a trial that was not confirmed (control/trial.h). Context: main, before threads. */

#include <stdbool.h>

#include "config/config.h"

/* If an undo record in node.state_dir is valid: destroys *config, puts the configuration from
 * before the trial in its place, sets file_digest to that of the file, and returns true. Actions
 * and errors go to standard error. file: the file of *config. */
bool unconfirmed_take(const char *file, struct config **config,
		      char file_digest[CONFIG_DIGEST_STRLEN]);

#endif
