/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lower bound: what forwarding a packet costs with the same table, the same entries
 * and the same next hops, when nothing can go wrong and nothing is asked: no VLANs, no
 * header checks, no other traffic, one service, next hops that never change.
 */
#include "bench.h"

#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/csum.h"

struct bare_pkt {
	uint8_t *l3;
	struct conn4 *conn;
	struct key4 key;
	uint32_t hash;
	uint32_t dir;
};

static inline void bare_parse(const struct table4 *t, struct rte_mbuf *m, struct bare_pkt *p,
			      bool nat)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, 14);
	const uint8_t *l4 = (const uint8_t *)ip + (ip->version_ihl & 0xf) * 4;

	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
	p->key = (struct key4){
		.saddr = ip->src_addr, .daddr = ip->dst_addr, .proto = ip->next_proto_id};
	memcpy(&p->key.sport, l4, 4);
	p->dir = nat && ip->dst_addr != scene_vip() ? DIR_OUT : DIR_IN;
	p->hash = table4_hash(t, &p->key);
	table4_prefetch_bucket(t, p->hash);
}

static inline uint16_t bare_nat_apply(uint8_t *l3, struct rte_tcp_hdr *tcp, const struct conn4 *c,
				      uint32_t out)
{
	const uint16_t invert = (uint16_t)-out;

	tcp->cksum = csum_apply(tcp->cksum, c->c.l4_delta ^ invert);
	memcpy(l3 + 16 - 4 * out, &c->daddr + 2 * out, 4);
	memcpy((uint8_t *)tcp + 2 - 2 * out, &c->dport + 2 * out, 2);
	return c->c.ip_delta ^ invert;
}

static inline void bare_forward(struct scene *s, struct bare_pkt *p, bool nat)
{
	struct worker *w = s->w;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(p->l3 + 20);
	struct conn4 *c = p->conn;
	struct server_counters *sc;
	const struct nexthop *nh;
	uint16_t delta = be16_from(0xfeff);

	if (unlikely(!c))
		fail("the bare loop misses a connection");
	c->c.tick = w->env.now_tick;
	if (unlikely(c->c.state != CONN_ESTABLISHED || (tcp->tcp_flags & 7)))
		fail("the bare loop has established connections only");
	sc = &w->server_counters[c->c.server];
	sc->pkts[p->dir]++;
	(&sc->in_bytes)[p->dir] += rte_be_to_cpu_16(ip->total_length);
	ip->time_to_live--;
	if (nat)
		delta = csum_delta_sum(delta, bare_nat_apply(p->l3, tcp, c, p->dir));
	ip->hdr_checksum = csum_apply(ip->hdr_checksum, delta);
	nh = nexthop_by_id(w->nexthops, c->c.nexthop[p->dir]);
	memcpy(p->l3 - 14, nh->l2, 14);
}

static inline void bare_burst(struct scene *s, struct rte_mbuf **frames, uint16_t n, bool nat)
{
	const struct table4 *t = &s->w->v4.table;
	struct bare_pkt pkts[BURST_MAX];

	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		bare_parse(t, frames[i], &pkts[i], nat);
	}
	for (uint16_t i = 0; i < n; i++)
		pkts[i].conn = table4_prefetch_entry(t, pkts[i].hash, pkts[i].dir);
	/* Apart from the rest, so that misses overlap. */
	for (uint16_t i = 0; i < n; i++)
		pkts[i].conn =
			table4_find_guess(t, &pkts[i].key, pkts[i].hash, pkts[i].dir, pkts[i].conn);
	for (uint16_t i = 0; i < n; i++)
		bare_forward(s, &pkts[i], nat);
}

void bare_dr(struct scene *s, struct rte_mbuf **frames, uint16_t n)
{
	bare_burst(s, frames, n, false);
}

void bare_nat(struct scene *s, struct rte_mbuf **frames, uint16_t n)
{
	bare_burst(s, frames, n, true);
}
