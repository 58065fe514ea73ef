/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/related.h"

#include "base/csum.h"
#include "dataplane/conn/conn.h"
#include "dataplane/stages/ext6.h"

#define ICMP4_QUENCH	4
#define ICMP4_PARAMETER 12

static bool is_error(uint8_t type)
{
	if (FAMILY == 6)
		return type < ICMP6_IS_ERROR;
	return type == ICMP4_UNREACH || type == ICMP4_QUENCH || type == ICMP4_TIME ||
	       type == ICMP4_PARAMETER;
}

#if FAMILY == 4
/* False: too short, not the first fragment, not TCP or UDP. here: readable bytes from l3 on. */
static bool quote_find(const struct pkt4 *p, uint32_t here, struct related_quote *q)
{
	const uint16_t at = (uint16_t)(p->l4_off + ICMP_HDR);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(p->l3 + at);
	uint16_t ihl;

	if (here < at + sizeof(*ip))
		return false;
	ihl = (uint16_t)((ip->version_ihl & 0xf) * 4);
	if (ip->version_ihl >> 4 != 4 || ihl < sizeof(*ip) || here < at + ihl + ICMP_HDR ||
	    (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)))
		return false;
	*q = (struct related_quote){
		.at = at, .ports = (uint16_t)(at + ihl), .proto = ip->next_proto_id};
	return true;
}
#else
static bool quote_find(const struct pkt6 *p, uint32_t here, struct related_quote *q)
{
	const uint16_t at = (uint16_t)(p->l4_off + ICMP_HDR);
	const uint8_t *ip = p->l3 + at;
	struct ext6 ext;

	if (here < at + IP_HDR || ip[0] >> 4 != 6 ||
	    ext6_walk(ip, here - at, here - at, &ext) != EXT6_OK || here < at + ext.l4_off + 4U)
		return false;
	if (ext.fragment) {
		const struct ext6_fragment *f =
			(const struct ext6_fragment *)(const void *)(ip + ext.fragment);

		if (be16_to(f->field) & EXT6_OFFSET)
			return false;
	}
	*q = (struct related_quote){
		.at = at, .ports = (uint16_t)(at + ext.l4_off), .proto = ext.proto};
	return true;
}
#endif

/* Bytes of p, from l3 on, that lie in the first segment. */
static uint32_t readable(const struct FAM(pkt) *p)
{
	const uint8_t *end = rte_pktmbuf_mtod(p->m, uint8_t *) + rte_pktmbuf_data_len(p->m);

	return RTE_MIN((uint32_t)p->l3_len, (uint32_t)(end - p->l3));
}

bool FAM_FN(related, quote)(const struct FAM(pkt) *p, struct related_quote *q)
{
	return quote_find(p, readable(p), q);
}

bool FAM_FN(related, parse)(struct FAM(pkt) *p)
{
	const uint8_t *icmp = p->l3 + p->l4_off;
	const uint32_t here = readable(p);
	struct related_quote q;
	be16 ports[2];

	if (here < p->l4_off + ICMP_HDR || !is_error(icmp[0]) || !quote_find(p, here, &q) ||
	    (q.proto != IPPROTO_TCP && q.proto != IPPROTO_UDP) || !FAM_FN(icmp, sum_good)(p))
		return false;
	memcpy(ports, p->l3 + q.ports, sizeof(ports));
	/* The quoted packet went the other way: its two ends change places. */
	p->key = (struct FAM(key)){.saddr = FAM_FN(ip, addr)(p->l3 + q.at, IP_DEST),
				   .daddr = FAM_FN(ip, addr)(p->l3 + q.at, IP_SOURCE),
				   .sport = ports[1],
				   .dport = ports[0],
				   .proto = q.proto};
	p->flags |= PKT_RELATED;
	return true;
}

/* An address in a header whose checksum is not the ICMP message's. Returns the delta. */
static uint16_t address_put(uint8_t *l3, unsigned int which, FAM_ADDR to)
{
	const uint16_t delta = FAM(csum_delta_addr)(FAM_FN(ip, addr)(l3, which), to);

	FAM_FN(ip, addr_put)(l3, which, to);
	return delta;
}

/* The delta of the ICMP checksum when an address in the quoted header changes. In IPv4 the header's
 * own checksum changes as much, the other way. */
static uint16_t quoted_address_put(uint8_t *l3, bool dest, FAM_ADDR to)
{
	const uint16_t delta = address_put(l3, dest, to);

	FAM_FN(ip, csum_change)(l3, delta);
	return FAMILY == 4 ? 0 : delta;
}

static uint16_t port_put(uint8_t *at, be16 to)
{
	be16 from;

	memcpy(&from, at, sizeof(from));
	memcpy(at, &to, sizeof(to));
	return csum_delta16(from, to);
}

/* The ICMP checksum after changes of the quoted packet (inner) and of the outer addresses. */
static void icmp_csum_change(uint8_t *icmp, uint16_t inner, uint16_t outer)
{
	be16 sum;

	if (FAMILY == 6) /* the pseudo header */
		inner = csum_delta_sum(inner, outer);
	memcpy(&sum, icmp + 2, 2);
	sum = csum_apply(sum, inner);
	memcpy(icmp + 2, &sum, 2);
}

uint16_t FAM_FN(related, rewrite)(struct FAM(pkt) *p)
{
	const bool out = p->dir == DIR_OUT;
	const enum conn_end end = out ? END_VIP : END_SERVER;
	const struct FAM(conn) *c = p->conn;
	uint8_t *icmp = p->l3 + p->l4_off;
	uint16_t outer, inner;
	struct related_quote q;

	if (!quote_find(p, readable(p), &q)) /* related_parse() has found it */
		return 0;
	inner = quoted_address_put(p->l3 + q.at, out, c->addr[end]);
	inner = csum_delta_sum(inner, port_put(p->l3 + q.ports + (out ? 2 : 0), c->port[end]));
	outer = address_put(p->l3, !out, c->addr[end]);
	icmp_csum_change(icmp, inner, outer);
	return outer;
}

uint16_t FAM_FN(related, rewrite_both)(struct FAM(pkt) *p, FAM_ADDR source, FAM_ADDR dest,
				       be16 sport, be16 dport)
{
	uint16_t outer, inner;
	struct related_quote q;

	if (!quote_find(p, readable(p), &q)) /* related_parse() has found it */
		return 0;
	inner = csum_delta_sum(quoted_address_put(p->l3 + q.at, IP_SOURCE, dest),
			       quoted_address_put(p->l3 + q.at, IP_DEST, source));
	inner = csum_delta_sum(inner, port_put(p->l3 + q.ports, dport));
	inner = csum_delta_sum(inner, port_put(p->l3 + q.ports + 2, sport));
	outer = csum_delta_sum(address_put(p->l3, IP_SOURCE, source),
			       address_put(p->l3, IP_DEST, dest));
	icmp_csum_change(p->l3 + p->l4_off, inner, outer);
	return outer;
}

uint8_t *FAM_FN(related, quoted)(const struct FAM(pkt) *p, uint32_t *left)
{
	const uint32_t here = readable(p);
	struct related_quote q;

	if (!quote_find(p, here, &q))
		return NULL;
	*left = here - q.ports;
	return p->l3 + q.ports;
}
