/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_WAKE_H
#define PLVS_MODEL_WAKE_H

/*
 * The wake-up of a worker that sleeps. Producers (other workers, link, ha, control) put work on a
 * ring or behind a pointer, and the worker looks there in each round. A system call for each piece
 * of work would be dear, so producers write an eventfd only while the worker sleeps or is about to
 * sleep:
 *
 *	worker				producer
 *	wake_begin: asleep = 1		puts the work
 *	full fence			wake_up: full fence
 *	looks for work once more	asleep? then asleep = 0, writes the eventfd
 *	none: waits for the eventfd
 *	wake_end: asleep = 0
 *
 * Either of the two fences comes first. So either the worker sees the work or the producer sees
 * asleep, and no wake-up is lost. Among several producers, one writes. An eventfd written late,
 * after the worker woke for another reason, ends the worker's next sleep early.
 */

#include <stdbool.h>
#include <stdint.h>

#define WAKE_LINE 64 /* bytes of a cache line */

/* A line of its own: producers read the word whenever they have put work. */
struct wake {
	uint8_t before[WAKE_LINE];
	uint32_t asleep; /* the worker: rw, producers: 1 to 0 */
	int fd;		 /* eventfd, non-blocking; -1: nobody sleeps. Set before workers start */
	uint8_t after[WAKE_LINE - sizeof(uint32_t) - sizeof(int)];
};

/* 0 or -errno. Control. */
int wake_init(struct wake *w);
void wake_fini(struct wake *w);

/* Worker. Between wake_begin() and wake_end() the worker looks for work once more, and then waits
 * for the eventfd. */
static inline void wake_begin(struct wake *w)
{
	__atomic_store_n(&w->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void wake_end(struct wake *w)
{
	__atomic_store_n(&w->asleep, 0, __ATOMIC_RELAXED);
}

/* Worker: the eventfd was readable. */
void wake_drain(struct wake *w);

/* Any thread: the part of wake_up() that is rare. */
void wake_write(struct wake *w);

/* Any thread, after the work was put. A full fence and a load while the worker is awake. */
static inline void wake_up(struct wake *w)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&w->asleep, __ATOMIC_RELAXED) != 0, 0))
		wake_write(w);
}

#endif
