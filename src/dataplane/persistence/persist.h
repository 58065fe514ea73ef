/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PERSISTENCE_PERSIST_H
#define PLVS_DATAPLANE_PERSISTENCE_PERSIST_H

/*
 * Persistence: the clients of a network share a template that names their server. It is an
 * entry of its home worker, owner(masked client, 0): the only one that finds, makes, moves
 * and ends it. Another worker that makes a connection sends the packet home, and gets it
 * back with the decision and a claim on the template; the connection keeps the claim, so
 * the template outlives it wherever it is. No lock, and nothing but the claims' count is
 * written by two workers.
 *
 * Worker context.
 */

#include "dataplane/stages/service4.h"
#include "dataplane/worker.h"

/* A server, and what the connection to it is made with. */
struct persist_choice {
	const struct server *server;
	uint32_t control; /* a claim on the template: to be kept or released */
};

/*
 * The server of a packet's client, at whatever worker. 0 with *out; or
 *   -ENOENT       no server is available
 *   -ENOSPC       no room for a template
 *   -EINPROGRESS  the packet is on its way home: it has left
 */
int persist4_choose(struct worker *w, const struct service_match *match, struct pkt4 *p,
		    struct persist_choice *out);

/* A fragment behind such a packet, which has no connection yet: goes the same way, so that it
 * comes back after it. False: it need not, or it has been there. */
bool persist4_follow(struct worker *w, const struct service_match *match, struct pkt4 *p);

/* Packets that other workers sent home (HANDOFF_HOME): decided and sent back. */
void persist4_receive(struct worker *w, struct rte_mbuf **frames, uint16_t n);
/* Packets with a decision (HANDOFF_DECIDED), back at their connection's owner. */
void persist4_return(struct worker *w, struct rte_mbuf **frames, uint16_t n);

#endif
