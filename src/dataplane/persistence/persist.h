/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PERSISTENCE_PERSIST_H
#define PLVS_DATAPLANE_PERSISTENCE_PERSIST_H

/*
 * Persistence: the clients of a network share a template that names their server. A template is an
 * entry of its home worker, owner(masked client, 0). Only the home finds, makes, moves and ends the
 * template. Another worker that makes a connection sends the packet home, and gets it back with the
 * decision and a hold on the template. The connection keeps the hold, so the template outlives the
 * connection. Under the engine `sip` the clients of a network have a template for each hash of a
 * Call-ID, which stands in the client's port of the key. There is no lock; only the count of holds
 * is written by several workers.
 *
 * Worker context.
 */

#include "dataplane/stages/service_match.h"
#include "dataplane/worker.h"

/* A server, with the hold for a connection to it. */
struct persist_choice {
	const struct server *server;
	uint32_t control; /* a hold on the template: to be kept or released */
};

/* Frames of either family from other workers' rings: HANDOFF_HOME, HANDOFF_DECIDED. */
void persist_receive(struct worker *w, struct rte_mbuf **frames, uint16_t n);
void persist_return(struct worker *w, struct rte_mbuf **frames, uint16_t n);

#define FAM_TEMPLATE "dataplane/persistence/persist.fam.h"
#include "base/both_families.h"

#endif
