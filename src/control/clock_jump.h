/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CLOCK_JUMP_H
#define PLVS_CONTROL_CLOCK_JUMP_H

/*
 * Detects jumps of the wall clock, after which times in logs, histories and captures do not fit
 * together. No decision of the router goes by the wall clock. Every second the wall clock is
 * compared with the time since boot; NTP that only slows or speeds the clock moves it by 0.5 ms a
 * second.
 *
 * Context: the control thread.
 */

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOCK_JUMP_US 500000 /* the least change between two looks that is a jump */

struct clock_jump {
	struct event *ev;
	bool known;
	int64_t offset_us; /* of the wall clock from the time since boot, at the last look */
	uint64_t jumps;
	int64_t last_us; /* the size of the last jump, forwards */
	uint64_t at_us;	 /* its time since boot */
};

int clock_jump_start(struct clock_jump *w, struct event_base *base);
void clock_jump_stop(struct clock_jump *w);
/* Compares both clocks; wall_us is since 1970. True: there was a jump. */
bool clock_jump_look(struct clock_jump *w, uint64_t wall_us, uint64_t boot_us);

#endif
