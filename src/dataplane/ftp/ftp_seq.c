/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp_seq.h"

#include <rte_tcp.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/stages/ip.h"

#define OPTION_END  0U
#define OPTION_NOP  1U
#define OPTION_SACK 5U

static struct rte_tcp_hdr *tcp_of(const struct FAM(pkt) *p)
{
	return (struct rte_tcp_hdr *)(p->l3 + p->l4_off);
}

/* From l3. */
static uint32_t payload_off(const struct FAM(pkt) *p)
{
	return p->l4_off + (tcp_of(p)->data_off >> 4) * 4U;
}

bool FAM_FN(ftp, is_fragment)(const struct FAM(pkt) *p)
{
	return p->flags & PKT_FRAGMENT;
}

static uint16_t tcp_sum(const struct FAM(pkt) *p)
{
	return (uint16_t)~FAM_FN(ip, l4_csum)(p->l3, p->l3 + p->l4_off, IPPROTO_TCP,
					      p->l3_len - (uint32_t)p->l4_off);
}

bool FAM_FN(ftp, segment_sound)(struct FAM(pkt) *p)
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

const char *FAM_FN(ftp, payload)(const struct FAM(pkt) *p, uint32_t *len)
{
	const uint32_t off = payload_off(p);

	*len = p->l3_len - off;
	return (const char *)p->l3 + off;
}

bool FAM_FN(ftp, payload_room)(const struct FAM(pkt) *p, uint32_t bytes)
{
	return rte_pktmbuf_tailroom(p->m) >= bytes && p->l3_len + bytes <= UINT16_MAX;
}

static void length_set(struct FAM(pkt) *p, uint32_t len)
{
	const be16 was = be16_from(p->l3_len), is = be16_from((uint16_t)len);

	FAM_FN(ip, csum_change)(p->l3, csum_delta16(was, is));
	FAM_FN(ip, length_put)(p->l3, (uint16_t)len);
	p->m->data_len = (uint16_t)(p->m->data_len + len - p->l3_len);
	p->m->pkt_len = p->m->data_len;
	p->l3_len = (uint16_t)len;
}

bool FAM_FN(ftp, payload_replace)(struct FAM(pkt) *p, uint32_t at, uint32_t len, const char *text,
				  uint32_t n)
{
	uint8_t *to = p->l3 + payload_off(p) + at;
	const uint32_t behind = p->l3_len - (uint32_t)(to - p->l3) - len;

	if (n > len && !FAM_FN(ftp, payload_room)(p, n - len))
		return false;
	memmove(to + n, to + len, behind);
	if (n)
		memcpy(to, text, n);
	length_set(p, p->l3_len + n - len);
	return true;
}

void FAM_FN(ftp, payload_done)(struct FAM(pkt) *p, uint16_t mtu)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);

	if (p->l3_len > mtu && mtu >= payload_off(p)) {
		length_set(p, mtu);
		tcp->tcp_flags &= (uint8_t)~TCP_FIN;
	}
	tcp->cksum = 0;
	tcp->cksum = (be16)~tcp_sum(p);
}

uint32_t FAM_FN(ftp, seq)(const struct FAM(pkt) *p)
{
	return rte_be_to_cpu_32(tcp_of(p)->sent_seq);
}

void FAM_FN(ftp, seq_set)(struct FAM(pkt) *p, uint32_t seq)
{
	tcp_of(p)->sent_seq = rte_cpu_to_be_32(seq);
}

/* The client's acknowledgement in the server's numbers. */
static uint32_t ack_back(const struct ftp_control *fc, uint32_t ack)
{
	const uint32_t was = ack - (uint32_t)fc->before;

	return (int32_t)(was - fc->pos) > 0 ? ack - (uint32_t)fc->after : was;
}

uint32_t FAM_FN(ftp, ack)(const struct FAM(pkt) *p)
{
	return rte_be_to_cpu_32(tcp_of(p)->recv_ack);
}

uint32_t FAM_FN(ftp, acked)(const struct FAM(pkt) *p, const struct ftp_control *fc)
{
	if (!(p->tcp_flags & TCP_ACK))
		return fc->s.out_next;
	return fc->moved ? ack_back(fc, FAM_FN(ftp, ack)(p)) : FAM_FN(ftp, ack)(p);
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

static void sack_back(struct FAM(pkt) *p, const struct ftp_control *fc)
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

void FAM_FN(ftp, seq_adjust)(struct FAM(pkt) *p, const struct ftp_control *fc)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);
	const uint32_t seq = FAM_FN(ftp, seq)(p);

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
