/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_SOURCE_H
#define PLVS_HEALTH_SOURCE_H

/*
 * Source ports of probes. Workers know these ports (model/check_ports.h), so that replies have a
 * punt class of their own, and a probe with via reaches the server by the VIP. The core gives the
 * port back when the probe is freed. Context: control.
 */

#include "health/check.h"

#define SOURCE_TRIES 4 /* ports that Linux may refuse before a checker gives up */

/*
 * Takes a port, host order, from which the probe sends to peer_port of its target; for ICMP echo
 * the identifier, with peer_port 0. A probe has one port at a time: the earlier one is given back.
 * *port 0: use any port (no table, or none is left). 0, or, only with via, -EDESTADDRREQ (no table
 * or no VIP), -EAFNOSUPPORT, -EADDRNOTAVAIL.
 */
int source_take(struct probe *p, uint8_t proto, be16 peer_port, uint16_t *port);

/*
 * source_take() for a socket that connects to the target: IPPROTO_TCP or IPPROTO_UDP. After a
 * connect() that fails with EADDRNOTAVAIL or EADDRINUSE the caller tries a new socket, up to
 * SOURCE_TRIES times. 0 or -errno.
 */
int source_bind(struct probe *p, int fd, uint8_t proto);

/* Gives the port back; the probe's sockets are closed. */
void source_release(struct probe *p, uint64_t now_us);

#endif
