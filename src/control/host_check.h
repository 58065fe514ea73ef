/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_HOST_CHECK_H
#define PLVS_CONTROL_HOST_CHECK_H

#include "config/config.h"
#include "spawn/permit.h"

/*
 * The needs of a valid configuration on this machine: the key file, programs, and users. The
 * file system and the user database are read; nothing is changed.
 *
 * Context: any thread; may wait for a disk or a name service.
 */

enum host_check_when {
	HOST_CHECK_TEST,  /* plvs -t: errors only */
	HOST_CHECK_START, /* the key file is an error; a program or user is a warning */
	HOST_CHECK_LIVE,  /* of a running router: warnings only */
};

/* Adds errors and warnings. permit: the users that programs were permitted to run as at the start;
 * NULL: any. */
void host_check(const struct config *config, enum host_check_when when, const struct permit *permit,
		struct config_errors *errors);
/* Adds the users that the configuration names for programs. A user that does not exist is left out.
 * 0 or -ENOSPC. */
int host_users(const struct config *config, struct permit *permit);

#endif
