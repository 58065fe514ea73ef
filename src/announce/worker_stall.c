/* SPDX-License-Identifier: BSD-3-Clause */
#include "announce/worker_stall.h"

#include <string.h>

void worker_stall_init(struct worker_stall *w, const uint64_t *const *progress, uint16_t n,
		       uint64_t period_us, uint64_t limit_us, uint64_t now_us)
{
	memset(w, 0, sizeof(*w));
	w->period_us = period_us;
	w->limit_us = limit_us;
	w->last_us = now_us;
	w->n = n < MAX_WORKERS ? n : MAX_WORKERS;
	for (uint16_t i = 0; i < w->n; i++) {
		w->worker[i].progress = progress[i];
		w->worker[i].seen = __atomic_load_n(progress[i], __ATOMIC_RELAXED);
		w->worker[i].moved_us = now_us;
	}
}

int worker_stall_look(struct worker_stall *w, uint64_t now_us, uint64_t *still_us)
{
	const uint64_t passed = now_us - w->last_us;
	const uint64_t missed = passed > 2 * w->period_us ? passed - w->period_us : 0;
	int stuck = WORKER_STALL_NONE;
	uint64_t worst = 0;

	w->last_us = now_us;
	for (uint16_t i = 0; i < w->n; i++) {
		const uint64_t now = __atomic_load_n(w->worker[i].progress, __ATOMIC_RELAXED);

		if (now != w->worker[i].seen) {
			w->worker[i].seen = now;
			w->worker[i].moved_us = now_us;
			continue;
		}
		w->worker[i].moved_us += missed;
		if (now_us - w->worker[i].moved_us > worst) {
			worst = now_us - w->worker[i].moved_us;
			stuck = i;
		}
	}
	*still_us = worst;
	return w->limit_us && worst >= w->limit_us ? stuck : WORKER_STALL_NONE;
}
