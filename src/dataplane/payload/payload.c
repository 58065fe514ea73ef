/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/payload/payload.h"

#include "dataplane/conn/tcp_state.h"
#include "dataplane/stages/ip.h"

#define tcp_of FAM_FN(payload, tcp)

/* From l3. */
static uint32_t payload_off(const struct FAM(pkt) *p)
{
	return p->l4_off + (tcp_of(p)->data_off >> 4) * 4U;
}

static uint16_t tcp_sum(const struct FAM(pkt) *p)
{
	return (uint16_t)~FAM_FN(ip, l4_csum)(p->l3, p->l3 + p->l4_off, IPPROTO_TCP,
					      p->l3_len - (uint32_t)p->l4_off);
}

bool FAM_FN(payload, sound)(struct FAM(pkt) *p)
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

const char *FAM_FN(payload, of)(const struct FAM(pkt) *p, uint32_t *len)
{
	const uint32_t off = payload_off(p);

	*len = p->l3_len - off;
	return (const char *)p->l3 + off;
}

bool FAM_FN(payload, room)(const struct FAM(pkt) *p, uint32_t bytes)
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

bool FAM_FN(payload, replace)(struct FAM(pkt) *p, uint32_t at, uint32_t len, const void *text,
			      uint32_t n)
{
	uint8_t *to = p->l3 + payload_off(p) + at;
	const uint32_t behind = p->l3_len - (uint32_t)(to - p->l3) - len;

	if (n > len && !FAM_FN(payload, room)(p, n - len))
		return false;
	memmove(to + n, to + len, behind);
	if (n)
		memcpy(to, text, n);
	length_set(p, p->l3_len + n - len);
	return true;
}

void FAM_FN(payload, done)(struct FAM(pkt) *p, uint16_t mtu)
{
	struct rte_tcp_hdr *tcp = tcp_of(p);

	if (p->l3_len > mtu && mtu >= payload_off(p)) {
		length_set(p, mtu);
		tcp->tcp_flags &= (uint8_t)~TCP_FIN;
	}
	tcp->cksum = 0;
	tcp->cksum = (be16)~tcp_sum(p);
}

uint32_t FAM_FN(payload, seq)(const struct FAM(pkt) *p)
{
	return rte_be_to_cpu_32(tcp_of(p)->sent_seq);
}

void FAM_FN(payload, seq_set)(struct FAM(pkt) *p, uint32_t seq)
{
	tcp_of(p)->sent_seq = rte_cpu_to_be_32(seq);
}

uint32_t FAM_FN(payload, ack)(const struct FAM(pkt) *p)
{
	return rte_be_to_cpu_32(tcp_of(p)->recv_ack);
}

uint8_t *FAM_FN(payload, options_end)(const struct FAM(pkt) *p)
{
	const uint8_t *have = rte_pktmbuf_mtod(p->m, uint8_t *) + p->m->data_len;
	uint8_t *end = p->l3 + payload_off(p);

	return end > have || end > p->l3 + p->l3_len || end < (uint8_t *)(tcp_of(p) + 1) ? NULL
											 : end;
}
