/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_HANDSHAKE_H
#define PLVS_DATAPLANE_CONN_HANDSHAKE_H

/*
 * The outcome of clients' SYNs, for each real server, by NAT only: with other methods no reply
 * passes. Each connection is counted once as a SYN, and at most once as one of the others:
 *
 *	answers		SYN-ACK, with the time since the SYN
 *	refused		RST instead
 *	no_answer	the client sent the SYN again after at least half a second, or the
 *			connection ended without a SYN-ACK or RST
 *
 * Times are of polling rounds. Packets of established connections cost nothing more: each entry has
 * a stamp that only the handshake touches.
 *
 * Worker context, one owner.
 */

#include "dataplane/worker.h"
#include "model/counters.h"

/* A stamp is the TSC in units of 1024 cycles, about half a microsecond. Stamps repeat after more
 * than half an hour, longer than a connection stays in SYN_RECV. 0: no answer is awaited. */
#define HANDSHAKE_STAMP_SHIFT 10

/* Adds a worker's counters of a server. Any context: relaxed loads. hz: TSC. */
void handshake_read(const struct worker *w, uint32_t server_id, uint64_t hz,
		    struct passive_counters *sum);

#define FAM_TEMPLATE "dataplane/conn/handshake.fam.h"
#include "base/both_families.h"

#endif
