/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_WIRE_BULK_H
#define PLVS_HA_WIRE_BULK_H

/*
 * A block of bytes from one router to the other (a configuration, its plan): whole and once,
 * over datagrams that may be lost, doubled or reordered. Each way carries a block at a time.
 *
 * The receiver keeps the chunks and acknowledges up to the first missing one; after a silence the
 * sender sends its window again from there. The caller checks that datagrams are authentic and
 * fresh (HA_TYPE_BULK, a channel of freshness.h). No function reads a clock. Context: ha thread,
 * tests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ha/wire/ha_wire.h"

#define BULK_MAX_BYTES	(64U << 20)
#define BULK_HEADER	16
#define BULK_CHUNK	(HA_PAYLOAD_MAX - BULK_HEADER)
#define BULK_WINDOW	64    /* chunks under way */
#define BULK_RESEND_MS	100   /* without progress */
#define BULK_GIVE_UP_MS 10000 /* the same */

enum bulk_kind {
	BULK_REQUEST = 1,
	BULK_ANSWER = 2, /* its id is the request's */
};

struct bulk_send {
	uint8_t *bytes; /* owned; NULL: idle */
	uint32_t len, id;
	uint8_t kind;
	uint32_t acked, next; /* bytes */
	uint64_t progress_ms, sent_ms;
};

struct bulk_receive {
	uint8_t *bytes;		/* NULL: idle */
	uint8_t *chunks;	/* a byte for each chunk: received */
	uint32_t len, id, have; /* have: bytes without a gap */
	uint8_t kind;
	uint64_t progress_ms;
	/* The last complete block, whose acknowledgement may have been lost. */
	uint32_t done_id, done_len;
	uint8_t done_kind;
};

struct bulk {
	struct bulk_send out;
	struct bulk_receive in;
	uint32_t last_id;
	/* Sends a datagram. Errors count as losses. */
	void (*send)(void *arg, const void *payload, size_t len);
	/* A block came; bytes are borrowed. */
	void (*received)(void *arg, enum bulk_kind kind, uint32_t id, const uint8_t *bytes,
			 size_t len);
	/* The block under way has arrived (rc 0), or not (-ETIMEDOUT, -ECONNRESET). */
	void (*sent)(void *arg, enum bulk_kind kind, uint32_t id, int rc);
	void *arg;
};

/* Copies bytes. id 0: a new one. Returns the id (> 0), or -EBUSY, -EMSGSIZE, -ENOMEM. */
int64_t bulk_start(struct bulk *b, enum bulk_kind kind, uint32_t id, const void *bytes, size_t len,
		   uint64_t now_ms);
/* A payload that came. 0, or -EBADMSG. */
int bulk_receive(struct bulk *b, const uint8_t *payload, size_t len, uint64_t now_ms);
/* Sends, resends, gives up. Call it every 10 ms or so while bulk_busy(). */
void bulk_tick(struct bulk *b, uint64_t now_ms);
static inline bool bulk_busy(const struct bulk *b)
{
	return b->out.bytes || b->in.bytes;
}
/* Another session of the peer: drops the blocks under way. */
void bulk_reset(struct bulk *b);
void bulk_fini(struct bulk *b);

#endif
