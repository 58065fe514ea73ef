/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/exits/relay.h"

#include <rte_ether.h>

#include "dataplane/exits/doors.h"

bool relay_take(struct worker *w, struct rte_mbuf *m, link_id link)
{
	const struct relay *relay = w->env.relay;
	const unsigned int port = link_port(link);
	const struct link_info *info = fib_link(w->env.fib, link);
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

	if (!relay)
		return false;
	/* Two routers that relay to each other would not stop. */
	if (!relay->peer[port].set || !info ||
	    memcmp(&eth->src_addr, &relay->peer[port].mac, sizeof(eth->src_addr)) == 0) {
		door_drop(w, m, DROP_NOT_ACTIVE);
		return true;
	}
	if ((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(&m) != 0) {
		door_drop(w, m, DROP_LINEARISE);
		return true;
	}
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	memcpy(&eth->dst_addr, &relay->peer[port].mac, sizeof(eth->dst_addr));
	memcpy(&eth->src_addr, &info->mac, sizeof(eth->src_addr));
	pkt_tag(m)->kind = HANDOFF_UNLEASED;
	w->counters.relayed++;
	door_send(w, m, (uint16_t)port);
	return true;
}
