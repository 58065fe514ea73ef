/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/big/big_frame.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/csum.h"
#include "dataplane/stages/ip.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4 /* Linux 6.2 */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define TAG_LEN	   4
#define TYPE_AT	   12 /* of a frame */
#define TCP_SUM_AT offsetof(struct rte_tcp_hdr, cksum)
#define UDP_SUM_AT offsetof(struct rte_udp_hdr, dgram_cksum)

static uint16_t load16(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* IPv4 or IPv6: the length of the header, and the protocol. */
static bool l3_find(const uint8_t *l3, uint32_t here, be16 type, struct big_head *h)
{
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)l3;
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)l3;

	h->v6 = type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6);
	if (h->v6) {
		h->l3_len = sizeof(*ip6);
		if (here < sizeof(*ip6) || l3[0] >> 4 != 6)
			return false;
		h->proto = ip6->proto;
		return true;
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || here < sizeof(*ip4) || l3[0] >> 4 != 4)
		return false;
	h->l3_len = (uint16_t)((l3[0] & 0xfU) * 4);
	h->proto = ip4->next_proto_id;
	return h->l3_len >= sizeof(*ip4) && h->l3_len <= here &&
	       !(ip4->fragment_offset &
		 rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK));
}

bool big_head_find(const struct rte_mbuf *m, struct big_head *h)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t here = rte_pktmbuf_data_len(m), off;
	be16 type;

	if (here < RTE_ETHER_HDR_LEN + TAG_LEN)
		return false;
	h->l2_len = RTE_ETHER_HDR_LEN;
	type = load16(data + TYPE_AT);
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		h->l2_len += TAG_LEN;
		type = load16(data + TYPE_AT + TAG_LEN);
	}
	if (!l3_find(data + h->l2_len, here - h->l2_len, type, h))
		return false;
	off = (uint32_t)h->l2_len + h->l3_len;
	if (h->proto == IPPROTO_UDP) {
		h->l4_len = sizeof(struct rte_udp_hdr);
		return here >= off + h->l4_len;
	}
	if (h->proto != IPPROTO_TCP || here < off + sizeof(struct rte_tcp_hdr))
		return false;
	h->l4_len = (uint16_t)((data[off + offsetof(struct rte_tcp_hdr, data_off)] >> 4) * 4);
	return h->l4_len >= sizeof(struct rte_tcp_hdr) && here >= off + h->l4_len;
}

static uint16_t sum_offset(const struct big_head *h)
{
	return h->proto == IPPROTO_TCP ? TCP_SUM_AT : UDP_SUM_AT;
}

uint8_t *big_sum_at(const struct rte_mbuf *m, const struct big_head *h)
{
	return rte_pktmbuf_mtod(m, uint8_t *) + h->l2_len + h->l3_len + sum_offset(h);
}

uint32_t big_segment_len(const struct rte_mbuf *m)
{
	struct big_head h;

	if (!big_head_find(m, &h))
		return 0;
	return (uint32_t)h.l3_len + h.l4_len + m->tso_segsz;
}

/* ---- arriving ---- */

static uint64_t ports_sum(const struct rte_mbuf *m, const struct big_head *h)
{
	return csum_add(0, rte_pktmbuf_mtod_offset(m, uint8_t *, h->l2_len + h->l3_len), 4);
}

/* The form of the stages, of a field in the form of Linux. Never 0, which in UDP says that there is
 * no checksum. */
static void sum_to_stages(struct rte_mbuf *m, const struct big_head *h, uint16_t pseudo)
{
	uint16_t sum = (uint16_t)~csum_fold(pseudo + ports_sum(m, h));

	if (sum == 0)
		sum = 0xffff;
	memcpy(big_sum_at(m, h), &sum, sizeof(sum));
}

/* Finishes the checksum that starts at byte `start` and lies `offset` bytes behind, as a device
 * would (virtio 1.2, 5.1.6.2). */
static bool sum_finish(struct rte_mbuf *m, uint32_t start, uint32_t offset)
{
	uint16_t sum;

	if (start + offset + sizeof(sum) > rte_pktmbuf_data_len(m) ||
	    rte_raw_cksum_mbuf(m, start, rte_pktmbuf_pkt_len(m) - start, &sum) != 0)
		return false;
	sum = (uint16_t)~sum;
	if (sum == 0)
		sum = 0xffff;
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, start + offset), &sum, sizeof(sum));
	return true;
}

static bool kind_fits(uint8_t kind, const struct big_head *h)
{
	switch (kind) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return h->proto == IPPROTO_TCP && !h->v6;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return h->proto == IPPROTO_TCP && h->v6;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return h->proto == IPPROTO_UDP;
	default:
		return false;
	}
}

/* The sum of the pseudo header, of headers that big_head_find() found. */
static uint16_t pseudo_sum(const struct rte_mbuf *m, const struct big_head *h)
{
	const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l2_len);
	uint32_t len;

	if (h->v6) {
		len = rte_be_to_cpu_16(((const struct rte_ipv6_hdr *)l3)->payload_len);
		return csum_fold(ip6_pseudo_sum(l3, h->proto, len));
	}
	len = rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)l3)->total_length);
	return csum_fold(ip4_pseudo_sum(l3, h->proto, len - h->l3_len));
}

bool big_arrive(struct rte_mbuf *m, const struct virtio_net_hdr *arrived)
{
	const uint8_t kind = arrived->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	const bool partial = arrived->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	struct big_head h;
	bool known;

	if (!partial && kind == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	known = big_head_find(m, &h) && (!partial || (arrived->csum_start == h.l2_len + h.l3_len &&
						      arrived->csum_offset == sum_offset(&h)));
	if (kind == VIRTIO_NET_HDR_GSO_NONE && !known)
		return sum_finish(m, arrived->csum_start, arrived->csum_offset);
	if (!known || !kind_fits(kind, &h) ||
	    (kind != VIRTIO_NET_HDR_GSO_NONE && arrived->gso_size == 0))
		return false;
	/* A frame that was put together from segments with right checksums has only the first
	 * one's: each segment gets its own when the frame is cut. */
	sum_to_stages(m, &h, partial ? load16(big_sum_at(m, &h)) : pseudo_sum(m, &h));
	m->ol_flags |= BIG_MARK;
	m->tso_segsz = kind == VIRTIO_NET_HDR_GSO_NONE ? 0 : arrived->gso_size;
	return true;
}

/* ---- leaving ---- */

static uint8_t kind_of(const struct rte_mbuf *m, const struct big_head *h)
{
	const uint8_t *l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l2_len + h->l3_len);
	uint8_t kind;

	if (h->proto == IPPROTO_UDP)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	kind = h->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	if (l4[offsetof(struct rte_tcp_hdr, tcp_flags)] & RTE_TCP_CWR_FLAG)
		kind |= VIRTIO_NET_HDR_GSO_ECN;
	return kind;
}

bool big_leave(struct rte_mbuf *m, struct virtio_net_hdr *out)
{
	struct big_head h;
	uint16_t sum;

	*out = (struct virtio_net_hdr){0};
	if (likely(!big_is_marked(m)))
		return true;
	if (!big_head_find(m, &h))
		return false;
	sum = (uint16_t)~load16(big_sum_at(m, &h));
	sum = csum_add16(sum, (uint16_t)~csum_fold(ports_sum(m, &h)));
	memcpy(big_sum_at(m, &h), &sum, sizeof(sum));
	out->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	out->csum_start = (uint16_t)(h.l2_len + h.l3_len);
	out->csum_offset = sum_offset(&h);
	if (m->tso_segsz == 0)
		return true;
	out->gso_type = kind_of(m, &h);
	out->gso_size = m->tso_segsz;
	out->hdr_len = (uint16_t)(h.l2_len + h.l3_len + h.l4_len);
	return true;
}

void big_stay(struct rte_mbuf *m)
{
	struct big_head h;

	if (big_is_marked(m) && big_head_find(m, &h))
		sum_to_stages(m, &h, load16(big_sum_at(m, &h)));
}
