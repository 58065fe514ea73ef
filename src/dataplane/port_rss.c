/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive-side scaling of a port: the fields of the hash, and the table from hash to queue. */
#include <rte_ethdev.h>

#include "dataplane/port_internal.h"

uint64_t port_rss_fields(const struct port *p, uint64_t supported)
{
	uint64_t hf = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
		      RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_IPV6 |
		      RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
	uint64_t side = 0;

	hf &= supported;
	if (p->config.direction == PORT_IN)
		side = RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L4_SRC_ONLY;
	else if (p->config.direction == PORT_OUT)
		side = RTE_ETH_RSS_L3_DST_ONLY | RTE_ETH_RSS_L4_DST_ONLY;
	return side && (supported & side) == side ? hf | side : hf;
}

enum port_rss port_rss_wanted(const struct port *p, uint16_t n_queues)
{
	if (n_queues < 2)
		return PORT_RSS_NONE;
	return p->config.direction == PORT_BOTH ? PORT_RSS_SPREADS : PORT_RSS_OWNERS;
}

const char *port_rss_name(enum port_rss rss)
{
	static const char *const names[] = {"none", "spreads", "owners"};

	return names[rss];
}

bool port_rss_table_set(struct port *p, const struct owner_map *owners, uint16_t n_workers)
{
	struct rte_eth_rss_reta_entry64 reta[RTE_ETH_RSS_RETA_SIZE_512 / RTE_ETH_RETA_GROUP_SIZE];
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(p->dev, &info) != 0)
		return false;
	/* The low 7 bits of the hash must choose among 128 steps. */
	if (info.reta_size < OWNER_STEPS || info.reta_size > RTE_ETH_RSS_RETA_SIZE_512 ||
	    info.reta_size % OWNER_STEPS != 0)
		return false;
	for (uint16_t i = 0; i < info.reta_size; i++) {
		struct rte_eth_rss_reta_entry64 *e = &reta[i / RTE_ETH_RETA_GROUP_SIZE];

		e->mask = UINT64_MAX;
		e->reta[i % RTE_ETH_RETA_GROUP_SIZE] = owners->worker[i % OWNER_STEPS] % p->n_rx;
	}
	if (rte_eth_dev_rss_reta_update(p->dev, reta, info.reta_size) != 0)
		return false;
	return p->n_rx == n_workers && (port_rss_fields(p, info.flow_type_rss_offloads) &
					(RTE_ETH_RSS_L3_SRC_ONLY | RTE_ETH_RSS_L3_DST_ONLY)) != 0;
}
