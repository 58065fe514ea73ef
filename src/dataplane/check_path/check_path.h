/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CHECK_PATH_CHECK_PATH_H
#define PLVS_DATAPLANE_CHECK_PATH_CHECK_PATH_H

/*
 * Health checks on their way (model/check_ports.h). A check that means a VIP goes the way of
 * a client's packet, from the router's own address:
 *
 *	Linux	own:port > server	the MAC is the server's, or its gateway's
 *	here	own:port > VIP		tunnel: in IPIP to the server
 *	server	VIP > own:port		proves its loopback address, its ARP settings, the path
 *	here	server > own:port	to Linux in the class of checks
 *
 * It works whether the VIP is active here or not: nothing of it needs a connection, and no
 * packet leaves that bears the VIP as its source. Packets that no check under way explains
 * are changed in nothing.
 *
 * Worker context; published.check_ports is not NULL.
 */

#include "dataplane/worker.h"

/* Whether a frame that Linux sends comes from a port of checks. */
bool check_path_is(const struct worker *w, struct rte_mbuf *m);

/* A frame that Linux sends. True: it was a check's that means a VIP, and has left. */
bool check_path_send(struct worker *w, struct rte_mbuf *m);

/* A packet to the router's own address. True: it has left: punted as a reply to a check, or
 * dropped as bad_source, because it speaks as a VIP to a port of checks unasked. */
bool check_path4_take(struct worker *w, struct pkt4 *p);
/* The same of IPv6, where no check goes by the VIP: nothing is dropped. */
bool check_path6_take(struct worker *w, struct pkt6 *p);

#endif
