/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage parse for IPv6 packets that are not plain (parse.c): extension headers, several segments.
 */
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/parse_internal.h"
#include "dataplane/stages/pipeline.h"

/* Sources that no packet on a wire has. :: asks for an address of its own (duplicate address
 * detection, MLD). Under compat "ipvs", :: and IPv4-mapped sources are taken as IPVS takes them. */
bool source6_is_bad(const struct worker *w, const uint8_t *addr, uint8_t proto)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff}, zero[16];

	if (addr[0] == 0xff)
		return true;
	if (likely(memcmp(addr, zero, 10) != 0))
		return false;
	if (memcmp(addr, zero, 15) == 0 && addr[15] == 1)
		return true;
	if (memcmp(addr, zero, 16) == 0)
		return proto != IPPROTO_ICMPV6 && !w->env.snap->ipvs;
	return memcmp(addr, mapped, 12) == 0 && !w->env.snap->ipvs;
}

/* Behind extension headers. The packet's first `here` bytes lie in the first segment. */
static __rte_noinline enum drop_reason ext6_parse(const struct worker *w, const uint8_t *l3,
						  uint32_t len, uint32_t here, struct ext6 *ext)
{
	switch (ext6_walk(l3, len, here, ext)) {
	case EXT6_OK:
		break;
	case EXT6_CUT:
		return here < len && here < EXT6_LEN_MAX ? DROP_LINEARISE : DROP_MALFORMED;
	case EXT6_OPTION:
		/* Linux tells the sender: as of a protocol that no service has. */
		if (!ext6_option_told(ext->option))
			return DROP_EXT_HEADER;
		*ext = (struct ext6){.proto = EXT6_HOP, .l4_off = sizeof(struct rte_ipv6_hdr)};
		return DROP_MAX;
	default:
		return DROP_EXT_HEADER;
	}
	return ext->routing0 && !w->env.snap->ipvs ? DROP_EXT_HEADER : DROP_MAX;
}

/* False: a whole datagram behind a fragment header (RFC 6946). */
static bool ext6_is_fragment(const uint8_t *l3, const struct ext6 *ext)
{
	const struct ext6_fragment *f =
		(const struct ext6_fragment *)(const void *)(l3 + ext->fragment);

	return ext->fragment && (f->field & be16_from(EXT6_OFFSET | EXT6_MORE));
}

static __rte_noinline enum drop_reason ext6_fill(const struct worker *w, uint32_t total,
						 struct pkt6 *p, uint64_t *rest)
{
	const struct rte_mbuf *m = p->m;
	const uint32_t l2_len = (uint32_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));
	const uint32_t here = rte_pktmbuf_data_len(m) - l2_len;
	enum drop_reason reason;
	struct ext6 ext;

	reason = ext6_parse(w, p->l3, total, here, &ext);
	if (reason != DROP_MAX)
		return reason;
	if (here < total && here < ext.l4_off + (uint32_t)TCP_MIN)
		return DROP_LINEARISE;
	p->l4_off = ext.l4_off;
	if (ext6_is_fragment(p->l3, &ext))
		*rest = fragment6_parse(p, ext.proto);
	else
		*rest = l4_parse6(p, p->l3 + ext.l4_off, ext.proto, total - ext.l4_off) |
			(uint64_t)ext.proto << 32;
	return DROP_MAX;
}

enum drop_reason ipv6_parse(const struct worker *w, struct rte_mbuf *m, uint32_t l2_len,
			    struct pkt6 *p)
{
	const struct rte_ipv6_hdr *ip;
	uint32_t total;
	uint64_t rest;

	if (!head_linear(m, l2_len + (uint32_t)sizeof(*ip)))
		return DROP_MALFORMED;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, l2_len);
	if (unlikely(*(const uint8_t *)ip >> 4 != 6))
		return DROP_BAD_VERSION;
	total = (uint32_t)sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	if (unlikely(total > rte_pktmbuf_pkt_len(m) - l2_len || total > UINT16_MAX))
		return DROP_MALFORMED;
	/* Of a chain of segments, what extension headers may need. */
	if (unlikely(rte_pktmbuf_data_len(m) < l2_len + RTE_MIN(total, sizeof(*ip) + TCP_MIN) ||
		     (m->nb_segs > 1 && ext6_is_header(ip->proto)))) {
		if (!head_linear(m, l2_len + RTE_MIN(total, EXT6_LEN_MAX + TCP_MIN)))
			return DROP_LINEARISE;
		ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, l2_len);
	}
	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len);
	p->l3_len = (uint16_t)total;
	p->l4_off = sizeof(*ip);
	p->tcp_flags = 0; /* may leave before L4 is read */
	p->conn = NULL;
	if (likely(!ext6_is_header(ip->proto))) {
		const uint8_t proto = ip->proto;

		rest = l4_parse6(p, (const uint8_t *)(ip + 1), proto,
				 total - (uint32_t)sizeof(*ip)) |
		       (uint64_t)proto << 32;
	} else {
		enum drop_reason reason = ext6_fill(w, total, p, &rest);

		if (reason != DROP_MAX)
			return reason;
	}
	/* The source is judged last: MLD from :: stands behind hop-by-hop options. */
	return ipv6_finish(w, m, p->l3, rte_pktmbuf_pkt_len(m) - l2_len, total, rest, p);
}
