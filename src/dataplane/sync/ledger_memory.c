/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of the ledger: given by fallocate() before a row is written, never by a page fault. */
#include "base/error_text.h"
#include "dataplane/sync/ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#include "base/log.h"
#include "dataplane/ftp/ftp.h"

#define AREA	      "dataplane"
#define SERVERS_STEP  1024U /* rows of servers */
#define FTP_AHEAD     64U
#define ROWS4_FIRST   16384U /* of a table without entries: half a MiB of IPv4 */
#define ROWS6_FIRST   2048U
#define ROWS_STEP_MAX (256U << 10) /* rows that are given memory at once */
#define SHARE_OTHERS  8		   /* one of so many bytes of the file system is for others */

static uint64_t free_bytes(const struct ledger *l)
{
	struct statvfs fs;
	uint64_t unit, others;

	if (fstatvfs(l->fd, &fs) != 0)
		return 0;
	unit = fs.f_frsize ? fs.f_frsize : fs.f_bsize;
	if (fs.f_blocks == 0) /* a tmpfs without limit */
		return UINT64_MAX;
	others = fs.f_blocks / SHARE_OTHERS;
	return fs.f_bavail > others ? (fs.f_bavail - others) * unit : 0;
}

/* Edges only: the fault is logged when it begins. */
static bool refuse(struct ledger *l, int err)
{
	bool first;

	pthread_mutex_lock(&l->lock);
	first = l->fault[0] == '\0';
	snprintf(l->fault, sizeof(l->fault),
		 "node.ledger: %.120s: no room for the rows of more connections (%s): those do not "
		 "outlive a kill; enlarge the tmpfs (mount -o remount,size=)",
		 l->path, strerror(err));
	pthread_mutex_unlock(&l->lock);
	if (first)
		log_warning(AREA, "%s", l->fault);
	return false;
}

static bool give(struct ledger *l, uint64_t from, uint64_t to)
{
	int rc;

	from = from / LEDGER_PAGE * LEDGER_PAGE;
	to = RTE_MIN((to + LEDGER_PAGE - 1) / LEDGER_PAGE * LEDGER_PAGE, l->parts.bytes);
	if (to <= from)
		return true;
	if (free_bytes(l) < to - from)
		return refuse(l, ENOSPC);
	do
		rc = fallocate(l->fd, 0, (off_t)from, (off_t)(to - from)) == 0 ? 0 : errno;
	while (rc == EINTR);
	if (rc != 0)
		return refuse(l, rc);
#ifdef MADV_POPULATE_WRITE
	/* Page tables, so that no worker faults. Older kernels do not know the advice. */
	(void)madvise(l->base + from, to - from, MADV_POPULATE_WRITE);
#endif
	pthread_mutex_lock(&l->lock);
	l->bytes += to - from;
	pthread_mutex_unlock(&l->lock);
	return true;
}

/* Rows up to `want` of `most`, `row` bytes each, from `begin` on in the file. */
static bool grow(struct ledger *l, uint32_t *limit, uint32_t want, uint32_t most, uint64_t begin,
		 uint64_t row)
{
	const uint32_t has = *limit;

	want = RTE_MIN(want, most);
	if (want <= has)
		return true;
	want = RTE_MIN(want, has + ROWS_STEP_MAX);
	if (!give(l, begin + row * has, begin + row * want))
		return false;
	__atomic_store_n(limit, want, __ATOMIC_RELEASE);
	return true;
}

/* A table without entries gets the first rows; one in use half as many more as it uses. */
static uint32_t wanted(uint32_t unused, uint32_t first, uint32_t ahead)
{
	const uint32_t used = unused - 1;

	return used == 0 ? first : used + RTE_MAX(RTE_MAX(used / 2, ahead), first);
}

/* In steps, not row by row: rows of a part of a table, of which `unused` and those behind were
 * never used. */
static bool rows_grow(struct ledger *l, uint32_t *limit, uint32_t unused, uint32_t first,
		      uint32_t ahead, uint32_t most, uint64_t begin, uint64_t row)
{
	const uint32_t want = wanted(unused, first, ahead);

	return want <= *limit || grow(l, limit, want + first, most, begin, row);
}

/* Rows of local ends: behind those of the entries, of each kind as many. */
static bool locals_grow(struct ledger *l, struct worker *w, uint32_t ahead, uint64_t rows4,
			uint64_t rows6)
{
	const uint32_t most = w->v4.table.half_first;
	bool enough = true;

	for (uint32_t other = 0; other < 2; other++) {
		const uint64_t before = (1 + other) * (uint64_t)most;
		uint32_t unused =
			__atomic_load_n(&w->v4.table.local_unused[other], __ATOMIC_RELAXED);

		enough &= rows_grow(l, &w->v4.local_rows_limit[other], unused, ROWS4_FIRST / 4,
				    ahead, most, rows4 + before * sizeof(struct ledger_row4),
				    sizeof(struct ledger_row4));
		unused = __atomic_load_n(&w->v6.table.local_unused[other], __ATOMIC_RELAXED);
		enough &= rows_grow(l, &w->v6.local_rows_limit[other], unused, ROWS6_FIRST / 4,
				    ahead, most, rows6 + before * sizeof(struct ledger_row6),
				    sizeof(struct ledger_row6));
	}
	return enough;
}

bool ledger_memory(struct ledger *l, uint32_t ahead)
{
	bool enough = true;

	for (uint32_t i = 0; i < l->dp->n_workers; i++) {
		const uint64_t begin = l->parts.workers + l->parts.worker_bytes * i;
		struct worker *w = l->dp->workers[i];
		const uint32_t most = w->v4.table.capacity + 1;
		const uint64_t rows4 = begin + l->parts.rows4, rows6 = begin + l->parts.rows6;
		uint32_t unused = __atomic_load_n(&w->v4.table.unused, __ATOMIC_RELAXED);

		enough &= rows_grow(l, &w->v4.rows_limit, unused, ROWS4_FIRST, ahead, most, rows4,
				    sizeof(struct ledger_row4));
		unused = __atomic_load_n(&w->v6.table.unused, __ATOMIC_RELAXED);
		enough &= rows_grow(l, &w->v6.rows_limit, unused, ROWS6_FIRST, ahead, most, rows6,
				    sizeof(struct ledger_row6));
		enough &= locals_grow(l, w, ahead, rows4, rows6);
		unused = __atomic_load_n(&w->ftp->unused, __ATOMIC_RELAXED) + 1;
		if (unused + FTP_AHEAD > w->sync.ftp_rows_limit)
			enough &= grow(l, &w->sync.ftp_rows_limit, unused + 2 * FTP_AHEAD,
				       LEDGER_FTP_ROWS, begin + l->parts.ftp,
				       sizeof(struct ledger_ftp_row));
	}
	if (enough && l->fault[0]) {
		pthread_mutex_lock(&l->lock);
		l->fault[0] = '\0';
		pthread_mutex_unlock(&l->lock);
		log_notice(AREA, "%s: there is room for all rows again", l->path);
	}
	return enough;
}

bool ledger_memory_server(struct ledger *l, uint32_t id)
{
	while (id >= l->servers_limit)
		if (!grow(l, &l->servers_limit, l->servers_limit + SERVERS_STEP, MAX_SERVERS + 1,
			  l->parts.servers, sizeof(struct ledger_server)))
			return false;
	return true;
}

int ledger_memory_first(struct ledger *l, char error[ERROR_TEXT])
{
	if (!give(l, 0, LEDGER_PAGE) || !ledger_memory(l, 0)) {
		return error_text(error, -ENOSPC, "%s", l->fault);
	}
	return 0;
}
