/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_WORKER_SLEEP_H
#define PLVS_DATAPLANE_WORKER_SLEEP_H

/*
 * The sleep of a worker without work. For SPIN_US after its last work a worker polls on, since more
 * work often comes soon: the server's answer, the next packet. Then the worker
 *
 *	sets its word of sleep (wake.h), and arms the interrupts of its receive queues
 *	runs one more round, which sees all earlier work
 *	goes offline to QSBR, and waits in ppoll() for its eventfd, its receive queues (port_wake.c)
 *	and the next tick
 *
 * ppoll() in place of epoll: a socket in the set of an epoll descriptor costs its sender a call for
 * each packet, also while no thread waits. A worker waits for few descriptors.
 *
 * If a receive queue has no wake-up, or the worker waits for an event without one (a next hop, a
 * full port, a full ring), the worker sleeps by the clock: SLEEP_MIN_US for NEAR_MS after its last
 * work, then twice as long each time, at most SLEEP_MAX_US. The same applies to a descriptor that
 * stays readable while the driver has no frames.
 *
 * Worker context.
 */

#include <rte_rcu_qsbr.h>

#include "dataplane/worker.h"

/* The state of a worker's thread between rounds. */
struct worker_sleep {
	uint64_t hz;	    /* of the TSC */
	uint64_t spin_tsc;  /* cycles from the last work to the sleep */
	uint64_t work_tsc;  /* begin of the last round with work */
	uint32_t sleep_us;  /* of the next sleep by the clock */
	uint16_t n_empty;   /* rounds since the last work, up to YIELD_ROUNDS */
	uint16_t n_in_vain; /* times in a row that a queue woke the worker and had no frames */
	bool armed;	    /* the last round was the one after arming */
};

void worker_sleep_init(struct worker_sleep *s, uint64_t hz, uint64_t now_tsc);
/* Call when the loop ends: other threads do not wake this worker any more. */
void worker_sleep_fini(struct worker_sleep *s, struct worker *w);
/* After a round with work, which began at now_tsc. */
void worker_sleep_work(struct worker_sleep *s, struct worker *w, uint64_t now_tsc);
/* After a round without work, which began at now_tsc: rests for a moment, arms, or sleeps, at most
 * until next_tsc. */
void worker_sleep_idle(struct worker_sleep *s, struct worker *w, uint64_t now_tsc,
		       uint64_t next_tsc);

#endif
