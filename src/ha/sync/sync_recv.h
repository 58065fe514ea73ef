/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_RECV_H
#define PLVS_HA_SYNC_SYNC_RECV_H

/*
 * The backup's half of synchronisation: datagrams of the active router, in any order and
 * number, become operations of the workers, in order and once. Acknowledged is what has been
 * given to the workers' rings. A datagram in which anything cannot be is refused as a whole.
 *
 * Datagrams must come in a fresh envelope of the peer's present session. sync_recv_accept() says
 * whether this router takes records at all (as a backup, and while fenced).
 *
 * No socket, no clock: now_ms comes with each call. Context: the ha thread.
 */

#include "ha/sync/identity.h"
#include "ha/sync/sync_wire.h"

struct sync_recv_config {
	struct sync_door door;
	const struct identity *identity;
	sync_output *output; /* acknowledgements */
	void *output_arg;
	uint32_t max_unbound; /* 0: 16384 */
};

struct sync_recv_status {
	bool complete; /* a whole transfer came, and nothing is missing since */
	uint32_t transfers;
	uint64_t position; /* stream and sequence up to which all is given to the workers */
	uint32_t unbound;  /* connections that wait for their service or server */
	uint64_t records, datagrams, duplicates;
	uint64_t refused;	  /* datagrams: version, length, a value that cannot be */
	uint64_t stale;		  /* datagrams of a stream that is over, or outside the window */
	uint64_t unbound_refused; /* connections for which there was no room to wait */
};

struct sync_recv;

/* NULL: no memory. */
struct sync_recv *sync_recv_create(const struct sync_recv_config *config);
void sync_recv_destroy(struct sync_recv *r);

/* The peer has another session: its streams begin anew, and nothing is complete. Installed
 * connections stay, for the next transfer to confirm. */
void sync_recv_reset(struct sync_recv *r);
/* False: this router is, or will be, active: nothing more is taken. Records that have come in
 * order still go to the workers. */
void sync_recv_accept(struct sync_recv *r, bool accept, uint64_t now_ms);

/* A datagram of type DATA. */
void sync_recv_data(struct sync_recv *r, const uint8_t *bytes, size_t len);
/* Gives what waits to workers, acknowledges what came, binds what can be bound. Call after a
 * batch of datagrams and every few ms. */
void sync_recv_poll(struct sync_recv *r, uint64_t now_ms);

/* Whether workers have done all that was given to them: to be true before this router speaks
 * for VIPs, where there is time for it. */
bool sync_recv_idle(const struct sync_recv *r);

void sync_recv_status(const struct sync_recv *r, struct sync_recv_status *out);

#endif
