/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_LEDGER_FILE_H
#define PLVS_HA_SYNC_LEDGER_FILE_H

/*
 * The ledger of a process that was killed (model/ledger_format.h), read by the next one. The file
 * is never mapped: it is read as bytes, holes are skipped, and each row counts only if its check
 * and all of its fields are sound. So a file that is cut, changed or random costs only rows.
 *
 * A ledger is valid if it is of this boot, of this layout and young, if its router served, and if
 * no peer was heard: otherwise the peer has served since and has newer connections. A ledger whose
 * connections ended five starts in a row within 5 s is not used again.
 *
 * Context: main, while no worker runs.
 */

#include <stdbool.h>

#include "base/error_text.h"
#include "ha/sync/identity.h"
#include "model/ledger_format.h"

struct ledger_file_read {
	const struct identity *identity;
	uint64_t now_us; /* CLOCK_BOOTTIME */
	uint8_t boot[LEDGER_BOOT_BYTES];
	uint32_t max_age_ms;
	uint32_t wait_ms; /* for the lock, which a killed process releases last */
	void (*take)(void *arg, const struct sync_event *ops, uint32_t n);
	void *arg;
	/* Result. */
	uint64_t taken;	  /* connections and templates */
	uint64_t unknown; /* connections of servers that are not configured */
	uint64_t half;	  /* rows that were being written */
	uint64_t damaged; /* rows with a wrong check or field */
	uint64_t age_ms;  /* since the last sign of life of the process */
	uint64_t term;	  /* the term of the connections */
	uint32_t starts;  /* of its connections, this one included */
	/* The file, which stays locked; -1: none. close() it after the new ledger is in place. */
	int fd;
};

/* 0, or -errno with a sentence, and nothing is taken: -ENOENT there is no file; -EBUSY a router
 * that runs has it; -EPERM other users could have written it; -EBADMSG not a ledger, or of another
 * layout; -ESTALE too old, or of another boot; -EHOSTUNREACH a peer may have served since; -ELOOP
 * its connections ended too many starts. The file stays. */
int ledger_file_load(const char *path, struct ledger_file_read *r, char error[ERROR_TEXT]);

#endif
