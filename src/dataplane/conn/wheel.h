/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_WHEEL_H
#define PLVS_DATAPLANE_CONN_WHEEL_H

/*
 * Expiry: one wheel per worker, lazily re-armed. A hit only writes conn.tick; the wheel
 * looks at an entry when its slot comes round and puts it back if it lived on. An entry
 * whose time-out becomes shorter than its place allows is moved at once. Time-outs beyond
 * the wheel's span are looked at once per turn.
 *
 * Families: entries are reached by base + index * stride, struct conn first.
 * Worker context, one owner.
 */

#include <stdint.h>

#include "dataplane/conn/conn.h"

#define WHEEL_SLOTS 8192 /* of one tick: 512 s */

/* Neighbours in a list of entries, by index; 0 is none. An array of its own keeps eight of
 * them in a cache line: entries of one age are neighbours in the table as well. */
struct entry_link {
	uint32_t next, prev;
};

struct wheel {
	uint32_t *heads;	  /* [WHEEL_SLOTS], entry index or 0 */
	struct entry_link *links; /* [n_entries], by entry */
	uint32_t n_entries;
	void *base;
	uint32_t stride;
	uint32_t tick; /* the next tick to be done */
};

/* Called for an entry that has run out. The callback frees the entry and returns 0, or gives the
 * entry more time (sets c->tick or c->timeout) and returns true to have it armed again. */
typedef int wheel_expire(void *ctx, struct conn *c, uint32_t index);
/* Called for an entry that lives on when its turn comes (refresh of peers, next hops). */
typedef void wheel_visit(void *ctx, struct conn *c, uint32_t index);

/* Called for an entry that will run out at the next look: time to prefetch what its end
 * will touch. */
typedef void wheel_soon(void *ctx, const struct conn *c, uint32_t index);

/* n_entries: of the array at base, the unused first one included. 0 or -ENOMEM. */
int wheel_init(struct wheel *w, void *base, uint32_t stride, uint32_t n_entries, int socket,
	       uint32_t now_tick);
void wheel_fini(struct wheel *w);

/* Puts an entry that is in no slot into the one of c->tick + c->timeout. */
void wheel_arm(struct wheel *w, struct conn *c, uint32_t index);
/* Takes it out of its slot. */
void wheel_disarm(struct wheel *w, struct conn *c, uint32_t index);
/* After c->timeout changed: moves it only when it would be looked at too late. */
void wheel_shorten(struct wheel *w, struct conn *c, uint32_t index);

/* Goes on to now_tick, at most `budget` entries a call; returns entries looked at.
 * visit and soon may be NULL. */
uint32_t wheel_advance(struct wheel *w, uint32_t now_tick, uint32_t budget, wheel_expire *expire,
		       wheel_visit *visit, wheel_soon *soon, void *ctx);

#endif
