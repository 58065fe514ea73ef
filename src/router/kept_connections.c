/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/kept_connections.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/sync/conn_sync.h"
#include "ha/sync/sync_file.h"

#define AREA	 "main"
#define PATH_LEN 512

/* Hexadecimal digits with dashes between; what is no such thing leaves zeros: not known. */
static void boot_read(uint8_t boot[SYNC_BOOT_BYTES])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char text[64] = "";
	size_t n = 0;

	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	for (const char *p = text; *p && n < 2 * SYNC_BOOT_BYTES; p++) {
		if (!isxdigit((unsigned char)*p))
			continue;
		boot[n / 2] =
			(uint8_t)(boot[n / 2] << 4 |
				  (isdigit((unsigned char)*p) ? *p - '0' : (*p | 32) - 'a' + 10));
		n++;
	}
	if (n < 2 * SYNC_BOOT_BYTES)
		memset(boot, 0, SYNC_BOOT_BYTES);
}

static struct sync_file_time time_now(void)
{
	struct sync_file_time t = {.now_s = clock_wall_ms() / 1000,
				   .up_s = clock_boot_us() / 1000000};

	boot_read(t.boot);
	return t;
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

	dataplane_sync_load(dp, ops, n, (uint32_t)tick, clock_coarse_s());
}

bool kept_connections_load(struct dataplane *dp, const char *state_dir, uint64_t *term)
{
	struct sync_file_read r = {
		.now = time_now(), .max_age_s = KEEP_MAX_AGE_S, .take = take, .arg = dp};
	char path[PATH_LEN], error[ERROR_TEXT];
	struct identity *m;
	int ret;

	if (!prepare(dp, state_dir, path, &m))
		return false;
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
	*term = r.term;
	return ret == 0 && r.taken > 0;
}

static int each(void *arg, int (*fn)(void *arg, const struct sync_event *e), void *fn_arg)
{
	return dataplane_sync_each(arg, fn, fn_arg);
}

void kept_connections_save(struct dataplane *dp, const char *state_dir, uint64_t term)
{
	const struct sync_file_time now = time_now();
	char path[PATH_LEN], error[ERROR_TEXT];
	struct identity *m;
	int64_t n;

	if (!prepare(dp, state_dir, path, &m))
		return;
	n = sync_file_write(path, &now, term, m, each, dp, error);
	if (n >= 0)
		log_info(AREA, "%" PRId64 " connections and what belongs to them are in %s", n,
			 path);
	else if (n == -ENOENT)
		log_info(AREA, "connections are not kept: there is no %s", state_dir);
	else
		log_warning(AREA, "connections are not kept: %s", error);
	identity_destroy(m);
}
