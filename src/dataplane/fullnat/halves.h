/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FULLNAT_HALVES_H
#define PLVS_DATAPLANE_FULLNAT_HALVES_H

/*
 * A connection by full NAT, whose two sides have different addresses:
 *
 *	client  caddr:cport ----> vaddr:vport   VIP             the client's half
 *	pool    local:lport ----> daddr:dport   real server     the server's half
 *
 * Each half has one key. The client's half is the connection, an entry of the table (conn.h):
 * state, time, evidence, template, counts, checksum deltas; its in key is (client, VIP). Listings,
 * expiry, give_way.h and synchronisation use only this half. The server's half has the out key
 * (server, local). The table has a place for the server's half of each entry, behind the entries
 * (table.fam.h). A half has the form of an entry, so that buckets can refer to both, but has no
 * place in the wheel and in other arrays by entry. A half is not CONN_F_LIVE. The place of one half
 * follows from that of the other, so that both are prefetched before either is read.
 *
 *	client's half   CONN_F_OUT_KEY: the connection has its server's half
 *	server's half   control: index of the client's half; addr[] and port[]: server, local
 *
 * Look-up finds the server's half of an `out` packet, and halves4_look() puts the client's half in
 * its place; no later stage sees a server's half as the connection of a packet. NAT and DR pay two
 * tests for each burst.
 *
 * Where the server is of the other family, the client's half is in the table of the client's
 * family, the server's half and the local port in that of the server's: crossing.h.
 *
 * Worker context.
 */

#include "base/other_family.h"
#include "dataplane/worker.h"

/* Of a server's half only (a bit that halves do not use otherwise): the connection is in the table
 * of the other family. */
#define HALF_F_OTHER CONN_F_NOOUTPUT
/* Likewise: an active data connection of FTP, whose port belongs to ftp_port.h. */
#define HALF_F_FTP CONN_F_EMBRYONIC

/* Packets from the prefetch of a half to its use. A processor cannot have the prefetches of a whole
 * burst under way at once. */
#define HALVES_AHEAD 8

#define FAM_TEMPLATE "dataplane/fullnat/halves.fam.h"
#include "base/both_families.h"

#endif
