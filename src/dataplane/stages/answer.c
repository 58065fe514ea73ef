/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/answer.h"

#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "dataplane/big/big_frame.h"
#include "dataplane/exits/doors.h"
#include "dataplane/stages/answer_frame.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/conn/tcp_state.h"

#define ICMP_QUOTE_MAX                                                                             \
	(FAMILY == 4 ? 576 - 20 - ICMP_HDR /* RFC 1812, 4.3.2.3 */                                 \
		     : 1280 - 40 - ICMP_HDR /* RFC 4443, 2.4 */)
#define IP_TOS_NET_CONTROL 0xc0 /* as Linux marks its IPv4 errors */
#define ECHO_REQUEST	   (FAMILY == 4 ? RTE_IP_ICMP_ECHO_REQUEST : ICMP6_ECHO)
#define ECHO_REPLY	   (FAMILY == 4 ? RTE_IP_ICMP_ECHO_REPLY : ICMP6_REPLY)

void FAM_FN(echo, receive)(struct worker *w, struct FAM(pkt) *p)
{
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(p->l3 + p->l4_off);
	uint8_t *ttl = FAM_FN(ip, hop_limit)(p->l3);
	const FAM_ADDR vip = FAM_FN(ip, addr)(p->l3, IP_DEST);

	if (p->l3_len < p->l4_off + ICMP_HDR) {
		door_drop(w, p->m, DROP_MALFORMED);
		return;
	}
	/* With extension headers the answer would have to undo them. */
	if (icmp->icmp_type != ECHO_REQUEST || icmp->icmp_code != 0 ||
	    (FAMILY == 6 && p->l4_off != IP_HDR)) {
		door_drop(w, p->m, DROP_UNSUPPORTED);
		return;
	}
	if (!FAM_FN(icmp, sum_good)(p)) {
		door_drop(w, p->m, DROP_BAD_ECHO);
		return;
	}
	icmp->icmp_type = ECHO_REPLY;
	icmp->icmp_cksum = csum_apply(icmp->icmp_cksum, csum_delta16(be16_from(ECHO_REQUEST << 8),
								     be16_from(ECHO_REPLY << 8)));
	/* Swapped addresses leave the sum as it is; only the TTL changes it. */
	FAM_FN(ip, addr_put)(p->l3, IP_DEST, FAM_FN(ip, addr)(p->l3, IP_SOURCE));
	FAM_FN(ip, addr_put)(p->l3, IP_SOURCE, vip);
	FAM_FN(ip, csum_change)
	(p->l3, csum_delta16(be16_from((uint16_t)(*ttl << 8)), be16_from(ANSWER_HOPS << 8)));
	*ttl = ANSWER_HOPS;
	answer_with(w, p->m, p->link);
}

void FAM_FN(icmp, put)(struct worker *w, uint8_t *l3, FAM_ADDR from, FAM_ADDR to,
		       struct icmp_wire what, uint32_t info, uint16_t quote)
{
	const be32 word = be32_from(info);
	uint8_t *icmp = l3 + IP_HDR;
	be16 sum;

	FAM_FN(ip, put)
	(l3, from, to, ICMP_PROTO, (uint16_t)(ICMP_HDR + quote),
	 FAMILY == 4 ? IP_TOS_NET_CONTROL : 0, FAMILY == 4 ? w->ip_id++ : 0, false);
	icmp[0] = what.type;
	icmp[1] = what.code;
	memset(icmp + 2, 0, 2);
	memcpy(icmp + 4, &word, sizeof(word));
	sum = FAM_FN(ip, icmp_csum)(l3, icmp, ICMP_HDR + quote);
	memcpy(icmp + 2, &sum, 2);
}

void FAM_FN(icmp, error)(struct worker *w, const struct FAM(pkt) *p, FAM_ADDR from,
			 enum icmp_reason reason, uint32_t info)
{
	uint32_t here = rte_pktmbuf_data_len(p->m) -
			(uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, const uint8_t *));
	uint16_t quote = p->l3_len < ICMP_QUOTE_MAX ? p->l3_len : (uint16_t)ICMP_QUOTE_MAX;
	struct rte_mbuf *m;
	uint8_t *l3;

	if (FAM_FN(addr, is_zero)(from))
		return;
	if (quote > here) /* the first mbuf segment has at least the headers */
		quote = (uint16_t)here;
	if (!rate_take(&w->icmp_rate, w->env.now_tick)) {
		w->counters.icmp_suppressed++;
		return;
	}
	m = answer_alloc(w, p->m, p->l3, (uint16_t)(IP_HDR + ICMP_HDR + quote), &l3);
	if (!m) {
		w->counters.icmp_suppressed++;
		return;
	}
	memcpy(l3 + IP_HDR + ICMP_HDR, p->l3, quote);
	FAM_FN(icmp, put)(w, l3, from, p->key.saddr, FAM_FN(icmp, wire_of)(reason), info, quote);
	answer_send(w, m, p->link);
}

FAM_ADDR FAM(own_address)(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct FAM(route) *r = FAM_FN(fib, find)(w->env.fib->FAM(v), p->key.saddr);

	return r ? r->source : (FAM_ADDR){0};
}

#define RESET_LEN ((uint16_t)(IP_HDR + sizeof(struct rte_tcp_hdr)))

/* The length of the packet in sequence numbers, flags included. */
static uint32_t tcp_length(const struct FAM(pkt) *p)
{
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	uint32_t headers = p->l4_off + (uint32_t)(tcp->data_off >> 4) * 4;

	return (p->l3_len > headers ? p->l3_len - headers : 0) + ((p->tcp_flags & TCP_SYN) != 0) +
	       ((p->tcp_flags & TCP_FIN) != 0);
}

static void reset_fill(struct worker *w, uint8_t *l3, const struct FAM(pkt) *p)
{
	const struct rte_tcp_hdr *of = (const struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(l3 + IP_HDR);

	FAM_FN(ip, put)
	(l3, p->key.daddr, p->key.saddr, IPPROTO_TCP, sizeof(*tcp), 0, FAMILY == 4 ? w->ip_id++ : 0,
	 true);
	memset(tcp, 0, sizeof(*tcp));
	tcp->src_port = p->key.dport;
	tcp->dst_port = p->key.sport;
	tcp->data_off = sizeof(*tcp) / 4 << 4;
	tcp->tcp_flags = TCP_RST;
	if (p->tcp_flags & TCP_ACK) {
		tcp->sent_seq = of->recv_ack;
	} else {
		tcp->tcp_flags |= TCP_ACK;
		tcp->recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(of->sent_seq) + tcp_length(p));
	}
	tcp->cksum = FAM_FN(ip, l4_csum)(l3, (const uint8_t *)tcp, IPPROTO_TCP, sizeof(*tcp));
}

void FAM_FN(tcp, reset)(struct worker *w, const struct FAM(pkt) *p)
{
	struct rte_mbuf *m;
	uint8_t *l3;

	if (p->tcp_flags & TCP_RST)
		return;
	m = rate_take(&w->reset_rate, w->env.now_tick)
		    ? answer_alloc(w, p->m, p->l3, RESET_LEN, &l3)
		    : NULL;
	if (!m) {
		w->counters.resets_suppressed++;
		return;
	}
	reset_fill(w, l3, p);
	w->counters.resets += answer_send(w, m, p->link);
}

/* Turns a first fragment into a datagram of its own. */
static void fragment_undo(struct FAM(pkt) *p)
{
#if FAMILY == 4
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;

	ip->fragment_offset &= rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = csum_of(ip, p->l4_off);
#else
	struct ext6_fragment *f = ext6_fragment_find(p->l3, p->l4_off);

	if (f)
		f->field = 0;
#endif
}

void FAM_FN(tcp, become_reset)(struct FAM(pkt) *p)
{
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	struct rte_mbuf *m = p->m;
	uint16_t l2_len = (uint16_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));

	p->l3_len = (uint16_t)(p->l4_off + sizeof(*tcp));
	p->tcp_flags = TCP_RST | (p->tcp_flags & TCP_ACK);
	FAM_FN(ip, length_put)(p->l3, p->l3_len);
	fragment_undo(p);
	tcp->data_off = sizeof(*tcp) / 4 << 4;
	tcp->tcp_flags = p->tcp_flags;
	tcp->rx_win = 0;
	tcp->tcp_urp = 0;
	tcp->cksum = 0;
	tcp->cksum = FAM_FN(ip, l4_csum)(p->l3, (const uint8_t *)tcp, IPPROTO_TCP, sizeof(*tcp));
	m->ol_flags &= ~BIG_MARK;
	rte_pktmbuf_free(m->next); /* headers are in the first segment */
	m->next = NULL;
	m->nb_segs = 1;
	m->data_len = (uint16_t)(l2_len + p->l3_len);
	m->pkt_len = m->data_len;
}
