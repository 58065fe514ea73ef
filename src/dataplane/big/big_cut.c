/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/big/big_cut.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/csum.h"
#include "dataplane/exits/doors.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/pipeline.h"

/* How one frame is cut. Lengths in bytes. */
struct plan {
	struct big_head h;
	uint32_t head;	  /* all headers */
	uint32_t payload; /* behind them */
	uint32_t n;	  /* segments */
};

/* The checksum field, computed over the whole L4 packet of a frame. */
static bool sum_compute(struct rte_mbuf *m, const struct big_head *h)
{
	const uint32_t l4 = (uint32_t)h->l2_len + h->l3_len;
	const uint32_t len = rte_pktmbuf_pkt_len(m) - l4;
	const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l2_len);
	const uint16_t zero = 0;
	uint16_t sum;

	memcpy(big_sum_at(m, h), &zero, sizeof(zero));
	if (rte_raw_cksum_mbuf(m, l4, len, &sum) != 0)
		return false;
	sum = (uint16_t)~csum_fold(
		(h->v6 ? ip6_pseudo_sum(l3, h->proto, len) : ip4_pseudo_sum(l3, h->proto, len)) +
		sum);
	if (sum == 0 && h->proto == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(big_sum_at(m, h), &sum, sizeof(sum));
	return true;
}

/* Stage parse has cut off what lies behind the IP packet. */
static bool length_fits(const struct rte_mbuf *m, const struct big_head *h)
{
	const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, h->l2_len);
	const uint32_t len = rte_pktmbuf_pkt_len(m) - h->l2_len;

	if (h->v6)
		return rte_be_to_cpu_16(((const struct rte_ipv6_hdr *)l3)->payload_len) +
			       (uint32_t)h->l3_len ==
		       len;
	return rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)l3)->total_length) == len;
}

static bool plan_make(const struct worker *w, const struct rte_mbuf *m, struct plan *p)
{
	const uint32_t room = rte_pktmbuf_data_room_size(w->pool) - RTE_PKTMBUF_HEADROOM;

	if (!big_head_find(m, &p->h) || !length_fits(m, &p->h))
		return false;
	p->head = (uint32_t)p->h.l2_len + p->h.l3_len + p->h.l4_len;
	p->payload = rte_pktmbuf_pkt_len(m) - p->head;
	if (m->tso_segsz == 0 || p->payload <= m->tso_segsz) {
		p->n = 1;
		return true;
	}
	p->n = (p->payload + m->tso_segsz - 1) / m->tso_segsz;
	return p->n <= BIG_SEGMENTS_MAX && p->head + m->tso_segsz <= room;
}

/* Segment i of the frame, which is `bytes` of payload long: lengths, numbers and flags. */
static void headers_put(struct rte_mbuf *m, const struct plan *p, uint32_t i, uint32_t segment,
			uint32_t bytes)
{
	uint8_t *l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, p->h.l2_len);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(l3 + p->h.l3_len);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(l3 + p->h.l3_len);
	const uint16_t len = (uint16_t)(p->h.l3_len + p->h.l4_len + bytes);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

	if (p->h.v6) {
		ip6_length_put(l3, len);
	} else {
		ip4_length_put(l3, len);
		ip->packet_id = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(ip->packet_id) + i));
		ip->hdr_checksum = 0;
		ip->hdr_checksum = csum_of(ip, p->h.l3_len);
	}
	if (p->h.proto == IPPROTO_UDP) {
		udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + bytes));
		return;
	}
	tcp->sent_seq = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp->sent_seq) + i * segment);
	if (i + 1 < p->n)
		tcp->tcp_flags &= (uint8_t) ~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG);
	if (i > 0)
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
}

static bool segment_fill(struct rte_mbuf *to, const struct rte_mbuf *from, const struct plan *p,
			 uint32_t i)
{
	const uint32_t segment = from->tso_segsz, at = i * segment;
	const uint32_t bytes = RTE_MIN(segment, p->payload - at);
	uint8_t *data = (uint8_t *)rte_pktmbuf_append(to, (uint16_t)(p->head + bytes));
	const void *src;

	if (!data)
		return false;
	memcpy(data, rte_pktmbuf_mtod(from, const void *), p->head);
	src = rte_pktmbuf_read(from, p->head + at, bytes, data + p->head);
	if (!src)
		return false;
	if (src != data + p->head)
		memcpy(data + p->head, src, bytes);
	headers_put(to, p, i, segment, bytes);
	to->port = from->port;
	to->vlan_tci = from->vlan_tci;
	to->ol_flags |= from->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
	pkt_tag_fresh(to);
	pkt_tag(to)->observed = pkt_tag((struct rte_mbuf *)(uintptr_t)from)->observed;
	return sum_compute(to, &p->h);
}

uint16_t big_cut(struct worker *w, struct rte_mbuf *m, struct rte_mbuf *out[BIG_SEGMENTS_MAX])
{
	struct plan p;
	bool ok = true;

	if (!plan_make(w, m, &p)) {
		door_drop(w, m, DROP_SEGMENTS);
		return 0;
	}
	m->ol_flags &= ~BIG_MARK;
	if (p.n == 1) {
		if (!sum_compute(m, &p.h)) {
			door_drop(w, m, DROP_SEGMENTS);
			return 0;
		}
		out[0] = m;
		return 1;
	}
	if (rte_pktmbuf_alloc_bulk(w->pool, out, p.n) != 0) {
		door_drop(w, m, DROP_SEGMENTS);
		return 0;
	}
	for (uint32_t i = 0; i < p.n && ok; i++)
		ok = segment_fill(out[i], m, &p, i);
	if (!ok) {
		rte_pktmbuf_free_bulk(out, p.n);
		door_drop(w, m, DROP_SEGMENTS);
		return 0;
	}
	w->counters.generated += p.n - 1;
	rte_pktmbuf_free(m);
	return (uint16_t)p.n;
}
