/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_FILE_H
#define PLVS_HA_SYNC_SYNC_FILE_H

/*
 * A router that stops, and leaves its connections to nobody, writes them to a file; it takes
 * them up again when it starts before they have aged. Records are those of the wire, behind 80
 * bytes in network order:
 *
 *	 0 "plvs connections"  16 version 3  20 zero  24 written, seconds of CLOCK_REALTIME
 *	32 bytes of records    40 checksum of all behind it (FNV-1a, 64 bits: against accidents)
 *	48 identity of the boot of the machine, zero: not known
 *	64 written, seconds of CLOCK_BOOTTIME  72 the term that the router served under
 *
 * Within one boot the age is told by CLOCK_BOOTTIME, so that a wall clock that is set does no
 * harm; after another boot only the wall clock can tell.
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

/* Calls fn for each event, until it does not return 0, and returns that. */
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
	uint64_t taken, unknown; /* unknown: their server is not configured any more */
	uint64_t term;		 /* that they were served under */
};

/* Looks at all of it before anything is taken. 0, or -errno with a sentence: -ENOENT there is
 * no file, -ESTALE too old (or from a time to come), -EPERM others could have written it,
 * -EBADMSG it is not what it should be. The file is removed, whatever it was. */
int sync_file_load(const char *path, struct sync_file_read *r, char error[ERROR_TEXT]);

#endif
