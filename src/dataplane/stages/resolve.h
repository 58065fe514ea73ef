/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_RESOLVE_H
#define PLVS_DATAPLANE_STAGES_RESOLVE_H

/* Next hops of connections. Worker context. */

#include "dataplane/worker.h"

/* For a new NAT connection, or one that the peer has: has the client's next hop asked for now,
 * so that the first answer does not wait. */
void resolve_ahead4(struct worker *w, struct conn4 *c);

/* Where a packet to `dest` goes next: the neighbour to ask for, or false (no route). */
bool route_next4(const struct fib *fib, be32 dest, link_id *link, be32 *neighbour);

#endif
