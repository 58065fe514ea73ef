/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/loop_stall.h"

#include <string.h>

void late_init(struct late *l, uint64_t period_us, uint64_t now_us)
{
	memset(l, 0, sizeof(*l));
	l->period_us = period_us;
	l->last_us = now_us;
}

bool late_thread_add(struct late *l, const uint64_t *progress, bool on_demand, uint64_t now_us)
{
	if (l->n == LATE_THREADS)
		return false;
	l->threads[l->n++] = (struct late_thread){
		.progress = progress,
		.on_demand = on_demand,
		.seen = __atomic_load_n(progress, __ATOMIC_RELAXED),
		.moved_us = now_us,
	};
	return true;
}

void late_wanted(struct late *l, uint64_t now_us)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct late_thread *w = &l->threads[i];

		if (!w->on_demand || w->wanted)
			continue;
		w->wanted = true;
		w->seen = __atomic_load_n(w->progress, __ATOMIC_RELAXED);
		w->moved_us = now_us;
	}
}

static uint64_t stood_still_us(struct late_thread *w, uint64_t now_us)
{
	uint64_t progress = __atomic_load_n(w->progress, __ATOMIC_RELAXED);

	if (progress != w->seen) {
		w->seen = progress;
		w->moved_us = now_us;
		w->wanted = false;
		return 0;
	}
	return w->on_demand && !w->wanted ? 0 : now_us - w->moved_us;
}

uint64_t late_measure(struct late *l, uint64_t now_us)
{
	uint64_t passed = now_us - l->last_us;
	uint64_t own = passed > l->period_us ? passed - l->period_us : 0, worst = own;

	l->last_us = now_us;
	for (uint32_t i = 0; i < l->n; i++) {
		uint64_t still = stood_still_us(&l->threads[i], now_us);

		/* Since the last look at the earliest: a look is due every period. */
		still = still > l->period_us ? still - l->period_us : 0;
		if (still > worst)
			worst = still;
	}
	if (worst > l->worst_us)
		l->worst_us = worst;
	return worst;
}

uint64_t late_worst(struct late *l)
{
	uint64_t worst = l->worst_us;

	l->worst_us = 0;
	return worst;
}
