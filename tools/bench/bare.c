/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lower bound: what forwarding a packet costs with a copy of the table and the entries
 * (frozen.h) and the same next hops, when nothing can go wrong and nothing is asked: no VLANs, no
 * header checks, no other traffic, one service, next hops that never change. The loop is frozen as
 * well: what the data path gains shows in the ratio. Compiled for each address family.
 */
#include "bench.h"

#include <rte_tcp.h>

#include "bare.h"
#include "frozen.h"

struct bare_pkt {
	uint8_t *l3;
	struct FAM(frozen_conn) *conn;
	struct FAM(key) key;
	uint32_t hash;
	uint32_t dir;
};

static inline void bare_read(struct rte_mbuf *m, struct bare_pkt *p, bool nat)
{
	uint8_t *l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);

	p->l3 = l3;
	p->key = bare_key(l3);
	p->dir = nat && !FAM_FN(addr, equal)(p->key.daddr, FAM_FN(scene, vip)()) ? DIR_OUT : DIR_IN;
}

static inline void bare_parse(const struct FAM(frozen) *t, struct rte_mbuf *m, struct bare_pkt *p,
			      bool nat)
{
	bare_read(m, p, nat);
	p->hash = FAM_FN(frozen, hash)(t, &p->key);
	FAM_FN(frozen, prefetch_bucket)(t, p->hash);
}

static inline uint16_t bare_nat_apply(uint8_t *l3, struct rte_tcp_hdr *tcp,
				      const struct FAM(frozen_conn) *c, uint32_t out)
{
	const uint16_t invert = (uint16_t)-out;

	tcp->cksum = frozen_csum_apply(tcp->cksum, c->c.l4_delta ^ invert);
	FAM_FN(ip, addr_put)(l3, IP_DEST - out, c->addr[END_SERVER + 2 * out]);
	memcpy((uint8_t *)tcp + 2 - 2 * out, &c->port[END_SERVER + 2 * out], 2);
	return c->c.ip_delta ^ invert;
}

static inline void bare_forward(struct scene *s, struct bare_pkt *p, bool nat)
{
	struct worker *w = s->w;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)bare_l4(p->l3);
	struct FAM(frozen_conn) *c = p->conn;
	struct server_counters *sc;
	const struct nexthop *nh;
	uint16_t delta;

	if (unlikely(!c))
		fail("the bare loop misses a connection");
	c->c.tick = w->env.now_tick;
	if (unlikely(c->c.state != CONN_ESTABLISHED || (tcp->tcp_flags & 7)))
		fail("the bare loop has established connections only");
	sc = &w->servers[c->c.server].counters;
	sc->pkts[p->dir]++;
	(&sc->in_bytes)[p->dir] += bare_length(p->l3);
	delta = FAM_FN(ip, hop_down)(p->l3);
	if (nat)
		delta = frozen_add16(delta, bare_nat_apply(p->l3, tcp, c, p->dir));
#if FAMILY == 4
	((struct rte_ipv4_hdr *)p->l3)->hdr_checksum =
		frozen_csum_apply(((struct rte_ipv4_hdr *)p->l3)->hdr_checksum, delta);
#endif
	nh = nexthop_by_id(w->nexthops, c->c.nexthop[p->dir]);
	memcpy(p->l3 - 14, nh->l2, 14);
}

static inline void bare_run(struct scene *s, const struct FAM(frozen) *t, struct rte_mbuf **frames,
			    uint16_t n, bool nat)
{
	struct bare_pkt pkts[BURST_MAX];

	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		bare_parse(t, frames[i], &pkts[i], nat);
	}
	for (uint16_t i = 0; i < n; i++)
		pkts[i].conn = FAM_FN(frozen, prefetch_entry)(t, pkts[i].hash, pkts[i].dir);
	/* Apart from the rest, so that misses overlap. */
	for (uint16_t i = 0; i < n; i++)
		pkts[i].conn = FAM_FN(frozen, find_guess)(t, &pkts[i].key, pkts[i].hash,
							  pkts[i].dir, pkts[i].conn);
	for (uint16_t i = 0; i < n; i++)
		bare_forward(s, &pkts[i], nat);
}

/* The same with DPDK's hash table in place of the buckets, a burst at a time. */
static inline void yardstick_run(struct scene *s, const struct FAM(frozen) *t,
				 struct rte_mbuf **frames, uint16_t n, bool nat)
{
	struct bare_pkt pkts[BURST_MAX];
	const void *keys[BURST_MAX];
	void *refs[BURST_MAX];
	uint64_t hits;

	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		bare_read(frames[i], &pkts[i], nat);
		keys[i] = &pkts[i].key;
	}
	if (rte_hash_lookup_bulk_data(t->hash, keys, n, &hits, refs) != n)
		fail("the yardstick misses a connection");
	for (uint16_t i = 0; i < n; i++) {
		pkts[i].conn = &t->conns[(uintptr_t)refs[i] >> 1];
		__builtin_prefetch(pkts[i].conn, 1);
		if (FAMILY == 6)
			__builtin_prefetch(&pkts[i].conn->addr[0]);
	}
	for (uint16_t i = 0; i < n; i++)
		bare_forward(s, &pkts[i], nat);
}

void FAM_FN(bare, burst)(struct scene *s, struct rte_mbuf **frames, uint16_t n)
{
	if (s->method == FWD_FULLNAT)
		FAM_FN(bare, fullnat)(s, frames, n);
	else if (s->method == FWD_NAT)
		bare_run(s, FAM_FN(frozen, of)(s), frames, n, true);
	else
		bare_run(s, FAM_FN(frozen, of)(s), frames, n, false);
}

bool FAM_FN(yardstick, is_there)(struct scene *s)
{
	return FAM_FN(frozen, of)(s)->hash;
}

void FAM_FN(yardstick, burst)(struct scene *s, struct rte_mbuf **frames, uint16_t n)
{
	if (s->method == FWD_NAT)
		yardstick_run(s, FAM_FN(frozen, of)(s), frames, n, true);
	else
		yardstick_run(s, FAM_FN(frozen, of)(s), frames, n, false);
}
