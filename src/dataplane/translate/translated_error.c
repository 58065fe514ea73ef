/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family, that of the error as it came: base/family.h. */
#include "dataplane/translate/translated_error.h"

#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/stages/related.h"
#include "dataplane/translate/icmp_map.h"
#include "dataplane/translate/ip_facts.h"

/* The whole error: RFC 1812, 4.3.2.3; RFC 4443, 2.4. */
#define ERROR_MAX ((uint16_t)(FAMILY == 4 ? 1280 : 576))
#define L2_MAX	  18 /* with a VLAN */
#define OTHER_HDR                                                                                  \
	((uint16_t)(FAMILY == 4 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr)))

/* Bytes of the quoted packet in the first segment. RFC 4884: extensions may follow the packet,
 * behind a length in words of 4 bytes (IPv4) or 8 bytes (IPv6). */
static uint32_t quote_len(const struct FAM(pkt) *p)
{
	const uint8_t *icmp = p->l3 + p->l4_off;
	const uint8_t *end = rte_pktmbuf_mtod(p->m, const uint8_t *) + rte_pktmbuf_data_len(p->m);
	const uint32_t said = FAMILY == 4 ? icmp[5] * 4U : icmp[4] * 8U;
	const bool has_said = FAMILY == 4 ? icmp[0] != ICMP4_UNREACH || icmp[1] != ICMP4_TOO_BIG
					  : icmp[0] == ICMP6_UNREACH || icmp[0] == ICMP6_TIME;
	uint32_t len = RTE_MIN((uint32_t)p->l3_len, (uint32_t)(end - p->l3)) - p->l4_off - ICMP_HDR;

	if (has_said && said && len > said)
		len = said;
	return len;
}

/* The length of a quoted packet, as its header says. */
static uint32_t packet_len(const uint8_t *l3)
{
#if FAMILY == 4
	return be16_to(((const struct rte_ipv4_hdr *)l3)->total_length);
#else
	return (uint32_t)be16_to(((const struct rte_ipv6_hdr *)l3)->payload_len) + IP_HDR;
#endif
}

/* The checksum of a quoted TCP or UDP header, if the quote reaches so far. */
static void quoted_sum_change(uint8_t *l4, uint32_t len, uint8_t proto, uint16_t delta)
{
	const uint32_t at = proto == IPPROTO_TCP ? offsetof(struct rte_tcp_hdr, cksum)
						 : offsetof(struct rte_udp_hdr, dgram_cksum);
	be16 sum;

	if (len < at + sizeof(sum))
		return;
	memcpy(&sum, l4 + at, sizeof(sum));
	if (proto == IPPROTO_UDP && sum == 0)
		return;
	sum = csum_apply(sum, delta);
	if (proto == IPPROTO_UDP && sum == 0)
		sum = 0xffff;
	memcpy(l4 + at, &sum, sizeof(sum));
}

/* Writes the quoted packet at `at`, with room for `room` bytes: it went from the end that the error
 * goes to. Returns its length. */
static uint16_t quote_write(const struct FAM(pkt) *p, const struct related_quote *q,
			    const struct ip_facts *f, const struct OTHER_FAM(new_ends) * ends,
			    uint8_t *at, uint32_t room)
{
	const uint32_t head = OTHER_FN(ip_facts, len)(f);
	const uint32_t here = quote_len(p) - (uint32_t)(q->ports - q->at);
	const uint32_t whole = RTE_MIN(here, (uint32_t)f->payload);
	const uint32_t len = RTE_MIN(whole, room - head);
	const uint8_t *l3 = p->l3 + q->at;
	uint8_t *l4 = at + head;
	uint64_t before, after;

	OTHER_FN(ip_facts, write)(at, f, ends->dest, ends->source);
	memcpy(l4, p->l3 + q->ports, len);
	before = csum_add(csum_add(0, FAM_FN(ip, addr_at)((uint8_t *)(uintptr_t)l3, IP_SOURCE),
				   2 * sizeof(FAM_ADDR)),
			  l4, 4);
	memcpy(l4, &ends->dport, 2);
	memcpy(l4 + 2, &ends->sport, 2);
	after = csum_add(csum_add(0, OTHER_FN(ip, addr_at)(at, IP_SOURCE), 2 * sizeof(OTHER_ADDR)),
			 l4, 4);
	quoted_sum_change(l4, len, q->proto,
			  csum_add16((uint16_t)~csum_fold(before), csum_fold(after)));
	return (uint16_t)(head + len);
}

/* The error in the words of the other family. False: the family has no word for it. */
static bool words_of(const struct FAM(pkt) *p, const struct ip_facts *quoted, uint32_t quoted_len,
		     uint16_t back_mtu, struct icmp_words *out)
{
	const uint8_t *icmp = p->l3 + p->l4_off;
	const uint16_t mtu = p->nh ? p->nh->mtu : UINT16_MAX;
	struct icmp_words in = {.type = icmp[0], .code = icmp[1]};
	be32 info;

	memcpy(&info, icmp + 4, sizeof(info));
	in.info = be32_to(info);
#if FAMILY == 4
	(void)quoted;
	if (!icmp_words_4to6(&in, out))
		return false;
	if (out->type == ICMP6_TOO_BIG)
		out->info = translated6_mtu(out->info, (uint16_t)quoted_len, mtu, back_mtu);
#else
	(void)quoted_len;
	if (!icmp_words_6to4(&in, out))
		return false;
	if (out->type == ICMP4_UNREACH && out->code == ICMP4_TOO_BIG)
		out->info = translated4_mtu(out->info, quoted->fragment, mtu, back_mtu);
#endif
	return true;
}

/* The frame becomes one of len bytes of IP. False: its buffer is too small. */
static bool frame_replace(struct FAM(pkt) *p, const uint8_t *packet, uint16_t len)
{
	struct rte_mbuf *m = p->m;
	const uint32_t l2_len = (uint32_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));
	uint8_t l2[L2_MAX];

	memcpy(l2, p->l3 - l2_len, l2_len);
	if (m->buf_len < RTE_PKTMBUF_HEADROOM + L2_MAX + (uint32_t)len)
		return false;
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	m->nb_segs = 1;
	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = (uint16_t)(l2_len + len);
	m->pkt_len = m->data_len;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len);
	memcpy(p->l3 - l2_len, l2, l2_len);
	memcpy(p->l3, packet, len);
	p->l3_len = len;
	return true;
}

enum drop_reason FAM_FN(translated_error, make)(struct worker *w, struct FAM(pkt) *p,
						const struct OTHER_FAM(new_ends) * ends,
						uint16_t back_mtu)
{
	const uint16_t head = OTHER_HDR;
	uint8_t packet[ERROR_MAX], *icmp = packet + head;
	struct related_quote q;
	struct icmp_words said;
	struct ip_facts f;
	uint32_t len;
	be32 info;
	be16 sum;

	if (!FAM_FN(related, quote)(p, &q)) /* related_parse() has found it */
		return DROP_MALFORMED;
	len = packet_len(p->l3 + q.at);
	if (len < (uint32_t)(q.ports - q.at) || len > UINT16_MAX ||
	    quote_len(p) < (uint32_t)(q.ports - q.at) + 4)
		return DROP_MALFORMED;
	f = FAM_FN(ip_facts, read)(p->l3 + q.at, (uint16_t)(q.ports - q.at), (uint16_t)len,
				   q.proto);
	if (!words_of(p, &f, len, back_mtu, &said))
		return DROP_UNTRANSLATABLE;
	len = ICMP_HDR + quote_write(p, &q, &f, ends, icmp + ICMP_HDR, ERROR_MAX - head - ICMP_HDR);
	icmp[0] = said.type;
	icmp[1] = said.code;
	memset(icmp + 2, 0, 2);
	info = be32_from(said.info);
	memcpy(icmp + 4, &info, sizeof(info));
	f = FAM_FN(ip_facts, read)(p->l3, p->l4_off, (uint16_t)(p->l4_off + len), 0);
	f.proto = FAMILY == 4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	f.hops--;
	f.fragment = f.more = f.whole = false;
	f.offset = 0;
	f.id = FAMILY == 4 ? 0 : w->ip_id++;
	OTHER_FN(ip_facts, write)(packet, &f, ends->source, ends->dest);
	sum = OTHER_FN(ip, icmp_csum)(packet, icmp, len);
	memcpy(icmp + 2, &sum, sizeof(sum));
	if (!frame_replace(p, packet, (uint16_t)(head + len)))
		return DROP_NO_BUFFER;
	p->l4_off = head;
	return DROP_MAX;
}
