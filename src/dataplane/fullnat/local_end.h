/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FULLNAT_LOCAL_END_H
#define PLVS_DATAPLANE_FULLNAT_LOCAL_END_H

/*
 * A connection by full NAT, whose two sides have different addresses:
 *
 *	client  caddr:cport ----> vaddr:vport   VIP             in key
 *	pool    local:lport ----> daddr:dport   real server     out key
 *
 * The connection is one entry of the table, as a connection by NAT, with one end more, the local
 * one: its out key is (server, local). An IPv6 entry has room for the address. An IPv4 entry is one
 * cache line and has none, so that the local end is in the place of the checksum deltas: the port,
 * and two bytes for the address, which are its number among the addresses that have ports in use
 * (local_port.h). The deltas follow from the addresses, which a packet has read anyway. An IPv6
 * entry has the port in the same place, and the delta of the addresses.
 *
 * The place of the port in its group, which only the end of the connection needs, is in an array by
 * entry (struct local_place).
 *
 * A burst of a worker some of whose connections are by full NAT is looked up by
 * FAM_FN(conn, has_key)(), any other burst as without full NAT: NAT and DR pay one test for each
 * burst.
 *
 * Where the server is of the other family, the connection is two entries: crossing.h.
 *
 * Worker context.
 */

#include "base/csum.h"
#include "base/other_family.h"
#include "dataplane/stages/ip.h"
#include "dataplane/worker.h"

/* Of a server's half alone, in the place of a flag that no half has: the connection is in the table
 * of the other family. */
#define HALF_F_OTHER CONN_F_NOOUTPUT

#define FAM_TEMPLATE "dataplane/fullnat/local_end.fam.h"
#include "base/both_families.h"

#endif
