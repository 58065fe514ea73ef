/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors about outer packets. The outer and the inner packet may be of different families: a
 * function of FAMILY handles one of them. */
#include "dataplane/conn/conn_life.h"
#include "dataplane/exits/doors.h"
#include "dataplane/stages/answer.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/route.h"
#include "dataplane/tunnel/tunnel.h"
#include "model/mark.h"

#define ANSWER_LEN (IP_HDR + ICMP_HDR)
#define QUOTE_MAX  ((uint16_t)((FAMILY == 4 ? 576 : 1280) - ANSWER_LEN))

/* ---- of the inner packet ---- */

bool FAM_FN(tunnel, inner)(struct tunnel_quote *q)
{
#if FAMILY == 4
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)q->inner;

	if (q->len < sizeof(*ip))
		return false;
	q->ports = (uint16_t)((ip->version_ihl & 0xf) * 4);
	q->proto = ip->next_proto_id;
	if (ip->version_ihl >> 4 != 4 || q->ports < sizeof(*ip) ||
	    (ip->fragment_offset & be16_from(RTE_IPV4_HDR_OFFSET_MASK)))
		return false;
#else
	struct ext6 ext;

	if (q->len < sizeof(struct rte_ipv6_hdr) || q->inner[0] >> 4 != 6 ||
	    ext6_walk(q->inner, q->len, q->len, &ext) != EXT6_OK)
		return false;
	if (ext.fragment) {
		const struct ext6_fragment *f =
			(const struct ext6_fragment *)(const void *)(q->inner + ext.fragment);

		if (be16_to(f->field) & EXT6_OFFSET)
			return false;
	}
	q->ports = ext.l4_off;
	q->proto = ext.proto;
#endif
	return q->len >= q->ports + ICMP_HDR &&
	       (q->proto == IPPROTO_TCP || q->proto == IPPROTO_UDP);
}

static struct FAM(key) inner_key(const struct tunnel_quote *q)
{
	struct FAM(key) k = {.saddr = FAM_FN(ip, addr)(q->inner, IP_SOURCE),
			     .daddr = FAM_FN(ip, addr)(q->inner, IP_DEST),
			     .proto = q->proto};

	memcpy(&k.sport, q->inner + q->ports, 2);
	memcpy(&k.dport, q->inner + q->ports + 2, 2);
	return k;
}

/* Balanced here, or Linux may have a tunnel of its own. */
static bool ours(const struct burst_env *env, FAM_ADDR dest)
{
	const struct FAM(addr_entry) *e = FAM_FN(addr_table, find)(env->snap->FAM(addrs), dest);

	return (e && (e->kinds & (ADDR_KIND_VIP | ADDR_KIND_LINGERING))) ||
	       (env->snap->FAM(cover) &&FAM_FN(mark_cover, has)(env->snap->FAM(cover), dest));
}

/* The connection that the error is about; NULL: there is none such, the error is forged. */
static const struct FAM(conn) *quote_find(const struct worker *w, const struct FAM(key) *key,
					  const struct tunnel_quote *q)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const struct FAM(conn) *c =
		FAM_FN(table, find)(t, key, FAM_FN(table, hash)(t, key), DIR_IN);
	struct addr server, source;
	struct encap encap;

	if (!c || !forward_has(c->c.method, FORWARD_OUTER_HEADER))
		return NULL;
	server = FAM(conn_server)(w, c);
	source = FAM_FN(tunnel, source)(w, c, &server);
	encap = runtime_encap(&w->pub->runtime, c->c.server);
	return addr_equal(&server, &q->to) && addr_equal(&source, &q->from) &&
			       encap.type == q->encap.type && encap.port == q->encap.port
		       ? c
		       : NULL;
}

/* Learns the path MTU that q reports. False: the error contradicts the packet that was sent. */
static bool path_learn(struct worker *w, const struct conn *c, struct tunnel_quote *q)
{
	struct tunnel_path *path = &w->tunnel_paths[c->server];
	/* A path that leaves the inner packet less than every IPv6 link has would stop all packets
	 * (tunnel_send()), those that fit as well. */
	const uint32_t least = q->outer_family == ADDR_V6
				       ? TUNNEL_MTU6_MIN + (uint32_t)q->header_len
				       : TUNNEL_MTU_MIN;

	if (q->mtu < least)
		q->mtu = least;
	if (!q->outer_whole || q->outer_len <= q->mtu)
		return false;
	*path = (struct tunnel_path){.mtu = (uint16_t)q->mtu,
				     .until_s = w->env.now_s + TUNNEL_MTU_S};
	q->mtu -= q->header_len;
	return true;
}

/* The error for the client: the same type and code, or those of the other family. */
static struct icmp_wire told(const struct tunnel_quote *q)
{
	if (tunnel_quote_too_big(q))
		return FAM_FN(icmp, wire_of)(ICMP_REASON_TOO_BIG);
	if (q->outer_family == FAMILY)
		return q->what;
	if (q->what.type == (FAMILY == 4 ? ICMP6_TIME : ICMP4_TIME))
		return FAM_FN(icmp, wire_of)(ICMP_REASON_HOP_LIMIT);
	/* No route to the destination. */
	return (struct icmp_wire){.type = FAMILY == 4 ? ICMP4_UNREACH : ICMP6_UNREACH};
}

/* The frame becomes the error to the client: all headers before the quoted packet are replaced. */
static void error_make(struct worker *w, struct rte_mbuf *m, const struct FAM(key) *key,
		       const struct tunnel_quote *q, const struct nexthop *nh)
{
	uint16_t quote = RTE_MIN(q->len, QUOTE_MAX);
	uint8_t *l3 = q->inner - ANSWER_LEN;

	FAM_FN(icmp, put)
	(w, l3, key->daddr, key->saddr, told(q), tunnel_quote_too_big(q) ? q->mtu : 0, quote);
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
static bool client_next(struct worker *w, struct rte_mbuf *m, FAM_ADDR client,
			const struct nexthop **nh)
{
	const struct addr dest = FAM(addr_from_addr)(client);
	struct addr neighbour;
	link_id link;
	uint32_t id;

	if (!route_next(w->env.fib, &dest, &link, &neighbour)) {
		door_drop(w, m, DROP_NO_ROUTE);
		return false;
	}
	id = nexthop_find(w->nexthops, link, &neighbour);
	*nh = id ? nexthop_by_id(w->nexthops, id) : NULL;
	if (*nh && (*nh)->state == NEXTHOP_REACHABLE)
		return true;
	if (!id)
		request_resolve(w, link, &neighbour);
	if (*nh && (*nh)->state == NEXTHOP_FAILED)
		door_drop(w, m, DROP_NH_UNRESOLVED);
	else
		door_park(w, m, link, &neighbour, id);
	return false;
}

bool FAM_FN(tunnel, tell)(struct worker *w, struct rte_mbuf *m, struct tunnel_quote *q)
{
	const struct FAM(key) key = inner_key(q);
	const unsigned int owner = FAM(owner)(w->owners, key.saddr, key.sport);
	const struct FAM(conn) *c;
	const struct nexthop *nh;

	if (!ours(&w->env, key.daddr))
		return false;
	if (owner != w->id) {
		door_handoff(w, m, owner, 0);
		return true;
	}
	c = quote_find(w, &key, q);
	if (!c || (tunnel_quote_too_big(q) && !path_learn(w, &c->c, q))) {
		door_drop(w, m, DROP_ICMP_UNRELATED);
		return true;
	}
	if (!client_next(w, m, key.saddr, &nh))
		return true;
	if (!rate_take(&w->icmp_rate, w->env.now_tick)) {
		w->counters.icmp_suppressed++;
		door_drop(w, m, DROP_ICMP_RATE);
		return true;
	}
	error_make(w, m, &key, q, nh);
	w->counters.tunnel_errors++;
	door_send(w, m, nh->port);
	return true;
}

/* ---- of the outer packet ---- */

/* Bytes of the quoted packet in the first segment. RFC 4884: extensions may follow it, behind a
 * length in words of 4 bytes (IPv4) or 8 bytes (IPv6). */
static uint32_t quoted_len(const struct FAM(pkt) *p)
{
	const uint8_t *icmp = p->l3 + p->l4_off;
	const uint8_t *quote = icmp + ICMP_HDR;
	const uint8_t *end = rte_pktmbuf_mtod(p->m, const uint8_t *) + rte_pktmbuf_data_len(p->m);
	const uint32_t said = FAMILY == 4 ? icmp[5] * 4U : icmp[4] * 8U;
	uint32_t len = (uint32_t)p->l3_len - p->l4_off - ICMP_HDR;
	uint32_t here = quote < end ? (uint32_t)(end - quote) : 0;

	if ((FAMILY == 4 || icmp[0] != ICMP6_TOO_BIG) && said && len > said)
		len = said;
	return len < here ? len : here;
}

static bool is_told(uint8_t type)
{
	if (FAMILY == 4)
		return type == ICMP4_UNREACH || type == ICMP4_TIME;
	return type == ICMP6_UNREACH || type == ICMP6_TOO_BIG || type == ICMP6_TIME;
}

/* The headers of the encapsulation at `at`, of which len bytes can be read: the inner family and
 * the number of bytes that they take, or 0: no packet of a tunnel of ours. */
static uint16_t encap_parse(struct tunnel_quote *q, uint8_t proto, const uint8_t *at, uint32_t len)
{
	const uint8_t *gue = at + ENCAP_UDP_LEN;
	uint16_t type;

	switch (proto) {
	case IPPROTO_UDP:
		q->encap.type = ENCAP_GUE;
		if (len < ENCAP_UDP_LEN + ENCAP_GUE_LEN || gue[0] != 0 || gue[2] != 0 ||
		    gue[3] != 0)
			return 0;
		memcpy(&q->encap.port, at + 2, sizeof(q->encap.port));
		q->inner_family = gue[1] == IPPROTO_IPIP ? ADDR_V4 : ADDR_V6;
		return gue[1] == IPPROTO_IPIP || gue[1] == IPPROTO_IPV6
			       ? ENCAP_UDP_LEN + ENCAP_GUE_LEN
			       : 0;
	case IPPROTO_GRE:
		q->encap.type = ENCAP_GRE;
		if (len < ENCAP_GRE_LEN || (at[0] & 0x7f) != 0 || at[1] != 0)
			return 0;
		type = (uint16_t)(at[2] << 8 | at[3]);
		q->inner_family = type == RTE_ETHER_TYPE_IPV4 ? ADDR_V4 : ADDR_V6;
		if (type != RTE_ETHER_TYPE_IPV4 && type != RTE_ETHER_TYPE_IPV6)
			return 0;
		return at[0] ? 2 * ENCAP_GRE_LEN : ENCAP_GRE_LEN;
	default:
		return 0;
	}
}

/* The quoted packet between its outer IP header and the inner packet. False: no tunnel of ours. */
static bool quote_encap(struct tunnel_quote *q, uint8_t proto, uint8_t *at, uint32_t len)
{
	uint16_t encap = 0;

	q->encap = (struct encap){0};
	if (proto == IPPROTO_IPIP || proto == IPPROTO_IPV6) {
		q->inner_family = proto == IPPROTO_IPIP ? ADDR_V4 : ADDR_V6;
	} else {
		encap = encap_parse(q, proto, at, len);
		if (!encap)
			return false;
	}
	if (len < encap + ICMP_HDR)
		return false;
	q->header_len = (uint16_t)(q->header_len + encap);
	q->inner = at + encap;
	q->len = (uint16_t)(len - encap);
	return true;
}

static bool quote_parse(const struct FAM(pkt) *p, struct tunnel_quote *q)
{
	uint8_t *icmp = p->l3 + p->l4_off, *outer = icmp + ICMP_HDR;
	uint16_t header = IP_HDR;
	uint8_t proto;
	uint32_t len;

	if (p->key.proto != ICMP_PROTO || (p->flags & PKT_FRAGMENT) ||
	    p->l3_len < p->l4_off + ICMP_HDR || !is_told(icmp[0]))
		return false;
	len = quoted_len(p);
	if (len < IP_HDR || outer[0] >> 4 != FAMILY)
		return false;
#if FAMILY == 4
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)outer;

	header = (uint16_t)((ip->version_ihl & 0xf) * 4);
	if (header < IP_HDR || (ip->fragment_offset & be16_from(RTE_IPV4_HDR_OFFSET_MASK)))
		return false;
	proto = ip->next_proto_id;
	q->outer_len = be16_to(ip->total_length);
	q->mtu = (uint32_t)(icmp[6] << 8 | icmp[7]);
#else
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)outer;

	proto = ip->proto; /* of a fragment that this router made: fragment header, not told */
	q->outer_len = (uint16_t)(be16_to(ip->payload_len) + IP_HDR);
	q->mtu = (uint32_t)icmp[4] << 24 | (uint32_t)(icmp[5] << 16 | icmp[6] << 8 | icmp[7]);
#endif
	q->header_len = header;
	if (len < header || !quote_encap(q, proto, outer + header, len - header) ||
	    !FAM_FN(addr, equal)(FAM_FN(ip, addr)(outer, IP_SOURCE), p->key.daddr))
		return false;
	q->outer_family = FAMILY;
	q->what = (struct icmp_wire){icmp[0], icmp[1]};
	q->outer_whole = FAM_FN(ip, forbids_fragments)(outer);
	q->from = FAM(addr_from_addr)(FAM_FN(ip, addr)(outer, IP_SOURCE));
	q->to = FAM(addr_from_addr)(FAM_FN(ip, addr)(outer, IP_DEST));
	return (q->inner_family == ADDR_V4 ? tunnel4_inner(q) : tunnel6_inner(q)) &&
	       FAM_FN(icmp, sum_good)(p);
}

bool FAM_FN(tunnel, error)(struct worker *w, struct FAM(pkt) *p)
{
	struct tunnel_quote q;

	if (w->env.lease_off || !quote_parse(p, &q))
		return false;
	return q.inner_family == ADDR_V4 ? tunnel4_tell(w, p->m, &q) : tunnel6_tell(w, p->m, &q);
}
