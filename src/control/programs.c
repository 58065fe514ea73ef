/* SPDX-License-Identifier: BSD-3-Clause */
/* The process that runs programs, as operators see it: warnings and status. */
#include "base/clock.h"
#include "control/control_internal.h"
#include "control/checking.h"
#include "spawn/spawner.h"

#define RECENT_S 600 /* a restart is a warning for so long */

void programs_status(const struct control *c, struct spawner_status *out)
{
	*out = (struct spawner_status){0};
	if (c->spawner)
		spawner_status(c->spawner, out);
}

void programs_warn(const struct control *c, json_t *list)
{
	const struct health *health = checking_health(c);
	struct health_counters h = {0};
	struct spawner_status s;
	uint64_t ago_s;

	programs_status(c, &s);
	ago_s = (clock_us() - s.served_us) / 1000000;
	if (s.lost)
		json_array_append_new(
			list,
			json_string("the spawner and its keeper have ended: no programs of "
				    "checks and notifications can be run until plvs is started "
				    "again"));
	else if (s.restarts && ago_s < RECENT_S)
		json_array_append_new(
			list,
			json_sprintf("the spawner, which runs programs, ended and was started "
				     "again, %u times since the start, the last time %u s ago",
				     s.restarts, (unsigned int)ago_s));
	if (health)
		health_counters(health, &h);
	if (h.not_made)
		json_array_append_new(
			list,
			json_sprintf("%u checks cannot be made and are unknown, their servers "
				     "stay as they were: \"plvsctl health show\" has the reason",
				     (unsigned int)h.not_made));
}
