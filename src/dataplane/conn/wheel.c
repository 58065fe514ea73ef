/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/wheel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/pages.h"

#define PER_ROW (WHEEL_CHUNK + 1)

static struct conn *wheel_conn(const struct wheel *w, uint32_t index)
{
	return (struct conn *)((uint8_t *)w->base + (size_t)index * w->stride);
}

static size_t slots_bytes(void)
{
	return WHEEL_SLOTS * sizeof(struct wheel_slot);
}

static size_t chunks_bytes(const struct wheel *w)
{
	return w->n_chunks * sizeof(struct wheel_chunk);
}

static size_t positions_bytes(const struct wheel *w)
{
	return w->n_entries * sizeof(uint32_t);
}

int wheel_init(struct wheel *w, void *base, uint32_t stride, uint32_t n_entries, int socket,
	       uint32_t now_tick)
{
	memset(w, 0, sizeof(*w));
	w->n_entries = n_entries;
	/* Full ones, one of each slot that is not, and the one that is not used. */
	w->n_chunks = n_entries / WHEEL_CHUNK + WHEEL_SLOTS + 1;
	w->chunk_unused = 1;
	w->slots = pages_alloc(slots_bytes(), socket);
	w->chunks = pages_alloc(chunks_bytes(w), socket);
	w->positions = pages_alloc(positions_bytes(w), socket);
	w->base = base;
	w->stride = stride;
	w->tick = now_tick;
	if (w->slots && w->chunks && w->positions)
		return 0;
	wheel_fini(w);
	return -ENOMEM;
}

void wheel_fini(struct wheel *w)
{
	pages_free(w->slots, slots_bytes());
	pages_free(w->chunks, chunks_bytes(w));
	pages_free(w->positions, positions_bytes(w));
	memset(w, 0, sizeof(*w));
}

/* ---- chunks ---- */

static uint32_t chunk_take(struct wheel *w)
{
	const uint32_t chunk = w->chunk_free;

	if (!chunk)
		return w->chunk_unused++;
	w->chunk_free = w->chunks[chunk].next;
	return chunk;
}

/* The last entry of a slot is gone from its chunk. */
static void slot_drop_last(struct wheel *w, struct wheel_slot *s)
{
	const uint32_t chunk = s->chunk;

	if (--s->n != 0)
		return;
	s->chunk = w->chunks[chunk].next;
	s->n = s->chunk ? WHEEL_CHUNK : 0;
	w->chunks[chunk].next = w->chunk_free;
	w->chunk_free = chunk;
}

static void slot_add(struct wheel *w, struct wheel_slot *s, uint32_t index)
{
	if (s->n == WHEEL_CHUNK || !s->chunk) {
		const uint32_t chunk = chunk_take(w);

		w->chunks[chunk].next = s->chunk;
		*s = (struct wheel_slot){.chunk = chunk};
	}
	w->chunks[s->chunk].entry[s->n++] = index;
	w->positions[index] = s->chunk * PER_ROW + s->n;
}

/* ---- entries ---- */

/* earliest: the first tick whose slot may still get entries. */
static void wheel_put(struct wheel *w, struct conn *c, uint32_t index, uint32_t earliest)
{
	uint32_t at = c->tick + c->timeout;

	/* Never in the past, where no revolution would come, and less than a revolution ahead. */
	if ((int32_t)(at - earliest) < 0)
		at = earliest;
	if (at - earliest > WHEEL_SLOTS - 2)
		at = earliest + WHEEL_SLOTS - 2;
	c->slot = at % WHEEL_SLOTS;
	slot_add(w, &w->slots[c->slot], index);
}

void wheel_arm(struct wheel *w, struct conn *c, uint32_t index)
{
	wheel_put(w, c, index, w->tick);
}

void wheel_disarm(struct wheel *w, struct conn *c, uint32_t index)
{
	const uint32_t position = w->positions[index];
	struct wheel_slot *s = &w->slots[c->slot];
	uint32_t last;

	if (!position)
		return;
	last = w->chunks[s->chunk].entry[s->n - 1];
	w->chunks[position / PER_ROW].entry[position % PER_ROW - 1] = last;
	w->positions[last] = position;
	w->positions[index] = 0;
	slot_drop_last(w, s);
}

void wheel_shorten(struct wheel *w, struct conn *c, uint32_t index)
{
	/* A slot is less than a revolution ahead: its number says which tick is meant. */
	const uint32_t armed = w->tick + ((c->slot - w->tick) % WHEEL_SLOTS);

	if ((int32_t)(armed - (c->tick + c->timeout)) <= 0)
		return;
	wheel_disarm(w, c, index);
	wheel_arm(w, c, index);
}

static bool wheel_ran_out(const struct wheel *w, const struct conn *c)
{
	return (int32_t)(c->tick + c->timeout - w->tick) <= 0;
}

static void entry_prefetch(const struct wheel *w, uint32_t index)
{
	const struct conn *c = wheel_conn(w, index);

	__builtin_prefetch(c, 1);
	if (w->stride > 64) /* IPv6: the keys */
		__builtin_prefetch((const uint8_t *)c + 64);
}

/* Takes up to n entries out of a slot, last ones first, and prefetches them and the next chunk.
 * Returns their number. */
static uint32_t slot_take(struct wheel *w, struct wheel_slot *s, uint32_t *taken, uint32_t n)
{
	uint32_t k = 0;

	__builtin_prefetch(&w->chunks[w->chunks[s->chunk].next]);
	for (; k < n && s->chunk; k++) {
		const uint32_t index = w->chunks[s->chunk].entry[s->n - 1];

		entry_prefetch(w, index);
		w->positions[index] = 0;
		taken[k] = index;
		slot_drop_last(w, s);
	}
	return k;
}

static void entries_soon(const struct wheel *w, const uint32_t *taken, uint32_t n, wheel_soon *soon,
			 void *ctx)
{
	uint32_t ends[WHEEL_BATCH], k = 0;

	for (uint32_t i = 0; i < n; i++)
		if (wheel_ran_out(w, wheel_conn(w, taken[i])))
			ends[k++] = taken[i];
	if (k)
		soon(ctx, ends, k);
}

static void entry_look(struct wheel *w, uint32_t index, wheel_expire *expire, wheel_visit *visit,
		       void *ctx)
{
	struct conn *c = wheel_conn(w, index);

	if (!wheel_ran_out(w, c)) {
		if (visit)
			visit(ctx, c, index);
	} else if (!expire(ctx, c, index)) {
		return;
	}
	/* The slot at hand is done: nothing may be put back into it. */
	wheel_put(w, c, index, w->tick + 1);
}

uint32_t wheel_advance(struct wheel *w, uint32_t now_tick, uint32_t budget, wheel_expire *expire,
		       wheel_visit *visit, wheel_soon *soon, void *ctx)
{
	uint32_t looked = 0, taken[WHEEL_BATCH];

	/* After a long pause one revolution sees every entry. */
	if ((int32_t)(now_tick - w->tick) > WHEEL_SLOTS)
		w->tick = now_tick - WHEEL_SLOTS;
	/* A slot is left only when it is empty: entries put back go to later slots. An entry
	 * due at tick t expires in the round in which now is past t. */
	while ((int32_t)(now_tick - w->tick) > 0) {
		struct wheel_slot *s = &w->slots[w->tick % WHEEL_SLOTS];

		while (s->chunk) {
			const uint32_t left = budget - looked;
			const uint32_t room = left < WHEEL_BATCH ? left : WHEEL_BATCH;
			const uint32_t n = slot_take(w, s, taken, room);

			if (n == 0)
				return budget;
			if (soon)
				entries_soon(w, taken, n, soon, ctx);
			for (uint32_t i = 0; i < n; i++)
				entry_look(w, taken[i], expire, visit, ctx);
			looked += n;
		}
		w->tick++;
	}
	return looked;
}
