/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_NETNS_H
#define PLVS_BASE_NETNS_H

/*
 * The network namespace of a thread. A namespace is named as `ip netns` names it, by a file of
 * /run/netns, or by a path. NULL and "" are the namespace of the thread.
 *
 * Context: any thread, for itself only. Needs CAP_SYS_ADMIN.
 */

#include "base/error_text.h"

/* Moves the calling thread for good. 0, or -errno with a sentence about node.linux.netns. */
int netns_enter(const char *netns, char error[ERROR_TEXT]);

/* Moves the calling thread until netns_return(home). 0, or -errno: the thread has not moved, and
 * *home is -1. */
int netns_visit(const char *netns, int *home, char error[ERROR_TEXT]);
/* Moves the thread back; home -1: does nothing. Returns ret, the result of the visit. If ret is 0
 * and the way back fails: -errno and a sentence. */
int netns_return(int home, int ret, char error[ERROR_TEXT]);

#endif
