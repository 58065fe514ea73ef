/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/pair.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/control_internal.h"

/* Of the class of heartbeats: synchronisation is a port above (docs/ha-protocol.md). */
#define PORTS_ABOVE 1

/* --- from the configuration --- */

static struct endpoint with_port(const struct endpoint *ep)
{
	struct endpoint out = *ep;

	if (out.port == 0)
		out.port = be16_from(CONFIG_HA_PORT);
	return out;
}

static void role_config(const struct config *config, struct role_config *out)
{
	const struct config_ha_shared *ha = &config->shared.ha;

	role_config_defaults(out);
	out->has_peer = config->node.ha.n_paths > 0;
	out->timing = ha->timing;
	out->keepalive_ms = ha_keepalive_ms(&ha->timing);
	out->role = config->node.ha.role == CONFIG_HA_BACKUP ? HA_ROLE_BACKUP : HA_ROLE_PRIMARY;
	out->priority = (uint16_t)config->node.ha.priority;
}

static bool is_peer(const struct config *config, const struct addr *a)
{
	for (uint32_t i = 0; i < config->node.ha.n_paths; i++)
		if (addr_equal(&config->node.ha.paths[i].peer.addr, a) ||
		    addr_equal(&config->node.ha.paths[i].local.addr, a))
			return true;
	return false;
}

static void witness_add(const struct config *config, struct ha_link_config *link,
			const struct addr *a)
{
	if (link->n_witnesses == HA_WITNESSES || a->family == ADDR_NONE || is_peer(config, a))
		return;
	for (uint8_t i = 0; i < link->n_witnesses; i++)
		if (addr_equal(&link->witnesses[i], a))
			return;
	link->witnesses[link->n_witnesses++] = *a;
}

static bool on_networks(const struct net_addr *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct prefix p = {.addr = v[i].addr, .len = v[i].len};

		if (prefix_contains(&p, a))
			return true;
	}
	return false;
}

/* Next hops of the routes, then real servers on the link's networks. */
static void witnesses_default(const struct config *config, const struct net_addr *addresses,
			      uint32_t n_addresses, const struct net_route *routes,
			      uint32_t n_routes, struct ha_link_config *out)
{
	for (uint32_t i = 0; i < n_routes; i++)
		witness_add(config, out, &routes[i].via);
	for (uint32_t i = 0; i < config->shared.n_services; i++) {
		const struct config_service *s = config->shared.services[i];

		for (uint32_t k = 0; k < s->n_servers; k++) {
			if (out->n_witnesses == HA_WITNESSES)
				return;
			if (on_networks(addresses, n_addresses, &s->servers[k].ep.addr))
				witness_add(config, out, &s->servers[k].ep.addr);
		}
	}
}

static const struct config_witness *witness_configured(const struct config *config, link_id link)
{
	for (uint32_t i = 0; i < config->shared.ha.n_witnesses; i++)
		if (config->shared.ha.witnesses[i].link_id == link)
			return &config->shared.ha.witnesses[i];
	return NULL;
}

/* The first one of each family. */
static void own_addresses(const struct net_addr *v, uint32_t n, struct ha_link_config *link)
{
	for (uint32_t i = n; i-- > 0;)
		*(v[i].addr.family == ADDR_V6 ? &link->own6 : &link->own4) = v[i].addr;
}

/* vlan NULL: the port itself. */
static void link_config(const struct config *config, uint32_t port, const struct config_vlan *vlan,
			struct ha_config *out)
{
	const struct config_port *p = &config->node.ports[port];
	const struct config_witness *stated;
	struct ha_link_config *link;

	if (out->n_links == ROLE_MAX_VIP_LINKS)
		return;
	link = &out->links[out->n_links];
	memset(link, 0, sizeof(*link));
	link->link = link_id_of((uint16_t)port, vlan ? (uint16_t)vlan->id : 0);
	config_link_format(&config->node, link->link, link->name, sizeof(link->name));
	if (vlan)
		snprintf(link->ifname, sizeof(link->ifname), "%.10s.%u", p->tap, vlan->id);
	else
		snprintf(link->ifname, sizeof(link->ifname), "%s", p->tap);
	if (vlan)
		own_addresses(vlan->addresses, vlan->n_addresses, link);
	else
		own_addresses(p->addresses, p->n_addresses, link);
	stated = witness_configured(config, link->link);
	if (stated)
		for (uint32_t i = 0; i < stated->n_addresses; i++)
			witness_add(config, link, &stated->addresses[i].addr);
	else if (vlan)
		witnesses_default(config, vlan->addresses, vlan->n_addresses, vlan->routes,
				  vlan->n_routes, link);
	else
		witnesses_default(config, p->addresses, p->n_addresses, p->routes, p->n_routes,
				  link);
	out->n_links++;
}

static void paths_config(const struct config *config, struct ha_config *out)
{
	for (uint32_t i = 0; i < config->node.ha.n_paths && i < HA_PATHS; i++) {
		const struct config_ha_path *from = &config->node.ha.paths[i];
		struct ha_path_config *to = &out->paths[out->n_paths++];

		snprintf(to->name, sizeof(to->name), "%s", from->name);
		to->local = with_port(&from->local);
		to->peer = with_port(&from->peer);
	}
}

void pair_config(const struct config *config, struct ha_config *out)
{
	const struct config_node *node = &config->node;
	const struct config_ha_shared *ha = &config->shared.ha;

	memset(out, 0, sizeof(*out));
	role_config(config, &out->role);
	out->cluster = ha->cluster;
	snprintf(out->key_file, sizeof(out->key_file), "%s",
		 node->ha.key_file ? node->ha.key_file : "");
	snprintf(out->netns, sizeof(out->netns), "%s", node->netns ? node->netns : "");
	paths_config(config, out);
	for (uint32_t i = 0; i < node->n_ports; i++) {
		if (out->n_ports < HA_MAX_PORT_ROLES) {
			snprintf(out->ports[out->n_ports].name, ROLE_NAME_LEN, "%s",
				 node->ports[i].name);
			out->ports[out->n_ports++].port = (uint16_t)i;
		}
		link_config(config, i, NULL, out);
		for (uint32_t v = 0; v < node->ports[i].n_vlans; v++)
			link_config(config, i, &node->ports[i].vlans[v], out);
	}
	out->announce = ha->announce;
	out->sync_rate = ha->sync_rate > UINT32_MAX / 1000 ? UINT32_MAX : ha->sync_rate * 1000;
	out->notify = node->notify.ha;
	out->n_notify = node->notify.n_ha;
	snprintf(out->notify_user, sizeof(out->notify_user), "%s",
		 node->notify.user ? node->notify.user : "");
	out->notify_timeout_ms = node->notify.timeout_ms;
}

/* Sessions of BGP, whoever opened them, and BFD (RFC 5881 and 5883), by any address. */
static void routing_rules(struct punt_rules *out)
{
	static const struct punt_rule rules[] = {
		{.proto = IPPROTO_UDP, .first = 3784, .last = 3785, .class = PUNT_ROUTING},
		{.proto = IPPROTO_UDP, .first = 4784, .last = 4784, .class = PUNT_ROUTING},
		{.proto = IPPROTO_TCP, .first = 179, .last = 179, .class = PUNT_ROUTING},
		{.proto = IPPROTO_TCP,
		 .first = 179,
		 .last = 179,
		 .class = PUNT_ROUTING,
		 .from = true},
	};
	static const uint8_t families[] = {ADDR_V4, ADDR_V6};

	for (size_t k = 0; k < sizeof(families); k++)
		for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
			struct punt_rule *r = &out->rule[out->n++];

			*r = rules[i];
			r->own.family = r->peer.family = families[k];
		}
}

void pair_punt_rules(const struct config *config, struct punt_rules *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < config->node.ha.n_paths && out->n < PUNT_RULES_MAX; i++) {
		const struct config_ha_path *p = &config->node.ha.paths[i];
		const uint16_t port = be16_to(with_port(&p->local).port);

		out->rule[out->n++] = (struct punt_rule){
			.own = p->local.addr,
			.peer = p->peer.addr,
			.first = port,
			.last = port > UINT16_MAX - PORTS_ABOVE ? UINT16_MAX
								: (uint16_t)(port + PORTS_ABOVE),
			.proto = IPPROTO_UDP,
			.class = PUNT_HA};
	}
	routing_rules(out);
}

/* --- to the ha thread --- */

static void no_memory(void)
{
	log_error(CONTROL_AREA,
		  "no memory to tell the ha thread of a change, which takes effect with "
		  "the next change");
}

void pair_addresses(struct control *c, const struct snapshot *live)
{
	const uint32_t moves = ADDR_KIND_VIP | ADDR_KIND_GATEWAY;
	struct addr_entry *all;
	struct ha_address *v;
	uint32_t n = 0, n_live;

	if (!c->ha)
		return;
	all = snapshot_addrs(live, &n_live);
	v = all ? calloc(n_live + 1U, sizeof(*v)) : NULL;
	for (uint32_t i = 0; v && i < n_live; i++) {
		const struct addr_entry *e = &all[i];
		const bool lives = !(e->kinds & ADDR_KIND_VIP) || (e->kinds & ADDR_KIND_ACTIVE);

		if ((e->kinds & moves) && lives &&
		    !(e->kinds & (ADDR_KIND_ROUTED | ADDR_KIND_SILENT)))
			v[n++] = (struct ha_address){e->addr, e->link};
	}
	free(all);
	if (!v || ha_set_addresses(c->ha, v, n) < 0)
		no_memory();
	free(v);
}

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void pair_configured(struct control *c)
{
	char text[CONFIG_DIGEST_STRLEN];
	uint8_t digest[HA_DIGEST_BYTES];
	struct ha_config *config;

	if (!c->ha)
		return;
	config = malloc(sizeof(*config));
	if (config)
		pair_config(c->config, config);
	if (!config || ha_configure(c->ha, config) < 0)
		no_memory();
	free(config);
	config_digest(c->config, text);
	for (size_t i = 0; i < sizeof(digest); i++)
		digest[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
	if (ha_set_digest(c->ha, digest) < 0)
		no_memory();
}
