/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ND_H
#define PLVS_DATAPLANE_STAGES_ND_H

/*
 * Neighbour discovery (RFC 4861): the worker that receives a solicitation of an active VIP or
 * gateway address answers it, also duplicate address detection by other stations (RFC 4862, 5.4.3).
 * Router advertisements, redirects, and packets about addresses of Linux go to Linux. Worker
 * context.
 */

#include "dataplane/worker.h"

/* Whether an ICMPv6 packet is neighbour discovery. */
bool nd_is(const struct pkt6 *p);
/* Answers, punts or drops a packet of neighbour discovery. */
void nd_receive(struct worker *w, struct pkt6 *p);

/* For a frame of Linux. False: neighbour discovery that claims a VIP or gateway address which is
 * not active here. */
bool nd_may_leave(const struct worker *w, const struct rte_mbuf *m);

#endif
