/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of the ledger: its file, its thread, its end. */
#include "base/error_text.h"
#include "dataplane/sync/ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own_user.h"

#define AREA	 "dataplane"
#define ROUND_MS 50
#define AHEAD	 65536U /* rows: what a worker makes of connections in a round and more */
#define LASTS_S	 5	/* a process that lived for so long is no start that failed */

/* ---- the file ---- */

static int say(char error[ERROR_TEXT], int rc, const char *path, const char *what)
{
	return error_text(error, rc, "%.180s: %s", path, what ? what : strerror(-rc));
}

/* A killed start may have left a file of the same name; a file without a lock is not mapped. */
static int file_make(struct ledger *l, char error[ERROR_TEXT])
{
	struct statfs fs;
	struct stat st;

	l->fd = open(l->temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (l->fd < 0)
		return say(error, -errno, l->temporary, NULL);
	if (fstatfs(l->fd, &fs) != 0 || fs.f_type != TMPFS_MAGIC)
		return say(error, -EINVAL, l->path, "not on a tmpfs (as /run is)");
	if (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode) || !own_user_is(st.st_uid) ||
	    st.st_nlink != 1)
		return say(error, -EPERM, l->temporary, "not a file of this user's alone");
	if (flock(l->fd, LOCK_EX | LOCK_NB) != 0)
		return say(error, -EBUSY, l->path, "another router has it");
	if (fchmod(l->fd, 0600) != 0 || ftruncate(l->fd, 0) != 0 ||
	    ftruncate(l->fd, (off_t)l->parts.bytes) != 0 || own_user_give(l->fd) != 0)
		return say(error, -errno, l->temporary, NULL);
	return 0;
}

static int map(struct ledger *l, char error[ERROR_TEXT])
{
	void *p = mmap(NULL, l->parts.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
		       l->fd, 0);

	if (p == MAP_FAILED)
		return say(error, -errno, l->temporary, NULL);
	l->base = p;
	l->header = p;
	l->servers = (struct ledger_server *)(l->base + l->parts.servers);
	(void)madvise(p, l->parts.bytes, MADV_DONTDUMP);
	return 0;
}

static void rows_set(struct ledger *l, bool on)
{
	for (uint32_t i = 0; i < l->dp->n_workers; i++) {
		uint8_t *part = l->base + l->parts.workers + l->parts.worker_bytes * i;
		struct worker *w = l->dp->workers[i];

		w->v4.rows = on ? (struct ledger_row4 *)(part + l->parts.rows4) : NULL;
		w->v6.rows = on ? (struct ledger_row6 *)(part + l->parts.rows6) : NULL;
		w->sync.ftp_rows = on ? (struct ledger_ftp_row *)(part + l->parts.ftp) : NULL;
		w->v4.rows_limit = w->v6.rows_limit = w->sync.ftp_rows_limit = 0;
		memset(w->v4.local_rows_limit, 0, sizeof(w->v4.local_rows_limit));
		memset(w->v6.local_rows_limit, 0, sizeof(w->v6.local_rows_limit));
	}
}

static void header_write(struct ledger *l, const struct ledger_config *config)
{
	struct ledger_header *h = l->header;

	memcpy(h->magic, LEDGER_MAGIC, sizeof(h->magic));
	h->layout = ledger_layout();
	memcpy(h->boot, config->boot, sizeof(h->boot));
	h->n_workers = l->dp->n_workers;
	h->capacity = l->dp->workers[0]->v4.table.capacity;
	h->alive_us = clock_boot_us();
}

int ledger_create(struct dataplane *dp, const struct ledger_config *config, char error[ERROR_TEXT])
{
	struct ledger *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;
	int rc;

	if (!l)
		return say(error, -ENOMEM, config->path, NULL);
	l->dp = dp;
	l->fd = -1;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->cond, &attr);
	pthread_condattr_destroy(&attr);
	dp->ledger = l;
	if (snprintf(l->path, sizeof(l->path), "%s", config->path) >= (int)sizeof(l->path)) {
		ledger_destroy(dp, true);
		return say(error, -ENAMETOOLONG, config->path, NULL);
	}
	snprintf(l->temporary, sizeof(l->temporary), "%s.new", l->path);
	ledger_parts(dp->n_workers, dp->workers[0]->v4.table.capacity, &l->parts);
	rc = file_make(l, error);
	if (rc == 0)
		rc = map(l, error);
	if (rc == 0) {
		rows_set(l, true);
		rc = ledger_memory_first(l, error);
	}
	if (rc != 0) {
		ledger_destroy(dp, rc != -EBUSY && rc != -EPERM);
		return rc;
	}
	header_write(l, config);
	__atomic_fetch_or(&dp->pub.sync, SYNC_LEDGER, __ATOMIC_RELEASE);
	return 0;
}

void ledger_server(struct dataplane *dp, uint32_t id, const struct sync_server *server)
{
	struct ledger *l = dp->ledger;
	struct ledger_server *row;

	if (!l || id > MAX_SERVERS || !ledger_memory_server(l, id))
		return;
	row = &l->servers[id];
	if (row->check && memcmp(&row->server, server, sizeof(*server)) == 0)
		return;
	__atomic_store_n(&row->check, 0, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	row->server = *server;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&row->check, ledger_server_check(server, id), __ATOMIC_RELAXED);
}

void ledger_room(struct dataplane *dp)
{
	if (dp->ledger)
		(void)ledger_memory(dp->ledger, AHEAD / 16);
}

void ledger_started_from(struct dataplane *dp, uint32_t starts)
{
	if (dp->ledger)
		dp->ledger->header->starts = starts;
}

/* ---- the thread ---- */

/* Memory came after rows were missed: the worker writes all of its rows. */
static void missed_ask(struct ledger *l)
{
	for (uint16_t i = 0; i < l->dp->n_workers; i++) {
		struct worker *w = l->dp->workers[i];
		const uint64_t missed = __atomic_load_n(&w->sync.rows_missed, __ATOMIC_RELAXED);

		if (l->asked[i] && !__atomic_load_n(&l->rewrite[i].done, __ATOMIC_ACQUIRE))
			continue;
		l->asked[i] = false;
		if (missed == l->missed[i])
			continue;
		l->rewrite[i] = (struct worker_command){.kind = CMD_ROWS, .eventfd = -1};
		if (dataplane_command(l->dp, i, &l->rewrite[i]) != 0)
			continue;
		l->asked[i] = true;
		l->missed[i] = missed;
	}
}

void ledger_round(struct dataplane *dp)
{
	struct ledger *l = dp->ledger;

	__atomic_store_n(&l->header->alive_us, clock_boot_us(), __ATOMIC_RELAXED);
	__atomic_store_n(&l->header->duty, __atomic_load_n(&dp->pub.duty, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	if (l->taken_up_us && clock_us() - l->taken_up_us > LASTS_S * 1000000ULL) {
		l->taken_up_us = 0;
		l->header->starts = 0;
	}
	if (ledger_memory(l, AHEAD))
		missed_ask(l);
}

static bool wait_round(struct ledger *l)
{
	const struct timespec until = clock_after_ms(ROUND_MS);
	bool stop;

	pthread_mutex_lock(&l->lock);
	while (!l->stop && pthread_cond_timedwait(&l->cond, &l->lock, &until) == 0)
		;
	stop = l->stop;
	pthread_mutex_unlock(&l->lock);
	return !stop;
}

static void *ledger_main(void *arg)
{
	struct ledger *l = arg;

	prctl(PR_SET_NAME, "plvs-ledger");
	while (wait_round(l))
		ledger_round(l->dp);
	return NULL;
}

int ledger_commit(struct dataplane *dp)
{
	struct ledger *l = dp->ledger;
	int rc;

	if (!l)
		return 0;
	ledger_round(dp);
	l->taken_up_us = clock_us();
	if (rename(l->temporary, l->path) != 0) {
		rc = -errno;
	} else {
		l->committed = true;
		rc = -pthread_create(&l->thread, NULL, ledger_main, l);
	}
	if (rc == 0)
		l->runs = true;
	else
		log_warning(AREA, "%s: %s: connections do not outlive a kill", l->path,
			    strerror(-rc));
	return rc;
}

bool ledger_view(struct dataplane *dp, struct ledger_view *out)
{
	struct ledger *l = dp ? dp->ledger : NULL;

	memset(out, 0, sizeof(*out));
	if (!l)
		return false;
	out->path = l->path;
	for (uint32_t i = 0; i < dp->n_workers; i++)
		out->missed += __atomic_load_n(&dp->workers[i]->sync.rows_missed, __ATOMIC_RELAXED);
	pthread_mutex_lock(&l->lock);
	out->bytes = l->bytes;
	snprintf(out->fault, sizeof(out->fault), "%s", l->fault);
	pthread_mutex_unlock(&l->lock);
	return true;
}

/* ---- the end ---- */

void ledger_stop(struct dataplane *dp)
{
	struct ledger *l = dp->ledger;

	if (!l || !l->runs)
		return;
	l->runs = false;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_broadcast(&l->cond);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
}

void ledger_destroy(struct dataplane *dp, bool remove)
{
	struct ledger *l = dp->ledger;

	if (!l)
		return;
	ledger_stop(dp);
	__atomic_fetch_and(&dp->pub.sync, ~SYNC_LEDGER, __ATOMIC_RELEASE);
	dp->ledger = NULL;
	if (l->base) {
		rows_set(l, false);
		munmap(l->base, l->parts.bytes);
	}
	if (l->fd >= 0 && remove)
		unlink(l->committed ? l->path : l->temporary);
	if (l->fd >= 0)
		close(l->fd);
	pthread_cond_destroy(&l->cond);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
