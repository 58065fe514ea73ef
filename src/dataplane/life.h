/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_LIFE_H
#define PLVS_DATAPLANE_LIFE_H

/*
 * The life of a connection: made, in a state, gone; with the counts of its server, its
 * keys in the table, its place in the wheel and among the embryonic ones kept in step.
 * Worker context, one owner.
 */

#include "dataplane/worker.h"

struct conn4_new {
	be32 caddr, vaddr, daddr;
	be16 cport, vport, dport;
	uint8_t proto;
	uint8_t method; /* enum forward_method */
	const struct service *svc;
	struct server_rt *server;
};

/*
 * Makes a connection, whose in key is not in the table, in its first state (SYN_RECV or UDP), bound, armed and findable.
 * 0, or
 *   -ENOSPC  the table is full of established connections
 *   -EEXIST  the NAT out key belongs to a live connection of this client with this server
 */
int conn4_create(struct worker *w, const struct conn4_new *n, struct conn4 **out);

/* A connection for this packet alone (one-packet scheduling): bound to nothing, in no table,
 * nothing to give back. Holds until 32 more have been made. */
struct conn4 *conn4_once(struct worker *w, const struct conn4_new *n);

/* Unbinds, unlinks, frees. Takes it out of the wheel. */
void conn4_destroy(struct worker *w, struct conn4 *c);

/* New state: class at the server, time-out, wheel, embryonic list. */
void conn4_set_state(struct worker *w, struct conn4 *c, enum conn_state state);

/* It has been answered or gone on: established connections never give way. */
void conn4_grow_up(struct worker *w, struct conn4 *c);

/* The service of a connection as the snapshot has it, or NULL when it is gone. */
const struct service *conn4_service(const struct worker *w, const struct conn4 *c);

#endif
