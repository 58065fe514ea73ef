/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_PARSE_INTERNAL_H
#define PLVS_DATAPLANE_STAGES_PARSE_INTERNAL_H

/* Functions that the files of stage parse share. Worker context. */

#include <rte_ip.h>

#include "dataplane/fragment/fragment_track.h"
#include "dataplane/stages/ip.h"
#include "dataplane/worker.h"
#include "model/counters.h"

#define TCP_MIN 20
#define UDP_MIN 8

#define FAM_TEMPLATE "dataplane/stages/parse_ip.fam.h"
#include "base/both_families.h"

/* Brings the first `want` bytes into the first segment. False: not possible. */
static inline bool head_linear(struct rte_mbuf *m, uint32_t want)
{
	if (likely(rte_pktmbuf_data_len(m) >= want))
		return true;
	if (m->nb_segs == 1)
		return false;
	return rte_pktmbuf_linearize(m) == 0 && rte_pktmbuf_data_len(m) >= want;
}

/* Removes the Ethernet padding of short frames behind the IP packet. */
static inline void trim_padding(struct rte_mbuf *m, uint32_t extra)
{
	if (extra <= rte_pktmbuf_lastseg(m)->data_len)
		rte_pktmbuf_trim(m, (uint16_t)extra);
}

/* True: a source that begins with 10 zero bytes, or is multicast, is invalid on a wire. */
bool source6_is_bad(const struct worker *w, const uint8_t *addr, uint8_t proto);

/* Parses an IPv6 packet. Returns the drop reason, or DROP_MAX with p filled in. */
enum drop_reason ipv6_parse(const struct worker *w, struct rte_mbuf *m, uint32_t l2_len,
			    struct pkt6 *p);

/* Sets key, hash and other fields at the end of stage parse, for a packet of `total` bytes. rest:
 * ports and protocol. */
static __rte_always_inline enum drop_reason ipv6_finish(const struct worker *w, struct rte_mbuf *m,
							const uint8_t *l3, uint32_t room,
							uint32_t total, uint64_t rest,
							struct pkt6 *p)
{
	const struct table6 *const t = &w->v6.table;
	struct key6 key = {0};

	memcpy(&key, l3 + offsetof(struct rte_ipv6_hdr, src_addr), 2 * sizeof(key.saddr));
	memcpy((uint8_t *)&key + offsetof(struct key6, sport), &rest, sizeof(rest));
	if (unlikely(((const uint8_t *)&key)[0] == 0xff || key.saddr.word[0] == 0) &&
	    source6_is_bad(w, (const uint8_t *)&key.saddr, (uint8_t)(rest >> 32)))
		return DROP_BAD_SOURCE;
	p->key = key;
	p->hash = table6_hash(t, &key);
	if (unlikely(room != total))
		trim_padding(m, room - total);
	return DROP_MAX;
}

/* A packet of TCP or UDP without extension headers, whose headers are in place. room: of the frame,
 * behind Ethernet. Returns the drop reason, or DROP_MAX when p is filled in. */
static __rte_always_inline enum drop_reason ipv6_fill(const struct worker *w, struct rte_mbuf *m,
						      uint8_t *l3, uint32_t room, struct pkt6 *p)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)l3;
	const uint32_t total = (uint32_t)sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	const uint8_t proto = ip->proto;
	uint64_t rest;

	if (unlikely(total > room || total > UINT16_MAX))
		return DROP_MALFORMED;
	p->m = m;
	p->l3 = l3;
	p->l3_len = (uint16_t)total;
	p->l4_off = sizeof(*ip);
	p->conn = NULL;
	rest = l4_parse6(p, l3 + sizeof(*ip), proto, total - (uint32_t)sizeof(*ip));
	return ipv6_finish(w, m, l3, room, total, rest | (uint64_t)proto << 32, p);
}

#endif
