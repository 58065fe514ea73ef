/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_OWNED_PORT_H
#define PLVS_MODEL_OWNED_PORT_H

/*
 * Ports of real servers that belong to NAT services: (protocol, server, port) -> service, and
 * what becomes of packets from there that belong to no connection. Asked for `out` packets
 * without a connection only. Stands in snapshot.owned4, in the format of listeners with
 * OWNED_* as flags.
 *
 * A service whose listener is port 0 owns no port of its servers, since they are reached on
 * any. A mark service owns none either; with `nat_icmp_send` its servers' ports are in the
 * table nevertheless, for TCP and UDP, as in IPVS.
 */

#include "model/snapshot.h"

#define OWNED_RESET  0x1U /* not routed: TCP is reset, UDP dropped */
#define OWNED_ICMP   0x2U /* refused by ICMP; with OWNED_RESET: UDP alone */
#define OWNED_VIP    0x4U /* UDP leaves as the VIP, unless OWNED_SHARED */
#define OWNED_SHARED 0x8U /* of more than one listener: there is no one VIP */

/* Control. The table of the snapshot's services, for snapshot_set_owned4(). NULL: no memory. */
struct listener_table4 *owned_ports4_create(const struct snapshot *s);

/* Worker or any. The entry, or NULL. */
static inline const struct listener4 *owned_port4_find(const struct snapshot *s, uint8_t proto,
						       be32 addr, be16 port)
{
	return s->owned4 ? listener_table4_entry(s->owned4, proto, addr, port) : NULL;
}

#endif
