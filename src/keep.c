/* SPDX-License-Identifier: BSD-3-Clause */
#include "keep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <rte_cycles.h>

#include "base/log.h"
#include "dataplane/sync.h"
#include "ha/sync_file.h"

#define AREA	 "main"
#define PATH_LEN 512

static uint64_t wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec;
}

/* False: too long, or no memory. */
static bool prepare(const struct dataplane *dp, const char *state_dir, char path[PATH_LEN],
		    struct identity **m)
{
	*m = NULL;
	if (snprintf(path, PATH_LEN, "%s/connections", state_dir) >= PATH_LEN)
		return false;
	*m = identity_create();
	if (*m && identity_learn(*m, dp->pub.snapshot) == 0)
		return true;
	log_error(AREA, "no memory for the connections in %s", state_dir);
	identity_destroy(*m);
	return false;
}

static void take(void *arg, const struct sync_event *ops, uint32_t n)
{
	struct dataplane *dp = arg;
	const uint64_t tick = (rte_rdtsc() - dp->tsc_start) / (dp->hz / CONN_TICK_HZ);
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts); /* as the workers' loop reads it */
	dataplane_sync_load(dp, ops, n, (uint32_t)tick, (uint32_t)ts.tv_sec);
}

void keep_load(struct dataplane *dp, const char *state_dir)
{
	struct sync_file_read r = {
		.now_s = wall_s(), .max_age_s = KEEP_MAX_AGE_S, .take = take, .arg = dp};
	char path[PATH_LEN], error[SYNC_FILE_ERROR];
	struct identity *m;
	int ret;

	if (!prepare(dp, state_dir, path, &m))
		return;
	r.identity = m;
	ret = sync_file_load(path, &r, error);
	if (ret == 0)
		log_notice(AREA,
			   "%" PRIu64 " connections of before taken up, %" PRIu64
			   " of servers that are not configured left",
			   r.taken, r.unknown);
	else if (ret != -ENOENT)
		log_warning(AREA, "connections of before are not taken up: %s", error);
	identity_destroy(m);
}

static int each(void *arg, int (*fn)(void *arg, const struct sync_event *e), void *fn_arg)
{
	return dataplane_sync_each(arg, fn, fn_arg);
}

void keep_save(struct dataplane *dp, const char *state_dir)
{
	char path[PATH_LEN], error[SYNC_FILE_ERROR];
	struct identity *m;
	int64_t n;

	if (!prepare(dp, state_dir, path, &m))
		return;
	n = sync_file_write(path, wall_s(), m, each, dp, error);
	if (n >= 0)
		log_info(AREA, "%" PRId64 " connections and what belongs to them are in %s", n,
			 path);
	else if (n == -ENOENT)
		log_info(AREA, "connections are not kept: there is no %s", state_dir);
	else
		log_warning(AREA, "connections are not kept: %s", error);
	identity_destroy(m);
}
