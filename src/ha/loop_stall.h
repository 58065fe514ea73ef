/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_LOOP_STALL_H
#define PLVS_HA_LOOP_STALL_H

/*
 * Listening time: silence of the peer counts only while we were listening. Tells how late the
 * ha loop was (a timer that fires late: SIGSTOP, a stall, a paused machine), and how long a
 * thread on the way of heartbeats (receiving workers, the link thread) stood still.
 *
 * Pure. Context: one thread, the ha thread. Times in microseconds, monotonic. (A machine that
 * is suspended stops CLOCK_MONOTONIC: use CLOCK_BOOTTIME, so that it shows as lateness.)
 */

#include <stdbool.h>
#include <stdint.h>

#define LATE_THREADS 72 /* workers and the link thread */

struct late_thread {
	const uint64_t *progress; /* counts rounds; relaxed loads */
	bool on_demand;		  /* stands still rightly when nobody wants anything of it */
	bool wanted;
	uint64_t seen;
	uint64_t moved_us; /* when it was last seen to move, or began to be wanted */
};

struct late {
	uint64_t period_us; /* of the loop's timer */
	uint64_t last_us;
	uint64_t worst_us; /* of all since late_worst() */
	uint32_t n;
	struct late_thread threads[LATE_THREADS];
};

void late_init(struct late *l, uint64_t period_us, uint64_t now_us);
/* A worker, or a thread that only works when asked. Beyond LATE_THREADS: false. */
bool late_thread_add(struct late *l, const uint64_t *progress, bool on_demand, uint64_t now_us);
/* Something was handed to the threads that work on demand (a heartbeat was sent). */
void late_wanted(struct late *l, uint64_t now_us);

/* At each firing of the loop's timer, first of all: the largest of the loop's own lateness and
 * the longest standstill of an added thread, in microseconds. More than a keepalive: what
 * came meanwhile is drained and deadtime starts again. */
uint64_t late_measure(struct late *l, uint64_t now_us);
/* The worst since it was asked last, for status and metrics. */
uint64_t late_worst(struct late *l);

#endif
