/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_RELAY_H
#define PLVS_DATAPLANE_EXITS_RELAY_H

/*
 * After a planned hand-over neighbours still send to this router for a while. Packets for VIPs, and
 * packets through the gateway address, are passed on to the peer, so that no packet of a connection
 * is lost. Only MAC addresses change; TTL and payload stay.
 *
 * Worker context. Stage steer's packets come by stages/not_balanced.c.
 */

#include "dataplane/worker.h"

/* True: the packet has left: sent to the peer, or dropped (not_active) when it came from the
 * peer's own MAC, or from a port on which the peer is not known. */
bool relay_take(struct worker *w, struct rte_mbuf *m, link_id link);

#endif
