/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules about several keys of one object: for config_object.check. Other objects are not asked. */
#include "config/config_internal.h"

#include <errno.h>
#include <string.h>

static void wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

/* ---- ports ---- */

static void addresses_check(struct config_context *ctx, const struct net_addr *v, uint32_t n)
{
	char text[PREFIX_STRLEN];

	context_push_key(ctx, "addresses");
	for (uint32_t i = 0; i < n; i++) {
		context_push_index(ctx, i);
		for (uint32_t k = 0; k < i; k++) {
			if (!addr_equal(&v[i].addr, &v[k].addr))
				continue;
			config_report(ctx, -EINVAL, NULL,
				      "%s stands here twice: it is addresses[%u] already",
				      config_addr_format(&v[i], text, sizeof(text)), k);
			break;
		}
		context_pop(ctx);
	}
	context_pop(ctx);
}

void config_check_vlan(struct config_context *ctx, const void *object)
{
	const struct config_vlan *vlan = object;

	addresses_check(ctx, vlan->addresses, vlan->n_addresses);
}

void config_check_port_linux(struct config_context *ctx, const void *object)
{
	const struct config_port *port = object;
	uint8_t seen[(MAX_VLAN + 8) / 8] = {0};

	addresses_check(ctx, port->addresses, port->n_addresses);
	context_push_key(ctx, "vlans");
	for (uint32_t i = 0; i < port->n_vlans; i++) {
		const uint32_t id = port->vlans[i].id;

		if (seen[id / 8] & 1U << id % 8) {
			context_push_index(ctx, i);
			context_push_key(ctx, "id");
			config_report(ctx, -EINVAL, NULL, "VLAN %u stands here twice", id);
			context_pop(ctx);
			context_pop(ctx);
		}
		seen[id / 8] |= (uint8_t)(1U << id % 8);
	}
	context_pop(ctx);
}

/* ---- the process ---- */

void config_check_workers(struct config_context *ctx, const void *object)
{
	const struct config_node *node = object;

	if (!node->connections || node->embryonic <= node->connections)
		return;
	context_push_key(ctx, "embryonic");
	config_report(ctx, -EINVAL, NULL, "%u is above \"connections\", which is %u",
		      node->embryonic, node->connections);
	context_pop(ctx);
}

void config_check_metrics(struct config_context *ctx, const void *object)
{
	const struct config_node *node = object;

	if (node->metrics_listen.addr.family != ADDR_NONE && node->metrics_socket)
		wrong(ctx, "listen", "there is \"socket\" already: expected one of the two");
}

static void telnet_users_check(struct config_context *ctx, const struct config_telnet *t)
{
	context_push_key(ctx, "users");
	for (uint32_t i = 0; i < t->n_users; i++) {
		context_push_index(ctx, i);
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(t->users[k].name, t->users[i].name) == 0)
				config_report(ctx, -EINVAL, NULL,
					      "\"%s\" is that of users[%u] already",
					      t->users[i].name, k);
		context_pop(ctx);
	}
	context_pop(ctx);
}

void config_check_telnet(struct config_context *ctx, const void *object)
{
	const struct config_telnet *t = object;
	const struct endpoint *ep = &t->listen;
	char text[ENDPOINT_STRLEN];

	telnet_users_check(ctx, t);
	if (ep->addr.family == ADDR_NONE || addr_is_loopback(&ep->addr))
		return;
	context_push_key(ctx, "listen");
	endpoint_format(ep, text, sizeof(text));
	if (t->n_users == 0)
		config_report(ctx, -EINVAL, NULL,
			      "%s is not of loopback, and nobody would be asked for a password: "
			      "expected \"users\"",
			      text);
	else
		config_report(ctx, 0, NULL,
			      "%s is not of loopback: telnet is clear text, so whoever sees the "
			      "network reads passwords and can take sessions over",
			      text);
	context_pop(ctx);
}

void config_check_announce(struct config_context *ctx, const void *object)
{
	const struct config_announce *a = object;
	char text[ADDR_STRLEN];

	context_push_key(ctx, "vips");
	for (uint32_t i = 0; i < a->n_vips; i++)
		for (uint32_t k = 0; k < i; k++) {
			if (!addr_equal(&a->vips[i].address, &a->vips[k].address))
				continue;
			context_push_index(ctx, i);
			config_report(ctx, -EEXIST, NULL,
				      "%s stands here twice: it is vips[%u] already",
				      addr_format(&a->vips[i].address, text, sizeof(text)), k);
			context_pop(ctx);
			break;
		}
	if (a->n_vips && !a->table)
		config_report(ctx, 0, NULL, "has no effect without \"table\"");
	context_pop(ctx);
}

/* ---- the pair ---- */

void config_check_path(struct config_context *ctx, const void *object)
{
	const struct config_ha_path *p = object;

	if (addr_equal(&p->local.addr, &p->peer.addr))
		wrong(ctx, "peer", "is the router's own address: expected the other router's");
}

void config_check_timing(struct config_context *ctx, const void *object)
{
	const struct config_ha_shared *ha = object;

	if (ha->deadtime_ms != 0 && ha->deadtime_ms < 3 * ha->keepalive_ms) {
		context_push_key(ctx, "deadtime");
		config_report(ctx, -EINVAL, NULL,
			      "%u ms is less than three keepalives of %u ms: a lost heartbeat or "
			      "two would look like a dead router",
			      ha->deadtime_ms, ha->keepalive_ms);
		context_pop(ctx);
	} else if (ha_keepalive_ms(&ha->timing) != ha->keepalive_ms) {
		context_push_key(ctx, "keepalive");
		config_report(
			ctx, 0, NULL,
			"%u ms is a third of the deadtime of %u ms: heartbeats are sent every "
			"%u ms, so that one of them may be lost",
			ha->keepalive_ms, ha->deadtime_ms, ha_keepalive_ms(&ha->timing));
		context_pop(ctx);
	}
}

/* ---- addresses, marks, servers ---- */

/* A prefix as it is routed: no host bits, more than one address and less than all. */
static void prefix_check(struct config_context *ctx, const struct config_address *a)
{
	const bool v6 = a->address.addr.family == ADDR_V6;
	const uint8_t shortest = v6 ? 16 : 8, longest = v6 ? 127 : 31;
	struct net_addr net = {.addr = addr_masked(&a->address.addr, a->address.len),
			       .len = a->address.len};
	char text[PREFIX_STRLEN];

	if (a->address.len < shortest || a->address.len > longest)
		config_report(ctx, -EINVAL, NULL,
			      "a prefix needs its length: expected ADDRESS/%u to ADDRESS/%u",
			      shortest, longest);
	else if (!addr_equal(&net.addr, &a->address.addr))
		config_report(ctx, -EINVAL, NULL,
			      "an address inside a prefix: expected the prefix, \"%s\"",
			      config_addr_format(&net, text, sizeof(text)));
}

static void length_check(struct config_context *ctx, const struct config_address *a)
{
	const uint8_t whole = a->address.addr.family == ADDR_V6 ? 128 : 32;
	const struct net_addr host = {.addr = a->address.addr, .len = whole};
	char text[PREFIX_STRLEN];

	config_addr_format(&host, text, sizeof(text));
	if (a->kind == CONFIG_ADDRESS_VIP && a->address.len != whole)
		config_report(ctx, -EINVAL, NULL,
			      "a VIP is one address: expected \"%s\" without a prefix length",
			      text);
	if (a->kind == CONFIG_ADDRESS_POOL && a->address.len != whole)
		config_report(ctx, -EINVAL, NULL,
			      "an entry of a pool is one address: expected \"%s\" without a prefix "
			      "length",
			      text);
	if (a->kind == CONFIG_ADDRESS_GATEWAY && a->address.len == whole)
		config_report(ctx, -EINVAL, NULL,
			      "a gateway needs the prefix length of its network: expected "
			      "\"%s/LENGTH\"",
			      text);
	if (a->kind == CONFIG_ADDRESS_PREFIX)
		prefix_check(ctx, a);
}

void config_check_address_entry(struct config_context *ctx, const void *object)
{
	static const char *const kinds[] = {[CONFIG_ADDRESS_GATEWAY] = "gateway",
					    [CONFIG_ADDRESS_PREFIX] = "prefix",
					    [CONFIG_ADDRESS_POOL] = "pool"};
	const struct config_address *a = object;

	context_push_key(ctx, "address");
	/* A gateway address stands on a link: hosts there may go by a link-local one. */
	if (a->kind != CONFIG_ADDRESS_GATEWAY || !addr_is_link_local(&a->address.addr))
		config_check_usable(ctx, &a->address.addr, "");
	length_check(ctx, a);
	context_pop(ctx);
	if (a->kind == CONFIG_ADDRESS_VIP || a->link)
		return;
	context_push_key(ctx, "link");
	config_report(ctx, -EINVAL, NULL, "missing: a %s is on a link", kinds[a->kind]);
	context_pop(ctx);
}

void config_check_pool_entry(struct config_context *ctx, const void *object)
{
	struct config_address a = *(const struct config_address *)object;

	a.kind = CONFIG_ADDRESS_POOL; /* of all entries of the list */
	config_check_address_entry(ctx, &a);
}

/* A rule of two families matches nothing. */
void config_check_mark_families(struct config_context *ctx, const void *object)
{
	const struct mark_rule *r = &((const struct config_mark *)object)->rule;
	const uint8_t family = mark_rule_family(r);
	const bool source = r->source.addr.family && r->source.addr.family != family;

	if (!source && (!r->dest.addr.family || r->dest.addr.family == family))
		return;
	context_push_key(ctx, source ? "source" : "destination");
	config_report(ctx, -EINVAL, NULL, "is of another family than \"%s\": no packet has both",
		      source || r->family ? "family" : "source");
	context_pop(ctx);
}

void config_check_thresholds(struct config_context *ctx, const void *object)
{
	const struct config_server *s = object;

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
