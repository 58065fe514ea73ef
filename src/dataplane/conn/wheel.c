/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/wheel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "dataplane/pages.h"

static struct conn *wheel_conn(const struct wheel *w, uint32_t index)
{
	return (struct conn *)((uint8_t *)w->base + (size_t)index * w->stride);
}

int wheel_init(struct wheel *w, void *base, uint32_t stride, uint32_t n_entries, int socket,
	       uint32_t now_tick)
{
	memset(w, 0, sizeof(*w));
	w->heads = pages_alloc(WHEEL_SLOTS * sizeof(uint32_t), socket);
	w->links = pages_alloc(sizeof(*w->links) * (size_t)n_entries, socket);
	w->base = base;
	w->stride = stride;
	w->n_entries = n_entries;
	w->tick = now_tick;
	if (w->heads && w->links)
		return 0;
	wheel_fini(w);
	return -ENOMEM;
}

void wheel_fini(struct wheel *w)
{
	pages_free(w->heads, WHEEL_SLOTS * sizeof(uint32_t));
	pages_free(w->links, sizeof(*w->links) * (size_t)w->n_entries);
	memset(w, 0, sizeof(*w));
}

static void wheel_put(struct wheel *w, struct conn *c, uint32_t index, uint32_t at)
{
	struct entry_link *link = &w->links[index];
	uint32_t *head;

	/* Never in the past, where no turn would come, and less than a turn ahead: the slot
	 * that is being done (w->tick - 1 then) must not get back what was taken from it. */
	if ((int32_t)(at - w->tick) < 0)
		at = w->tick;
	if (at - w->tick > WHEEL_SLOTS - 2)
		at = w->tick + WHEEL_SLOTS - 2;
	c->slot = at % WHEEL_SLOTS;
	head = &w->heads[c->slot];
	link->prev = 0;
	link->next = *head;
	if (link->next)
		w->links[link->next].prev = index;
	*head = index;
}

void wheel_arm(struct wheel *w, struct conn *c, uint32_t index)
{
	wheel_put(w, c, index, c->tick + c->timeout);
}

void wheel_disarm(struct wheel *w, struct conn *c, uint32_t index)
{
	struct entry_link *link = &w->links[index];

	if (link->next)
		w->links[link->next].prev = link->prev;
	if (link->prev)
		w->links[link->prev].next = link->next;
	else if (w->heads[c->slot] == index)
		w->heads[c->slot] = link->next;
	link->next = link->prev = 0;
}

void wheel_shorten(struct wheel *w, struct conn *c, uint32_t index)
{
	/* A slot is less than a turn ahead: its number says which tick is meant. */
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

/* The first of a slot comes out. The links say what follows: the next entry's line was asked
 * for a step before, so that what its own end needs can be asked for now. */
static void wheel_take(struct wheel *w, uint32_t index, wheel_soon *soon, void *ctx)
{
	uint32_t *head = &w->heads[w->tick % WHEEL_SLOTS];
	struct entry_link *link = &w->links[index];
	const struct conn *next;

	*head = link->next;
	link->next = link->prev = 0;
	if (!*head)
		return;
	next = wheel_conn(w, *head);
	w->links[*head].prev = 0;
	__builtin_prefetch(wheel_conn(w, w->links[*head].next), 1);
	if (soon && wheel_ran_out(w, next))
		soon(ctx, next, *head);
}

uint32_t wheel_advance(struct wheel *w, uint32_t now_tick, uint32_t budget, wheel_expire *expire,
		       wheel_visit *visit, wheel_soon *soon, void *ctx)
{
	uint32_t looked = 0;

	/* After a long pause one turn sees every entry. */
	if ((int32_t)(now_tick - w->tick) > WHEEL_SLOTS)
		w->tick = now_tick - WHEEL_SLOTS;
	/* A slot is left only when it is empty: entries put back go to later slots. An entry
	 * due at tick t expires in the round in which now is past t. */
	while ((int32_t)(now_tick - w->tick) > 0) {
		uint32_t *head = &w->heads[w->tick % WHEEL_SLOTS];

		while (*head) {
			uint32_t index = *head;
			struct conn *c = wheel_conn(w, index);

			if (looked++ >= budget)
				return budget;
			wheel_take(w, index, soon, ctx);
			if (!wheel_ran_out(w, c)) {
				if (visit)
					visit(ctx, c, index);
			} else if (!expire(ctx, c, index)) {
				continue;
			}
			/* The slot at hand is done: nothing may be put back into it. */
			w->tick++;
			wheel_arm(w, c, index);
			w->tick--;
		}
		w->tick++;
	}
	return looked;
}
