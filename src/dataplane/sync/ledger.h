/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SYNC_LEDGER_H
#define PLVS_DATAPLANE_SYNC_LEDGER_H

/*
 * The ledger of the running router (model/ledger_format.h): connections that outlive a kill.
 *
 * Workers write rows at the moments at which synchronisation tells a peer: a connection made,
 * another state, the end. A packet of an established connection writes nothing. A state is two
 * bytes; only ESTABLISHED, the second datagram and templates write a whole row.
 *
 * A store to a page of a tmpfs that is full kills the process (SIGBUS). So a thread of the ledger
 * gives memory to rows ahead of use (fallocate), and a worker writes no row behind its limit: the
 * row is counted as missed. When there is memory, the worker is told to write all rows again
 * (CMD_ROWS). The thread leaves an eighth of the file system to others.
 *
 * The file has a temporary name until ledger_commit(), so that a start that fails leaves the
 * ledger of the process before. A process that has the file open holds a lock on the file (flock).
 */

#include <stdio.h>

#include "dataplane/dataplane.h"

struct ledger_config {
	const char *path; /* of a tmpfs */
	uint8_t boot[LEDGER_BOOT_BYTES];
};

struct ledger_view {
	const char *path;
	uint64_t bytes;	 /* of memory that rows have been given */
	uint64_t missed; /* rows that had no memory when they were to be written, ever */
	char fault[256]; /* "" or why not all connections are in it, and what to do */
};

/* --- control --- */

/* Before workers run and before servers are told of: a file with memory for the first rows.
 * 0 or -errno with a sentence in error: -EBUSY another router has it. */
int ledger_create(struct dataplane *dp, const struct ledger_config *config, char error[256]);
/* Writes down the server that the server id of rows names from now on. Called before a worker can
 * come to know of the server. */
void ledger_server(struct dataplane *dp, uint32_t id, const struct sync_server *server);
/* Before workers run: rows for the next connections that are taken up. */
void ledger_room(struct dataplane *dp);
/* starts: as of the ledger whose connections were taken up, 0: none were. */
void ledger_started_from(struct dataplane *dp, uint32_t starts);
/* When workers run: the thread starts, and the file gets its name, in place of the one of the
 * process before. 0 or -errno, logged: nothing outlives a kill then. */
int ledger_commit(struct dataplane *dp);
/* Whether there is a ledger, and its state. Any thread but workers. */
bool ledger_view(struct dataplane *dp, struct ledger_view *out);
/* Ends the thread. The file stays. */
void ledger_stop(struct dataplane *dp);
/* remove: its connections are somewhere else by now, or were never committed. Workers have ended.
 * NULL as dp->ledger is fine. */
void ledger_destroy(struct dataplane *dp, bool remove);

/* Runs a round of the thread, for tests: writes the time, gives memory to rows, and asks workers
 * for missed rows. */
void ledger_round(struct dataplane *dp);

_Static_assert(LEDGER_F_FTP == CONN_F_PAYLOAD && LEDGER_F_ASSURED == EVIDENCE_ASSURED,
	       "flags of rows are bits of connections");

#define FAM_TEMPLATE "dataplane/sync/ledger.fam.h"
#include "base/both_families.h"

#endif
