/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of halves.h that is compiled once for each address family. */

struct FAM_FN(conn, new);

/* True: an entry found in the table is a server's half of a connection of the other family. */
static inline bool FAM_FN(half, is_other)(const struct FAM(conn) *found)
{
	return (found->c.flags & (CONN_F_LIVE | HALF_F_OTHER)) == HALF_F_OTHER;
}

/* True: the server of a connection by full NAT is of the other family: crossing.h. */
static inline bool FAM_FN(half, crosses)(const struct FAM(conn) *c)
{
	return FAM_FN(addr, is_zero)(c->daddr);
}

/* The connection of an entry found in the table; NULL for NULL, and if the connection is in the
 * table of the other family. */
static inline struct FAM(conn) *FAM_FN(half, client)(const struct FAM(table) *t,
						     struct FAM(conn) *found)
{
	if (!found || likely(found->c.flags & CONN_F_LIVE))
		return found;
	return FAM_FN(half, is_other)(found) ? NULL : &t->conns[found->control];
}

/* The place of the server's half of a connection with a server of the same family. */
static inline struct FAM(conn) *FAM_FN(half, at)(const struct FAM(table) *t,
						 const struct FAM(conn) *c)
{
	return (struct FAM(conn) *)(uintptr_t)c + t->half_first;
}

/* The server's half of a connection by full NAT, or NULL: the connection was copied from a peer
 * without its local port. Not for a server of the other family. */
static inline struct FAM(conn) *FAM_FN(half, server)(const struct FAM(table) *t,
						     const struct FAM(conn) *c)
{
	struct FAM(conn) *const h = FAM_FN(half, at)(t, c);

	return (c->c.flags & CONN_F_OUT_KEY) || h->c.begun ? h : NULL;
}

/* The local address and port of a connection; zero if it has none of this family. */
static inline FAM_ADDR FAM_FN(half, local)(const struct FAM(table) *t, const struct FAM(conn) *c,
					   be16 *port)
{
	const struct FAM(conn) *h = forward_has(c->c.method, FORWARD_TWO_HALVES) &&
						    !(c->c.flags & CONN_F_TEMPLATE) &&
						    !FAM_FN(half, crosses)(c)
					    ? FAM_FN(half, server)(t, c)
					    : NULL;

	*port = h ? h->cport : 0;
	return h ? h->caddr : (FAM_ADDR){0};
}

/* Source and destination of a packet that leaves, of a connection with its server's half. */
struct FAM(new_ends) {
	FAM_ADDR source, dest;
	be16 sport, dport;
};

static inline struct FAM(new_ends) FAM_FN(halves, ends)(const struct FAM(table) *t,
							const struct FAM(conn) *c, unsigned int dir)
{
	/* `in` from local to server, `out` from VIP to client: of each, the second end first. */
	const struct FAM(conn) *h = dir == DIR_IN ? FAM_FN(half, at)(t, c) : c;
	const unsigned int to = dir == DIR_IN ? END_SERVER : END_CLIENT;

	return (struct FAM(new_ends)){.source = h->addr[to + 1],
				      .dest = h->addr[to],
				      .sport = h->port[to + 1],
				      .dport = h->port[to]};
}

/*
 * Makes the server's half, with its key in the table, of entry `index` of the other family's table:
 * towards end, with its local address and port, or a chosen port if it has none. The caller sets
 * flags and control. 0, or as FAM_FN(halves, join)().
 */
int FAM_FN(half, create)(struct worker *w, struct FAM(local_end) *end, const struct conn *c,
			 uint32_t index, struct FAM(conn) **out);
/* Ends a server's half. step: of the client's endpoint. The port's quarantine begins. */
void FAM_FN(half, end)(struct worker *w, struct FAM(conn) *h, uint8_t step);

/*
 * Gives c, whose in key is in the table, its server's half: with the local address and port of n,
 * or a chosen port if n has none. FAM_FN(halves, link)() puts its key into the table later, and the
 * bucket is prefetched; for a server of the other family the key is in the table at once. 0, or
 *   -ENOSPC        no group of ports is left
 *   -ENETUNREACH   no pool has an address of the link by which the server is reached
 *   -EADDRNOTAVAIL no port is free
 *   -EEXIST        the port of n is in use
 *   -EINVAL        the port of n does not belong to this client
 */
int FAM_FN(halves, join)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n);
/* Puts the key of c's server's half into the table, if it is not there. 0, -EEXIST or -ENOSPC. */
int FAM_FN(halves, link)(struct worker *w, struct FAM(conn) *c);
/* Prefetches memory that FAM_FN(halves, part)() touches, for connections that end one by one. */
void FAM_FN(halves, prefetch_end)(struct worker *w, const struct FAM(conn) *c);
/* Ends the server's half of c, if c has one. The port's quarantine begins. */
void FAM_FN(halves, part)(struct worker *w, struct FAM(conn) *c);

/* Prefetches the half that look-up has not read: the client's for an `out` packet, else the
 * server's. In a table with few servers' halves most entries have none. */
static inline void FAM_FN(halves, prefetch)(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct FAM(table) *const t = &w->FAM(v).table;
	const bool server = p->dir == DIR_IN && t->n_halves > t->n / 8;
	/* May be of no connection. */
	const uintptr_t at =
		(uintptr_t)p->conn + (server ? (uintptr_t)t->half_first * sizeof(*p->conn) : 0);

	__builtin_prefetch((const void *)at, 1);
	if (FAMILY == 6)
		__builtin_prefetch((const void *)(at + offsetof(struct FAM(conn), addr)));
}

/* After look-up: replaces servers' halves by connections. Prefetches the missing halves of the
 * first packets, or of all packets if not all go on to FAM_FN(pipeline, finish)(). */
void FAM_FN(halves, look)(struct worker *w, struct FAM(burst) *b);
/* True: c, which was found for the packet, still has the packet's key. */
bool FAM_FN(halves, match)(const struct FAM(table) *t, const struct FAM(conn) *c,
			   const struct FAM(key) *key, unsigned int dir);
