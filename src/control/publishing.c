/* SPDX-License-Identifier: BSD-3-Clause */
/* Publication, seen from control: the tables that the publisher asks for, and the planes that are
 * told of each publication (link, ha, health). */
#include "control/publishing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "control/control_internal.h"
#include "control/checking.h"
#include "control/pair.h"
#include "control/sieve_tell.h"
#include "dataplane/sync/ledger.h"
#include "model/runtime_hosts.h"
#include "model/sync_event.h"
#include "publish/builder.h"

#define WANTS_FEW 16 /* servers that change: more are told as a whole list */

static int make_addrs(void *arg, struct snapshot *draft)
{
	const struct control *c = arg;

	return builder_addrs(c->config, &c->publisher, draft);
}

static int make_listeners(void *arg, struct snapshot *draft)
{
	(void)arg;
	return builder_listeners(draft);
}

static int make_cover(void *arg, struct snapshot *draft)
{
	const struct control *c = arg;

	return builder_cover(c->config, draft);
}

/* Adds an address unless it is there. slots: numbers of elements of v plus 1, by hash. */
static uint32_t want_add(struct link_want *v, uint32_t n, uint32_t *slots, uint32_t mask,
			 const struct addr *a)
{
	uint32_t i = addr_hash(a);

	for (; slots[i & mask]; i++)
		if (addr_equal(&v[slots[i & mask] - 1].addr, a))
			return n;
	v[n++] = (struct link_want){.link = LINK_ANY, .addr = *a};
	slots[i & mask] = n;
	return n;
}

/* All real servers that packets are sent to, each once. */
static int want_servers(const struct control *c, const struct snapshot *live)
{
	uint32_t n = 0, mask = 15, *slots;
	struct link_want *v;
	int ret = -ENOMEM;

	for (uint32_t id = 1; id <= live->max_service_id; id++)
		n += live->services[id] ? live->services[id]->n_servers : 0;
	while (mask < n * 2)
		mask = mask * 2 + 1;
	v = malloc((n + 1) * sizeof(*v));
	slots = calloc(mask + 1, sizeof(*slots));
	n = 0;
	for (uint32_t id = 1; v && slots && id <= live->max_service_id; id++) {
		const struct service *svc = live->services[id];

		for (uint32_t i = 0; svc && i < svc->n_servers; i++)
			if (!forward_has(svc->servers[i].method, FORWARD_ENDS_HERE))
				n = want_add(v, n, slots, mask, &svc->servers[i].addr);
	}
	if (v && slots)
		ret = link_want_nexthops(c->link, v, n);
	free(slots);
	free(v);
	return ret;
}

/* Packets are sent to a server with the address. */
static bool host_wanted(const struct control *c, const struct snapshot *live,
			const struct addr *addr)
{
	const struct server_rt *rt = NULL;

	while ((rt = runtime_host_next(&c->pub->runtime, addr, rt))) {
		const struct server *s = service_server(snapshot_service(live, rt->service_id), rt);

		if (s && !forward_has(s->method, FORWARD_ENDS_HERE))
			return true;
	}
	return false;
}

/* VIPs as the address table has them, gateways with their prefix from the configuration. */
static int tell_addresses(const struct control *c, const struct snapshot *live)
{
	const struct config_shared *shared = &c->config->shared;
	uint32_t n = 0, n_live;
	struct addr_entry *all = snapshot_addrs(live, &n_live);
	struct link_address *v;
	int ret;

	v = all ? calloc(n_live + shared->n_addresses + 1, sizeof(*v)) : NULL;
	for (uint32_t i = 0; v && i < n_live; i++) {
		const struct addr_entry *e = &all[i];

		if ((e->kinds & (ADDR_KIND_VIP | ADDR_KIND_ROUTED)) == ADDR_KIND_VIP)
			v[n++] = (struct link_address){.addr = e->addr,
						       .len = e->addr.family == ADDR_V6 ? 128 : 32,
						       .kind = LINK_ADDRESS_VIP,
						       .active = e->kinds & ADDR_KIND_ACTIVE,
						       .link = e->link};
	}
	free(all);
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < shared->n_addresses; i++) {
		const struct config_address *a = &shared->addresses[i];

		if (a->kind != CONFIG_ADDRESS_VIP && a->kind != CONFIG_ADDRESS_POOL)
			v[n++] = (struct link_address){.addr = a->address.addr,
						       .len = a->address.len,
						       .kind = a->kind == CONFIG_ADDRESS_GATEWAY
								       ? LINK_ADDRESS_GATEWAY
								       : LINK_ADDRESS_PREFIX,
						       .active = true,
						       .link = a->link_id};
	}
	ret = link_set_addresses(c->link, v, n);
	free(v);
	return ret;
}

static void tell_link(void *arg, const struct snapshot *live)
{
	struct control *c = arg;

	pair_addresses(c, live);
	if (!c->link)
		return;
	if (tell_addresses(c, live) < 0 || want_servers(c, live) < 0)
		log_error(CONTROL_AREA, "no memory to tell the link thread of addresses: what "
					"changed there takes effect with the next change");
}

/* Of servers that came or went, or that have another method now. */
static void tell_servers(void *arg, const struct snapshot *live, const struct endpoint *touched,
			 uint32_t n)
{
	const struct control *c = arg;
	int ret = 0;

	if (!c->link)
		return;
	if (n > WANTS_FEW)
		ret = want_servers(c, live);
	for (uint32_t i = 0; n <= WANTS_FEW && ret == 0 && i < n; i++)
		ret = link_want_nexthop(
			c->link, &(struct link_want){.link = LINK_ANY, .addr = touched[i].addr},
			host_wanted(c, live, &touched[i].addr));
	if (ret < 0)
		log_error(CONTROL_AREA, "no memory to tell the link thread of servers: what "
					"changed there takes effect with the next change");
}

/* Tells the ha thread the identities of servers. */
static void identity_push(struct control *c, struct identity_update *u)
{
	if (u)
		identity_feed_push(c->identities, u);
	else if (errno == ENOMEM)
		log_error(CONTROL_AREA, "no memory to tell the ha thread of a service: its "
					"connections are not synchronised until it changes again");
}

/* Rows of the ledger name servers by id. */
static void tell_ledger(struct dataplane *dp, const struct service *svc)
{
	struct sync_server server = {.service = sync_service_of(svc)};

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		server.addr = svc->servers[i].addr;
		server.port = svc->servers[i].port;
		ledger_server(dp, svc->servers[i].rt->id, &server);
	}
}

static void tell_identities(void *arg, uint32_t id, const struct service *svc)
{
	struct control *c = arg;

	(void)id;
	if (c->identities && svc)
		identity_push(c, identity_update_create(svc));
	if (c->dp && c->dp->ledger && svc)
		tell_ledger(c->dp, svc);
}

static void on_published(void *arg)
{
	checking_published(arg);
	sieve_tell(arg);
}

/* IPVS has no memory of a service that was deleted. */
static void on_service_return(void *arg, struct service_rt *svc)
{
	struct control *c = arg;

	if (c->config->shared.compat == CONFIG_COMPAT_IPVS)
		traffic_restart(&c->traffic, svc);
}

static void on_server_forget(void *arg, struct service_rt *svc, struct server_rt *srv)
{
	struct control *c = arg;

	traffic_forget(&c->traffic, svc, srv);
	if (c->identities)
		identity_push(c, identity_update_gone(0, srv->id));
	/* Its packets need no direction of their own any more. */
	if (forward_has(srv->method, FORWARD_BY_SOURCE))
		(void)publisher_touch_server(&c->publisher, &srv->ep);
}

int publishing_init(struct control *c)
{
	const struct publisher_tables tables = {.addrs = make_addrs,
						.listeners = make_listeners,
						.cover = make_cover,
						.service = tell_identities,
						.links = tell_link,
						.servers = tell_servers,
						.published = on_published,
						.arg = c};
	int ret = publisher_init(&c->publisher, c->pub, &tables);

	if (ret < 0)
		return ret;
	c->pub->runtime.on_server_forget = on_server_forget;
	c->pub->runtime.on_service_return = on_service_return;
	c->pub->runtime.on_forget_arg = c;
	return 0;
}

void publishing_fini(struct control *c)
{
	publisher_fini(&c->publisher);
	if (!c->pub)
		return;
	c->pub->runtime.on_server_forget = NULL;
	c->pub->runtime.on_service_return = NULL;
	c->pub->runtime.on_forget_arg = NULL;
}
