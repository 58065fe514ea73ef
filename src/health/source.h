/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_SOURCE_H
#define PLVS_HEALTH_SOURCE_H

/*
 * Source ports of probes: workers know them (model/check_ports.h), so that replies have a
 * class of their own, and a probe with via reaches the server by the VIP. The core gives the
 * port back when the probe is freed. Context: control.
 */

#include "health/check.h"

#define SOURCE_TRIES 4 /* ports that Linux may refuse before a checker gives up */

/*
 * A port, host order, for what the probe is going to send to peer_port of its target; for ICMP
 * echo it is the identifier, and peer_port 0. One at a time: the last one is given back. 0 in
 * *port: any will do (no table, or none is left). 0, or, only with via, -EDESTADDRREQ
 * (no table or no VIP), -EAFNOSUPPORT, -EADDRNOTAVAIL.
 */
int source_take(struct probe *p, uint8_t proto, be16 peer_port, uint16_t *port);

/*
 * source_take() for a socket that connects to the target: IPPROTO_TCP or IPPROTO_UDP. A
 * connect() that fails by EADDRNOTAVAIL or EADDRINUSE: a new socket, up to SOURCE_TRIES times.
 * 0 or -errno.
 */
int source_bind(struct probe *p, int fd, uint8_t proto);

/* The probe's sockets are closed. */
void source_release(struct probe *p, uint64_t now_us);

#endif
