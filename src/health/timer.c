/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/timer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void timers_fini(struct timers *q)
{
	free(q->heap);
	*q = (struct timers){0};
}

int timers_reserve(struct timers *q, uint32_t n)
{
	return array_reserve(&q->heap, (uint64_t)q->n + n + 1, &q->room, sizeof(*q->heap));
}

static void put(struct timers *q, uint32_t place, struct timer *t)
{
	q->heap[place] = t;
	t->place = place;
}

static void sift(struct timers *q, uint32_t i, struct timer *t)
{
	for (; i > 1 && q->heap[i / 2]->at_us > t->at_us; i /= 2)
		put(q, i, q->heap[i / 2]);
	for (;;) {
		uint32_t child = 2 * i;

		if (child > q->n)
			break;
		if (child < q->n && q->heap[child + 1]->at_us < q->heap[child]->at_us)
			child++;
		if (q->heap[child]->at_us >= t->at_us)
			break;
		put(q, i, q->heap[child]);
		i = child;
	}
	put(q, i, t);
}

int timer_arm(struct timers *q, struct timer *t, uint64_t at_us)
{
	if (!timer_armed(t)) {
		int err = timers_reserve(q, 1);

		if (err)
			return err;
		q->n++;
		t->place = q->n;
		q->heap[t->place] = t;
	}
	t->at_us = at_us;
	sift(q, t->place, t);
	return 0;
}

void timer_disarm(struct timers *q, struct timer *t)
{
	uint32_t place = t->place;
	struct timer *last;

	if (place == 0)
		return;
	t->place = 0;
	last = q->heap[q->n--];
	if (last != t)
		sift(q, place, last);
}

uint64_t timers_next(const struct timers *q)
{
	return q->n ? q->heap[1]->at_us : UINT64_MAX;
}

struct timer *timers_due(struct timers *q, uint64_t now_us)
{
	struct timer *t;

	if (q->n == 0 || q->heap[1]->at_us > now_us)
		return NULL;
	t = q->heap[1];
	timer_disarm(q, t);
	return t;
}
