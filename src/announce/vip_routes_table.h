/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ANNOUNCE_VIP_ROUTES_TABLE_H
#define PLVS_ANNOUNCE_VIP_ROUTES_TABLE_H

/* Sorted lists of routes, and the routing table of Linux that has them. Context: control, and the
 * thread of vip_routes.c. */

#include "announce/vip_routes.h"
#include "link/nlreq.h"

struct routes {		     /* sorted */
	struct vip_route *v; /* free() */
	uint32_t n;
};

void routes_sort(struct routes *r);
/* Replaces the list. 0 or -ENOMEM with the list as it was. */
int routes_copy(struct routes *to, const struct vip_route *v, uint32_t n);
uint32_t routes_homes(const struct routes *r);
bool routes_same(const struct routes *a, const struct routes *b);
/* Sets `home` of those routes of r that have it in `known`. */
void routes_mark_homes(struct routes *r, const struct routes *known);
bool routes_have(const struct routes *r, const struct vip_route *one);
/* The routes of plvs in the table. 0 or -errno. */
int routes_read(struct nlreq *req, uint32_t table, struct routes *out);

#endif
