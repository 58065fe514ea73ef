/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FRAGMENT_FRAGMENT_TRACK_H
#define PLVS_DATAPLANE_FRAGMENT_FRAGMENT_TRACK_H

/*
 * Fragments of TCP and UDP follow their first one, which has the ports. All fragments of a datagram
 * go to one worker, owner(client, 0). This worker learns the ports from the first fragment, writes
 * the ports into the tag of each and hands the fragment off to the connection's owner, with
 * unchanged boundaries. A fragment that comes before its first waits here, counted as parked.
 *
 * Memory is fixed; datagrams, and fragments that wait, are bounded per source as well, and
 * end after FOLLOW_TICKS. Without room the oldest gives way, unless all candidates came in this
 * tick: the fragments of a real datagram come within a few milliseconds. There is no bound for
 * networks, since forged sources are of all networks. Worker context.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/stages/pkt.h"

#define FOLLOW_TICKS	  (CONN_TICK_HZ * 2)
#define FOLLOW_BUCKETS	  128 /* of FOLLOW_WAYS datagrams */
#define FOLLOW_WAYS	  8
#define FOLLOW_RANGES	  16  /* received ranges of one datagram that are not joined */
#define FOLLOW_WAITING	  256 /* fragments that wait, of all datagrams */
#define FOLLOW_SOURCES	  1024
#define FOLLOW_PER_SOURCE 128 /* datagrams of one source; sources share by hash */
#define FOLLOW_WAIT_MAX	  64  /* fragments of one source that wait */
#define FOLLOW_DECIDED	  256 /* one-packet datagrams whose server is remembered */

struct worker;

#define FAM_TEMPLATE "dataplane/fragment/fragment_track.fam.h"
#include "base/both_families.h"

#endif
