/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_STREAM_H
#define PLVS_HA_SYNC_STREAM_H

/*
 * Internals of the sender of synchronisation: its state, and the stream of numbered datagrams to
 * the peer. sync_send.c turns events of workers into records of the stream. sync_ack.c takes the
 * peer's acknowledgements. No function of the two files allocates, and all are of the ha thread.
 */

#include "ha/sync/sync_record.h"
#include "ha/sync/sync_send.h"

#define EVENTS_STEP 64
#define RTO_MAX_MS  1000

/* A datagram under way. */
struct sent {
	uint64_t at_ms;
	uint16_t len;
	uint8_t tries;
	bool acked;
	uint8_t bytes[SYNC_DATAGRAM_BYTES];
};

struct sync_send {
	struct sync_send_config c;
	struct sync_send_status status;
	/* --- the stream --- */
	uint32_t stream;
	uint32_t first, next; /* under way: first <= seq < next */
	struct sent sent[SYNC_WINDOW];
	struct sent *open; /* being filled: sent[next], not counted as under way; or NULL */
	uint16_t open_records;
	/* Events taken from the rings, for which there is no room yet. */
	struct sync_event held[EVENTS_STEP];
	uint32_t held_at, n_held;
	/* --- transfer --- */
	uint8_t gen;
	uint32_t token;
	uint16_t walking; /* workers whose walk has not ended */
	bool walk_told, complete_sent;
	bool marker_due;       /* BEGIN is to be written first */
	bool withheld;	       /* records were withheld that the peer cannot read */
	bool behind_due;       /* BEHIND, as soon as the rate allows */
	uint32_t complete_seq; /* where COMPLETE stands */
	/* --- flush --- */
	uint32_t flush_wanted; /* number of the last requested flush */
	uint32_t flush_token;
	uint16_t flushing; /* workers that have not answered */
	bool flush_told, flush_known;
	uint32_t flush_seq, flush_done;
	/* --- loss and rate --- */
	uint64_t lost_seen;
	uint64_t retry_at_ms, lost_at_ms;
	uint32_t pause_ms;
	int64_t tokens;
	uint64_t refilled_ms;
	uint32_t srtt_ms;  /* 0: not known */
	uint32_t backward; /* old acknowledgements in a row */
};

/* The datagram under way, or to be filled, with a sequence number. */
struct sent *stream_sent(struct sync_send *s, uint32_t seq);
/* Adds to the rate's tokens for the time since the last call. */
void stream_refill(struct sync_send *s, uint64_t now_ms);
/* The rate allows another datagram. */
bool stream_may_send(const struct sync_send *s);
/* Sends a datagram, for the first time or again. */
void stream_put_out(struct sync_send *s, struct sent *d, uint64_t now_ms);
/* Sends the datagram that is being filled, if there is one. */
void stream_close(struct sync_send *s, uint64_t now_ms);
/* Adds a record to the stream. False: the window or the rate is used up. */
bool stream_record_put(struct sync_send *s, const struct sync_record *r, uint64_t now_ms);
bool stream_marker_put(struct sync_send *s, enum sync_record_kind kind, uint64_t now_ms);
/* Begins another stream; nothing is under way in it. */
void stream_begin(struct sync_send *s);
/* Begins another stream with a transfer of all connections. */
void stream_transfer_begin(struct sync_send *s);
/* The time after which a datagram is repeated, in ms. */
uint32_t stream_rto_ms(const struct sync_send *s, const struct sent *d);

/* sync_ack.c: ends the transfer and the flush whose last datagram is acknowledged. */
void ack_progress(struct sync_send *s);

#endif
