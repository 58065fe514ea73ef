/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SYNC_LEDGER_H
#define PLVS_DATAPLANE_SYNC_LEDGER_H

/*
 * The ledger of the running router (model/ledger_format.h): connections that outlive a kill.
 *
 * Workers write rows when synchronisation reports to a peer: at the begin, a change of state, and
 * the end of a connection. A packet of an established connection writes no row. A state is two
 * bytes; only ESTABLISHED, the second datagram and templates write a whole row.
 *
 * A store to a page of a tmpfs that is full kills the process (SIGBUS). So a thread of the ledger
 * gives memory to rows ahead of use (fallocate), and a worker writes no row behind its limit: the
 * row is counted as missed. When there is memory, the worker is told to write all rows again
 * (CMD_ROWS). The thread leaves an eighth of the file system free.
 *
 * The file has a temporary name until ledger_commit(), so that a start that fails leaves the
 * ledger of the process before. A process that has the file open holds a lock on the file (flock).
 */

#include <stdio.h>

#include "base/error_text.h"
#include "dataplane/dataplane.h"

struct ledger_config {
	const char *path; /* of a tmpfs */
	uint8_t boot[LEDGER_BOOT_BYTES];
};

struct ledger_view {
	const char *path;
	uint64_t bytes;	 /* of memory that rows have been given */
	uint64_t missed; /* rows that could not be written for want of memory, since the start */
	char fault[256]; /* "" or the reason why connections are missing in the ledger, with a
			    remedy */
};

/* --- control --- */

/* Makes the file with memory for the first rows, before workers run and before servers are
 * reported. 0, or -errno with a sentence in error: -EBUSY another router has the file. */
int ledger_create(struct dataplane *dp, const struct ledger_config *config, char error[ERROR_TEXT]);
/* Writes the identity of a server id in rows. Called before a worker can see the server. */
void ledger_server(struct dataplane *dp, uint32_t id, const struct sync_server *server);
/* Before workers run: gives memory to rows for the next connections that are taken up. */
void ledger_room(struct dataplane *dp);
/* starts: of the ledger whose connections were taken up; 0: none were. */
void ledger_started_from(struct dataplane *dp, uint32_t starts);
/* When workers run: starts the thread and gives the file its name, in place of the earlier
 * process's file. 0, or -errno, logged: connections do not outlive a kill then. */
int ledger_commit(struct dataplane *dp);
/* True: there is a ledger, with its state in *out. Any thread but workers. */
bool ledger_view(struct dataplane *dp, struct ledger_view *out);
/* Ends the thread. The file stays. */
void ledger_stop(struct dataplane *dp);
/* Workers have ended. remove: also removes the file, since its connections are stored elsewhere, or
 * it was not committed. dp->ledger may be NULL. */
void ledger_destroy(struct dataplane *dp, bool remove);

/* Runs a round of the thread, for tests: writes the time, gives memory to rows, and asks workers
 * for missed rows. */
void ledger_round(struct dataplane *dp);

_Static_assert(LEDGER_F_FTP == CONN_F_PAYLOAD && LEDGER_F_ASSURED == EVIDENCE_ASSURED,
	       "flags of rows are bits of connections");

#define FAM_TEMPLATE "dataplane/sync/ledger.fam.h"
#include "base/both_families.h"

#endif
