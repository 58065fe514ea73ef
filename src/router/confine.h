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

/* Before anything is started: whom the router will be (NULL: whoever it is), and whom the spawner's
 * programs are. 0, or an error that was printed. */
int confine_user(struct privileges *p, const char *name);

/* When the configuration is known: the users that programs may run as are fixed. 0, or an error
 * that was printed. */
int confine_programs(const struct privileges *p, struct spawner *spawner,
		     const struct config *config);

/* When everything runs. state_dir (or NULL) becomes the user's. 0 or -errno with error. */
int confine(const struct privileges *p, const char *state_dir, const struct dataplane *dp,
	    char error[ERROR_TEXT]);

#endif
