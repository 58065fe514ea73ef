/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_RECV_H
#define PLVS_HA_SYNC_SYNC_RECV_H

/*
 * The backup's half of synchronisation: datagrams of the active router, in any order and
 * number, become operations of the workers, in order and once. A datagram is acknowledged when the
 * workers' rings have its records. A datagram with an impossible value is refused as a whole.
 *
 * Datagrams must come in a fresh envelope of the peer's present session. sync_recv_accept() sets
 * whether this router takes records (as a backup, and while fenced).
 *
 * No socket, no clock: now_ms comes with each call. Context: the ha thread.
 */

#include "ha/sync/identity.h"
#include "ha/sync/sync_wire.h"

struct sync_recv_config {
	struct sync_access access;
	const struct identity *identity;
	sync_output *output; /* acknowledgements */
	void *output_arg;
	uint32_t max_unbound; /* 0: 16384 */
};

struct sync_recv_status {
	bool complete; /* a whole transfer came, without loss since */
	uint32_t transfers;
	uint64_t position; /* stream and sequence up to which workers have all records */
	uint32_t unbound;  /* connections that wait for their service or server */
	uint64_t records, datagrams, duplicates;
	uint64_t refused;	  /* datagrams: wrong version, length or value */
	uint64_t stale;		  /* datagrams of an ended stream, or outside of the window */
	uint64_t unbound_refused; /* connections without room to wait */
};

struct sync_recv;

/* NULL: no memory. */
struct sync_recv *sync_recv_create(const struct sync_recv_config *config);
void sync_recv_destroy(struct sync_recv *r);

/* The peer has another session: its streams begin anew, and the copy is not complete. Installed
 * connections stay, for the next transfer to confirm. */
void sync_recv_reset(struct sync_recv *r);
/* accept false: this router is, or will be, active, and refuses records. Records that came in order
 * still go to the workers. */
void sync_recv_accept(struct sync_recv *r, bool accept, uint64_t now_ms);

/* A datagram of type DATA. */
void sync_recv_data(struct sync_recv *r, const uint8_t *bytes, size_t len);
/* Gives waiting records to workers, sends acknowledgements, and binds waiting connections whose
 * server is known now. Call after a batch of datagrams and every few ms. */
void sync_recv_poll(struct sync_recv *r, uint64_t now_ms);

/* True: workers have done all operations. Should be true before this router serves VIPs, if time
 * allows. */
bool sync_recv_idle(const struct sync_recv *r);

void sync_recv_status(const struct sync_recv *r, struct sync_recv_status *out);

#endif
