/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_KEPT_CONNECTIONS_H
#define PLVS_ROUTER_KEPT_CONNECTIONS_H

/*
 * The connections of a router over a restart, from one of two places:
 *
 *	a file in its state directory, written by an orderly end if no peer has the
 *	connections; not without that directory (ha/sync/sync_file.h)
 *	the ledger of a process that was killed (dataplane/sync/ledger.h)
 *
 * Both are read before the first packet. In a pair, later reports of the peer replace these
 * connections (ha/role/role.h, `kept`). dataplane.kept has the number that was taken over.
 *
 * Context: main, while no worker runs, unless noted. A snapshot is published.
 */

#include "config/config.h"
#include "dataplane/dataplane.h"

#define KEPT_MAX_AGE_S 120 /* older connections are more likely harmful than useful */

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

/* Opens the ledger of this process; call before control reports servers. If it cannot be opened,
 * the router goes on with a line in the log. */
void kept_ledger_open(struct kept_connections *k, struct dataplane *dp);
/* Takes up the connections of the file or the ledger, and logs the source and the outcome. True:
 * connections were taken up, *term is the term under which they were served. */
bool kept_connections_load(struct kept_connections *k, struct dataplane *dp, uint64_t *term);
/* Call when workers run: closes the ledger of the earlier process. */
void kept_connections_started(struct kept_connections *k, struct dataplane *dp);
/* Call when workers have ended in order. dump: write the file, since no peer has the connections.
 */
void kept_connections_save(struct kept_connections *k, struct dataplane *dp, bool dump,
			   uint64_t term);

#endif
