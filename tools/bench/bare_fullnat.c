/* SPDX-License-Identifier: BSD-3-Clause */
/* The bare loop (bare.c) for full NAT, with the table and the entries of the data path. Compiled
 * for each address family. */
#include "bench.h"

#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/fullnat/local_end.h"
#include "bare.h"

struct bare_pkt {
	uint8_t *l3;
	struct FAM(conn) *conn;
	struct FAM(key) key;
	uint32_t hash;
	uint32_t dir;
};

static inline void bare_parse(const struct FAM(table) *t, struct rte_mbuf *m, struct bare_pkt *p)
{
	uint8_t *l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);

	p->l3 = l3;
	p->key = bare_key(l3);
	p->dir = FAM_FN(addr, equal)(p->key.daddr, FAM_FN(scene, vip)()) ? DIR_IN : DIR_OUT;
	p->hash = FAM_FN(table, hash)(t, &p->key);
	FAM_FN(table, prefetch_bucket)(t, p->hash);
}

static inline uint16_t bare_fullnat_apply(const struct FAM(table) *t, uint8_t *l3,
					  struct rte_tcp_hdr *tcp, const struct FAM(conn) *c,
					  uint32_t out)
{
	const struct FAM(new_ends) ends = FAM_FN(local, ends)(t, c, out);
	const uint16_t ip_delta = FAM_FN(local, ip_delta)(t, c), invert = (uint16_t)-out;

	tcp->cksum = csum_apply(tcp->cksum, FAM_FN(local, l4_delta)(c, ip_delta) ^ invert);
	FAM_FN(ip, addr_put)(l3, IP_SOURCE, ends.source);
	FAM_FN(ip, addr_put)(l3, IP_DEST, ends.dest);
	tcp->src_port = ends.sport;
	tcp->dst_port = ends.dport;
	return ip_delta ^ invert;
}

static inline void bare_forward(struct scene *s, struct bare_pkt *p)
{
	struct worker *w = s->w;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)bare_l4(p->l3);
	struct FAM(conn) *c = p->conn;
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
	delta = csum_delta_sum(delta, bare_fullnat_apply(&w->FAM(v).table, p->l3, tcp, c, p->dir));
	FAM_FN(ip, csum_change)(p->l3, delta);
	nh = nexthop_by_id(w->nexthops, c->c.nexthop[p->dir]);
	memcpy(p->l3 - 14, nh->l2, 14);
}

void FAM_FN(bare, fullnat)(struct scene *s, struct rte_mbuf **frames, uint16_t n)
{
	const struct FAM(table) *t = &s->w->FAM(v).table;
	struct bare_pkt pkts[BURST_MAX];

	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		bare_parse(t, frames[i], &pkts[i]);
	}
	for (uint16_t i = 0; i < n; i++)
		pkts[i].conn = FAM_FN(table, prefetch_entry)(t, pkts[i].hash, pkts[i].dir);
	/* Apart from the rest, so that misses overlap. */
	for (uint16_t i = 0; i < n; i++)
		pkts[i].conn = FAM_FN(table, find_guess)(t, &pkts[i].key, pkts[i].hash, pkts[i].dir,
							 pkts[i].conn);
	for (uint16_t i = 0; i < n; i++)
		bare_forward(s, &pkts[i]);
}
