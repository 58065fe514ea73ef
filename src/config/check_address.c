/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of an entry of `shared.addresses`. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>

#include "config/object_index.h"

static bool ports_are_known(const struct config_node *node)
{
	for (uint32_t i = 0; i < node->n_ports; i++)
		if (!node->ports[i].name)
			return false;
	return true;
}

static bool vlan_is_listed(const struct config_node *node, link_id link)
{
	const struct config_port *port = &node->ports[link_port(link)];

	for (uint32_t i = 0; i < port->n_vlans; i++)
		if (port->vlans[i].id == link_vlan(link))
			return true;
	return link_vlan(link) == 0;
}

static void link_check(struct config_context *ctx, const struct config_node *node,
		       struct config_address *a)
{
	char quoted[CONFIG_QUOTE_LEN], names[CONFIG_EXPECT_LEN] = "";
	size_t at = 0;

	a->link_id = LINK_ANY;
	if (!a->link || !ports_are_known(node))
		return;
	context_push_key(ctx, "link");
	if (config_link_find(node, a->link, &a->link_id) < 0) {
		for (uint32_t i = 0; i < node->n_ports && at < sizeof(names); i++)
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
					       i ? ", " : "", node->ports[i].name);
		config_report(ctx, -EINVAL, NULL,
			      "%s is not a link: expected a port (%s) or port.VLAN",
			      config_quote(a->link, quoted), names[0] ? names : "there is none");
	} else if (!vlan_is_listed(node, a->link_id)) {
		config_report(ctx, 0, NULL,
			      "VLAN %u is not among the port's \"vlans\": its interface must be "
			      "made by other means",
			      link_vlan(a->link_id));
	}
	context_pop(ctx);
}

static void pool_address_check(struct config_context *ctx, const struct config *config,
			       const struct config_address *a)
{
	struct config_index_key vip = index_key_addr(INDEX_VIP, &a->address.addr);
	struct config_index_key nat = index_key_addr(INDEX_NAT, &a->address.addr);
	char text[ADDR_STRLEN];

	addr_format(&a->address.addr, text, sizeof(text));
	if (config_index_get(config->index, &vip, NULL))
		config_report(ctx, -EINVAL, NULL, "%s is a VIP: it cannot be in a pool as well",
			      text);
	if (config_index_get(config->index, &nat, NULL))
		config_report(ctx, -EINVAL, NULL,
			      "%s is a real server: it cannot be in a pool as well", text);
}

static void twice_check(struct config_context *ctx, const struct config *config,
			const struct config_address *a)
{
	struct config_index_key key = index_key_addr(INDEX_ADDRESS, &a->address.addr);
	char text[ADDR_STRLEN];

	if (!config_index_get(config->index, &key, NULL))
		return;
	addr_format(&a->address.addr, text, sizeof(text));
	for (uint32_t i = 0; i < config->node.n_pool; i++) {
		const struct config_address *own = &config->node.pool[i];

		if (own == a || !addr_equal(&own->address.addr, &a->address.addr))
			continue;
		config_report(ctx, -EEXIST, NULL, "%s stands in node.pool already", text);
		return;
	}
	config_report(ctx, -EEXIST, NULL, "%s stands in shared.addresses already", text);
}

void config_check_address(struct config_context *ctx, const struct config *config,
			  struct config_address *a)
{
	context_push_key(ctx, "address");
	twice_check(ctx, config, a);
	config_check_own_address(ctx, config, &a->address.addr);
	if (a->kind == CONFIG_ADDRESS_VIP)
		config_check_nat_address(ctx, config, &a->address.addr, true);
	if (a->kind == CONFIG_ADDRESS_POOL)
		pool_address_check(ctx, config, a);
	context_pop(ctx);
	link_check(ctx, &config->node, a);
	if (a->kind == CONFIG_ADDRESS_POOL)
		config_check_pools(ctx, config, a);
}
