/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of conn_life.h that is compiled once for each address family. */

struct FAM_FN(conn, new) {
	FAM_ADDR caddr, vaddr, daddr;
	be16 cport, vport, dport;
	be16 lport;	/* full NAT: the local port of a copy, with laddr; 0: choose one */
	FAM_ADDR laddr; /* without lport: the address for the choice; zero: any */
	bool announced; /* lport was announced by PORT or EPRT of FTP: ftp_port.h */
	const struct addr *other_local; /* in place of laddr for a server of the other family */
	uint8_t proto;
	uint8_t method; /* enum forward_method */
	const struct service *svc;
	struct server_rt *server;
	uint32_t server_id; /* of server */
	uint32_t control;   /* a hold on its template, taken over; or 0 */
	uint32_t hash;	    /* of the in key, if it is known; or 0 */
	bool bound;	    /* counted at its server already, and stays so on error */
	bool takes_key;	    /* may take its NAT out key from a connection that is not assured */
	uint8_t state;	    /* enum conn_state; 0: the first one */
};

/* The server address that a connection stores. Zero for a tunnel or full NAT to a server of the
 * other family: the address of that server is in its server_rt (tunnel/tunnel.h). */
static inline FAM_ADDR FAM(server_addr)(const struct server *srv)
{
	return likely(srv->addr.family == FAMILY) ? FAM_FN(addr, of)(&srv->addr) : (FAM_ADDR){0};
}

/* True: a new connection's first state is an active one, and so is its binding. */
bool FAM_FN(conn, begins_active)(uint8_t proto);

/*
 * Makes a connection, whose in key is not in the table, in its first state (SYN_RECV or UDP), bound
 * to its server, with its time-out armed and its keys in the table. 0, or
 *   -ENOSPC  the table is full of connections that do not give way
 *   -EDQUOT  the client's network has its share of connections that are not assured
 *   -EEXIST  the NAT out key belongs to a live connection of this client with this server
 * By full NAT also -ENETUNREACH, -EADDRNOTAVAIL: see FAM_FN(local, join)().
 */
int FAM_FN(conn, create)(struct worker *w, const struct FAM_FN(conn, new) * n,
			 struct FAM(conn) **out);

/*
 * The same in two steps, for a burst. Between the steps the bucket of the out key is prefetched.
 * begin: all but the out key (by full NAT with the local port). The connection counts as made, and
 * the caller binds it. 0, -ENOSPC or -EDQUOT, by full NAT as above. finish: the out key of a
 * connection that conn_begun() is true for. 0, -EEXIST or -ENOSPC; after an error undo removes the
 * connection, with its binding and its counts.
 */
int FAM_FN(conn, begin)(struct worker *w, const struct FAM_FN(conn, new) * n,
			struct FAM(conn) **out);
int FAM_FN(conn, finish)(struct worker *w, struct FAM(conn) *c);
void FAM_FN(conn, undo)(struct worker *w, struct FAM(conn) *c);

static inline bool FAM_FN(conn, begun)(const struct FAM(conn) *c)
{
	return forward_has(c->c.method, FORWARD_BY_SOURCE | FORWARD_BY_LOCAL) &&
	       !(c->c.flags & (CONN_F_OUT_KEY | CONN_F_ONE_PACKET));
}

/* The same for a connection of the peer: not half-open, and not counted as a new connection. The
 * caller sets its evidence (FAM_FN(evidence, copied)()). */
int FAM_FN(conn, install)(struct worker *w, const struct FAM_FN(conn, new) * n,
			  struct FAM(conn) **out);

/* A connection for this packet only (one-packet scheduling): not bound, in no table, and not to be
 * freed. Valid until 32 more have been made. */
struct FAM(conn) *FAM_FN(conn, once)(struct worker *w, const struct FAM_FN(conn, new) * n);

/*
 * Makes a persistence template of this worker with this key (PROTO_TEMPLATE in its protocol),
 * counted at the server, armed, and with its key in the table. NULL: the table is full of entries
 * that do not give way, or the clients' network has its share.
 */
struct FAM(conn) *FAM_FN(template, create)(struct worker *w, const struct FAM(key) *key,
					   struct server_rt *server);
/* Changes the server of a template; no client has got through under the new server yet. */
void FAM_FN(template, move)(struct worker *w, struct FAM(conn) *t, struct server_rt *server);
/* Takes a hold on a template of this worker for a connection to be made. Returns a value for
 * `control`. */
uint32_t FAM_FN(template, hold)(struct worker *w, struct FAM(conn) *t);
/* Gives a hold back. Any worker that has a hold. */
void FAM_FN(template, release)(struct worker *w, uint32_t control);
/* A client has got through, by the state of its connection. Any worker that has a hold. */
void FAM_FN(template, assure)(struct worker *w, uint32_t control);
/* The same: a client is assured by evidence, so the template does not give way. */
void FAM_FN(template, prove)(struct worker *w, uint32_t control);

/* Prefetches memory that FAM_FN(conn, destroy)() of n entries touches beside the entries, at most
 * BURST_MAX. The buckets of their keys have not been touched since the entries became idle. */
void FAM_FN(conn, prefetch_ends)(struct worker *w, const uint32_t *index, uint32_t n);
/* Ends a connection: unbinds, unlinks, removes it from the wheel, and frees the entry. Not for a
 * template with holds. */
void FAM_FN(conn, destroy)(struct worker *w, struct FAM(conn) *c);

/* Sets the state, with the class at the server, the time-out, the wheel and the list of
 * give_way.h. */
void FAM_FN(conn, set_state)(struct worker *w, struct FAM(conn) *c, enum conn_state state);

/* Ends the half-open time: a second packet came. */
void FAM_FN(conn, grow_up)(struct worker *w, struct FAM(conn) *c);

/* The service of a connection in the snapshot, or NULL if it was removed. */
const struct service *FAM_FN(conn, service)(const struct worker *w, const struct FAM(conn) *c);
