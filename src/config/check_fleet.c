/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of announcing and of a fleet. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void announce_check(struct config_context *ctx, const struct config *config)
{
	const struct config_announce *a = &config->node.announce;

	context_push_key(ctx, "node");
	context_push_key(ctx, "announce");
	if (config->shared.ha.mode == CONFIG_HA_FLEET && !a->table) {
		context_push_key(ctx, "table");
		config_report(ctx, 0, NULL,
			      "missing: this member of a fleet announces nothing by itself, and "
			      "answers no ARP for VIPs");
		context_pop(ctx);
	}
	context_pop(ctx);
	context_pop(ctx);
}

/* Two members of one name are asked as one. */
static void members_check(struct config_context *ctx, const struct config *config)
{
	const struct config_ha_shared *ha = &config->shared.ha;
	char text[ENDPOINT_STRLEN];
	bool own = ha->n_members == 0 || !config->node.name;

	context_push_key(ctx, "shared");
	context_push_key(ctx, "ha");
	context_push_key(ctx, "members");
	for (uint32_t i = 0; i < ha->n_members; i++) {
		const struct config_member *m = &ha->members[i];

		own |= m->name && config->node.name && strcmp(m->name, config->node.name) == 0;
		for (uint32_t k = 0; m->name && k < i; k++) {
			const struct config_member *o = &ha->members[k];

			if (!o->name)
				continue;
			context_push_index(ctx, i);
			if (strcmp(o->name, m->name) == 0)
				config_report(ctx, -EEXIST, NULL,
					      "\"%s\" stands here twice: two members of one name",
					      m->name);
			else if (endpoint_equal(&o->address, &m->address))
				config_report(
					ctx, -EEXIST, NULL, "%s is the address of \"%s\" already",
					endpoint_format(&m->address, text, sizeof(text)), o->name);
			context_pop(ctx);
		}
	}
	if (!own)
		config_report(ctx, 0, NULL, "names no member \"%s\", which this router is",
			      config->node.name);
	context_pop(ctx);
	context_pop(ctx);
	context_pop(ctx);
}

static void control_check(struct config_context *ctx, const struct config_node *node)
{
	if (node->fleet.addr.family == ADDR_NONE || node->ha.key_file)
		return;
	context_push_key(ctx, "node");
	context_push_key(ctx, "control");
	context_push_key(ctx, "fleet");
	config_report(ctx, -EINVAL, NULL, "needs the keys of node.ha.key_file");
	context_pop(ctx);
	context_pop(ctx);
	context_pop(ctx);
}

/* A backup has the connections of a pair's pool and needs its addresses. */
static void pool_check(struct config_context *ctx, const struct config *config)
{
	if (config->node.n_pool == 0 || config->node.ha.n_paths == 0 ||
	    config->shared.ha.mode == CONFIG_HA_FLEET)
		return;
	context_push_key(ctx, "node");
	context_push_key(ctx, "pool");
	config_report(ctx, 0, NULL,
		      "is not the other router's by itself: in a pair without a fleet "
		      "(shared.ha.mode) expected entries of \"kind\": \"pool\" in "
		      "shared.addresses");
	context_pop(ctx);
	context_pop(ctx);
}

static void name_check(struct config_context *ctx, const struct config_node *node)
{
	if (node->name && strcmp(node->name, CONFIG_NAME_DEFAULT) != 0)
		return;
	context_push_key(ctx, "node");
	context_push_key(ctx, "name");
	config_report(
		ctx, -EINVAL, NULL,
		"missing: the members of a fleet are told apart by their names: expected one of "
		"this router's own");
	context_pop(ctx);
	context_pop(ctx);
}

static void adopt_wrong(struct config_context *ctx, const char *key, const char *text)
{
	context_push_key(ctx, key);
	config_report(ctx, -EINVAL, NULL, "%s", text);
	context_pop(ctx);
}

static void adopt_servers_check(struct config_context *ctx, const struct config_service *svc)
{
	context_push_key(ctx, "servers");
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct config_server *s = &svc->servers[i];

		context_push_index(ctx, i);
		if (!forward_has(s->forward, FORWARD_SERVER_HAS_VIP))
			adopt_wrong(
				ctx, "forward",
				"expected \"dr\" or \"tunnel\": the service has \"adopt\", and of "
				"another method only the router that began a connection knows "
				"the server's side");
		if (s->upper)
			adopt_wrong(
				ctx, "upper",
				"not with \"adopt\": each router counts its own connections, so "
				"routers would choose differently");
		context_pop(ctx);
	}
	context_pop(ctx);
}

void config_check_adopt(struct config_context *ctx, const struct config_service *svc)
{
	const struct service_policy *policy = &svc->policy.service;
	const bool mh = svc->policy.scheduler && strcmp(svc->policy.scheduler, "mh") == 0;

	if (mh && svc->n_servers > policy->mh_slots) {
		context_push_key(ctx, "mh_slots");
		config_report(
			ctx, -EINVAL, NULL,
			"%u slots are fewer than the %u servers: expected a prime of a hundred "
			"for each",
			policy->mh_slots, svc->n_servers);
		context_pop(ctx);
	}
	if (!policy->adopt)
		return;
	if (!mh)
		adopt_wrong(ctx, "adopt",
			    "needs \"scheduler\": \"mh\": no other scheduler makes the same choice "
			    "on every router");
	if (policy->persist_s)
		adopt_wrong(ctx, "adopt",
			    "not with \"persistence\": only the router that a client came to first "
			    "knows its server; mh keeps a client with a server anyway");
	adopt_servers_check(ctx, svc);
}

/* Replies have to come back to the router that knows the connection. */
static void replies_check(struct config_context *ctx, const struct config_service *svc)
{
	context_push_key(ctx, "servers");
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const uint8_t method = svc->servers[i].forward;

		if (!forward_has(method, FORWARD_BY_SOURCE))
			continue; /* full NAT: replies come to this router's own node.pool */
		context_push_index(ctx, i);
		context_push_key(ctx, "forward");
		config_report(
			ctx, -EINVAL, NULL,
			"not \"%s\" in a fleet: a reply would meet another router, which does "
			"not know the connection: expected \"dr\", \"tunnel\", or \"fullnat\" with "
			"a node.pool, or a pair (shared.ha.mode)",
			forward_names[method]);
		context_pop(ctx);
		context_pop(ctx);
	}
	context_pop(ctx);
}

static bool may_adopt(const struct config_service *svc)
{
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (!forward_has(svc->servers[i].forward, FORWARD_SERVER_HAS_VIP))
			return false;
	return true;
}

void config_check_fleet_service(struct config_context *ctx, const struct config *config,
				const struct config_service *svc)
{
	if (config->shared.ha.mode != CONFIG_HA_FLEET)
		return;
	replies_check(ctx, svc);
	if (svc->policy.service.adopt || !may_adopt(svc))
		return;
	context_push_key(ctx, "adopt");
	config_report(
		ctx, 0, NULL,
		"false in a fleet: where the network sends a connection to another router, when "
		"a router comes or goes, the connection breaks: expected true, with "
		"\"scheduler\": \"mh\"");
	context_pop(ctx);
}

void config_check_fleet_address(struct config_context *ctx, const struct config *config,
				const struct config_address *a)
{
	if (config->shared.ha.mode != CONFIG_HA_FLEET ||
	    (a->kind != CONFIG_ADDRESS_GATEWAY && a->kind != CONFIG_ADDRESS_POOL))
		return;
	context_push_key(ctx, "kind");
	config_report(ctx, -EINVAL, NULL,
		      "not \"%s\" in a fleet: every router would have the address "
		      "at once, and %s",
		      a->kind == CONFIG_ADDRESS_POOL ? "pool" : "gateway",
		      a->kind == CONFIG_ADDRESS_POOL
			      ? "a reply would meet another router, which does not know the "
				"connection: expected addresses of each router's own in node.pool"
			      : "no method of a fleet needs it");
	context_pop(ctx);
}

void config_check_fleet(struct config_context *ctx, const struct config *config)
{
	announce_check(ctx, config);
	control_check(ctx, &config->node);
	members_check(ctx, config);
	pool_check(ctx, config);
	if (config->shared.ha.mode == CONFIG_HA_FLEET)
		name_check(ctx, &config->node);
}
