/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FULLNAT_CROSSING_H
#define PLVS_DATAPLANE_FULLNAT_CROSSING_H

/*
 * Connections by full NAT whose server is of the other family than the client:
 *
 *	client  caddr:cport ----> vaddr:vport   VIP            in the table of the client's family
 *	pool    local:lport ----> daddr:dport   real server    in the table of the server's family
 *
 * Each HALF has one key. The client's half is the connection, an entry of the table (conn.h) with
 * no server address: the stages resolve the address of the server's run-time state, as for a tunnel
 * to the other family. Listings, expiry, give_way.h and synchronisation know this half alone. The
 * server's half has the form of an entry, so that buckets name both, and is not CONN_F_LIVE. Its
 * ends in addr[] and port[] are (server, local). Its place in the other table, behind the entries,
 * follows from the entry's index, and its `control` is this index. It has HALF_F_OTHER.
 *
 * A packet of the client goes through the stages of its own family, and is translated
 * (translate/translate.h) in stage rewrite. A reply goes through the stages of the server's family
 * up to look-up. Then it goes unchanged, with the connection found, through those of the client's
 * family, until stage rewrite translates it. So a reply that has to wait is parked untranslated.
 * Stages between look-up and rewrite use only properties of a packet that do not depend on the
 * family: its direction, lengths, L4 header and connection.
 *
 * A burst of a family without such halves costs one test.
 *
 * Worker context.
 */

#include "dataplane/fullnat/local_end.h"

#define FAM_TEMPLATE "dataplane/fullnat/crossing.fam.h"
#include "base/both_families.h"

#endif
