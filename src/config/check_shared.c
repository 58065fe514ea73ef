/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/object_index.h"

/* more: what to write instead, or "". */
static void unusable_check(struct config_context *ctx, const struct addr *a, const char *more)
{
	char text[ADDR_STRLEN];
	const char *why = config_addr_unusable(a);

	if (!why && addr_is_link_local(a))
		why = "a link-local address: expected one that is not of a single link";
	if (why)
		config_report(ctx, -EINVAL, NULL, "%s is %s%s", addr_format(a, text, sizeof(text)),
			      why, more);
}

struct place {
	struct endpoint ep;
	uint32_t index;
};

static int place_cmp(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = memcmp(&x->ep, &y->ep, sizeof(x->ep));

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Sorted, so that thousands of servers cost n log n. key: "listen" or "servers". */
static void duplicates_check(struct config_context *ctx, struct place *v, uint32_t n,
			     const char *key, const char *member)
{
	char text[ENDPOINT_STRLEN];
	uint32_t first = 0;

	qsort(v, n, sizeof(*v), place_cmp);
	for (uint32_t i = 1; i < n; i++) {
		if (!endpoint_equal(&v[i].ep, &v[first].ep)) {
			first = i;
			continue;
		}
		context_push_key(ctx, key);
		context_push_index(ctx, v[i].index);
		if (member)
			context_push_key(ctx, member);
		config_report(ctx, -EEXIST, NULL, "%s stands here twice: it is %s[%u] already",
			      endpoint_format(&v[i].ep, text, sizeof(text)), key, v[first].index);
		if (member)
			context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* ---- listeners ---- */

static void missing(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

static const char *family_name(uint8_t family)
{
	return family == ADDR_V6 ? "IPv6" : "IPv4";
}

static void listener_check(struct config_context *ctx, const struct config_service *svc,
			   const struct endpoint *ep)
{
	char text[ENDPOINT_STRLEN];

	unusable_check(ctx, &ep->addr, "");
	if (ep->addr.family && ep->addr.family != config_service_family(svc))
		config_report(
			ctx, -EINVAL, NULL,
			"%s is an %s address: the service's first listener has an %s address, "
			"and a service is of one family",
			endpoint_format(ep, text, sizeof(text)), family_name(ep->addr.family),
			family_name(config_service_family(svc)));
	if (ep->port == 0 && svc->policy.service.persist_s == 0)
		config_report(ctx, -EINVAL, NULL,
			      "port 0 (any) needs persistence: expected a port from 1 to 65535");
}

static void listeners_check(struct config_context *ctx, const struct config_service *svc,
			    struct place *places)
{
	if (svc->mark) {
		if (svc->n_listen || svc->proto)
			missing(ctx, "mark",
				"a service has either a mark, or a protocol and listeners");
		return;
	}
	if (svc->family != ADDR_V4)
		missing(ctx, "family",
			"belongs to \"mark\": listeners say theirs by their addresses");
	if (svc->n_listen == 0)
		missing(ctx, "listen", "missing: expected at least one address:port");
	if (!svc->proto)
		missing(ctx, "protocol", "missing: expected one of tcp, udp");
	for (uint32_t i = 0; i < svc->n_listen; i++) {
		places[i] = (struct place){.ep = svc->listen[i], .index = i};
		context_push_key(ctx, "listen");
		context_push_index(ctx, i);
		listener_check(ctx, svc, &svc->listen[i]);
		context_pop(ctx);
		context_pop(ctx);
	}
	duplicates_check(ctx, places, svc->n_listen, "listen", NULL);
}

/* ---- servers ---- */

static bool has_listen_port(const struct config_service *svc, be16 port)
{
	for (uint32_t i = 0; i < svc->n_listen; i++)
		if (svc->listen[i].port == port || svc->listen[i].port == 0)
			return true;
	return svc->n_listen == 0;
}

static void server_port_check(struct config_context *ctx, const struct config_service *svc,
			      struct config_server *s)
{
	char text[ENDPOINT_STRLEN], listen[16];
	bool rewrites = forward_has(s->forward, FORWARD_REWRITES);

	if (s->ep.port == 0 && has_listen_port(svc, 0))
		return;
	if (s->ep.port == 0) {
		context_push_key(ctx, "address");
		config_report(ctx, -EINVAL, NULL, "%s has no port: expected address:port",
			      addr_format(&s->ep.addr, text, sizeof(text)));
		context_pop(ctx);
	} else if (!rewrites && !has_listen_port(svc, s->ep.port)) {
		/* As IPVS: methods that do not rewrite keep the port. */
		snprintf(listen, sizeof(listen), "%u", be16_to(svc->listen[0].port));
		context_push_key(ctx, "address");
		config_report(ctx, 0, NULL,
			      "%s: with \"%s\" packets keep the service's port: %s is used",
			      endpoint_format(&s->ep, text, sizeof(text)),
			      forward_names[s->forward], listen);
		context_pop(ctx);
		s->ep.port = svc->listen[0].port;
	}
}

/* Only a tunnel carries packets of one family inside the other. */
static void server_family_check(struct config_context *ctx, const struct config_service *svc,
				const struct config_server *s)
{
	const uint8_t family = config_service_family(svc);
	char text[ENDPOINT_STRLEN];

	if (s->ep.addr.family == family || forward_has(s->forward, FORWARD_OUTER_HEADER))
		return;
	config_report(ctx, -EINVAL, NULL,
		      "%s is an %s address of an %s service: needs \"forward\": \"tunnel\", not "
		      "\"%s\"",
		      endpoint_format(&s->ep, text, sizeof(text)), family_name(s->ep.addr.family),
		      family_name(family), forward_names[s->forward]);
}

static void server_check(struct config_context *ctx, const struct config_service *svc,
			 struct config_server *s)
{
	if (s->ep.addr.family == ADDR_NONE)
		return; /* reported where it was parsed */
	context_push_key(ctx, "address");
	server_family_check(ctx, svc, s);
	/* A program of this router may have any of its addresses. */
	if (!forward_has(s->forward, FORWARD_ENDS_HERE) || !addr_is_loopback(&s->ep.addr))
		unusable_check(ctx, &s->ep.addr,
			       addr_is_loopback(&s->ep.addr)
				       ? ": a program of this router is a real server with "
					 "\"forward\": \"local\""
				       : "");
	context_pop(ctx);
	server_port_check(ctx, svc, s);
	if (s->lower == 0 || s->lower <= s->upper)
		return;
	context_push_key(ctx, "lower");
	if (s->upper == 0)
		config_report(ctx, 0, NULL, "%u has no effect without \"upper\"", s->lower);
	else
		config_report(ctx, -EINVAL, NULL, "%u is above \"upper\", which is %u", s->lower,
			      s->upper);
	context_pop(ctx);
}

/* Said of all services by the defaults it holds for those that can; said of one it must. */
static void ftp_check(struct config_context *ctx, const struct config_service *svc)
{
	if (!svc->policy.service.ftp || !config_policy_states_ftp(&svc->policy))
		return;
	if (svc->mark || (svc->proto && svc->proto != IPPROTO_TCP))
		missing(ctx, "ftp",
			svc->mark ? "needs a service with listeners: not under a mark"
				  : "needs \"protocol\": \"tcp\", not \"udp\"");
	else if (forward_has(svc->policy.service.forward, FORWARD_KEEPS_VIP))
		missing(ctx, "ftp",
			"needs \"forward\": \"nat\": other methods do not see the answers");
	for (uint32_t i = 0;
	     forward_has(svc->policy.service.forward, FORWARD_REPLIES_PASS) && i < svc->n_servers;
	     i++) {
		if (!forward_has(svc->servers[i].forward, FORWARD_KEEPS_VIP))
			continue;
		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		missing(ctx, "forward", "expected \"nat\" or \"local\": the service has \"ftp\"");
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* Said of all services by the defaults it holds for UDP. Under a mark it holds for UDP, too. */
static void one_packet_check(struct config_context *ctx, const struct config_service *svc)
{
	if (svc->policy.service.one_packet && svc->proto == IPPROTO_TCP &&
	    config_policy_states_one_packet(&svc->policy))
		missing(ctx, "one_packet", "needs \"protocol\": \"udp\", not \"tcp\"");
}

static void netmask_check(struct config_context *ctx, const struct config_service *svc)
{
	if (svc->policy.service.netmask_len <= 32 || config_service_family(svc) == ADDR_V6)
		return;
	context_push_key(ctx, "persistence");
	context_push_key(ctx, "netmask");
	config_report(ctx, -EINVAL, NULL, "%u is longer than an IPv4 address: expected 1 to 32",
		      svc->policy.service.netmask_len);
	context_pop(ctx);
	context_pop(ctx);
}

void config_check_service(struct config_context *ctx, struct config_service *svc)
{
	uint32_t n = svc->n_servers > svc->n_listen ? svc->n_servers : svc->n_listen;
	struct place *places = calloc(n + 1, sizeof(*places));

	if (!places) {
		config_report_memory(ctx);
		return;
	}
	listeners_check(ctx, svc, places);
	ftp_check(ctx, svc);
	netmask_check(ctx, svc);
	one_packet_check(ctx, svc);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		server_check(ctx, svc, &svc->servers[i]);
		context_pop(ctx);
		context_pop(ctx);
		places[i] = (struct place){.ep = svc->servers[i].ep, .index = i};
	}
	duplicates_check(ctx, places, svc->n_servers, "servers", "address");
	free(places);
}

/* ---- against others ---- */

static void own_address_check(struct config_context *ctx, const struct config *config,
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

static bool addrs_cover(const struct config_addr *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct prefix p = {.addr = v[i].addr, .len = v[i].len};

		if (prefix_contains(&p, a))
			return true;
	}
	return false;
}

/* A route without "via". */
static bool routes_cover(const struct config_route *v, uint32_t n, const struct addr *a)
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
		context_push_index(ctx, i);
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
		own_address_check(ctx, config, &svc->listen[i].addr);
		context_pop(ctx);
		context_pop(ctx);
	}
	dr_links_check(ctx, config, svc);
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

void config_check_nat_servers(struct config_context *ctx, const struct config *config,
			      const struct config_service *svc)
{
	char text[ADDR_STRLEN];

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];
		struct config_index_key vip = index_key_addr(INDEX_VIP, &s->ep.addr);
		struct config_index_key own = index_key_addr(INDEX_OWN, &s->ep.addr);

		context_push_key(ctx, "servers");
		context_push_index(ctx, i);
		context_push_key(ctx, "address");
		addr_format(&s->ep.addr, text, sizeof(text));
		if (forward_has(s->forward, FORWARD_REPLIES_PASS) &&
		    config_index_get(config->index, &vip, NULL))
			config_report(ctx, -EINVAL, NULL,
				      "%s is a VIP: it cannot be a real server by \"nat\" as well",
				      text);
		else if (!forward_has(s->forward, FORWARD_ENDS_HERE) &&
			 config_index_get(config->index, &own, NULL))
			config_report(ctx, 0, NULL,
				      "%s is this router's own address: packets to such a server "
				      "do not leave it",
				      text);
		context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
	}
}

static void nat_address_check(struct config_context *ctx, const struct config *config,
			      const struct addr *vip)
{
	struct config_index_key key = index_key_addr(INDEX_NAT, vip);
	char text[ADDR_STRLEN];

	if (config_index_get(config->index, &key, NULL))
		config_report(ctx, -EINVAL, NULL,
			      "%s is a real server by \"nat\": it cannot be a VIP as well",
			      addr_format(vip, text, sizeof(text)));
}

void config_check_vips(struct config_context *ctx, const struct config *config,
		       const struct config_service *svc)
{
	for (uint32_t i = 0; i < svc->n_listen; i++) {
		context_push_key(ctx, "listen");
		context_push_index(ctx, i);
		nat_address_check(ctx, config, &svc->listen[i].addr);
		context_pop(ctx);
		context_pop(ctx);
	}
}

/* ---- addresses ---- */

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

/* A prefix as it is routed: no host bits, more than one address and less than all. */
static void prefix_bits_check(struct config_context *ctx, const struct config_address *a)
{
	const bool v6 = a->address.addr.family == ADDR_V6;
	const uint8_t shortest = v6 ? 16 : 8, longest = v6 ? 127 : 31;
	struct config_addr net = {.addr = addr_masked(&a->address.addr, a->address.len),
				  .len = a->address.len};
	char text[PREFIX_STRLEN];

	if (a->kind != CONFIG_ADDRESS_PREFIX)
		return;
	if (a->address.len < shortest || a->address.len > longest)
		config_report(ctx, -EINVAL, NULL,
			      "a prefix needs its length: expected ADDRESS/%u to ADDRESS/%u",
			      shortest, longest);
	else if (!addr_equal(&net.addr, &a->address.addr))
		config_report(ctx, -EINVAL, NULL,
			      "an address inside a prefix: expected the prefix, \"%s\"",
			      config_addr_format(&net, text, sizeof(text)));
}

static void address_length_check(struct config_context *ctx, const struct config_address *a)
{
	uint8_t whole = a->address.addr.family == ADDR_V6 ? 128 : 32;
	struct config_addr host = {.addr = a->address.addr, .len = whole};
	char text[PREFIX_STRLEN];

	config_addr_format(&host, text, sizeof(text));
	if (a->kind == CONFIG_ADDRESS_VIP && a->address.len != whole)
		config_report(ctx, -EINVAL, NULL,
			      "a VIP is one address: expected \"%s\" without a prefix length",
			      text);
	if (a->kind == CONFIG_ADDRESS_GATEWAY && a->address.len == whole)
		config_report(ctx, -EINVAL, NULL,
			      "a gateway needs the prefix length of its network: expected "
			      "\"%s/LENGTH\"",
			      text);
	prefix_bits_check(ctx, a);
}

/* A gateway address stands on a link: hosts there may go by a link-local one. */
static void address_check(struct config_context *ctx, const struct config_address *a)
{
	if (a->kind != CONFIG_ADDRESS_GATEWAY || !addr_is_link_local(&a->address.addr))
		unusable_check(ctx, &a->address.addr, "");
}

void config_check_address(struct config_context *ctx, const struct config *config,
			  struct config_address *a)
{
	struct config_index_key key = index_key_addr(INDEX_ADDRESS, &a->address.addr);
	char text[ADDR_STRLEN];

	context_push_key(ctx, "address");
	address_check(ctx, a);
	address_length_check(ctx, a);
	if (config_index_get(config->index, &key, NULL))
		config_report(ctx, -EEXIST, NULL, "%s stands in shared.addresses already",
			      addr_format(&a->address.addr, text, sizeof(text)));
	own_address_check(ctx, config, &a->address.addr);
	if (a->kind == CONFIG_ADDRESS_VIP)
		nat_address_check(ctx, config, &a->address.addr);
	context_pop(ctx);
	link_check(ctx, &config->node, a);
	if (a->kind == CONFIG_ADDRESS_VIP || a->link)
		return;
	context_push_key(ctx, "link");
	config_report(ctx, -EINVAL, NULL, "missing: a %s is on a link",
		      a->kind == CONFIG_ADDRESS_GATEWAY ? "gateway" : "prefix");
	context_pop(ctx);
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
