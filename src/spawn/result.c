/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spawn/spawn.h"

/* "3 ms", "2.5 s" */
static const char *time_format(uint32_t ms, char buf[24])
{
	if (ms < 1000 || ms % 100 != 0)
		snprintf(buf, 24, "%u ms", ms);
	else if (ms % 1000 == 0)
		snprintf(buf, 24, "%u s", ms / 1000);
	else
		snprintf(buf, 24, "%u.%u s", ms / 1000, ms % 1000 / 100);
	return buf;
}

static void not_started_format(const struct spawn_result *r, const char *name, char *buf,
			       size_t len)
{
	static const char *const what[SPAWN_STEP_MAX] = {
		[SPAWN_STEP_NONE] = "it was not started",
		[SPAWN_STEP_REFUSED] = "the spawner refused it",
		[SPAWN_STEP_RESOURCES] = "no process could be made",
		[SPAWN_STEP_LOST] = "the process that supervised it was killed",
		[SPAWN_STEP_NETNS] = "its network namespace cannot be entered",
		[SPAWN_STEP_USER] = "its user cannot be looked up",
		[SPAWN_STEP_GROUP] = "its group cannot be looked up",
		[SPAWN_STEP_IDENTITY] = "its user or group cannot be taken on",
		[SPAWN_STEP_EXEC] = "it cannot be executed",
	};
	char time[24];

	if (r->step == SPAWN_STEP_QUEUE)
		snprintf(buf, len, "%s: no slot came free in %s", name,
			 time_format(r->waited_ms, time));
	else if (r->step == SPAWN_STEP_USER && r->code == ENOENT)
		snprintf(buf, len, "%s: its user does not exist", name);
	else if (r->step == SPAWN_STEP_GROUP && r->code == ENOENT)
		snprintf(buf, len, "%s: its group does not exist", name);
	else if (r->code > 0)
		snprintf(buf, len, "%s: %s: %s", name, what[r->step], strerror(r->code));
	else
		snprintf(buf, len, "%s: %s", name, what[r->step]);
}

const char *spawn_result_format(const struct spawn_result *r, const char *name, char *buf,
				size_t len)
{
	const char *signal_name;
	char time[24];

	switch (r->outcome) {
	case SPAWN_EXITED:
		snprintf(buf, len, "%s: exit code %d after %s", name, r->code,
			 time_format(r->ran_ms, time));
		break;
	case SPAWN_SIGNALLED:
		signal_name = sigabbrev_np(r->code);
		snprintf(buf, len, "%s: ended by signal %d%s%s after %s", name, r->code,
			 signal_name ? ", SIG" : "", signal_name ? signal_name : "",
			 time_format(r->ran_ms, time));
		break;
	case SPAWN_TIMED_OUT:
		snprintf(buf, len, "%s: not done after %s, killed", name,
			 time_format(r->ran_ms, time));
		break;
	case SPAWN_NOT_STARTED:
		not_started_format(r, name, buf, len);
		break;
	case SPAWN_CANCELLED:
		snprintf(buf, len, "%s: cancelled", name);
		break;
	case SPAWN_NO_SPAWNER:
	default:
		snprintf(buf, len, "%s: cannot run programs: the spawner has ended", name);
		break;
	}
	return buf;
}
