/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_FIB_FAMILY_H
#define PLVS_LINK_FIB_FAMILY_H

/*
 * Conversion of the routes of Linux into the fib of workers: the functions that differ by
 * family. Link thread.
 */

#include "link/link.h"

/* All n routes are of the family. NULL: out of memory. */
struct fib4 *fib_family4_create(const struct link_fib_route *list, uint32_t n);
struct fib6 *fib_family6_create(const struct link_fib_route *list, uint32_t n);

/* The next hop towards dest: dest itself, or a router on the way. False: there is none. */
bool fib_family4_hop(const struct fib *fib, const struct addr *dest, link_id *link,
		     struct addr *hop);
bool fib_family6_hop(const struct fib *fib, const struct addr *dest, link_id *link,
		     struct addr *hop);

#endif
