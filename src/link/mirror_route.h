/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_MIRROR_ROUTE_H
#define PLVS_LINK_MIRROR_ROUTE_H

/* The routes of the mirror, and the fib they make. For mirror.c. Link thread. */

#include "link/mirror.h"

unsigned int mirror_apply_route(struct mirror *m, const struct nl_event *ev);
void mirror_route_destroy(struct hnode *node);

#endif
