/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams that begin with a header, and ICMP errors about what the server was sent: proxy.h. */
#include <rte_udp.h>

#include "dataplane/proxy/proxy.h"

#include "base/csum.h"
#include "dataplane/exits/doors.h"
#include "dataplane/payload/payload.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/related.h"
#include "dataplane/stages/rewrite.h"

#define UNIT	   8U	 /* bytes that the offset of a fragment counts */
#define OFFSET_MAX 8191U /* units */

/* A fragment but the first: behind the header as well. False: no offset can say so. */
static bool follower_move(struct FAM(pkt) *p)
{
	const uint16_t units = (uint16_t)(p->conn->proxy_len / UNIT);
#if FAMILY == 4
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	const be16 had = ip->fragment_offset;
	const uint16_t field = be16_to(had);

	if ((field & (uint32_t)RTE_IPV4_HDR_OFFSET_MASK) + units > OFFSET_MAX)
		return false;
	ip->fragment_offset = be16_from((uint16_t)(field + units));
	ip4_csum_change(p->l3, csum_delta16(had, ip->fragment_offset));
#else
	struct ext6_fragment *f = ext6_fragment_find(p->l3, p->l4_off);

	if (!f || (be16_to(f->field) >> 3) + units > OFFSET_MAX)
		return false;
	f->field = be16_from((uint16_t)(be16_to(f->field) + (units << 3)));
#endif
	return true;
}

static void udp_sum_change(struct rte_udp_hdr *udp, uint16_t delta)
{
	if (udp->dgram_cksum == 0)
		return;
	udp->dgram_cksum = csum_apply(udp->dgram_cksum, delta);
	if (udp->dgram_cksum == 0)
		udp->dgram_cksum = 0xffff;
}

/* The headers move into the headroom; the data stays where it is. */
static bool header_insert(struct FAM(pkt) *p)
{
	const uint16_t len = p->conn->proxy_len, l3_len = (uint16_t)(p->l3_len + len);
	const uint32_t head = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *)) + p->l4_off +
			      (uint32_t)sizeof(struct rte_udp_hdr);
	uint8_t text[PROXY_HEADER_MAX], *data;
	struct rte_udp_hdr *udp;
	uint16_t longer;
	be16 had;

	if (rte_mbuf_refcnt_read(p->m) != 1 || !RTE_MBUF_DIRECT(p->m))
		return false;
	data = (uint8_t *)rte_pktmbuf_prepend(p->m, len);
	if (!data)
		return false;
	memmove(data, data + len, head);
	p->l3 -= len;
	FAM_FN(proxy, header)(p->conn, text);
	memcpy(data + head, text, len);
	FAM_FN(ip, csum_change)(p->l3, csum_delta16(be16_from(p->l3_len), be16_from(l3_len)));
	FAM_FN(ip, length_put)(p->l3, l3_len);
	p->l3_len = l3_len;
	udp = (struct rte_udp_hdr *)(p->l3 + p->l4_off);
	had = udp->dgram_len;
	udp->dgram_len = be16_from((uint16_t)(be16_to(had) + len));
	/* The length stands in the pseudo header, too. */
	longer = csum_delta16(had, udp->dgram_len);
	udp_sum_change(udp, csum_delta_sum(csum_delta_sum(longer, longer),
					   csum_fold(csum_add(0, text, len))));
	return true;
}

static bool too_long(struct worker *w, struct FAM(pkt) *p)
{
	const uint32_t len = p->conn->proxy_len;
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->l3 + p->l4_off);

	if (p->l3_len + len > UINT16_MAX || be16_to(udp->dgram_len) + len > UINT16_MAX) {
		door_drop(w, p->m, DROP_TOO_BIG);
		return true;
	}
	if (p->l3_len + len <= p->nh->mtu || !FAM_FN(ip, forbids_fragments)(p->l3))
		return false;
	FAM_FN(rewrite, refuse)
	(w, p, ICMP_REASON_TOO_BIG, DROP_TOO_BIG, (uint16_t)(p->nh->mtu - len));
	return true;
}

bool FAM_FN(proxy, datagram)(struct worker *w, struct FAM(pkt) *p)
{
	if (unlikely(p->flags & PKT_FOLLOWS)) {
		if (follower_move(p))
			return true;
		door_drop(w, p->m, DROP_FRAGMENT);
		return false;
	}
	if (unlikely(too_long(w, p)))
		return false;
	if (unlikely(!header_insert(p))) {
		door_drop(w, p->m, DROP_NO_BUFFER);
		return false;
	}
	w->counters.proxy_headers++;
	return true;
}

/* ---- ICMP errors ---- */

/* A field of `bytes` bytes (2 or 4) of an ICMP message. */
static void field_put(uint8_t *icmp, uint8_t *at, uint32_t value, size_t bytes)
{
	const be32 to = be32_from(bytes == 2 ? value << 16 : value);
	uint64_t before = csum_add(0, at, bytes), after;
	be16 sum;

	memcpy(at, &to, bytes);
	after = csum_add(0, at, bytes);
	memcpy(&sum, icmp + 2, sizeof(sum));
	sum = csum_apply(sum, csum_add16((uint16_t)~csum_fold(before), csum_fold(after)));
	memcpy(icmp + 2, &sum, sizeof(sum));
}

static uint32_t field_at(const uint8_t *at, size_t bytes)
{
	be32 word = 0;

	memcpy(&word, at, bytes);
	return bytes == 2 ? be32_to(word) >> 16 : be32_to(word);
}

/* The MTU of an error: what fits is shorter by the header. */
static void mtu_lower(uint8_t *icmp, uint32_t len)
{
	const struct icmp_wire too_big = FAM_FN(icmp, wire_of)(ICMP_REASON_TOO_BIG);
	const size_t bytes = FAMILY == 4 ? 2 : 4;
	uint8_t *at = icmp + 8 - bytes;
	uint32_t mtu;

	if (icmp[0] != too_big.type || (FAMILY == 4 && icmp[1] != too_big.code))
		return;
	mtu = field_at(at, bytes);
	if (mtu > len)
		field_put(icmp, at, mtu - len, bytes);
}

void FAM_FN(proxy, error)(struct FAM(pkt) *p)
{
	const struct FAM(conn) *c = p->conn;
	uint8_t *icmp = p->l3 + p->l4_off;
	uint32_t left;
	uint8_t *l4 = FAM_FN(related, quoted)(p, &left);

	if (!l4)
		return;
	if (!(c->proxy & PROXY_DONE))
		mtu_lower(icmp, c->proxy_len);
	if (c->c.proto == IPPROTO_TCP && (c->proxy & PROXY_DONE) && left >= 8)
		field_put(icmp, l4 + 4, field_at(l4 + 4, 4) - c->proxy_len, 4);
}
