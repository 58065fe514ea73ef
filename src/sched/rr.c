/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Round robin: the next eligible server after the one chosen last, in list order.
 * Cursor: the place of that one, from 1; 0 = the head. The choice of the last server is
 * kept when nobody is eligible. Deleting the server chosen last steps to its predecessor.
 *
 * Workers share the cursor, and a write to it takes its cache line away from the others. So one of
 * several workers takes the turns of a burst at once: the next eligible servers of the list, each
 * at most once. The need is that of the worker's burst before; if more are needed, as many again as
 * the burst has had. Turns that the burst does not need are the worker's first ones in its next
 * burst. So each turn is used, and a server waits for at most one turn of each worker: it is within
 * W of the run with one worker. A new node of the service begins without such turns.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/aligned.h"
#include "sched/ops.h"
#include "sched/order.h"

#define TURNS_MAX 32

/* Of one worker, which alone reads and writes the struct while the node is published. Lines of its
 * own: processors fetch lines in pairs. */
struct turns {
	_Alignas(128) uint32_t burst; /* of the last choice */
	uint32_t choices;	      /* in that burst */
	uint32_t before;	      /* in the burst before */
	uint32_t next, n;
	uint16_t place[TURNS_MAX];
};

/* sched_data of a node. */
struct rounds {
	struct order_map *map;
	uint32_t n_workers; /* with turns; 0: there is one worker */
	struct turns turns[];
};

_Static_assert(sizeof(struct rounds) + sizeof(struct turns) <= SCHED_COPY_MAX, "a copy has room");

static int rr_build(struct service *svc, const struct service *old)
{
	const uint32_t n_workers = svc->n_workers > 1 ? svc->n_workers : 0;
	const size_t size = sizeof(struct rounds) + n_workers * sizeof(struct turns);
	struct rounds *r = aligned_get(_Alignof(struct rounds), size);

	if (r == NULL)
		return -ENOMEM;
	memset(r, 0, size);
	r->n_workers = n_workers;
	r->map = order_map_create(svc, old);
	if (r->map == NULL) {
		aligned_put(r);
		return -ENOMEM;
	}
	svc->sched_data = r;
	return 0;
}

static void rr_destroy(struct service *svc)
{
	struct rounds *r = svc->sched_data;

	free(r->map);
	aligned_put(r);
}

static uint64_t rr_adapt(const struct service *svc, uint64_t cursor)
{
	const struct rounds *r = svc->sched_data;

	return order_map_place(r->map, cursor);
}

void rr_copy(struct service *to, const struct service *from, const struct sched_worker *w,
	     void *room)
{
	const struct rounds *r = from->sched_data;
	struct rounds *copy = room;

	*copy = (struct rounds){.map = r->map, .n_workers = w->id < r->n_workers};
	if (copy->n_workers)
		copy->turns[0] = r->turns[w->id];
	to->sched_data = copy;
}

/* The next eligible servers from the place `last` on, at most `most`. Returns their number. */
static uint32_t rr_next(const struct service *svc, uint64_t last, uint16_t *place, uint32_t most)
{
	uint32_t n = svc->n_servers, found = 0;
	uint32_t i = last < n ? (uint32_t)last : 0;

	for (uint32_t left = n; left > 0 && found < most; left--) {
		if (server_eligible(&svc->servers[i]))
			place[found++] = (uint16_t)i;
		i = i + 1 < n ? i + 1 : 0;
	}
	return found;
}

/* Takes at most `most` turns. Returns their number, 0: no server is eligible. */
static uint32_t turns_take(const struct service *svc, uint16_t *place, uint32_t most)
{
	for (;;) {
		uint64_t seen;
		bool store;
		uint64_t cursor = sched_cursor_get(svc, &seen, &store);
		uint32_t n = rr_next(svc, cursor, place, store ? most : 1);

		if (n == 0 || !store || sched_cursor_move(svc, seen, place[n - 1] + 1ULL))
			return n;
	}
}

/* The turns that the rest of the burst is likely to need. */
static uint32_t turns_wanted(const struct turns *t)
{
	const uint32_t wanted =
		t->before > t->choices + t->choices ? t->before - t->choices : t->choices;

	if (t->burst == 0 || wanted == 0)
		return 1;
	return wanted < TURNS_MAX ? wanted : TURNS_MAX;
}

static int turn_of(const struct service *svc, const struct sched_worker *w, struct turns *t)
{
	uint32_t wanted;

	if (w->burst != t->burst) {
		t->burst = w->burst;
		t->before = t->choices;
		t->choices = 0;
	}
	wanted = turns_wanted(t);
	t->choices++;
	while (t->next < t->n) {
		const uint32_t i = t->place[t->next++];

		if (server_eligible(&svc->servers[i]))
			return (int)i;
	}
	t->next = 1;
	t->n = turns_take(svc, t->place, wanted);
	return t->n != 0 ? t->place[0] : SCHED_NONE;
}

static int rr_choose(const struct service *svc, const struct sched_request *req)
{
	struct rounds *r = svc->sched_data;
	const struct sched_worker *w = req != NULL ? req->worker : NULL;
	uint16_t place;

	if (w != NULL && w->id < r->n_workers)
		return turn_of(svc, w, &r->turns[w->id]);
	return turns_take(svc, &place, 1) != 0 ? place : SCHED_NONE;
}

const struct sched_ops sched_rr = {
	.name = "rr",
	.build = rr_build,
	.destroy = rr_destroy,
	.adapt = rr_adapt,
	.choose = rr_choose,
};
