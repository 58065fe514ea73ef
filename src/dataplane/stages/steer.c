/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage steer: direction and owner of each packet, from addresses alone.
 *
 * Reads: key, flags, link; the snapshot's addresses, the fib's own addresses and routes.
 * Writes: dir, conn (a guess, for look-up); key and hash of what ICMP errors quote.
 * Prefetches the connection.
 * Doors: hand-off, punt, answered (echo), park (fragments, fragment_track.h), drop.
 */
#include <string.h>

#include "dataplane/stages/answer.h"
#include "dataplane/check_path/check_path.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_track.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/related.h"
#include "dataplane/stages/source_link.h"
#include "dataplane/exits/relay.h"
#include "dataplane/tunnel/tunnel.h"
#include "model/mark.h"

/* What becomes of a packet before its connection is looked for. */
enum steering {
	STEER_IN,
	STEER_OUT,
	STEER_DONE, /* left by a door */
};

/* Of a packet that makes no connection and goes to Linux or is answered. True: it was dropped,
 * since no link can bring its source. */
static __rte_noinline bool source_dropped(struct worker *w, struct pkt4 *p)
{
	const enum drop_reason reason = source_judge(w, p->key.saddr, p->link);

	if (likely(reason == DROP_MAX))
		return false;
	door_drop(w, p->m, reason);
	return true;
}

static bool balanced_proto(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

static enum steering steer_vip(struct worker *w, struct pkt4 *p, uint32_t kinds)
{
	if (unlikely(!(kinds & ADDR_KIND_ACTIVE) || w->env.lease_off)) {
		if (!relay_take(w, p))
			door_drop(w, p->m, DROP_NOT_ACTIVE);
		return STEER_DONE;
	}
	if (unlikely(p->flags & PKT_FRAGMENT) && !balanced_proto(p->key.proto)) {
		door_drop(w, p->m, DROP_FRAGMENT);
		return STEER_DONE;
	}
	if (unlikely(p->flags & PKT_BAD_L4)) {
		door_drop(w, p->m, DROP_MALFORMED);
		return STEER_DONE;
	}
	if (likely(balanced_proto(p->key.proto)))
		return STEER_IN;
	if (p->key.proto == IPPROTO_ICMP) {
		be32 vip = p->key.daddr;

		if (!related_parse(p)) {
			if (!source_dropped(w, p))
				echo_receive(w, p);
			return STEER_DONE;
		}
		if (p->key.daddr == vip) /* about a reply of this very address */
			return STEER_IN;
		door_drop(w, p->m, DROP_ICMP_UNRELATED);
	} else if (!source_dropped(w, p)) {
		door_punt(w, p->m, PUNT_OWN);
	}
	return STEER_DONE;
}

/* Of a packet for the router itself: the first rule that fits. Fragments have no ports. */
static enum punt_class punt_class_of(const struct punt_rules *rules, const struct pkt4 *p)
{
	uint16_t port = be16_to(p->key.dport);

	for (uint32_t i = 0; balanced_proto(p->key.proto) && i < rules->n; i++) {
		const struct punt_rule *r = &rules->rule[i];

		if (r->proto == p->key.proto && port >= r->first && port <= r->last &&
		    r->own.family == ADDR_V4 &&
		    (addr_is_zero(&r->own) || r->own.v4 == p->key.daddr) &&
		    (addr_is_zero(&r->peer) || r->peer.v4 == p->key.saddr))
			return (enum punt_class)r->class;
	}
	return PUNT_OWN;
}

static void punt_own(struct worker *w, struct pkt4 *p)
{
	const struct punt_rules *rules = w->pub->punt_rules;
	enum punt_class class = PUNT_OWN;

	if (source_dropped(w, p))
		return;
	if (p->key.proto == IPPROTO_ICMP)
		class = PUNT_ICMP;
	else if (rules && !(p->flags & (PKT_FRAGMENT | PKT_BAD_L4)))
		class = punt_class_of(rules, p);
	door_punt(w, p->m, class);
}

/* An ICMP error that quotes what a server of ours was sent: from the server or from any
 * router behind it. */
static bool quotes_a_server(const struct burst_env *env, struct pkt4 *p)
{
	const struct key4 own = p->key;
	const struct addr_entry4 *e;

	if (p->key.proto != IPPROTO_ICMP || (p->flags & PKT_FRAGMENT) || !related_parse(p))
		return false;
	e = addr_table4_find(env->snap->addrs4, p->key.saddr);
	/* It goes to the client of the quoted connection, or it is somebody else's. */
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER) && p->key.daddr == own.daddr)
		return true;
	p->key = own;
	p->flags &= (uint8_t)~PKT_RELATED;
	return false;
}

/* Of a client's packet to an address without services, where it may belong to a connection
 * or to a mark nevertheless. */
static bool may_belong(const struct key4 *own, struct pkt4 *p)
{
	if (likely(balanced_proto(p->key.proto)))
		return true;
	if (p->key.proto != IPPROTO_ICMP || (p->flags & PKT_FRAGMENT) || !related_parse(p))
		return false;
	if (p->key.daddr == own->daddr) /* about a reply of this very address */
		return true;
	p->key = *own;
	p->flags &= (uint8_t)~PKT_RELATED;
	return false;
}

/* The last service of a VIP went, its connections did not: what becomes of them is for the
 * service's policy to say. */
static bool may_linger(const struct burst_env *env, const struct addr_entry4 *dest, struct pkt4 *p)
{
	const struct key4 own = p->key;

	return unlikely(dest && (dest->kinds & ADDR_KIND_LINGERING)) && !env->lease_off &&
	       !(p->flags & PKT_BAD_L4) && may_belong(&own, p);
}

/*
 * A mark rule that leads to a service can match it, whatever address it is: the rules are
 * asked if it has no connection. Not on a router whose VIPs are not active.
 */
static bool may_be_marked(const struct burst_env *env, struct pkt4 *p)
{
	const struct key4 own = p->key;

	if (likely(!env->snap->cover4) || env->lease_off ||
	    !mark_cover4_has(env->snap->cover4, p->key.daddr) || (p->flags & PKT_BAD_L4))
		return false;
	return may_belong(&own, p);
}

/* A router that is not active has no part in what NAT servers send through the gateway
 * address, or in what a mark balances. True: the packet has left. */
static __rte_noinline bool steer_inactive(struct worker *w, struct pkt4 *p)
{
	const struct burst_env *env = &w->env;
	const struct addr_entry4 *e = addr_table4_find(env->snap->addrs4, p->key.saddr);
	const bool server = e && (e->kinds & ADDR_KIND_NAT_SERVER);

	if (be32_to(p->key.daddr) >> 28 >= 14 || fib4_find_local(env->fib->v4, p->key.daddr))
		return false;
	if (!server && !(env->snap->cover4 && mark_cover4_has(env->snap->cover4, p->key.daddr)))
		return false;
	if (relay_take(w, p))
		return true;
	if (!server)
		return false;
	door_drop(w, p->m, DROP_NOT_ACTIVE);
	return true;
}

static inline be32 *marked_slot(struct worker *w, be32 dest)
{
	return &w->marked.dest[addr4_hash(dest) % MARKED_DESTS];
}

/* Of TCP and UDP. A server's packets are steered by their source. */
static inline bool marked_before(struct worker *w, const struct pkt4 *p)
{
	const struct addr_entry4 *e;

	if (likely(!w->env.snap->cover4) || *marked_slot(w, p->key.daddr) != p->key.daddr ||
	    !balanced_proto(p->key.proto) || (p->flags & PKT_BAD_L4))
		return false;
	e = addr_table4_find(w->env.snap->addrs4, p->key.saddr);
	return !e || !(e->kinds & (ADDR_KIND_NAT_SERVER | ADDR_KIND_VIP));
}

static void marked_note(struct worker *w, be32 dest)
{
	*marked_slot(w, dest) = dest;
}

static void marked_refresh(struct worker *w)
{
	struct marked_dests *d = &w->marked;

	if (likely(d->snap == w->env.snap && d->generation == w->env.snap->generation &&
		   d->resolve_gen == w->env.gen))
		return;
	d->snap = w->env.snap;
	d->generation = w->env.snap->generation;
	d->resolve_gen = w->env.gen;
	memset(d->dest, 0, sizeof(d->dest));
}

static enum steering steer_one(struct worker *w, struct pkt4 *p)
{
	const struct burst_env *env = &w->env;
	const struct addr_entry4 *dest = addr_table4_find(env->snap->addrs4, p->key.daddr);
	const struct addr_entry4 *e;

	if (dest && (dest->kinds & ADDR_KIND_VIP))
		return steer_vip(w, p, dest->kinds);
	if (unlikely(env->lease_off) && steer_inactive(w, p))
		return STEER_DONE;
	if (!env->lease_off && marked_before(w, p))
		return STEER_IN;
	if (be32_to(p->key.daddr) >> 28 >= 14 || fib4_find_local(env->fib->v4, p->key.daddr)) {
		if (w->pub->check_ports && check_path_take(w, p))
			return STEER_DONE;
		if (may_be_marked(env, p))
			return STEER_IN;
		if (p->key.proto != IPPROTO_ICMP || !tunnel4_error(w, p))
			punt_own(w, p);
		return STEER_DONE;
	}
	e = addr_table4_find(env->snap->addrs4, p->key.saddr);
	if (e && (e->kinds & ADDR_KIND_NAT_SERVER) && balanced_proto(p->key.proto)) {
		if (unlikely(!source_on_link(w, p->key.saddr, p->link))) {
			door_drop(w, p->m, DROP_WRONG_LINK);
			return STEER_DONE;
		}
		/* Its ports are unknown, so whether it is a reply is, too. */
		if (unlikely(p->flags & (PKT_BAD_L4 | PKT_TRIED_OUT))) {
			if (p->flags & PKT_TRIED_OUT)
				return STEER_IN;
			door_drop(w, p->m, DROP_MALFORMED);
			return STEER_DONE;
		}
		return STEER_OUT;
	}
	if (e && (e->kinds & ADDR_KIND_VIP)) { /* nobody but us speaks as a VIP */
		door_drop(w, p->m, DROP_BAD_SOURCE);
		return STEER_DONE;
	}
	if (quotes_a_server(env, p)) {
		/* Whoever sends the error stands on the way to the server. */
		if (source_on_link(w, p->key.saddr, p->link))
			return STEER_OUT;
		door_drop(w, p->m, DROP_WRONG_LINK);
		return STEER_DONE;
	}
	if (may_linger(env, dest, p))
		return STEER_IN;
	if (may_be_marked(env, p)) {
		marked_note(w, p->key.daddr);
		return STEER_IN;
	}
	/* To an address of a prefix that tunnels come from. */
	if (p->key.proto == IPPROTO_ICMP && tunnel4_error(w, p))
		return STEER_DONE;
	if (!source_dropped(w, p))
		door_punt(w, p->m, PUNT_TRANSIT);
	return STEER_DONE;
}

void stage_steer4(struct worker *w, struct burst *b)
{
	uint16_t k = 0;

	marked_refresh(w);
	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt4 *p = &b->pkts[i];
		enum steering s = steer_one(w, p);
		unsigned int owner;

		if (unlikely(s == STEER_DONE))
			continue;
		if (unlikely(p->flags & (PKT_RELATED | PKT_FRAGMENT))) {
			be32 client = s == STEER_IN ? p->key.saddr : p->key.daddr;

			if (p->flags & PKT_FRAGMENT && !follow_steer(w, p, client))
				continue;
			/* The key is the quoted packet's, the first fragment's. */
			p->hash = table4_hash(&w->table4, &p->key);
		}
		owner = s == STEER_IN ? owner4(w->owners, p->key.saddr, p->key.sport)
				      : owner4(w->owners, p->key.daddr, p->key.dport);
		if (owner != w->id) {
			door_handoff(w, p->m, owner, 0);
			continue;
		}
		p->dir = s == STEER_IN ? DIR_IN : DIR_OUT;
		p->conn = table4_prefetch_entry(&w->table4, p->hash, p->dir);
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}
