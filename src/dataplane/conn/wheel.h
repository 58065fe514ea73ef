/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_WHEEL_H
#define PLVS_DATAPLANE_CONN_WHEEL_H

/*
 * Expiry: one wheel per worker, lazily re-armed. A hit only writes conn.tick. The wheel looks at an
 * entry when its slot is due, and arms the entry again if it had traffic. An entry whose time-out
 * becomes too short for its slot is moved at once. Entries with time-outs beyond the wheel's span
 * are looked at once a revolution.
 *
 * A slot is a list of chunks, each a cache line with the indices of up to 15 entries, so that the
 * wheel can prefetch up to 16 entries before it reads the first one. An array has each entry's
 * position. When an entry leaves early, the last entry of the slot takes its position. So all
 * chunks of a slot but the first one are full, and the number of chunks is known at the start.
 *
 * Families: entries are reached by base + index * stride, struct conn first.
 * Worker context, one owner.
 */

#include <stdint.h>

#include "dataplane/conn/conn.h"

#define WHEEL_SLOTS 8192 /* of one tick: 512 s */
#define WHEEL_CHUNK 15	 /* entries */
#define WHEEL_BATCH 16	 /* entries taken out of a slot at once */

struct wheel_chunk {
	uint32_t next; /* chunk, 0: none */
	uint32_t entry[WHEEL_CHUNK];
};
_Static_assert(sizeof(struct wheel_chunk) == 64, "a chunk is one cache line");

struct wheel_slot {
	uint32_t chunk; /* the first one, 0: none */
	uint32_t n;	/* entries in it */
};

struct wheel {
	struct wheel_slot *slots;   /* [WHEEL_SLOTS] */
	struct wheel_chunk *chunks; /* [n_chunks]; 0 is not used */
	/* [n_entries]: chunk * (WHEEL_CHUNK + 1) + place in entry[] + 1; 0: in no slot */
	uint32_t *positions;
	uint32_t n_entries, n_chunks;
	uint32_t chunk_free;   /* head of the chunks given back */
	uint32_t chunk_unused; /* chunks from here on were never used */
	void *base;
	uint32_t stride;
	uint32_t tick; /* the next tick to be processed */
};

/* Called for an entry whose time-out is over. The callback frees the entry and returns 0, or gives
 * the entry more time (sets c->tick or c->timeout) and returns true to have it armed again. The
 * callback frees no other entry of the wheel. */
typedef int wheel_expire(void *ctx, struct conn *c, uint32_t index);
/* Called for an entry that lives on when its slot is due (refresh of peers, next hops). */
typedef void wheel_visit(void *ctx, struct conn *c, uint32_t index);

/* Called for entries that will expire soon, at most WHEEL_BATCH, to prefetch the memory that their
 * ends touch. */
typedef void wheel_soon(void *ctx, const uint32_t *index, uint32_t n);

/* n_entries: of the array at base, the unused first one included. 0 or -ENOMEM. */
int wheel_init(struct wheel *w, void *base, uint32_t stride, uint32_t n_entries, int socket,
	       uint32_t now_tick);
void wheel_fini(struct wheel *w);

/* Puts an entry that is in no slot into the slot of c->tick + c->timeout. */
void wheel_arm(struct wheel *w, struct conn *c, uint32_t index);
/* Removes the entry from its slot, if it is in one. */
void wheel_disarm(struct wheel *w, struct conn *c, uint32_t index);
/* After a change of c->timeout: moves the entry if its slot would be too late. */
void wheel_shorten(struct wheel *w, struct conn *c, uint32_t index);

/* Advances to now_tick, by at most `budget` entries a call. Returns the number of entries looked
 * at. visit and soon may be NULL. */
uint32_t wheel_advance(struct wheel *w, uint32_t now_tick, uint32_t budget, wheel_expire *expire,
		       wheel_visit *visit, wheel_soon *soon, void *ctx);

#endif
