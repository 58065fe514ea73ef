/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ANNOUNCE_WORKER_STALL_H
#define PLVS_ANNOUNCE_WORKER_STALL_H

/*
 * Whether workers are stuck. A worker counts its rounds, and is woken before each look, so that one
 * whose count stands still for limit_us does not run. Time counts only while this was looked at:
 * a look that comes late (a machine that was paused, a process that was stopped) gives each worker
 * the time between the looks.
 *
 * Pure. Context: one thread. Times in microseconds, monotonic.
 */

#include <stdint.h>

#include "model/limits.h"

struct worker_stall {
	uint64_t period_us; /* between two looks */
	uint64_t limit_us;  /* 0: nobody is ever stuck */
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
/* A look: the worker that has stood still the longest, if for limit_us or more; its time in
 * *still_us. Else WORKER_STALL_NONE. */
int worker_stall_look(struct worker_stall *w, uint64_t now_us, uint64_t *still_us);

#endif
