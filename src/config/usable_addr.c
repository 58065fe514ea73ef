/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that a VIP, a real server or an entry of `shared.addresses` may have. */
#include "config/config_internal.h"

#include <errno.h>

#include "config/object_index.h"

static const char *unusable4(uint32_t v4)
{
	if (v4 >> 24 == 127)
		return "a loopback address";
	if (v4 >> 28 == 0xe)
		return "a multicast address";
	if (v4 >> 28 == 0xf)
		return "a reserved or broadcast address";
	return v4 >> 24 == 0 ? "an address of \"this network\"" : NULL;
}

static const char *unusable6(const struct addr *a)
{
	if (addr_is_loopback(a))
		return "a loopback address";
	if (a->v6[0] == 0xff)
		return "a multicast address";
	if (a->word[0] == 0 && a->word[1] == 0 && be32_to(a->word[2]) == 0xffff)
		return "an IPv4 address in the form of IPv6: expected the IPv4 address";
	return NULL;
}

const char *config_addr_unusable(const struct addr *a)
{
	if (addr_is_zero(a))
		return "the unspecified address";
	return a->family == ADDR_V6 ? unusable6(a) : unusable4(be32_to(a->v4));
}

static void usable_check(struct config_context *ctx, int severity, const struct addr *a,
			 const char *more)
{
	char text[ADDR_STRLEN];
	const char *why = config_addr_unusable(a);

	if (!why && addr_is_link_local(a))
		why = "a link-local address: expected one that is not of a single link";
	if (why)
		config_report(ctx, severity, NULL, "%s is %s%s", addr_format(a, text, sizeof(text)),
			      why, more);
}

/* more: what to write instead, or "". */
void config_check_usable(struct config_context *ctx, const struct addr *a, const char *more)
{
	usable_check(ctx, -EINVAL, a, more);
}

void config_check_usable_unclaimed(struct config_context *ctx, const struct addr *a)
{
	usable_check(ctx, 0, a, ": no packet reaches it");
}

void config_check_own_address(struct config_context *ctx, const struct config *config,
			      const struct addr *a)
{
	struct config_index_key key = index_key_addr(INDEX_OWN, a);
	char text[ADDR_STRLEN];

	if (config_index_get(config->index, &key, NULL))
		config_report(ctx, -EINVAL, NULL,
			      "%s is this router's own address (node.ports): expected one that "
			      "can move to the peer",
			      addr_format(a, text, sizeof(text)));
	for (uint32_t i = 0; i < config->node.ha.n_paths; i++) {
		const struct config_ha_path *p = &config->node.ha.paths[i];

		if (!addr_equal(&p->peer.addr, a) && !addr_equal(&p->local.addr, a))
			continue;
		config_report(ctx, -EINVAL, NULL,
			      "%s is a router's own address (node.ha.paths[%u]): expected one that "
			      "moves between the routers",
			      addr_format(a, text, sizeof(text)), i);
		return;
	}
}

void config_check_pool_address(struct config_context *ctx, const struct config *config,
			       const struct addr *vip)
{
	struct config_index_key key = index_key_addr(INDEX_POOL, vip);
	char text[ADDR_STRLEN];

	if (config_index_get(config->index, &key, NULL))
		config_report(
			ctx, -EINVAL, NULL,
			"%s is in a pool (shared.addresses, node.pool): it cannot be a VIP as well",
			addr_format(vip, text, sizeof(text)));
}

void config_check_nat_address(struct config_context *ctx, const struct config *config,
			      const struct addr *vip, bool claim)
{
	struct config_index_key key = index_key_addr(INDEX_NAT, vip);
	char text[ADDR_STRLEN];

	if (claim && config_index_get(config->index, &key, NULL))
		config_report(ctx, -EINVAL, NULL,
			      "%s is a real server by \"nat\": it cannot be a VIP as well",
			      addr_format(vip, text, sizeof(text)));
}
