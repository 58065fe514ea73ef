/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that another worker has steered, at their owner: steered.h. */
#include <string.h>

#include "dataplane/stages/ip.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/steered.h"

void FAM_FN(steered, put)(struct worker *w, const struct FAM(pkt) *p, unsigned int owner,
			  enum pkt_dir dir)
{
	struct pkt_tag *tag = pkt_tag(p->m);
	const size_t l3_off = (size_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *));

	if (unlikely(p->flags || w->observer || w->asks || l3_off > UINT8_MAX ||
		     p->l4_off > UINT8_MAX)) {
		door_handoff(w, p->m, owner, 0);
		return;
	}
	tag->v6 = FAMILY == 6;
	tag->l3_len = p->l3_len;
	tag->proto = p->key.proto;
	tag->tcp_flags = p->tcp_flags;
	tag->hash = p->hash;
	tag->vlan = link_vlan(p->link) & 0xfff;
	tag->dir = dir;
	tag->l3_off = (uint8_t)l3_off;
	tag->l4_off = (uint8_t)p->l4_off;
	door_handoff_as(w, p->m, owner, HANDOFF_STEERED);
}

/* The packet as stage steer would leave it, but for its guess of the connection. */
static inline void packet_fill(struct FAM(pkt) *p, struct rte_mbuf *m)
{
	struct pkt_tag *tag = pkt_tag(m);
	uint64_t rest;
	uint32_t ports;

	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, tag->l3_off);
	p->link = link_id_of(m->port, tag->vlan);
	p->l3_len = tag->l3_len;
	p->l4_off = tag->l4_off;
	p->dir = tag->dir;
	p->tcp_flags = tag->tcp_flags;
	p->flags = 0;
	p->hash = tag->hash;
	tag->kind = HANDOFF_STEER; /* as if the packet had been received here */
	memcpy(&ports, p->l3 + p->l4_off, sizeof(ports));
	rest = ports | (uint64_t)tag->proto << 32;
	FAM_FN(key, set)(&p->key, FAM_FN(ip, addr_at)(p->l3, IP_SOURCE), rest);
}

void FAM_FN(steered, take)(struct worker *w, struct rte_mbuf **frames, uint16_t n)
{
	struct FAM(burst) b;

	/* The buckets are on their way since the packets were taken from their rings. */
	b.n = n;
	for (uint16_t i = 0; i < n; i++)
		packet_fill(&b.pkts[i], frames[i]);
	for (uint16_t i = 0; i < n; i++) {
		struct FAM(pkt) *p = &b.pkts[i];

		p->conn = FAM_FN(table, prefetch_entry)(&w->FAM(v).table, p->hash, p->dir);
	}
	FAM_FN(pipeline, own)(w, &b);
}
