/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_SEND_H
#define PLVS_HA_SYNC_SYNC_SEND_H

/*
 * The active router's half of synchronisation: makes records of workers' events, fills datagrams
 * with them, and repeats datagrams until they are acknowledged.
 *
 *	        start                  all workers walked,
 *	  OFF ---------> TRANSFER --- COMPLETE acknowledged ---> STEADY
 *	   ^                 ^  \                                  /
 *	   | stop            |   `---- events lost -----.---------'
 *	 (any)               `-- after a while -- BEHIND
 *
 * The sender is bounded: SYNC_WINDOW datagrams under way, bytes_per_s over all. When the peer or
 * the rate cannot follow, the workers' rings fill, and events that find a ring full are lost. Then
 * the sender sheds all waiting events, tells the peer that its copy is behind, and begins a
 * transfer anew after a pause: 1 s at first, twice the last pause at each further loss, 30 s at
 * most.
 *
 * No socket, no clock: now_ms comes with each call and never goes back. Context: the ha thread.
 */

#include "ha/sync/identity.h"
#include "ha/sync/sync_wire.h"

enum sync_send_state {
	SYNC_SEND_OFF,
	SYNC_SEND_TRANSFER,
	SYNC_SEND_STEADY,
	SYNC_SEND_BEHIND,
};

struct sync_send_config {
	struct sync_access access;
	const struct identity *identity;
	sync_output *output;
	void *output_arg;
	uint32_t bytes_per_s; /* 0: no limit */
	uint8_t peer_version; /* SYNC_VERSION of the peer, as far as is known */
};

struct sync_send_status {
	enum sync_send_state state;
	bool synchronised; /* STEADY: the peer has all but datagrams under way */
	bool behind;	   /* changes were shed, and no transfer was complete since */
	uint32_t transfers, sheds;
	uint32_t under_way; /* datagrams */
	uint64_t position;  /* stream and sequence of the next: only grows */
	uint64_t records, datagrams, repeated, bytes;
	uint64_t unknown; /* events of unknown servers */
	uint64_t acks_refused;
	uint64_t unreadable; /* records withheld: the peer's release cannot read them */
};

struct sync_send;

/* NULL: no memory. */
struct sync_send *sync_send_create(const struct sync_send_config *config);
void sync_send_destroy(struct sync_send *s);
/* The version that the peer reads. Records of newer versions are withheld and counted; when the
 * peer learns to read them, a transfer begins. */
void sync_send_peer(struct sync_send *s, uint8_t version);

/* Begins a transfer to a peer that takes records; again: from the start. SYNC_EMIT is set
 * before. */
void sync_send_start(struct sync_send *s, uint64_t now_ms);
void sync_send_stop(struct sync_send *s);
/* A datagram of type ACK. */
void sync_send_ack(struct sync_send *s, const uint8_t *bytes, size_t len, uint64_t now_ms);
/* Takes events, sends and repeats datagrams. Returns milliseconds until the next call: call every
 * few ms while there is a peer, and after acknowledgements. */
uint32_t sync_send_poll(struct sync_send *s, uint64_t now_ms);

/* Sends the peer all reports up to now. Returns a number for _flushed(). */
uint32_t sync_send_flush(struct sync_send *s);
/* True: the peer has acknowledged them, in a complete table. */
bool sync_send_flushed(const struct sync_send *s, uint32_t flush);

void sync_send_status(const struct sync_send *s, struct sync_send_status *out);

#endif
