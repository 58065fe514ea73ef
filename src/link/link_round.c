/* SPDX-License-Identifier: BSD-3-Clause */
/* Work that a round of the link thread's loop leaves to later rounds. */
#include <event2/event.h>

#include "link/link_internal.h"

#define BATCH_US     1000
#define BATCH_MAX_US 2000000

void link_more(struct link *l)
{
	static const struct timeval now;

	/* Not event_active(): libevent would come back here before it looks at descriptors. */
	if (l->ev_more)
		event_add(l->ev_more, &now);
}

/* Arms the batch timer if a change waits. */
static void batch_arm(struct link *l)
{
	/* Where a build takes long, at most a fifth of the time goes into builds. */
	uint64_t us = l->build_us * 4;
	struct timeval delay;

	if (l->batch_armed || !(l->dirty || l->force || l->all_unknown || l->vips_dirty))
		return;
	us = us < BATCH_US ? BATCH_US : us > BATCH_MAX_US ? BATCH_MAX_US : us;
	delay.tv_sec = (time_t)(us / 1000000);
	delay.tv_usec = (suseconds_t)(us % 1000000);
	if (event_add(l->ev_batch, &delay) == 0)
		l->batch_armed = true;
}

/* Every wake ends here. */
void link_round_end(struct link *l)
{
	LINK_COUNT(l->counters.progress);
	batch_arm(l);
}
