/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_OWNED_PORT_H
#define PLVS_MODEL_OWNED_PORT_H

/*
 * Ports of real servers that belong to NAT services: (protocol, server, port) -> service, and the
 * treatment of packets from there that belong to no connection. Workers look up only `out` packets
 * without a connection. Stands in snapshot.owned4 and owned6, in the format of listeners with
 * OWNED_* as flags.
 *
 * A service that listens at port 0 owns no port of its servers, since clients reach any port. A
 * mark service owns none either; with `nat_icmp_send` its servers' ports are in the table
 * nevertheless, for TCP and UDP, as in IPVS.
 */

#include "model/runtime.h"
#include "model/snapshot.h"

#define OWNED_RESET  0x1U /* not routed: TCP is reset, UDP dropped */
#define OWNED_ICMP   0x2U /* refused by ICMP; with OWNED_RESET: UDP alone */
#define OWNED_VIP    0x4U /* UDP leaves as the VIP, unless OWNED_SHARED */
#define OWNED_SHARED 0x8U /* of several listeners: the VIP is not certain */

#define FAM_TEMPLATE "model/owned_port.fam.h"
#include "base/both_families.h"

#endif
