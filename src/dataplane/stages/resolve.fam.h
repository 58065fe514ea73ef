/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of resolve.h that is compiled once for each address family. */

/* For a new connection, or a copied one. Sets the server's next hop, if another connection of the
 * server has found it, so that the first packet goes the short way. Where replies pass here,
 * requests the client's next hop now, so that the first answer does not wait. */
void FAM(resolve_ahead)(struct worker *w, struct FAM(conn) *c);

/* Stage resolve for one packet. False: the packet has left. */
bool FAM_FN(resolve, packet)(struct worker *w, struct FAM(pkt) *p);

/* The next hop of a connection's direction, if it was resolved since the last change and is
 * reachable; else NULL. */
static inline const struct nexthop *FAM_FN(resolve, known)(const struct worker *w,
							   const struct conn *c, unsigned int dir)
{
	const uint32_t id = c->nexthop[dir];
	const struct nexthop *nh;

	if (unlikely(c->gen != w->env.gen || id == 0))
		return NULL;
	nh = nexthop_by_id(w->nexthops, id);
	return likely(nh->state == NEXTHOP_REACHABLE) ? nh : NULL;
}
