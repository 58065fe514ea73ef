/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_LOOP_STALL_H
#define PLVS_HA_LOOP_STALL_H

/*
 * Listening time: silence of the peer counts only while this router listened. The functions measure
 * the lateness of the ha loop (a timer that fires late: SIGSTOP, a stall, a paused machine), and
 * standstills of threads on the way of heartbeats (receiving workers, the link thread).
 *
 * Pure. Context: one thread, the ha thread. Times in microseconds, monotonic. (CLOCK_MONOTONIC
 * stops while a machine is suspended: use CLOCK_BOOTTIME, so that a suspension shows as lateness.)
 */

#include <stdbool.h>
#include <stdint.h>

#define LATE_THREADS 72 /* workers and the link thread */

struct late_thread {
	const uint64_t *progress; /* counts rounds; relaxed loads */
	bool on_demand;		  /* may stand still without work */
	bool wanted;
	uint64_t seen;
	uint64_t moved_us; /* time of the last seen round, or at which work was given */
};

struct late {
	uint64_t period_us; /* of the loop's timer */
	uint64_t last_us;
	uint64_t worst_us; /* the worst since late_worst() */
	uint32_t n;
	struct late_thread threads[LATE_THREADS];
};

void late_init(struct late *l, uint64_t period_us, uint64_t now_us);
/* Adds a worker, or a thread that works on demand. False: there are LATE_THREADS. */
bool late_thread_add(struct late *l, const uint64_t *progress, bool on_demand, uint64_t now_us);
/* Work was given to the threads on demand (a heartbeat was sent). */
void late_wanted(struct late *l, uint64_t now_us);

/* Call first at each firing of the loop's timer. Returns the larger of the loop's lateness and the
 * longest standstill of an added thread, in microseconds. If more than a keepalive, the caller
 * drains waiting messages, and deadtime starts again. */
uint64_t late_measure(struct late *l, uint64_t now_us);
/* The worst since the last call, for status and metrics. */
uint64_t late_worst(struct late *l);

#endif
