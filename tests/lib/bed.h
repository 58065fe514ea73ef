/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_LIB_BED_H
#define PLVS_TESTS_LIB_BED_H

/*
 * The director that packet tests share, on a harness and its world:
 *
 *	port 0	192.168.1.254, and everything that is not elsewhere
 *	port 1	10.10.255.254/16, the real servers
 *
 * A neighbour's MAC is 02:01 and its address.
 */

#include "lib/harness.h"
#include "lib/packet.h"

#define BED_GATEWAY "192.168.1.253"

/* max_connections 0: the harness's default. far: clients are behind BED_GATEWAY, else on the
 * link. 0, or -1 with a line on standard error. */
int bed_open(struct harness *h, unsigned int workers, uint64_t max_connections, bool far);
/* Ends the bed. 0, or -1 where the doors do not add up or a buffer is lost. */
int bed_close(struct harness *h);

/* Neighbours that answer, up to a NULL. */
void bed_neighbours(struct harness *h, link_id link, const char *const *addrs);

/* Over all workers. */
uint64_t bed_dropped(const struct harness *h, enum drop_reason reason);

/* The ICMP error of IPv4 that left by a port. inner: the packet that the error quotes, of which
 * only addresses, ports and the header's checksum are read. False: no frame left. */
bool bed_error(struct harness *h, unsigned int port, struct packet *outer, struct packet *inner);

#endif
