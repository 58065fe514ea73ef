/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of a service against other objects of the configuration, and totals. */
#include "config/config_internal.h"

#include <errno.h>

#include "config/object_index.h"
#include "model/local_pool.h"

static bool addrs_cover(const struct net_addr *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct prefix p = {.addr = v[i].addr, .len = v[i].len};

		if (prefix_contains(&p, a))
			return true;
	}
	return false;
}

/* A route without "via". */
static bool routes_cover(const struct net_route *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].via.family == ADDR_NONE && prefix_contains(&v[i].dest, a))
			return true;
	return false;
}

/* As far as the file tells: on one of the router's links. True also when it does not tell, since
 * some port has addresses that somebody else gives it. */
static bool on_some_link(const struct config *config, const struct addr *a)
{
	bool whole = config->node.n_ports > 0;

	for (uint32_t i = 0; i < config->node.n_ports; i++) {
		const struct config_port *p = &config->node.ports[i];
		bool any = p->n_addresses > 0;

		if (addrs_cover(p->addresses, p->n_addresses, a) ||
		    routes_cover(p->routes, p->n_routes, a))
			return true;
		for (uint32_t v = 0; v < p->n_vlans; v++) {
			any = any || p->vlans[v].n_addresses > 0;
			if (addrs_cover(p->vlans[v].addresses, p->vlans[v].n_addresses, a) ||
			    routes_cover(p->vlans[v].routes, p->vlans[v].n_routes, a))
				return true;
		}
		whole = whole && any;
	}
	for (uint32_t i = 0; i < config->shared.n_addresses; i++)
		if (config->shared.addresses[i].kind == CONFIG_ADDRESS_GATEWAY &&
		    addrs_cover(&config->shared.addresses[i].address, 1, a))
			return true;
	return !whole;
}

/* A packet by direct routing keeps its destination, the VIP: a gateway between the router and
 * the server would send it back. */
static void dr_links_check(struct config_context *ctx, const struct config *config,
			   const struct config_service *svc)
{
	char text[ADDR_STRLEN];

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];

		if (!forward_has(s->forward, FORWARD_SAME_LINK) ||
		    config_addr_unusable(&s->ep.addr) || on_some_link(config, &s->ep.addr))
			continue;
		context_push_key(ctx, "servers");
		context_push_index(ctx, svc->servers[i].written);
		context_push_key(ctx, "address");
		config_report(ctx, 0, NULL,
			      "%s is on no network of this router's ports: direct routing (\"dr\") "
			      "reaches only servers on a link of the router, others need "
			      "\"tunnel\"",
			      addr_format(&s->ep.addr, text, sizeof(text)));
		context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
	}
}

static bool pool_has(const struct config *config, uint8_t family)
{
	for (uint32_t i = 0; i < config->node.n_pool; i++)
		if (config->node.pool[i].address.addr.family == family)
			return true;
	for (uint32_t i = 0; i < config->shared.n_addresses; i++)
		if (config->shared.addresses[i].kind == CONFIG_ADDRESS_POOL &&
		    config->shared.addresses[i].address.addr.family == family)
			return true;
	return false;
}

/* Full NAT without a pool drops every connection. */
static void pool_check(struct config_context *ctx, const struct config *config,
		       const struct config_service *svc)
{
	const bool fleet = config->shared.ha.mode == CONFIG_HA_FLEET;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];

		if (!forward_has(s->forward, FORWARD_BY_LOCAL) || s->ep.addr.family == ADDR_NONE ||
		    pool_has(config, s->ep.addr.family))
			continue;
		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		context_push_key(ctx, "forward");
		config_report(ctx, 0, NULL,
			      "\"fullnat\" needs an address %s%s in %s, on the link of the real "
			      "server: until then no connection is made",
			      fleet ? "of " : "of \"kind\": \"pool\" and of ",
			      s->ep.addr.family == ADDR_V6 ? "IPv6" : "IPv4",
			      fleet ? "node.pool" : "shared.addresses");
		context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
		return; /* said once */
	}
}

/* Entries of the same pool in the list, those behind `a` left out. */
static uint32_t pool_before(const struct config_address *list, uint32_t n_list,
			    const struct config_address *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_list && &list[i] != a; i++)
		n += list[i].kind == CONFIG_ADDRESS_POOL && list[i].link_id == a->link_id &&
		     list[i].address.addr.family == a->address.addr.family;
	return n;
}

void config_check_pools(struct config_context *ctx, const struct config *config,
			const struct config_address *a)
{
	uint32_t n = 1 + pool_before(config->node.pool, config->node.n_pool, a);

	n += pool_before(config->shared.addresses, config->shared.n_addresses, a);
	if (n > LOCAL_POOL_MAX)
		config_report(ctx, -ENOSPC, NULL,
			      "%u addresses in the pool of one link and family are more than the "
			      "limit of %u",
			      n, LOCAL_POOL_MAX);
}

void config_check_conflicts(struct config_context *ctx, const struct config *config,
			    const struct config_service *svc)
{
	char text[CONFIG_KEY_STRLEN], label[CONFIG_LABEL_STRLEN];
	struct config_service *other = NULL;
	struct config_index_key key;

	for (uint32_t i = 0; i < svc->n_listen; i++) {
		key = index_key_listen(svc->proto, &svc->listen[i]);
		context_push_key(ctx, "listen");
		context_push_index(ctx, i);
		if (config_index_get(config->index, &key, &other))
			config_report(ctx, -EEXIST, NULL, "%s is a listener of %s already",
				      service_key_format(svc->proto, &svc->listen[i], 0, 0, text,
							 sizeof(text)),
				      config_service_label(other, label, sizeof(label)));
		config_check_own_address(ctx, config, &svc->listen[i].addr);
		config_check_pool_address(ctx, config, &svc->listen[i].addr);
		context_pop(ctx);
		context_pop(ctx);
	}
	dr_links_check(ctx, config, svc);
	pool_check(ctx, config, svc);
	config_check_fleet_service(ctx, config, svc);
	key = index_key_mark(svc->mark, config_service_family(svc));
	if (svc->mark && config_index_get(config->index, &key, &other)) {
		context_push_key(ctx, "mark");
		config_report(ctx, -EEXIST, NULL, "%u is the mark of %s already", svc->mark,
			      config_service_label(other, label, sizeof(label)));
		context_pop(ctx);
	}
	if (!svc->name)
		return;
	key = index_key_name(svc->name);
	if (config_index_get(config->index, &key, &other)) {
		context_push_key(ctx, "name");
		config_report(ctx, -EEXIST, NULL, "\"%s\" is the name of another service already",
			      svc->name);
		context_pop(ctx);
	}
}

/* ipvsadm takes such a server. */
static void vip_server_report(struct config_context *ctx, const struct config_service *svc,
			      const struct config_server *s)
{
	char text[ADDR_STRLEN];

	addr_format(&s->ep.addr, text, sizeof(text));
	if (svc->claim || !forward_has(s->forward, FORWARD_BY_SOURCE))
		config_report(ctx, -EINVAL, NULL,
			      "%s is a VIP: it cannot be a real server by \"%s\" as well", text,
			      forward_names[s->forward]);
	else
		config_report(
			ctx, 0, NULL,
			"%s is a VIP: a real server by \"%s\" at this address gets no packets",
			text, forward_names[s->forward]);
}

void config_check_nat_servers(struct config_context *ctx, const struct config *config,
			      const struct config_service *svc)
{
	char text[ADDR_STRLEN];

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];
		struct config_index_key vip = index_key_addr(INDEX_VIP, &s->ep.addr);
		struct config_index_key own = index_key_addr(INDEX_OWN, &s->ep.addr);
		struct config_index_key pool = index_key_addr(INDEX_POOL, &s->ep.addr);

		context_push_key(ctx, "servers");
		context_push_index(ctx, svc->servers[i].written);
		context_push_key(ctx, "address");
		if (forward_has(s->forward, FORWARD_REPLIES_PASS) &&
		    config_index_get(config->index, &vip, NULL))
			vip_server_report(ctx, svc, s);
		else if (config_index_get(config->index, &pool, NULL))
			config_report(ctx, -EINVAL, NULL,
				      "%s is in a pool (shared.addresses, node.pool): it cannot be "
				      "a real server "
				      "as well",
				      addr_format(&s->ep.addr, text, sizeof(text)));
		else if (!forward_has(s->forward, FORWARD_ENDS_HERE) &&
			 config_index_get(config->index, &own, NULL))
			config_report(ctx, 0, NULL,
				      "%s is this router's own address: packets to such a server "
				      "do not leave it",
				      addr_format(&s->ep.addr, text, sizeof(text)));
		context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
	}
}

void config_check_vips(struct config_context *ctx, const struct config *config,
		       const struct config_service *svc)
{
	for (uint32_t i = 0; i < svc->n_listen; i++) {
		context_push_key(ctx, "listen");
		context_push_index(ctx, i);
		config_check_nat_address(ctx, config, &svc->listen[i].addr, svc->claim);
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* ---- totals ---- */

void config_check_limits(struct config_context *ctx, const struct config *config,
			 uint64_t n_services, uint64_t n_servers)
{
	if (n_services > MAX_SERVICES)
		config_report(ctx, -ENOSPC, NULL,
			      "%llu services are more than the limit of %u (MAX_SERVICES)",
			      (unsigned long long)n_services, MAX_SERVICES);
	if (n_servers > MAX_SERVERS)
		config_report(ctx, -ENOSPC, NULL,
			      "%llu real servers are more than the limit of %u (MAX_SERVERS)",
			      (unsigned long long)n_servers, MAX_SERVERS);
	if (config_index_vips(config->index) > MAX_VIPS)
		config_report(ctx, -ENOSPC, NULL,
			      "%u different VIPs are more than the limit of %u (MAX_VIPS)",
			      config_index_vips(config->index), MAX_VIPS);
}
