/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of halves.h that is compiled once for each address family. */

struct FAM_FN(conn, new);

/* Whether an entry that the table found is a server's half of a connection of the other family. */
static inline bool FAM_FN(half, is_other)(const struct FAM(conn) *found)
{
	return (found->c.flags & (CONN_F_LIVE | HALF_F_OTHER)) == HALF_F_OTHER;
}

/* Whether the server of a connection by full NAT is of the other family: crossing.h. */
static inline bool FAM_FN(half, crosses)(const struct FAM(conn) *c)
{
	return FAM_FN(addr, is_zero)(c->daddr);
}

/* The connection of an entry that the table found by a key; NULL for NULL, and where the connection
 * is in the table of the other family. */
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
 * that did not know its local port. Not for a server of the other family. */
static inline struct FAM(conn) *FAM_FN(half, server)(const struct FAM(table) *t,
						     const struct FAM(conn) *c)
{
	struct FAM(conn) *const h = FAM_FN(half, at)(t, c);

	return (c->c.flags & CONN_F_OUT_KEY) || h->c.begun ? h : NULL;
}

/* The local address and port of a connection; zero where it has none of this family. */
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
 * Makes the server's half, findable, of entry `index` of the other family's table: towards end,
 * with its local address and port, or where it has none with a port of its own choice. The caller
 * sets flags and control. 0, or as FAM_FN(halves, join)().
 */
int FAM_FN(half, create)(struct worker *w, struct FAM(local_end) *end, const struct conn *c,
			 uint32_t index, struct FAM(conn) **out);
/* Ends a server's half. step: of the client's endpoint. The port's quarantine begins. */
void FAM_FN(half, end)(struct worker *w, struct FAM(conn) *h, uint8_t step);

/*
 * Gives c, whose in key is in the table, its server's half: with the local address and port of n,
 * or where n has none with a port of its own choice. The half is not findable before
 * FAM_FN(halves, link)(), for which the bucket of its key is prefetched; of a server of the other
 * family it is. 0, or
 *   -ENOSPC        no group of ports is left
 *   -ENETUNREACH   no pool has an address of the link by which the server is reached
 *   -EADDRNOTAVAIL no port is free
 *   -EEXIST        the port of n is in use
 *   -EINVAL        the port of n is not one of this client
 */
int FAM_FN(halves, join)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n);
/* Makes the server's half of c findable, if it is not. 0, -EEXIST or -ENOSPC. */
int FAM_FN(halves, link)(struct worker *w, struct FAM(conn) *c);
/* Prefetches what FAM_FN(halves, part)() will touch, for some connections that end one by one. */
void FAM_FN(halves, prefetch_end)(struct worker *w, const struct FAM(conn) *c);
/* Ends the server's half of c, if c has one. The port's quarantine begins. */
void FAM_FN(halves, part)(struct worker *w, struct FAM(conn) *c);

/* Prefetches the half that look-up has not read: of a connection whose packet is `out` the
 * client's, else the server's. Most entries of a table with few servers' halves have none. */
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

/* After look-up: connections instead of servers' halves. The missing halves of the first packets
 * are prefetched, or of all packets where not all of them go on to FAM_FN(pipeline, finish)(). */
void FAM_FN(halves, look)(struct worker *w, struct FAM(burst) *b);
/* Whether c, which was found for the packet, has the packet's key still. */
bool FAM_FN(halves, match)(const struct FAM(table) *t, const struct FAM(conn) *c,
			   const struct FAM(key) *key, unsigned int dir);
