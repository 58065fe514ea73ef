/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp_seq.h"

#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"

#define OPTION_END  0U
#define OPTION_NOP  1U
#define OPTION_SACK 5U

static struct rte_ipv4_hdr *ip_of(const struct pkt4 *p)
{
	return (struct rte_ipv4_hdr *)p->l3;
}

static struct rte_tcp_hdr *tcp_of(const struct pkt4 *p)
{
	return (struct rte_tcp_hdr *)(p->l3 + p->l4_off);
}

/* From l3. */
static uint32_t payload_off(const struct pkt4 *p)
{
	return p->l4_off + (tcp_of(p)->data_off >> 4) * 4U;
}

bool ftp_is_fragment(const struct pkt4 *p)
{
	return ip_of(p)->fragment_offset &
	       rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);
}

static uint16_t tcp_sum(const struct pkt4 *p)
{
	const struct rte_ipv4_hdr *ip = ip_of(p);
	const uint32_t len = p->l3_len - (uint32_t)p->l4_off;
	uint64_t sum = csum_add(0, &ip->src_addr, 8);

	sum += be16_from(IPPROTO_TCP) + (uint64_t)be16_from((uint16_t)len);
	return csum_fold(csum_add(sum, p->l3 + p->l4_off, len));
}

bool ftp_segment_sound(struct pkt4 *p)
{
	const uint32_t off = payload_off(p);

	if ((tcp_of(p)->data_off >> 4) < 5 || off > p->l3_len)
		return false;
	if (p->m->nb_segs > 1 && rte_pktmbuf_linearize(p->m) != 0)
		return false;
	if (rte_mbuf_refcnt_read(p->m) != 1 || !RTE_MBUF_DIRECT(p->m))
		return false;
	return tcp_sum(p) == 0xffff;
}

const char *ftp_payload(const struct pkt4 *p, uint32_t *len)
{
	const uint32_t off = payload_off(p);

	*len = p->l3_len - off;
	return (const char *)p->l3 + off;
}

bool ftp_payload_room(const struct pkt4 *p, uint32_t bytes)
{
	return rte_pktmbuf_tailroom(p->m) >= bytes && p->l3_len + bytes <= UINT16_MAX;
}

static void length_set(struct pkt4 *p, uint32_t len)
{
	struct rte_ipv4_hdr *ip = ip_of(p);
	const be16 field = be16_from((uint16_t)len);

	ip->hdr_checksum = csum_apply(ip->hdr_checksum, csum_delta16(ip->total_length, field));
	ip->total_length = field;
	p->m->data_len = (uint16_t)(p->m->data_len + len - p->l3_len);
	p->m->pkt_len = p->m->data_len;
	p->l3_len = (uint16_t)len;
}

bool ftp_payload_replace(struct pkt4 *p, uint32_t at, uint32_t len, const char *text, uint32_t n)
{
	uint8_t *to = p->l3 + payload_off(p) + at;
	const uint32_t behind = p->l3_len - (uint32_t)(to - p->l3) - len;

	if (n > len && !ftp_payload_room(p, n - len))
		return false;
	memmove(to + n, to + len, behind);
	if (n)
		memcpy(to, text, n);
	length_set(p, p->l3_len + n - len);
	return true;
}

void ftp_payload_done(struct pkt4 *p, uint16_t mtu)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);

	if (p->l3_len > mtu && mtu >= payload_off(p)) {
		length_set(p, mtu);
		tcp->tcp_flags &= (uint8_t)~TCP_FIN;
	}
	tcp->cksum = 0;
	tcp->cksum = (be16)~tcp_sum(p);
}

uint32_t ftp_seq(const struct pkt4 *p)
{
	return rte_be_to_cpu_32(tcp_of(p)->sent_seq);
}

void ftp_seq_set(struct pkt4 *p, uint32_t seq)
{
	tcp_of(p)->sent_seq = rte_cpu_to_be_32(seq);
}

/* What the client acknowledges, as the server numbers it. */
static uint32_t ack_back(const struct ftp_control *fc, uint32_t ack)
{
	const uint32_t was = ack - (uint32_t)fc->before;

	return (int32_t)(was - fc->pos) > 0 ? ack - (uint32_t)fc->after : was;
}

uint32_t ftp_ack(const struct pkt4 *p)
{
	return rte_be_to_cpu_32(tcp_of(p)->recv_ack);
}

uint32_t ftp_acked(const struct pkt4 *p, const struct ftp_control *fc)
{
	if (!(p->tcp_flags & TCP_ACK))
		return fc->s.out_next;
	return fc->moved ? ack_back(fc, ftp_ack(p)) : ftp_ack(p);
}

static void word_put(struct rte_tcp_hdr *tcp, uint8_t *at, uint32_t value)
{
	const be32 to = be32_from(value);
	be32 from;
	uint16_t delta;

	memcpy(&from, at, 4);
	delta = csum_delta32(from, to);
	if ((at - (uint8_t *)tcp) & 1) /* across the words of the checksum */
		delta = (uint16_t)(delta << 8 | delta >> 8);
	tcp->cksum = csum_apply(tcp->cksum, delta);
	memcpy(at, &to, 4);
}

static void edge_back(struct rte_tcp_hdr *tcp, uint8_t *at, const struct ftp_control *fc)
{
	be32 edge;

	memcpy(&edge, at, 4);
	word_put(tcp, at, ack_back(fc, be32_to(edge)));
}

static void sack_back(struct pkt4 *p, const struct ftp_control *fc)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);
	uint8_t *o = (uint8_t *)(tcp + 1), *end = p->l3 + payload_off(p);
	const uint8_t *have = rte_pktmbuf_mtod(p->m, uint8_t *) + p->m->data_len;

	if (end > have || end > p->l3 + p->l3_len)
		return;
	while (o < end && *o != OPTION_END) {
		if (*o == OPTION_NOP) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			return;
		for (unsigned int i = 2; *o == OPTION_SACK && i + 4U <= o[1]; i += 4)
			edge_back(tcp, o + i, fc);
		o += o[1];
	}
}

void ftp_seq_adjust(struct pkt4 *p, const struct ftp_control *fc)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);
	const uint32_t seq = ftp_seq(p);

	if (p->dir == DIR_OUT) {
		const bool later = (int32_t)(seq - fc->pos) > 0;

		word_put(tcp, (uint8_t *)&tcp->sent_seq,
			 seq + (uint32_t)(later ? fc->after : fc->before));
		return;
	}
	if (!(p->tcp_flags & TCP_ACK))
		return;
	edge_back(tcp, (uint8_t *)&tcp->recv_ack, fc);
	sack_back(p, fc);
}
