/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of crossing.h that is compiled once for each address family. */

/* --- FAMILY is the client's --- */

/* The place of the server's half of a connection for which FAM_FN(half, crosses)() holds. */
static inline struct OTHER_FAM(conn) *
	FAM_FN(crossing, at)(const struct worker *w, const struct FAM(conn) *c)
{
	const struct OTHER_FAM(table) *const o = &w->OTHER_FAM(v).table;

	return &o->conns[o->half_first + FAM_FN(conn, index)(&w->FAM(v).table, c)];
}

/* The server's half of such a connection, or NULL. */
static inline struct OTHER_FAM(conn) *
	FAM_FN(crossing, server)(const struct worker *w, const struct FAM(conn) *c)
{
	return c->c.flags & CONN_F_OUT_KEY ? FAM_FN(crossing, at)(w, c) : NULL;
}

/* The local address and port of such a connection, which are of the other family; zero: none. */
static inline OTHER_ADDR FAM_FN(crossing, local)(const struct worker *w, const struct FAM(conn) *c,
						 be16 *port)
{
	const struct OTHER_FAM(conn) *h = FAM_FN(crossing, server)(w, c);

	*port = h ? h->cport : 0;
	return h ? h->caddr : (OTHER_ADDR){0};
}

/* The ends of a packet to the server, of a connection with its server's half. */
static inline struct OTHER_FAM(new_ends)
	FAM_FN(crossing, ends)(const struct worker *w, const struct FAM(conn) *c)
{
	const struct OTHER_FAM(conn) *h = FAM_FN(crossing, at)(w, c);

	return (struct OTHER_FAM(new_ends)){
		.source = h->caddr, .dest = h->daddr, .sport = h->cport, .dport = h->dport};
}

/* As FAM_FN(local, join)() and FAM_FN(local, part)(), which call these. */
int FAM_FN(crossing, join)(struct worker *w, struct FAM(conn) *c,
			   const struct FAM_FN(conn, new) * n);
void FAM_FN(crossing, part)(struct worker *w, struct FAM(conn) *c);

/* Stage rewrite, for a packet of such a connection. False: the packet has left. */
bool FAM_FN(crossing, rewrite)(struct worker *w, struct FAM(pkt) *p);

/* --- FAMILY is the server's --- */

/* Ends the connection with this out key, of a client of either family. False: there is none. */
bool FAM_FN(crossing, evict)(struct worker *w, const struct FAM(key) *key);

/* After look-up: replies whose connection is in the other table leave b, to x. */
void FAM_FN(crossing, take)(struct worker *w, struct FAM(burst) *b, struct OTHER_FAM(burst) * x);
/* The same, and takes x through the remaining stages. */
void FAM_FN(crossing, pass)(struct worker *w, struct FAM(burst) *b);
