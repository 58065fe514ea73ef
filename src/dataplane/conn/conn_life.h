/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_CONN_LIFE_H
#define PLVS_DATAPLANE_CONN_CONN_LIFE_H

/*
 * The life of a connection: made, in a state, gone; with the counts of its server, its
 * keys in the table, its place in the wheel and among those that give way kept in step.
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
	uint32_t control; /* a claim on its template, which it takes over; or 0 */
	bool bound;	  /* counted at its server already; stays so if it cannot be made */
	bool takes_key;	  /* its NAT out key may be that of a connection that is not assured */
	uint8_t state;	  /* enum conn_state; 0: its first */
};

/* Whether a connection's first state is an active one: how it is bound. */
bool conn4_begins_active(uint8_t proto);

/*
 * Makes a connection, whose in key is not in the table, in its first state (SYN_RECV or UDP),
 * bound, armed and findable. 0, or
 *   -ENOSPC  the table is full of connections that do not give way
 *   -EDQUOT  the client's network has its share of connections that are not assured
 *   -EEXIST  the NAT out key belongs to a live connection of this client with this server
 */
int conn4_create(struct worker *w, const struct conn4_new *n, struct conn4 **out);

/* The same for one that the peer has: not half-open, and counted as nobody's. Its evidence is
 * the caller's to set (evidence_copied()). */
int conn4_install(struct worker *w, const struct conn4_new *n, struct conn4 **out);

/* A connection for this packet alone (one-packet scheduling): bound to nothing, in no table,
 * nothing to give back. Holds until 32 more have been made. */
struct conn4 *conn4_once(struct worker *w, const struct conn4_new *n);

/*
 * A persistence template with this key (PROTO_TEMPLATE in its protocol), this worker's own:
 * named by server, armed and findable. NULL: the table is full of entries that do not give way,
 * or the clients' network has its share.
 */
struct conn4 *template4_create(struct worker *w, const struct key4 *key, struct server_rt *server);
/* Its server is another from now on. */
void template4_move(struct worker *w, struct conn4 *t, struct server_rt *server);
/* Holds a template of this worker's own for a connection to come; a value for control. */
uint32_t template4_claim(struct worker *w, struct conn4 *t);
/* Any worker that has a claim: gives it back. */
void template4_release(struct worker *w, uint32_t control);
/* Any worker that has a claim: a client has got through, as its state says. */
void template4_assure(struct worker *w, uint32_t control);
/* The same: a client is assured by evidence, so the template does not give way. */
void template4_prove(struct worker *w, uint32_t control);

/* Unbinds, unlinks, frees. Takes it out of the wheel. Not a template that is held. */
void conn4_destroy(struct worker *w, struct conn4 *c);

/* New state: class at the server, time-out, wheel, list of those that give way. */
void conn4_set_state(struct worker *w, struct conn4 *c, enum conn_state state);

/* The connection has been answered or has gone on: it is no longer half-open. */
void conn4_grow_up(struct worker *w, struct conn4 *c);

/* The service of a connection as the snapshot has it, or NULL when it is gone. */
const struct service *conn4_service(const struct worker *w, const struct conn4 *c);

#endif
