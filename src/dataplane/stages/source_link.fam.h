/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of source_link.h that is compiled once for each address family. server: the entry of a
 * NAT server in the addresses of the burst's snapshot. */

/* The slow way: looks in the fib, and stores a positive answer. */
bool FAM_FN(source, look)(struct worker *w, const struct FAM(addr_entry) *server, link_id link);

static inline struct FAM(source_slot) *FAM_FN(source, slot)(struct worker *w,
							    const struct FAM(addr_entry) *server)
{
	const size_t place = (size_t)(server - w->env.snap->FAM(addrs)->slots);

	return &w->FAM(v).sources[place % SOURCE_SLOTS];
}

/* True: the stored answers allow packets of the server by link. */
static inline bool FAM_FN(source, is_known)(struct worker *w, const struct FAM(addr_entry) *server,
					    link_id link)
{
	const struct FAM(source_slot) *s = FAM_FN(source, slot)(w, server);

	return FAM_FN(addr, equal)(s->addr, server->addr) && s->gen == w->env.gen &&
	       (s->link[0] == link || s->link[1] == link);
}

/* True: packets of the server may come in by link. */
static inline bool FAM_FN(source, on_link)(struct worker *w, const struct FAM(addr_entry) *server,
					   link_id link)
{
	return likely(FAM_FN(source, is_known)(w, server, link)) ||
	       FAM_FN(source, look)(w, server, link);
}

/* The reason to drop a packet from saddr that came in by link; DROP_MAX: the packet may pass. */
enum drop_reason FAM_FN(source, judge)(struct worker *w, FAM_ADDR saddr, link_id link);
