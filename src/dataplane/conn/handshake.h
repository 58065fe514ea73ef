/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_HANDSHAKE_H
#define PLVS_DATAPLANE_CONN_HANDSHAKE_H

/*
 * What becomes of clients' SYNs, per real server, on the NAT path: elsewhere no reply passes.
 * Each connection is counted once as a SYN, and at most once as one of the others:
 *
 *	answers		SYN-ACK, with the time since the SYN
 *	refused		RST instead
 *	no_answer	the client said it again, no sooner than after half a second, or the
 *			connection ended without either
 *
 * Times are of polling rounds. Packets of established connections pay nothing: a stamp per
 * entry is touched by the handshake alone.
 *
 * Worker context, one owner.
 */

#include "dataplane/worker.h"
#include "model/counters.h"

/* The packet made its connection. */
void handshake_begin(struct worker *w, const struct pkt4 *p);
/* A packet of a NAT connection in SYN_RECV, or that brings it there. */
void handshake_packet(struct worker *w, const struct pkt4 *p);
/* A NAT connection ends in SYN_RECV. */
void handshake_end(struct worker *w, const struct conn4 *c);

/* Adds a worker's counters of a server. Any context: relaxed loads. hz: TSC. */
void handshake_read(const struct worker *w, uint32_t server_id, uint64_t hz,
		    struct passive_counters *sum);

#endif
