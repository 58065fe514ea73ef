/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_CONFINE_H
#define PLVS_ROUTER_CONFINE_H

/*
 * The moment at which the router gives up its rights (privileges.h, syscall_filter.h), and the
 * preparations for that moment. docs/security.md has the promises. Context: main.
 */

#include "base/error_text.h"
#include "config/config.h"
#include "dataplane/dataplane.h"
#include "router/privileges.h"
#include "spawn/spawner.h"

/* Before any part is started: sets the user of the router (name NULL: no change) and of the
 * spawner's programs. 0, or an error that was printed. */
int confine_user(struct privileges *p, const char *name);

/* When the configuration is known: fixes the users that programs may run as. 0, or an error that
 * was printed. */
int confine_programs(const struct privileges *p, struct spawner *spawner,
		     const struct config *config);

/* When all parts run: gives up the rights. state_dir (or NULL) becomes the user's. 0, or -errno
 * with a sentence in error. */
int confine(const struct privileges *p, const char *state_dir, const struct dataplane *dp,
	    char error[ERROR_TEXT]);

#endif
