/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/clock_jump.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control_internal.h"

bool clock_jump_look(struct clock_jump *w, uint64_t wall_us, uint64_t boot_us)
{
	const int64_t offset = (int64_t)(wall_us - boot_us), moved = offset - w->offset_us;
	const bool jumped = w->known && (moved >= CLOCK_JUMP_US || moved <= -CLOCK_JUMP_US);

	w->known = true;
	w->offset_us = offset;
	if (!jumped)
		return false;
	w->jumps++;
	w->last_us = moved;
	w->at_us = boot_us;
	return true;
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct clock_jump *w = arg;

	(void)fd;
	(void)what;
	if (clock_jump_look(w, clock_read_us(CLOCK_REALTIME), clock_boot_us()))
		log_notice(CONTROL_AREA,
			   "the wall clock was set %s by %" PRId64
			   " ms: times before and after do not fit together",
			   w->last_us < 0 ? "back" : "forward",
			   (w->last_us < 0 ? -w->last_us : w->last_us) / 1000);
}

int clock_jump_start(struct clock_jump *w, struct event_base *base)
{
	static const struct timeval second = {.tv_sec = 1};

	w->known = false;
	w->ev = event_new(base, -1, EV_PERSIST, on_second, w);
	return w->ev && event_add(w->ev, &second) == 0 ? 0 : -ENOMEM;
}

void clock_jump_stop(struct clock_jump *w)
{
	if (w->ev)
		event_free(w->ev);
	w->ev = NULL;
}
