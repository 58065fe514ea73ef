/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of local_end.h that is compiled once for each address family. */

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

/* An entry that the table found by a key; NULL for NULL, and for a server's half: the connection is
 * in the table of the other family. */
static inline struct FAM(conn) *FAM_FN(half, client)(struct FAM(conn) *found)
{
	return !found || likely(found->c.flags & CONN_F_LIVE) ? found : NULL;
}

/* The local address and port of a connection; zero where it has none of this family. */
static inline FAM_ADDR FAM_FN(local, of)(const struct FAM(table) *t, const struct FAM(conn) *c,
					 be16 *port)
{
	const bool has = forward_has(c->c.method, FORWARD_BY_LOCAL) &&
			 !(c->c.flags & CONN_F_TEMPLATE) && !FAM_FN(half, crosses)(c) && c->c.lport;

	*port = has ? c->c.lport : 0;
	return has ? *FAM_FN(conn, local_addr)(t, c) : (FAM_ADDR){0};
}

/* The source of a packet that leaves, of a connection that has a local port. Without a branch on
 * the direction, which is as good as random. */
static inline struct FAM(conn_end)
FAM_FN(local, source)(const struct FAM(table) *t, const struct FAM(conn) *c, unsigned int dir)
{
	const uintptr_t local = (uintptr_t)dir - 1;
	const uintptr_t to_addr = (uintptr_t)FAM_FN(conn, local_addr)(t, c) - (uintptr_t)&c->vaddr,
			to_port = (uintptr_t)&c->c.lport - (uintptr_t)&c->vport;

	return (struct FAM(conn_end)){
		.addr = (const FAM_ADDR *)((uintptr_t)&c->vaddr + (to_addr & local)),
		.port = (const be16 *)((uintptr_t)&c->vport + (to_port & local)),
	};
}

/* Source and destination of a packet that leaves. */
struct FAM(new_ends) {
	FAM_ADDR source, dest;
	be16 sport, dport;
};

/* `in` from local to server, `out` from VIP to client. */
static inline struct FAM(new_ends) FAM_FN(local, ends)(const struct FAM(table) *t,
						       const struct FAM(conn) *c, unsigned int dir)
{
	const struct FAM(conn_end) source = FAM_FN(local, source)(t, c, dir);

	return (struct FAM(new_ends)){.source = *source.addr,
				      .dest = c->addr[dir],
				      .sport = *source.port,
				      .dport = c->port[dir]};
}
_Static_assert((int)DIR_IN == END_SERVER && (int)DIR_OUT == END_CLIENT,
	       "a direction leads to an end");

/* The delta of the IP header of such a connection's `in` packets. */
static inline uint16_t FAM_FN(local, ip_delta)(const struct FAM(table) *t,
					       const struct FAM(conn) *c)
{
#if FAMILY == 4
	return csum_fold((uint64_t)(uint32_t)~c->caddr + (uint32_t)~c->vaddr +
			 *conn4_local_addr(t, c) + c->daddr);
#else
	(void)t;
	return c->c.ip_delta;
#endif
}

/* The same of TCP or UDP. */
static inline uint16_t FAM_FN(local, l4_delta)(const struct FAM(conn) *c, uint16_t ip_delta)
{
	const uint32_t sum = (uint32_t)ip_delta + (uint16_t)~c->cport + (uint16_t)~c->vport +
			     c->c.lport + c->dport;
	const uint32_t folded = (sum & 0xffff) + (sum >> 16);

	return (uint16_t)(folded + (folded >> 16));
}

/*
 * Makes the server's half, findable, of entry `index` of the other family's table: towards end,
 * with its local address and port, or where it has none with a port of its own choice. The caller
 * sets flags and control. 0, or as FAM_FN(local, join)().
 */
int FAM_FN(half, create)(struct worker *w, struct FAM(local_end) *end, const struct conn *c,
			 uint32_t index, struct FAM(conn) **out);
/* Ends a server's half. step: of the client's endpoint. The port's quarantine begins. */
void FAM_FN(half, end)(struct worker *w, struct FAM(conn) *h, uint8_t step);

/*
 * Gives c, whose in key is in the table, its local end: that of n, or where n has none one with a
 * port of its own choice. out_hash: of its out key, which is for the caller to link. With a server
 * of the other family nothing is left to link. 0, or
 *
 *	-ENOSPC		no group of ports is left
 *	-ENETUNREACH	no pool has an address of the link by which the server is reached
 *	-EADDRNOTAVAIL	no port is free
 *	-EEXIST		the port of n is in use
 *	-EINVAL		the port of n is not one of this client
 */
int FAM_FN(local, join)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n,
			uint32_t *out_hash);

/*
 * The same for connections of a burst, of which n has neither lport nor laddr: plan, at most
 * BURST_MAX times, then join_planned for all that are still there. c->out_hash becomes the hash, or
 * the error, above 0, if c->lport remains 0. With a server of the other family plan does all, and
 * returns as join does. False: some connection has no port.
 */
int FAM_FN(local, plan)(struct worker *w, struct FAM(conn) *c, const struct FAM_FN(conn, new) * n);
bool FAM_FN(local, join_planned)(struct worker *w);
/* Prefetches what FAM_FN(local, part)() will touch besides the entries and their buckets, for n
 * entries that will end, all of them by full NAT or not: places, then what the places name, then
 * what the groups name. Whatever is prefetched must have come before the next step. */
void FAM_FN(local, prefetch_places)(const struct worker *w, const uint32_t *index, uint32_t n);
void FAM_FN(local, prefetch_groups)(const struct worker *w, const uint32_t *index, uint32_t n);
void FAM_FN(local, prefetch_rings)(const struct worker *w, const uint32_t *index, uint32_t n);
/* Takes the out key of c out of the table, if it is there. The port's quarantine begins. */
void FAM_FN(local, part)(struct worker *w, struct FAM(conn) *c);
/* c, whose local end is that of an entry of another table, gets a number of its own table for the
 * address, and a port that is nobody's: for a copy that only looks. */
void FAM_FN(local, copy)(struct worker *w, struct FAM(conn) *c, FAM_ADDR local);
