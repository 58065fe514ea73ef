/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_KEPT_CONNECTIONS_H
#define PLVS_ROUTER_KEPT_CONNECTIONS_H

/*
 * The connections of a router over a restart, from one of two places:
 *
 *	a file in its state directory, written when it ends in order and no peer has them. There
 *	is none where the directory does not exist (ha/sync/sync_file.h)
 *	the ledger, where a process that was killed leaves them (dataplane/sync/ledger.h)
 *
 * Both are read before the first packet. Of a pair, what the peer tells later replaces what they
 * held (ha/role/role.h, `kept`). dataplane.kept has the number that was taken over.
 *
 * Context: main, while no worker runs, unless noted. A snapshot is published.
 */

#include "config/config.h"
#include "dataplane/dataplane.h"

#define KEPT_MAX_AGE_S 120 /* older connections are more likely in the way than wanted */

struct kept_connections {
	char *state_dir;
	char ledger[256]; /* "": off */
	/* Without a peer a ledger counts for KEPT_MAX_AGE_S. A peer that was not heard when the
	 * process ended can be active after its start_delay, if it started then. */
	uint32_t ledger_age_ms;
	int old_ledger; /* of the process before, locked; or -1 */
};

/* Takes the options from the configuration. 0 or -ENOMEM. */
int kept_connections_init(struct kept_connections *k, const struct config *config);
void kept_connections_fini(struct kept_connections *k);

/* Before control tells of servers: the ledger of this process. Without one the router goes on,
 * and says so. */
void kept_ledger_open(struct kept_connections *k, struct dataplane *dp);
/* Takes up the connections of the file or the ledger, and logs the source and the outcome. True:
 * connections were taken up, *term is the term under which they were served. */
bool kept_connections_load(struct kept_connections *k, struct dataplane *dp, uint64_t *term);
/* Workers run: the ledger of before is forgotten. */
void kept_connections_started(struct kept_connections *k, struct dataplane *dp);
/* Workers have ended in order. dump: no peer has the connections. */
void kept_connections_save(struct kept_connections *k, struct dataplane *dp, bool dump,
			   uint64_t term);

#endif
