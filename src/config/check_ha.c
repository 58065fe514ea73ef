/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

static bool is_own(const struct config_node *node, const struct addr *a)
{
	for (uint32_t i = 0; i < node->n_ports; i++) {
		const struct config_port *p = &node->ports[i];

		for (uint32_t k = 0; k < p->n_addresses; k++)
			if (addr_equal(&p->addresses[k].addr, a))
				return true;
		for (uint32_t v = 0; v < p->n_vlans; v++)
			for (uint32_t k = 0; k < p->vlans[v].n_addresses; k++)
				if (addr_equal(&p->vlans[v].addresses[k].addr, a))
					return true;
	}
	return false;
}

/* The first or last address of a network of the router's ports. */
static bool is_broadcast(const struct config_node *node, const struct addr *a)
{
	for (uint32_t i = 0; i < node->n_ports; i++) {
		const struct config_port *p = &node->ports[i];

		for (uint32_t v = 0; v <= p->n_vlans; v++) {
			const struct net_addr *addrs = v ? p->vlans[v - 1].addresses : p->addresses;
			uint32_t n = v ? p->vlans[v - 1].n_addresses : p->n_addresses;

			for (uint32_t k = 0; k < n; k++) {
				const struct prefix net = {.addr = addrs[k].addr,
							   .len = addrs[k].len};
				uint32_t host;

				/* IPv6 has no broadcast. */
				if (a->family != ADDR_V4 || net.len > 30 ||
				    !prefix_contains(&net, a))
					continue;
				host = UINT32_MAX >> net.len;
				if ((be32_to(a->v4) & host) == 0 || (be32_to(a->v4) & host) == host)
					return true;
			}
		}
	}
	return false;
}

static void own_check(struct config_context *ctx, const struct config_node *node, const char *key,
		      const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (!is_broadcast(node, a))
		return;
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL,
		      "%s is the broadcast or network address of a network of this router's ports",
		      addr_format(a, text, sizeof(text)));
	context_pop(ctx);
}

/* A TAP of the administrator's may have the address: only a warning. */
static void path_check(struct config_context *ctx, const struct config_node *node, uint32_t i)
{
	const struct config_ha_path *p = &node->ha.paths[i];
	char text[ADDR_STRLEN];

	if (!p->name)
		return; /* reported where it was parsed */
	own_check(ctx, node, "local", &p->local.addr);
	own_check(ctx, node, "peer", &p->peer.addr);
	if (!addr_equal(&p->local.addr, &p->peer.addr) && is_own(node, &p->peer.addr))
		wrong(ctx, "peer",
		      "is an address of this router's ports: expected the other "
		      "router's");
	if (!is_own(node, &p->local.addr)) {
		context_push_key(ctx, "local");
		config_report(ctx, 0, NULL,
			      "%s is on no port of this file: heartbeats leave when Linux has it",
			      addr_format(&p->local.addr, text, sizeof(text)));
		context_pop(ctx);
	}
	for (uint32_t k = 0; k < i; k++) {
		const struct config_ha_path *q = &node->ha.paths[k];

		if (!q->name)
			continue;
		if (strcmp(q->name, p->name) == 0)
			wrong(ctx, "name", "is that of another path already");
		if (endpoint_equal(&q->local, &p->local))
			wrong(ctx, "local", "is that of another path already");
		if (endpoint_equal(&q->peer, &p->peer))
			wrong(ctx, "peer", "is that of another path already");
	}
}

static void node_check(struct config_context *ctx, const struct config_node *node)
{
	const struct config_ha_node *ha = &node->ha;

	if (ha->n_paths == 0)
		return;
	context_push_key(ctx, "ha");
	if (ha->role == CONFIG_HA_UNSET)
		wrong(ctx, "role", "missing: expected primary or backup, one of each in a pair");
	if (!ha->key_file)
		wrong(ctx, "key_file", "missing: heartbeats are not sent without a key");
	context_push_key(ctx, "paths");
	for (uint32_t i = 0; i < ha->n_paths; i++) {
		context_push_index(ctx, i);
		path_check(ctx, node, i);
		context_pop(ctx);
	}
	context_pop(ctx);
	context_pop(ctx);
}

static void witness_check(struct config_context *ctx, const struct config_node *node,
			  struct config_witness *w)
{
	w->link_id = LINK_ANY;
	if (!w->link)
		return; /* reported where it was parsed */
	if (config_link_find(node, w->link, &w->link_id) < 0) {
		context_push_key(ctx, "link");
		config_report(ctx, -EINVAL, NULL,
			      "\"%s\" is no link of this router: expected a port of node.ports, or "
			      "port.VLAN",
			      w->link);
		context_pop(ctx);
	}
	for (uint32_t i = 0; i < w->n_addresses; i++)
		own_check(ctx, node, "addresses", &w->addresses[i].addr);
}

void config_check_ha(struct config_context *ctx, struct config *config)
{
	struct config_ha_shared *ha = &config->shared.ha;

	context_push_key(ctx, "node");
	node_check(ctx, &config->node);
	context_pop(ctx);
	context_push_key(ctx, "shared");
	context_push_key(ctx, "ha");
	context_push_key(ctx, "witnesses");
	for (uint32_t i = 0; i < ha->n_witnesses; i++) {
		context_push_index(ctx, i);
		witness_check(ctx, &config->node, &ha->witnesses[i]);
		context_pop(ctx);
	}
	context_pop(ctx);
	context_pop(ctx);
	context_pop(ctx);
}
