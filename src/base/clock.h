/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_CLOCK_H
#define PLVS_BASE_CLOCK_H

/*
 * The clocks of the process. A function that works with a time takes the time as an argument; only
 * loops, sockets and programs read a clock.
 *
 *	clock_us, clock_ms	since boot, without suspended time: intervals and deadlines
 *	clock_boot_us		the same with suspended time: for the silence of the peer
 *	clock_coarse_s		seconds of clock_us() at the kernel's tick: the clock of workers
 *	clock_wall_us, _ms	since 1970, set by people and NTP: for display only
 *	clock_after_ms		a moment of clock_us() as waiting functions take it
 *
 * Context: any.
 */

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static inline uint64_t clock_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

static inline uint64_t clock_ms(void)
{
	return clock_us() / 1000;
}

static inline uint64_t clock_boot_us(void)
{
	return clock_read_us(CLOCK_BOOTTIME);
}

static inline uint32_t clock_coarse_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint32_t)ts.tv_sec;
}

static inline uint64_t clock_wall_us(void)
{
	return clock_read_us(CLOCK_REALTIME);
}

static inline uint64_t clock_wall_ms(void)
{
	return clock_wall_us() / 1000;
}

/* ms from now on. */
static inline struct timespec clock_after_ms(uint32_t ms)
{
	const uint64_t us = clock_us() + ms * 1000ULL;

	return (struct timespec){.tv_sec = (time_t)(us / 1000000),
				 .tv_nsec = (long)(us % 1000000) * 1000};
}

#endif
