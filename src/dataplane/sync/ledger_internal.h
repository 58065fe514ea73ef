/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SYNC_LEDGER_INTERNAL_H
#define PLVS_DATAPLANE_SYNC_LEDGER_INTERNAL_H

/* Declarations that ledger.c and ledger_memory.c share. Control or the ledger's thread, one at a
 * time except for the fields under lock. */

#include <pthread.h>

#include "base/error_text.h"
#include "dataplane/sync/ledger.h"

struct ledger {
	struct dataplane *dp;
	char path[256], temporary[264];
	int fd;
	bool committed;
	struct ledger_parts parts;
	uint8_t *base; /* of the mapping */
	struct ledger_header *header;
	struct ledger_server *servers;
	uint32_t servers_limit; /* control: rw */
	uint64_t taken_up_us;	/* clock_us() of the commit; 0: header.starts needs no reset */

	/* --- the thread --- */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool runs, stop;
	uint64_t missed[MAX_WORKERS];		    /* missed rows already requested again */
	bool asked[MAX_WORKERS];		    /* rewrite[] is under way */
	struct worker_command rewrite[MAX_WORKERS]; /* CMD_ROWS */

	/* under lock */
	uint64_t bytes;
	char fault[256];
};

/* Gives memory to rows ahead of those in use: to at least `ahead` more of each table in use, and to
 * the first rows of each table. False: there is not enough memory; see l->fault. */
bool ledger_memory(struct ledger *l, uint32_t ahead);
/* Memory for the row of a server. Control. */
bool ledger_memory_server(struct ledger *l, uint32_t id);
/* The header and the first rows. 0 or -errno. */
int ledger_memory_first(struct ledger *l, char error[ERROR_TEXT]);

#endif
