/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tunnel/tunnel.h"

#include <rte_ip.h>

#include "dataplane/stages/answer.h"
#include "dataplane/exits/doors.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/stages/related.h"
#include "dataplane/stages/resolve.h"
#include "model/mark.h"

#define ICMP_HDR     8U
#define ICMP_UNREACH 3
#define ICMP_TOO_BIG 4 /* code of ICMP_UNREACH */
#define ICMP_TIME    11
#define IP_HDR	     sizeof(struct rte_ipv4_hdr)
#define ANSWER_LEN   (IP_HDR + ICMP_HDR)
#define QUOTE_MAX    (576 - ANSWER_LEN)

static uint32_t client_hash(be32 addr, be16 port)
{
	uint64_t h = ((uint64_t)addr << 16 | port) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL >> 32);
}

/* An address of the prefix that is neither its first nor its last, if it has others. */
static be32 source_spread(const struct service *svc, const struct conn4 *c)
{
	uint32_t bits = 32U - svc->policy.tunnel_source.len, spare = bits > 1 ? 2 : 0;
	uint64_t n = (1ULL << bits) - spare;
	uint32_t host = (uint32_t)(client_hash(c->caddr, c->cport) * n >> 32) + spare / 2;

	return svc->policy.tunnel_source.addr.v4 | be32_from(host);
}

be32 tunnel4_source(const struct worker *w, const struct conn4 *c)
{
	const struct service *svc = conn4_service(w, c);
	const struct route4 *r;

	if (svc && svc->policy.tunnel_source.len)
		return source_spread(svc, c);
	r = fib4_find(w->env.fib->v4, c->daddr);
	return r ? r->source : 0;
}

uint16_t tunnel4_mtu(const struct worker *w, const struct conn4 *c, uint16_t link_mtu)
{
	const struct tunnel_path *path = &w->tunnel_paths[c->c.server];

	if (path->mtu == 0 || path->mtu >= link_mtu || (int32_t)(path->until_s - w->env.now_s) <= 0)
		return link_mtu;
	return path->mtu;
}

/* ---- ICMP errors ---- */

/* An ICMP error taken apart; pointers into the packet. */
struct quoted {
	uint8_t type, code;
	uint16_t mtu;
	const struct rte_ipv4_hdr *outer;
	uint8_t *inner; /* IPv4 header, then at least 8 bytes */
	uint16_t len;	/* from inner */
	struct key4 key;
};

/* A whole IPv4 header of a packet that has L4, or is its first fragment; 0 if it is none. */
static uint16_t header_len(const uint8_t *at, uint32_t room)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)at;
	uint16_t ihl;

	if (room < IP_HDR)
		return 0;
	ihl = (uint16_t)((ip->version_ihl & 0xf) * 4);
	if (ip->version_ihl >> 4 != 4 || ihl < IP_HDR || room < ihl + ICMP_HDR ||
	    (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)))
		return 0;
	return ihl;
}

/* What lies in the first segment of the quoted packet. RFC 4884: extensions may follow it. */
static uint32_t quoted_len(const struct pkt4 *p)
{
	const uint8_t *icmp = p->l3 + p->l4_off;
	const uint8_t *quote = icmp + ICMP_HDR;
	const uint8_t *end = rte_pktmbuf_mtod(p->m, const uint8_t *) + rte_pktmbuf_data_len(p->m);
	uint32_t len = (uint32_t)p->l3_len - p->l4_off - ICMP_HDR;
	uint32_t here = quote < end ? (uint32_t)(end - quote) : 0;

	if (icmp[5] && len > icmp[5] * 4U)
		len = icmp[5] * 4U;
	return len < here ? len : here;
}

static bool quote_parse(const struct pkt4 *p, struct quoted *q)
{
	uint8_t *icmp = p->l3 + p->l4_off;
	const struct rte_ipv4_hdr *ip;
	uint16_t ihl;
	uint32_t len;

	if (p->key.proto != IPPROTO_ICMP || (p->flags & PKT_FRAGMENT) ||
	    p->l3_len < p->l4_off + ICMP_HDR || (icmp[0] != ICMP_UNREACH && icmp[0] != ICMP_TIME))
		return false;
	len = quoted_len(p);
	q->outer = (const struct rte_ipv4_hdr *)(icmp + ICMP_HDR);
	ihl = header_len(icmp + ICMP_HDR, len);
	if (ihl == 0 || q->outer->next_proto_id != IPPROTO_IPIP ||
	    q->outer->src_addr != p->key.daddr)
		return false;
	q->inner = icmp + ICMP_HDR + ihl;
	q->len = (uint16_t)(len - ihl);
	ihl = header_len(q->inner, q->len);
	ip = (const struct rte_ipv4_hdr *)q->inner;
	if (ihl == 0 || (ip->next_proto_id != IPPROTO_TCP && ip->next_proto_id != IPPROTO_UDP))
		return false;
	q->type = icmp[0];
	q->code = icmp[1];
	q->mtu = (uint16_t)(icmp[6] << 8 | icmp[7]);
	q->key = (struct key4){
		.saddr = ip->src_addr, .daddr = ip->dst_addr, .proto = ip->next_proto_id};
	memcpy(&q->key.sport, q->inner + ihl, 4);
	return related_sum_good(p);
}

/* Balanced here, or Linux may have a tunnel of its own. */
static bool ours(const struct burst_env *env, be32 dest)
{
	const struct addr_entry4 *e = addr_table4_find(env->snap->addrs4, dest);

	return (e && (e->kinds & (ADDR_KIND_VIP | ADDR_KIND_LINGERING))) ||
	       (env->snap->cover4 && mark_cover4_has(env->snap->cover4, dest));
}

/* The connection that the error is about; NULL: there is none such, the error is forged. */
static const struct conn4 *quote_find(const struct worker *w, const struct quoted *q)
{
	const uint32_t hash = table4_hash(&w->table4, &q->key);
	const struct conn4 *c = table4_find(&w->table4, &q->key, hash, DIR_IN);

	if (!c || c->c.method != FWD_TUNNEL || c->daddr != q->outer->dst_addr ||
	    tunnel4_source(w, c) != q->outer->src_addr)
		return NULL;
	return c;
}

/* False: nobody can have said so of what was sent. */
static bool path_learn(struct worker *w, const struct conn4 *c, struct quoted *q)
{
	struct tunnel_path *path = &w->tunnel_paths[c->c.server];

	if (q->mtu < TUNNEL_MTU_MIN)
		q->mtu = TUNNEL_MTU_MIN;
	if (!(q->outer->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) ||
	    rte_be_to_cpu_16(q->outer->total_length) <= q->mtu)
		return false;
	*path = (struct tunnel_path){.mtu = q->mtu, .until_s = w->env.now_s + TUNNEL_MTU_S};
	q->mtu = (uint16_t)(q->mtu - IP_HDR);
	return true;
}

/* The frame becomes the error to the client: what is before the quoted packet goes. */
static void error_make(struct worker *w, struct pkt4 *p, const struct quoted *q,
		       const struct nexthop *nh)
{
	struct rte_mbuf *m = p->m;
	uint16_t quote = RTE_MIN(q->len, (uint16_t)QUOTE_MAX);
	uint8_t *l3 = q->inner - ANSWER_LEN;

	icmp_put(w, l3, q->key.daddr, q->key.saddr, q->type, q->code,
		 q->type == ICMP_UNREACH && q->code == ICMP_TOO_BIG ? q->mtu : 0, quote);
	memcpy(l3 - nh->l2_len, nh->l2, nh->l2_len);
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	m->nb_segs = 1;
	m->data_off = (uint16_t)(l3 - nh->l2_len - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(nh->l2_len + ANSWER_LEN + quote);
	m->pkt_len = m->data_len;
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
}

/* Towards the client: false, and the packet has left, when that is not known yet. */
static bool client_next(struct worker *w, struct pkt4 *p, be32 client, const struct nexthop **nh)
{
	link_id link;
	be32 neighbour;
	uint32_t id;

	if (!route_next4(w->env.fib, client, &link, &neighbour)) {
		door_drop(w, p->m, DROP_NO_ROUTE);
		return false;
	}
	id = nexthop_find4(w->nexthops, link, neighbour);
	*nh = id ? nexthop_by_id(w->nexthops, id) : NULL;
	if (*nh && (*nh)->state == NEXTHOP_REACHABLE)
		return true;
	if (!id)
		request_resolve(w, link, neighbour);
	if (*nh && (*nh)->state == NEXTHOP_FAILED)
		door_drop(w, p->m, DROP_NH_UNRESOLVED);
	else
		door_park(w, p->m, link, neighbour, id);
	return false;
}

bool tunnel4_error(struct worker *w, struct pkt4 *p)
{
	const struct nexthop *nh;
	const struct conn4 *c;
	unsigned int owner;
	struct quoted q;

	if (w->env.lease_off || !quote_parse(p, &q) || !ours(&w->env, q.key.daddr))
		return false;
	owner = owner4(w->owners, q.key.saddr, q.key.sport);
	if (owner != w->id) {
		door_handoff(w, p->m, owner, 0);
		return true;
	}
	c = quote_find(w, &q);
	if (!c || (q.type == ICMP_UNREACH && q.code == ICMP_TOO_BIG && !path_learn(w, c, &q))) {
		door_drop(w, p->m, DROP_ICMP_UNRELATED);
		return true;
	}
	if (!client_next(w, p, q.key.saddr, &nh))
		return true;
	if (!rate_take(&w->icmp_rate, w->env.now_tick)) {
		w->counters.icmp_suppressed++;
		door_drop(w, p->m, DROP_ICMP_RATE);
		return true;
	}
	error_make(w, p, &q, nh);
	w->counters.tunnel_errors++;
	door_send(w, p->m, nh->port);
	return true;
}
