/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/kept_connections.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "base/error_text.h"
#include "base/clock.h"
#include "base/log.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/sync/ledger.h"
#include "ha/sync/ledger_file.h"
#include "ha/sync/sync_file.h"

#define AREA	 "main"
#define PATH_LEN 512
#define LOCK_MS	 3000 /* a killed process of much memory takes a while to be gone */

_Static_assert(LEDGER_BOOT_BYTES == SYNC_BOOT_BYTES, "one identity");

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

/* ---- life ---- */

int kept_connections_init(struct kept_connections *k, const struct config *config)
{
	const struct config_node *node = &config->node;
	const bool lone = node->ha.n_paths == 0;
	int n = 0;

	memset(k, 0, sizeof(*k));
	k->old_ledger = -1;
	k->ledger_age_ms = lone ? KEPT_MAX_AGE_S * 1000 : config->shared.ha.start_delay_ms;
	if (node->ledger && node->ledger_path)
		n = snprintf(k->ledger, sizeof(k->ledger), "%s", node->ledger_path);
	else if (node->ledger)
		n = snprintf(k->ledger, sizeof(k->ledger), "%s.ledger", node->socket);
	if (n >= (int)sizeof(k->ledger)) {
		log_warning(AREA, "node.ledger: the path is too long: there is no ledger");
		k->ledger[0] = '\0';
	}
	k->state_dir = strdup(node->state_dir);
	return k->state_dir ? 0 : -ENOMEM;
}

void kept_connections_fini(struct kept_connections *k)
{
	if (k->old_ledger >= 0)
		close(k->old_ledger);
	k->old_ledger = -1;
	free(k->state_dir);
	k->state_dir = NULL;
}

/* ---- both ---- */

static struct identity *identity_make(const struct dataplane *dp)
{
	struct identity *m = identity_create();

	if (m && identity_learn(m, dp->pub.snapshot) == 0)
		return m;
	log_error(AREA, "no memory for the connections of before");
	identity_destroy(m);
	return NULL;
}

static void take(void *arg, const struct sync_event *ops, uint32_t n)
{
	struct dataplane *dp = arg;
	const uint64_t tick = (rte_rdtsc() - dp->tsc_start) / (dp->hz / CONN_TICK_HZ);

	dataplane_sync_load(dp, ops, n, (uint32_t)tick, clock_coarse_s());
}

/* ---- the file ---- */

static bool path_of(const char *state_dir, char path[PATH_LEN])
{
	return snprintf(path, PATH_LEN, "%s/connections", state_dir) < PATH_LEN;
}

static bool file_load(const struct kept_connections *k, struct dataplane *dp,
		      const struct identity *m, uint64_t *term)
{
	struct sync_file_read r = {.identity = m,
				   .now = time_now(),
				   .max_age_s = KEPT_MAX_AGE_S,
				   .take = take,
				   .arg = dp};
	char path[PATH_LEN], error[ERROR_TEXT];
	int ret = path_of(k->state_dir, path) ? sync_file_load(path, &r, error) : -ENOENT;

	if (ret == 0) {
		log_notice(AREA,
			   "%" PRIu64 " connections of before taken up, %" PRIu64
			   " of servers that are not configured left",
			   r.taken, r.unknown);
		dp->kept.source = KEPT_FILE;
		dp->kept.taken = r.taken;
		dp->kept.unknown = r.unknown;
		*term = r.term;
	} else if (ret != -ENOENT) {
		log_warning(AREA, "connections of before are not taken up: %s", error);
		snprintf(dp->kept.why, sizeof(dp->kept.why), "%.255s", error);
	}
	return ret == 0;
}

static int each(void *arg, int (*fn)(void *arg, const struct sync_event *e), void *fn_arg)
{
	return dataplane_sync_each(arg, fn, fn_arg);
}

static bool file_save(const struct kept_connections *k, struct dataplane *dp, uint64_t term)
{
	const struct sync_file_time now = time_now();
	char path[PATH_LEN], error[ERROR_TEXT];
	struct identity *m = identity_make(dp);
	int64_t n = -ENOMEM;

	if (m && path_of(k->state_dir, path)) {
		n = sync_file_write(path, &now, term, m, each, dp, error);
		if (n >= 0)
			log_info(AREA, "%" PRId64 " connections and what belongs to them are in %s",
				 n, path);
		else if (n == -ENOENT)
			log_info(AREA, "connections are not written: there is no %s", k->state_dir);
		else
			log_warning(AREA, "connections are not written: %s", error);
	}
	identity_destroy(m);
	return n >= 0;
}

/* ---- the ledger ---- */

void kept_ledger_open(struct kept_connections *k, struct dataplane *dp)
{
	struct ledger_config config = {.path = k->ledger};
	char error[ERROR_TEXT];
	int rc;

	if (!k->ledger[0]) {
		snprintf(dp->ledger_fault, sizeof(dp->ledger_fault), "it is off");
		dp->ledger_off = true;
		return;
	}
	boot_read(config.boot);
	rc = ledger_create(dp, &config, error);
	if (rc == 0)
		return;
	snprintf(dp->ledger_fault, sizeof(dp->ledger_fault), "%.255s", error);
	/* A path that is not on a tmpfs is a choice; all else wants somebody to act. */
	log_write(NULL, rc == -EINVAL ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, AREA,
		  "no ledger, so connections do not outlive a kill: %s", error);
}

static void ledger_report(struct dataplane *dp, const struct ledger_file_read *r, uint64_t took_us,
			  const struct worker_counters *before)
{
	struct worker_counters after;
	struct kept_report *k = &dp->kept;

	dataplane_worker_counters(dp, &after);
	*k = (struct kept_report){
		.source = KEPT_LEDGER,
		.taken = r->taken,
		.unknown = r->unknown,
		.half = r->half,
		.damaged = r->damaged,
		.no_room = after.sync_full - before->sync_full,
		.refused = after.sync_refused - before->sync_refused,
		.age_ms = r->age_ms,
		.took_ms = took_us / 1000,
	};
	k->taken -= k->no_room + k->refused;
	log_notice(AREA,
		   "%" PRIu64 " connections of the killed process taken up in %" PRIu64
		   " ms, %" PRIu64 " ms after its end; dropped: %" PRIu64
		   " of servers that are not configured, %" PRIu64 " half written, %" PRIu64
		   " damaged, %" PRIu64 " without room, %" PRIu64 " in the way of others",
		   k->taken, k->took_ms, k->age_ms, k->unknown, k->half, k->damaged, k->no_room,
		   k->refused);
}

/* Also where this process has no ledger of its own. */
static bool ledger_load(struct kept_connections *k, struct dataplane *dp, const struct identity *m,
			uint64_t *term)
{
	struct ledger_file_read r = {.identity = m,
				     .now_us = clock_boot_us(),
				     .max_age_ms = k->ledger_age_ms,
				     .wait_ms = LOCK_MS,
				     .take = take,
				     .arg = dp};
	const uint64_t began_us = clock_us();
	struct worker_counters before;
	char error[ERROR_TEXT];
	int ret;

	boot_read(r.boot);
	dataplane_worker_counters(dp, &before);
	ret = ledger_file_load(k->ledger, &r, error);
	k->old_ledger = r.fd;
	if (ret == 0) {
		ledger_report(dp, &r, clock_us() - began_us, &before);
		ledger_started_from(dp, r.starts);
		*term = r.term;
	} else if (ret != -ENOENT) {
		log_warning(AREA, "connections of the process before are not taken up: %s", error);
		snprintf(dp->kept.why, sizeof(dp->kept.why), "%.255s", error);
	}
	if (ret == -EBUSY) {
		snprintf(dp->ledger_fault, sizeof(dp->ledger_fault), "%.255s", error);
		ledger_destroy(dp, true);
	}
	return ret == 0;
}

/* ---- start and end ---- */

bool kept_connections_load(struct kept_connections *k, struct dataplane *dp, uint64_t *term)
{
	struct identity *m = identity_make(dp);

	*term = 0;
	/* A file is newer than any ledger: who writes the file removes the ledger. */
	if (m && !file_load(k, dp, m, term) && k->ledger[0])
		(void)ledger_load(k, dp, m, term);
	identity_destroy(m);
	return dp->kept.taken > 0;
}

void kept_connections_started(struct kept_connections *k, struct dataplane *dp)
{
	(void)ledger_commit(dp);
	if (k->old_ledger >= 0)
		close(k->old_ledger);
	k->old_ledger = -1;
}

void kept_connections_save(struct kept_connections *k, struct dataplane *dp, bool dump,
			   uint64_t term)
{
	/* Where nothing could be written, the ledger has them. */
	const bool elsewhere = !dump || file_save(k, dp, term);

	ledger_destroy(dp, elsewhere);
}
