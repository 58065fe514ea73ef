/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_OWN_USER_H
#define PLVS_BASE_OWN_USER_H

/*
 * The user who owns the router's files: the user of the process, or the user to whom the process
 * changes after its start. A file is trusted if only root or this user can have written it.
 *
 * Context: set by main before threads start; read anywhere.
 */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* The signal at which a thread gives up its rights (router/privileges.h). A thread that blocks
 * signals does not block this one. */
#define OWN_USER_SIGNAL SIGRTMIN

void own_user_set(uid_t uid, gid_t gid);
/* Root, or the user. */
bool own_user_is(uid_t uid);
bool own_group_is(gid_t gid);
/* Gives a file that root made to the user. 0 or -errno. */
int own_user_give(int fd);

#endif
