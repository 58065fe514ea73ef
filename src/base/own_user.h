/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_OWN_USER_H
#define PLVS_BASE_OWN_USER_H

/*
 * The user whom the router's files belong to: the one that the process is, or the one that it
 * becomes when it has started. A file is read as trusted that root or this user can have written.
 *
 * Context: set by main before threads start; read anywhere.
 */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* By this signal each thread is told to give up its rights (router/privileges.h). A thread that
 * blocks signals leaves it open. */
#define OWN_USER_SIGNAL SIGRTMIN

void own_user_set(uid_t uid, gid_t gid);
/* Root, or the user. */
bool own_user_is(uid_t uid);
bool own_group_is(gid_t gid);
/* A file that root made becomes the user's. 0 or -errno. */
int own_user_give(int fd);

#endif
