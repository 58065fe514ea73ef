/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/related.h"

#include <rte_icmp.h>
#include <rte_ip.h>

#include "base/csum.h"
#include "dataplane/conn/conn.h"

#define ICMP_HDR       8
#define ICMP_QUENCH    4
#define ICMP_UNREACH   3
#define ICMP_TIME      11
#define ICMP_PARAMETER 12

static bool is_error(uint8_t type)
{
	return type == ICMP_UNREACH || type == ICMP_QUENCH || type == ICMP_TIME ||
	       type == ICMP_PARAMETER;
}

/* The quoted header, or NULL: too short, not the first fragment, not TCP or UDP. */
static const struct rte_ipv4_hdr *quoted(const struct pkt4 *p, uint16_t *ports_at)
{
	uint16_t at = (uint16_t)(p->l4_off + ICMP_HDR), ihl;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(p->l3 + at);

	if (p->l3_len < at + sizeof(*ip))
		return NULL;
	ihl = (uint16_t)((ip->version_ihl & 0xf) * 4);
	if (ip->version_ihl >> 4 != 4 || ihl < sizeof(*ip) || p->l3_len < at + ihl + ICMP_HDR)
		return NULL;
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK))
		return NULL;
	if (ip->next_proto_id != IPPROTO_TCP && ip->next_proto_id != IPPROTO_UDP)
		return NULL;
	*ports_at = (uint16_t)(at + ihl);
	return ip;
}

bool related_sum_good(const struct pkt4 *p)
{
	uint16_t sum;
	uint32_t at = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *)) + p->l4_off;

	return rte_raw_cksum_mbuf(p->m, at, (uint32_t)(p->l3_len - p->l4_off), &sum) == 0 &&
	       sum == 0xffff;
}

bool related_parse(struct pkt4 *p)
{
	const uint8_t *icmp = p->l3 + p->l4_off;
	const struct rte_ipv4_hdr *ip;
	uint16_t ports_at;
	be16 sport, dport;

	if (p->l3_len < p->l4_off + ICMP_HDR || !is_error(icmp[0]))
		return false;
	/* What is read and written here lies in the first segment, or it is not ours. */
	if (p->l3 + RTE_MIN(p->l3_len, (uint16_t)(p->l4_off + ICMP_HDR + 60 + ICMP_HDR)) >
	    rte_pktmbuf_mtod(p->m, uint8_t *) + rte_pktmbuf_data_len(p->m))
		return false;
	ip = quoted(p, &ports_at);
	if (!ip || !related_sum_good(p))
		return false;
	memcpy(&sport, p->l3 + ports_at, 2);
	memcpy(&dport, p->l3 + ports_at + 2, 2);
	/* The quoted packet went the other way: its two ends change places. */
	p->key = (struct key4){.saddr = ip->dst_addr,
			       .daddr = ip->src_addr,
			       .sport = dport,
			       .dport = sport,
			       .proto = ip->next_proto_id};
	p->flags |= PKT_RELATED;
	return true;
}

/* One 16-bit field of the ICMP message changes; its checksum with it. */
static void field_put(uint8_t *icmp, uint8_t *field, be16 to)
{
	be16 from, sum;

	memcpy(&from, field, 2);
	memcpy(field, &to, 2);
	memcpy(&sum, icmp + 2, 2);
	sum = csum_apply(sum, csum_delta16(from, to));
	memcpy(icmp + 2, &sum, 2);
}

/* The quoted header's checksum changes as much as its address, the other way: together they
 * leave the ICMP checksum as it is. */
static void address_put(struct rte_ipv4_hdr *ip, size_t field, be32 to)
{
	be32 from;

	memcpy(&from, (uint8_t *)ip + field, 4);
	memcpy((uint8_t *)ip + field, &to, 4);
	ip->hdr_checksum = csum_apply(ip->hdr_checksum, csum_delta32(from, to));
}

uint16_t related_rewrite(struct pkt4 *p)
{
	struct rte_ipv4_hdr *outer = (struct rte_ipv4_hdr *)p->l3;
	uint8_t *icmp = p->l3 + p->l4_off;
	struct rte_ipv4_hdr *inner = (struct rte_ipv4_hdr *)(icmp + ICMP_HDR);
	uint8_t *ports = (uint8_t *)inner + (inner->version_ihl & 0xf) * 4;
	const struct conn4 *c = p->conn;
	be32 from;

	if (p->dir == DIR_IN) {
		address_put(inner, offsetof(struct rte_ipv4_hdr, src_addr), c->daddr);
		field_put(icmp, ports, c->dport);
		from = outer->dst_addr;
		outer->dst_addr = c->daddr;
		return csum_delta32(from, c->daddr);
	}
	address_put(inner, offsetof(struct rte_ipv4_hdr, dst_addr), c->vaddr);
	field_put(icmp, ports + 2, c->vport);
	from = outer->src_addr;
	outer->src_addr = c->vaddr;
	return csum_delta32(from, c->vaddr);
}
