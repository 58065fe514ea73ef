/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tunnel/tunnel.h"

uint16_t tunnel_mtu(const struct worker *w, uint32_t server, uint16_t link_mtu)
{
	const struct tunnel_path *path = &w->tunnel_paths[server];

	if (path->mtu == 0 || path->mtu >= link_mtu || (int32_t)(path->until_s - w->env.now_s) <= 0)
		return link_mtu;
	return path->mtu;
}

bool tunnel_quote_too_big(const struct tunnel_quote *q)
{
	if (q->outer_family == ADDR_V6)
		return q->what.type == ICMP6_TOO_BIG;
	return q->what.type == ICMP4_UNREACH && q->what.code == ICMP4_TOO_BIG;
}
