/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of source_link.h that is compiled once for each address family. */

/* The slow way: looks in the fib, and stores a positive answer. */
bool FAM_FN(source, look)(struct worker *w, struct FAM(source_slot) *slot, FAM_ADDR server,
			  link_id link);

static inline struct FAM(source_slot) *FAM_FN(source, slot)(struct worker *w, FAM_ADDR server)
{
	return &w->FAM(v).sources[FAM_FN(addr, hash)(server) % SOURCE_SLOTS];
}

/* True: the stored answers allow packets of a NAT server by link. */
static inline bool FAM_FN(source, is_known)(struct worker *w, FAM_ADDR server, link_id link)
{
	const struct FAM(source_slot) *s = FAM_FN(source, slot)(w, server);

	return FAM_FN(addr, equal)(s->addr, server) && s->gen == w->env.gen &&
	       (s->link[0] == link || s->link[1] == link);
}

/* True: packets of a NAT server may come in by link. */
static inline bool FAM_FN(source, on_link)(struct worker *w, FAM_ADDR server, link_id link)
{
	if (likely(FAM_FN(source, is_known)(w, server, link)))
		return true;
	return FAM_FN(source, look)(w, FAM_FN(source, slot)(w, server), server, link);
}

/* The reason to drop a packet from saddr that came in by link; DROP_MAX: the packet may pass. */
enum drop_reason FAM_FN(source, judge)(struct worker *w, FAM_ADDR saddr, link_id link);
