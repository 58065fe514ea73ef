/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage steer: direction and owner of each packet, from addresses alone. Packets without a
 * direction leave by not_balanced.h.
 *
 * Reads: key, flags, link; the snapshot's addresses, the fib's own addresses and routes.
 * Writes: dir, conn (a guess, for look-up); key and hash of what ICMP errors quote.
 * Prefetches the connection.
 * Doors: hand-off, park (fragments, fragment_track.h).
 */
#include <string.h>

#include "dataplane/check_path/check_path.h"
#include "dataplane/fragment/fragment_track.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/nd.h"
#include "dataplane/stages/not_balanced.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/related.h"
#include "dataplane/stages/source_link.h"
#include "dataplane/stages/steered.h"
#include "model/mark.h"

/* A later fragment of IPv6 may name an extension header of its first. */
static bool fragment_may_be_balanced(uint8_t proto)
{
	return proto_is_balanced(proto) || (FAMILY == 6 && ext6_is_header(proto));
}

/* A packet to an address that moves with the VIPs and is active here. towards: STEER_IN to a VIP,
 * STEER_OUT to an address of a pool. */
static inline enum steering steer_active(struct FAM(pkt) *p, enum steering towards)
{
	const FAM_ADDR vip = p->key.daddr;

	if (unlikely(p->flags & PKT_FRAGMENT) && !fragment_may_be_balanced(p->key.proto))
		return steer_drop(DROP_FRAGMENT);
	if (unlikely(p->flags & PKT_BAD_L4))
		return steer_drop(DROP_MALFORMED);
	if (FAMILY == 6 && p->key.proto == EXT6_NONE)
		return steer_drop(DROP_UNSUPPORTED);
	if (likely(proto_is_balanced(p->key.proto)) || unlikely(p->flags & PKT_FRAGMENT))
		return towards;
	if (p->key.proto != ICMP_PROTO)
		return STEER_TO_VIP;
	if (!FAM_FN(related, parse)(p))
		return STEER_ECHO;
	/* An error about a packet of this very address has the packet's direction. */
	return FAM_FN(addr, equal)(p->key.daddr, vip) ? towards : steer_drop(DROP_ICMP_UNRELATED);
}

/* A VIP that is not active here, or an address of a pool. A pool is of one link: replies of its
 * servers come in there. */
static __rte_noinline enum steering steer_special(const struct worker *w, struct FAM(pkt) *p,
						  const struct FAM(addr_entry) *dest)
{
	const struct link_info *info;

	if (!(dest->kinds & ADDR_KIND_ACTIVE) || w->env.lease_off)
		return STEER_NOT_ACTIVE;
	info = dest->link == p->link ? NULL : fib_link(w->env.fib, p->link);
	if (dest->link == p->link || (info && info->loose))
		return steer_active(p, STEER_OUT);
	return steer_drop(DROP_WRONG_LINK);
}

static enum steering steer_vip(const struct worker *w, struct FAM(pkt) *p,
			       const struct FAM(addr_entry) *dest)
{
	if (unlikely((dest->kinds & (ADDR_KIND_ACTIVE | ADDR_KIND_POOL)) != ADDR_KIND_ACTIVE ||
		     w->env.lease_off))
		return steer_special(w, p, dest);
	return steer_active(p, STEER_IN);
}

/* The server of an ICMP error that quotes a packet to a real server: from the server or from any
 * router behind it. NULL: no such error. */
static const struct FAM(addr_entry) *quoted_server(const struct burst_env *env, struct FAM(pkt) *p)
{
	const struct FAM(key) own = p->key;
	const struct FAM(addr_entry) *e;

	if (p->key.proto != ICMP_PROTO || (p->flags & PKT_FRAGMENT) || !FAM_FN(related, parse)(p))
		return NULL;
	e = FAM_FN(addr_table, find)(env->snap->FAM(addrs), p->key.saddr);
	/* The error goes to the client of the quoted connection, or is not for us. */
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER) && FAM_FN(addr, equal)(p->key.daddr, own.daddr))
		return e;
	p->key = own;
	p->flags &= (uint8_t)~PKT_RELATED;
	return NULL;
}

/* A client's packet to an address without services, which may belong to a connection or to a mark
 * nevertheless. */
static bool may_belong(const struct FAM(key) *own, struct FAM(pkt) *p)
{
	if (likely(proto_is_balanced(p->key.proto)))
		return true;
	if (p->key.proto != ICMP_PROTO || (p->flags & PKT_FRAGMENT) || !FAM_FN(related, parse)(p))
		return false;
	if (FAM_FN(addr, equal)(p->key.daddr, own->daddr)) /* about a reply of this very address */
		return true;
	p->key = *own;
	p->flags &= (uint8_t)~PKT_RELATED;
	return false;
}

/* The last service of a VIP was removed, but connections of the VIP remain. The service's
 * on_removed decides on them. */
static bool may_linger(const struct burst_env *env, const struct FAM(addr_entry) *dest,
		       struct FAM(pkt) *p)
{
	const struct FAM(key) own = p->key;

	return unlikely(dest && (dest->kinds & ADDR_KIND_LINGERING)) && !env->lease_off &&
	       !(p->flags & PKT_BAD_L4) && may_belong(&own, p);
}

/*
 * A packet that a mark rule with a service can match, whatever its destination: if it has no
 * connection, the rules decide. Not on a router whose VIPs are not active.
 */
static bool may_be_marked(const struct burst_env *env, struct FAM(pkt) *p)
{
	const struct FAM(key) own = p->key;

	if (likely(!env->snap->FAM(cover)) || env->lease_off ||
	    !FAM_FN(mark_cover, has)(env->snap->FAM(cover), p->key.daddr) ||
	    (p->flags & PKT_BAD_L4))
		return false;
	return may_belong(&own, p);
}

/* A router that is not active handles neither packets of NAT servers through the gateway address
 * nor packets of marks. */
static __rte_noinline bool is_of_active(const struct burst_env *env, const struct FAM(pkt) *p)
{
	const struct FAM(addr_entry) *e =
		FAM_FN(addr_table, find)(env->snap->FAM(addrs), p->key.saddr);

	if (FAM_FN(addr, is_multicast)(p->key.daddr) ||
	    FAM_FN(fib, find_local)(env->fib->FAM(v), p->key.daddr))
		return false;
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER))
		return true;
	return env->relay &&
	       env->snap->FAM(cover) &&FAM_FN(mark_cover, has)(env->snap->FAM(cover), p->key.daddr);
}

static inline FAM_ADDR *marked_slot(struct worker *w, FAM_ADDR dest)
{
	return &w->FAM(v).marked.dest[FAM_FN(addr, hash)(dest) % MARKED_DESTS];
}

/* Of TCP and UDP. A server's packets are steered by their source. */
static inline bool marked_before(struct worker *w, const struct FAM(pkt) *p)
{
	const struct FAM(addr_entry) *e;

	if (likely(!w->env.snap->FAM(cover)) ||
	    !FAM_FN(addr, equal)(*marked_slot(w, p->key.daddr), p->key.daddr) ||
	    !proto_is_balanced(p->key.proto) || (p->flags & PKT_BAD_L4))
		return false;
	e = FAM_FN(addr_table, find)(w->env.snap->FAM(addrs), p->key.saddr);
	return !e || !(e->kinds & (ADDR_KIND_NAT_SERVER | ADDR_KIND_VIP));
}

static void marked_note(struct worker *w, FAM_ADDR dest)
{
	*marked_slot(w, dest) = dest;
}

static void marked_refresh(struct worker *w)
{
	struct FAM(marked_dests) *d = &w->FAM(v).marked;

	if (likely(d->snap == w->env.snap && d->generation == w->env.snap->generation &&
		   d->resolve_gen == w->env.gen))
		return;
	d->snap = w->env.snap;
	d->generation = w->env.snap->generation;
	d->resolve_gen = w->env.gen;
	memset(d->dest, 0, sizeof(d->dest));
}

/* A packet of a NAT server. */
static enum steering steer_server(struct worker *w, const struct FAM(pkt) *p,
				  const struct FAM(addr_entry) *server)
{
	if (unlikely(!FAM_FN(source, on_link)(w, server, p->link)))
		return steer_drop(DROP_WRONG_LINK);
	if (unlikely(p->flags & PKT_TRIED_OUT))
		return STEER_IN;
	/* The ports are unknown, so the packet cannot be found to be a reply. */
	return unlikely(p->flags & PKT_BAD_L4) ? steer_drop(DROP_MALFORMED) : STEER_OUT;
}

/* A packet to an address of the router's own, or to a group. */
static enum steering steer_own(struct worker *w, struct FAM(pkt) *p)
{
	if (w->pub->check_ports && FAM_FN(check_path, wants)(w, p))
		return STEER_CHECK;
	return may_be_marked(&w->env, p) ? STEER_IN : STEER_OWN;
}

/* Any packet. */
static __rte_noinline enum steering steer_one(struct worker *w, struct FAM(pkt) *p)
{
	const struct burst_env *env = &w->env;
	const struct FAM(addr_entry) *dest =
		FAM_FN(addr_table, find)(env->snap->FAM(addrs), p->key.daddr);
	const struct FAM(addr_entry) *e;

#if FAMILY == 6
	if (unlikely(p->key.proto == IPPROTO_ICMPV6) && nd_is(p))
		return STEER_ND;
#endif
	if (dest && (dest->kinds & ADDR_KIND_VIP))
		return steer_vip(w, p, dest);
	if (unlikely(env->lease_off) && is_of_active(env, p))
		return STEER_NOT_ACTIVE;
	if (!env->lease_off && marked_before(w, p))
		return STEER_IN;
	if (FAM_FN(addr, is_multicast)(p->key.daddr) ||
	    FAM_FN(fib, find_local)(env->fib->FAM(v), p->key.daddr))
		return steer_own(w, p);
	e = FAM_FN(addr_table, find)(env->snap->FAM(addrs), p->key.saddr);
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER) && proto_is_balanced(p->key.proto))
		return steer_server(w, p, e);
	if (e && (e->kinds & ADDR_KIND_VIP)) /* only this router sends from a VIP */
		return steer_drop(DROP_BAD_SOURCE);
	e = quoted_server(env, p);
	if (e) /* The sender of the error stands on the way to the server. */
		return FAM_FN(source, on_link)(w, e, p->link) ? STEER_OUT
							      : steer_drop(DROP_WRONG_LINK);
	if (may_linger(env, dest, p))
		return STEER_IN;
	if (may_be_marked(env, p)) {
		marked_note(w, p->key.daddr);
		return STEER_IN;
	}
	return STEER_TRANSIT;
}

static inline bool is_active_vip(uint32_t kinds)
{
	return (kinds & (ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_POOL)) ==
	       (ADDR_KIND_VIP | ADDR_KIND_ACTIVE);
}

static inline bool is_active_pool(uint32_t kinds)
{
	const uint32_t all = ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_POOL;

	return (kinds & all) == all;
}

/*
 * The direction of nearly all packets: TCP or UDP with whole headers, from a client to a VIP that
 * is active, from a NAT server to an address that is not this router's, or to an address of a pool.
 * Decides as steer_one() does. STEER_UNDECIDED: ask steer_one().
 */
static __rte_always_inline enum steering steer_plain(struct worker *w, const struct FAM(pkt) *p)
{
	const struct snapshot *snap = w->env.snap;
	const struct FAM(addr_table) *addrs = snap->FAM(addrs);
	const FAM_ADDR saddr = p->key.saddr, daddr = p->key.daddr;
	const struct FAM(addr_entry) *e;

	if (unlikely(p->flags || !proto_is_balanced(p->key.proto)))
		return STEER_UNDECIDED;
	e = FAM_FN(addr_table, find)(addrs, daddr);
	if (e) {
		if (likely(is_active_vip(e->kinds)))
			return STEER_IN;
		return is_active_pool(e->kinds) && e->link == p->link ? STEER_OUT : STEER_UNDECIDED;
	}
	if (unlikely(snap->FAM(cover) || FAM_FN(addr, is_multicast)(daddr) ||
		     FAM_FN(fib, may_be_local)(w->env.fib->FAM(v), daddr)))
		return STEER_UNDECIDED;
	e = FAM_FN(addr_table, find)(addrs, saddr);
	if (likely(e && (e->kinds & ADDR_KIND_NAT_SERVER)) &&
	    likely(FAM_FN(source, is_known)(w, e, p->link)))
		return STEER_OUT;
	return STEER_UNDECIDED;
}

/*
 * The same for a burst that may be of both directions, in dir. A branch on the direction of each
 * packet could not be predicted. So only the destination's first slot is compared, without a
 * branch, and packets that are not to a VIP are gathered and handled after the others.
 */
static inline void steer_mixed(struct worker *w, struct FAM(burst) *b)
{
	const struct FAM(addr_table) *const addrs = w->env.snap->FAM(addrs);
	struct FAM(pkt) *others[BURST_MAX], *const end = b->pkts + b->n;
	unsigned int n = 0;

	for (struct FAM(pkt) *p = b->pkts; p < end; p++) {
		const struct FAM(addr_entry) *e = FAM_FN(addr_table, first)(addrs, p->key.daddr);
		const unsigned int same = FAM_FN(addr, equal)(e->addr, p->key.daddr);
		const bool in = same & is_active_vip(e->kinds) & (p->flags == 0) &
				proto_is_balanced(p->key.proto);

		p->dir = STEER_IN;
		others[n] = p;
		n += !in;
	}
	for (unsigned int k = 0; k < n; k++)
		others[k]->dir = (uint8_t)steer_plain(w, others[k]);
}

/* An ICMP error or a fragment: the hash was made of another key. False: the packet has left. */
static __rte_noinline bool steer_rekey(struct worker *w, struct FAM(pkt) *p, enum steering s)
{
	const FAM_ADDR client = s == STEER_IN ? p->key.saddr : p->key.daddr;

	if (p->flags & PKT_FRAGMENT && !FAM_FN(follow, steer)(w, p, client))
		return false;
	/* The key is the quoted packet's, the first fragment's. */
	p->hash = FAM_FN(table, hash)(&w->FAM(v).table, &p->key);
	return true;
}

static inline unsigned int steer_owner(const struct worker *w, const struct FAM(pkt) *p,
				       enum steering s)
{
	return s == STEER_IN ? FAM(owner)(w->owners, p->key.saddr, p->key.sport)
			     : FAM(owner)(w->owners, p->key.daddr, p->key.dport);
}

void FAM(stage_steer)(struct worker *w, struct FAM(burst) *b)
{
	const struct FAM(table) *const t = &w->FAM(v).table;
	const bool several = w->owners->several, active = !w->env.lease_off;
	const bool mixed = active && (w->env.snap->FAM(addrs)->any & ADDR_KIND_NAT_SERVER);
	struct FAM(pkt) *const end = b->pkts + b->n, *to = b->pkts;

	marked_refresh(w);
	if (mixed)
		steer_mixed(w, b);
	for (struct FAM(pkt) *p = b->pkts; p < end; p++) {
		enum steering s = !active ? STEER_UNDECIDED
				  : mixed ? (enum steering)p->dir
					  : steer_plain(w, p);

		if (unlikely(s == STEER_UNDECIDED)) {
			s = steer_one(w, p);
			if (s > STEER_OUT) {
				FAM_FN(not_balanced, leave)(w, p, s);
				continue;
			}
			if (unlikely(p->flags & (PKT_RELATED | PKT_FRAGMENT)) &&
			    !steer_rekey(w, p, s))
				continue;
		}
		if (several) {
			const unsigned int owner = steer_owner(w, p, s);

			if (owner != w->id) {
				FAM_FN(steered, put)(w, p, owner, s == STEER_IN ? DIR_IN : DIR_OUT);
				continue;
			}
		}
		p->dir = s == STEER_IN ? DIR_IN : DIR_OUT;
		p->conn =
			FAM_FN(table, prefetch_entry)(t, p->hash, s == STEER_IN ? DIR_IN : DIR_OUT);
		if (unlikely(to != p))
			*to = *p;
		to++;
	}
	b->n = (uint16_t)(to - b->pkts);
}
