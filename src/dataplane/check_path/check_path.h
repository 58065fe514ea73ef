/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CHECK_PATH_CHECK_PATH_H
#define PLVS_DATAPLANE_CHECK_PATH_CHECK_PATH_H

/*
 * The way of health checks (model/check_ports.h). A check with a VIP goes the way of a client's
 * packet, from the router's own address:
 *
 *	Linux	own:port > server	the MAC is the server's, or its gateway's
 *	here	own:port > VIP		tunnel: in an outer header to the server
 *	server	VIP > own:port		proves its loopback address, ARP or ND settings, path
 *	here	server > own:port	to Linux in the class of checks
 *
 * Checks work whether the VIP is active here or not: no step needs a connection, and no packet
 * leaves with the VIP as its source. Packets that belong to no check under way are not changed.
 * Server and VIP are of one family.
 *
 * Worker context; published.check_ports is not NULL.
 */

#include "dataplane/worker.h"

/* True: a frame that Linux sends is from a port of checks. */
bool check_path_is(const struct worker *w, struct rte_mbuf *m);

/* Takes a frame that Linux sends. True: the frame was of a check to a VIP, and has left. */
bool check_path_send(struct worker *w, struct rte_mbuf *m);

#define FAM_TEMPLATE "dataplane/check_path/check_path.fam.h"
#include "base/both_families.h"

#endif
