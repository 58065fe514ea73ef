/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PERSISTENCE_PERSIST_H
#define PLVS_DATAPLANE_PERSISTENCE_PERSIST_H

/*
 * Persistence: the clients of a network share a template that names their server. A template is
 * an entry of its home worker, owner(masked client, 0), which alone finds, makes, moves and ends
 * the template. Another worker that makes a connection sends the packet home, and gets it
 * back with the decision and a hold on the template; the connection keeps the hold, so
 * the template outlives it wherever it is. Under the engine `sip` the clients of a network have a
 * template for each hash of a Call-ID, which stands in the client's port of the key. No lock, and
 * nothing but the holds' count is written by two workers.
 *
 * Worker context.
 */

#include "dataplane/stages/service_match.h"
#include "dataplane/worker.h"

/* A server, and what the connection to it is made with. */
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
