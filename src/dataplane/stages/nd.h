/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ND_H
#define PLVS_DATAPLANE_STAGES_ND_H

/*
 * Neighbour discovery (RFC 4861): solicitations of active VIPs and gateway addresses are answered
 * by the worker that received them, duplicate address detection of strangers included (RFC 4862,
 * 5.4.3). Router advertisements, redirects and all that concerns addresses of Linux are Linux's.
 * Worker context.
 */

#include "dataplane/worker.h"

/* An ICMPv6 packet. True: the packet is neighbour discovery, and has left. */
bool nd_receive(struct worker *w, struct pkt6 *p);

/* A frame that Linux sends: false when it is neighbour discovery that claims a VIP or gateway
 * address which is not active here. */
bool nd_may_leave(const struct worker *w, const struct rte_mbuf *m);

#endif
