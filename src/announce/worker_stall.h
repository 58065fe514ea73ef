/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ANNOUNCE_WORKER_STALL_H
#define PLVS_ANNOUNCE_WORKER_STALL_H

/*
 * Detection of stuck workers. A worker counts its rounds and is woken before each look, so a worker
 * whose count stands still for limit_us does not run. Only time between punctual looks counts:
 * after a late look (a paused machine, a stopped process) each worker gets that time in addition.
 *
 * Pure. Context: one thread. Times in microseconds, monotonic.
 */

#include <stdint.h>

#include "model/limits.h"

struct worker_stall {
	uint64_t period_us; /* between two looks */
	uint64_t limit_us;  /* 0: no worker counts as stuck */
	uint64_t last_us;
	uint16_t n;
	struct {
		const uint64_t *progress; /* relaxed loads */
		uint64_t seen, moved_us;
	} worker[MAX_WORKERS];
};

#define WORKER_STALL_NONE (-1)

void worker_stall_init(struct worker_stall *w, const uint64_t *const *progress, uint16_t n,
		       uint64_t period_us, uint64_t limit_us, uint64_t now_us);
/* Looks at all workers. The worker that has stood still the longest, if for limit_us or more, with
 * the time in *still_us; else WORKER_STALL_NONE. */
int worker_stall_look(struct worker_stall *w, uint64_t now_us, uint64_t *still_us);

#endif
