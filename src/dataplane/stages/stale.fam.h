/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of stale.h that is compiled once for each address family. */

/* Whether the connection that was found is still the packet's own. */
static inline bool FAM_FN(stale, keeps)(const struct worker *w, const struct FAM(pkt) *p)
{
	return (p->conn->c.flags & CONN_F_LIVE) &&
	       FAM_FN(conn, has_key)(&w->FAM(v).table, p->conn, &p->key, p->dir);
}

/* Looks the connection of a packet up again; NULL: there is none. */
struct FAM(conn) *FAM_FN(stale, find)(const struct worker *w, const struct FAM(pkt) *p);
/* Later stages use no connection that is not the packet's own. Packets that find none leave the
 * burst. Doors: drop (table_full). */
void FAM(stale_let_go)(struct worker *w, struct FAM(burst) *b);
