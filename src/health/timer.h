/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_TIMER_H
#define PLVS_HEALTH_TIMER_H

/*
 * Timers on a clock that the caller gives: a heap of pointers, so that adding, deleting and moving
 * cost log2 of the number of armed timers. A single event of the loop serves all timers. Context:
 * control.
 */

#include <stdbool.h>
#include <stdint.h>

struct timer {
	uint64_t at_us;
	uint32_t place; /* in the heap, from 1; 0 = not armed */
	void (*fire)(struct timer *t, uint64_t now_us);
};

struct timers {
	struct timer **heap; /* [1..n] */
	uint32_t n, room;
};

void timers_fini(struct timers *q);
/* Makes room for n more armed timers, so that timer_arm() cannot fail. 0 or -ENOMEM. */
int timers_reserve(struct timers *q, uint32_t n);
/* Arms or moves a timer. -ENOMEM only for a timer that is not armed and has no reserved room. */
int timer_arm(struct timers *q, struct timer *t, uint64_t at_us);
void timer_disarm(struct timers *q, struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
	return t->place != 0;
}
/* UINT64_MAX: none is armed. */
uint64_t timers_next(const struct timers *q);
/* Takes the earliest if it is due, disarmed; else NULL. The caller fires it. */
struct timer *timers_due(struct timers *q, uint64_t now_us);

#endif
