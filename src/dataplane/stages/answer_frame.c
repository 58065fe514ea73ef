/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/answer_frame.h"

#include <rte_ether.h>

#include "dataplane/exits/doors.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/observe/observer.h"

/* Swaps the direction of a received frame: to its sender, from the link's MAC, with its VLAN tag in
 * the frame. False: no room for the tag. */
static bool frame_reverse(const struct worker *w, struct rte_mbuf **m, link_id link)
{
	struct rte_ether_hdr *eth;
	const struct link_info *info = fib_link(w->env.fib, link);

	if (((*m)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(m) != 0)
		return false;
	(*m)->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	eth = rte_pktmbuf_mtod(*m, struct rte_ether_hdr *);
	eth->dst_addr = eth->src_addr;
	memcpy(&eth->src_addr, &info->mac, 6);
	return true;
}

/* To the station, or to the program of this router that asked. */
static void answer_leave(struct worker *w, struct rte_mbuf *m, link_id link)
{
	w->counters.generated++;
	if (unlikely(pkt_tag(m)->ours))
		door_punt(w, m, PUNT_OWN);
	else
		door_send(w, m, link_port(link));
}

void answer_with(struct worker *w, struct rte_mbuf *m, link_id link)
{
	if (!frame_reverse(w, &m, link)) {
		door_drop(w, m, DROP_LINEARISE);
		return;
	}
	if (unlikely(w->observer))
		observer_door(w, m, OBSERVE_ANSWERED, 0);
	w->counters.answered++;
	answer_leave(w, m, link);
}

struct rte_mbuf *answer_alloc(struct worker *w, struct rte_mbuf *frame, const uint8_t *at,
			      uint16_t len, uint8_t **l3)
{
	const uint8_t *l2 = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint16_t l2_len = (uint16_t)(at - l2);
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	uint8_t *data;

	if (!m)
		return NULL;
	data = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(l2_len + len));
	if (!data) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	pkt_tag_fresh(m);
	pkt_tag(m)->observed = pkt_tag(frame)->observed; /* an answer is part of the trace */
	pkt_tag(m)->ours = pkt_tag(frame)->ours;
	m->port = frame->port;
	m->vlan_tci = frame->vlan_tci;
	m->ol_flags |= frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
	memcpy(data, l2, l2_len);
	*l3 = data + l2_len;
	return m;
}

bool answer_send(struct worker *w, struct rte_mbuf *m, link_id link)
{
	if (!frame_reverse(w, &m, link)) {
		rte_pktmbuf_free(m);
		return false;
	}
	answer_leave(w, m, link);
	return true;
}
