/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_UNCONFIRMED_H
#define PLVS_ROUTER_UNCONFIRMED_H

/* A start after a trial that nobody confirmed (control/trial.h). Context: main, before threads. */

#include <stdbool.h>

#include "config/config.h"

/* Where an undo record in node.state_dir counts: *config is destroyed, the configuration of before
 * the trial takes its place, file_digest is that of the file, and the result is true. Actions,
 * and errors that hinder them, go to standard error. file: that *config was read from. */
bool unconfirmed_take(const char *file, struct config **config,
		      char file_digest[CONFIG_DIGEST_STRLEN]);

#endif
