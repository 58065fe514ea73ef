/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_FILE_H
#define PLVS_HA_SYNC_SYNC_FILE_H

/*
 * The file of connections that a router writes when it stops and no peer has them. The router takes
 * them up at its next start, unless they are too old. The file has 80 bytes in network order, then
 * records as on the wire:
 *
 *	 0 "plvs connections"  16 version 3  20 zero  24 written, seconds of CLOCK_REALTIME
 *	32 bytes of records    40 checksum of all behind it (FNV-1a, 64 bits: against accidents)
 *	48 identity of the boot of the machine, zero: not known
 *	64 written, seconds of CLOCK_BOOTTIME  72 the term that the router served under
 *
 * Within one boot the age is measured by CLOCK_BOOTTIME, so that a set wall clock does no harm;
 * after another boot by the wall clock.
 *
 * Context: main, while no worker runs.
 */

#include "base/error_text.h"
#include "ha/sync/sync_record.h"

#define SYNC_BOOT_BYTES 16

struct sync_file_time {
	uint64_t now_s;		       /* CLOCK_REALTIME */
	uint64_t up_s;		       /* CLOCK_BOOTTIME */
	uint8_t boot[SYNC_BOOT_BYTES]; /* identity of this boot; zero: not known */
};

/* Calls fn for each event until fn returns another value than 0, and returns that value. */
typedef int sync_file_each(void *arg, int (*fn)(void *arg, const struct sync_event *e),
			   void *fn_arg);

/* Writes the records that each() gives into path: a new file beside it, written through, then
 * renamed; only its owner can read it. Returns the number of records, or -errno with a sentence. */
int64_t sync_file_write(const char *path, const struct sync_file_time *now, uint64_t term,
			const struct identity *m, sync_file_each *each, void *arg,
			char error[ERROR_TEXT]);

struct sync_file_read {
	const struct identity *identity;
	struct sync_file_time now;
	uint32_t max_age_s;
	void (*take)(void *arg, const struct sync_event *ops, uint32_t n);
	void *arg;
	/* Result. */
	uint64_t taken, unknown; /* unknown: of servers that are not configured any more */
	uint64_t term;		 /* the term of the connections */
};

/* Checks the whole file before it takes a record. 0, or -errno with a sentence: -ENOENT there is no
 * file, -ESTALE too old (or from the future), -EPERM other users could have written it, -EBADMSG
 * malformed. The file is removed in any case. */
int sync_file_load(const char *path, struct sync_file_read *r, char error[ERROR_TEXT]);

#endif
