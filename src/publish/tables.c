/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of addresses, listeners and marked destinations. Compiled for each family:
 * base/family.h. */
#include "publish/builder.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "dataplane/stages/classify.h"

/* A service that claims no address may name one that no packet is sent to (ipvsadm takes any): the
 * address is in no table. */
static bool has_packets(const struct addr *a)
{
	return addr_is_unicast(a) && !addr_is_link_local(a);
}

/* An address of a pool is claimed also in a fleet: no other router has it. */
#define POOL_KINDS (ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_CLAIMED | ADDR_KIND_POOL)

struct entries {
	struct FAM(addr_entry) *v;
	uint32_t n, max;
	bool failed;
};

static void add_entry(struct entries *e, const struct addr *addr, uint32_t kinds, link_id link)
{
	if (addr->family != FAM_FAMILY || e->failed)
		return;
	if (array_room(&e->v, e->n, &e->max, sizeof(*e->v))) {
		e->failed = true;
		return;
	}
	e->v[e->n++] = (struct FAM(addr_entry)){
		.addr = FAM_FN(addr, of)(addr), .kinds = kinds, .link = link};
}

static uint32_t vip_kinds(const struct config *config)
{
	const bool fleet = config && config->shared.ha.mode == CONFIG_HA_FLEET;

	return ADDR_KIND_VIP | ADDR_KIND_ACTIVE | (fleet ? ADDR_KIND_SILENT : 0);
}

/* Of a service's address: inside a prefix that is routed here no ARP is answered for it, nor
 * for a service that claims none, unless the operator lists it as a VIP of its own. */
static uint32_t listen_kinds(const struct config *config, const struct service *svc,
			     const struct addr *addr)
{
	uint32_t kinds = vip_kinds(config);

	kinds |= svc->unclaimed ? ADDR_KIND_ROUTED | ADDR_KIND_UNCLAIMED : 0;
	for (uint32_t i = 0; config && i < config->shared.n_addresses; i++) {
		const struct config_address *a = &config->shared.addresses[i];
		struct prefix p = {.addr = a->address.addr, .len = a->address.len};

		if (a->kind == CONFIG_ADDRESS_VIP && addr_equal(&a->address.addr, addr))
			return vip_kinds(config) | ADDR_KIND_CLAIMED;
		if (a->kind == CONFIG_ADDRESS_PREFIX && prefix_contains(&p, addr))
			kinds = (kinds | ADDR_KIND_ROUTED) & ~ADDR_KIND_UNCLAIMED;
	}
	return kinds & ADDR_KIND_ROUTED ? kinds : kinds | ADDR_KIND_CLAIMED;
}

/* An address is claimed if one of its services claims it. A VIP is no server's address: only the
 * router sends from a VIP. */
static void kinds_decide(struct FAM(addr_table) *t)
{
	for (uint32_t i = 0; i <= t->mask; i++) {
		struct FAM(addr_entry) *e = &t->slots[i];

		if (e->kinds & ADDR_KIND_CLAIMED)
			e->kinds &= ~(ADDR_KIND_ROUTED | ADDR_KIND_CLAIMED | ADDR_KIND_UNCLAIMED);
		if (e->kinds & ADDR_KIND_VIP)
			e->kinds &= ~ADDR_KIND_NAT_SERVER;
	}
}

/* The addresses of pools, as the table of addresses has them. */
static int pool_set(struct snapshot *draft)
{
	struct FAM(local_pool) *pool = FAM_FN(local_pool, create)(draft->FAM(addrs));

	if (!pool)
		return -ENOMEM;
	FAM(snapshot_set_pool)(draft, pool);
	return 0;
}

int FAM(builder_addrs)(const struct config *config, const struct publisher *p,
		       struct snapshot *draft)
{
	const struct runtime *rt = &p->pub->runtime;
	struct entries e = {0};
	struct FAM(addr_table) *t = NULL;
	uint32_t left = rt->n_servers;

	for (uint32_t i = 0; config && i < config->node.n_pool; i++)
		add_entry(&e, &config->node.pool[i].address.addr, POOL_KINDS,
			  config->node.pool[i].link_id);
	for (uint32_t i = 0; config && i < config->shared.n_addresses; i++) {
		const struct config_address *a = &config->shared.addresses[i];

		if (a->kind == CONFIG_ADDRESS_VIP)
			add_entry(&e, &a->address.addr, vip_kinds(config) | ADDR_KIND_CLAIMED,
				  a->link_id);
		else if (a->kind == CONFIG_ADDRESS_POOL)
			add_entry(&e, &a->address.addr, POOL_KINDS, a->link_id);
		else if (a->kind == CONFIG_ADDRESS_GATEWAY)
			add_entry(&e, &a->address.addr, ADDR_KIND_GATEWAY, a->link_id);
	}
	for (uint32_t id = 1; id <= draft->max_service_id; id++) {
		const struct service *svc = draft->services[id];

		for (uint32_t i = 0; svc && i < svc->n_listen; i++)
			if (has_packets(&svc->listen[i].addr))
				add_entry(&e, &svc->listen[i].addr,
					  listen_kinds(config, svc, &svc->listen[i].addr),
					  LINK_ANY);
		for (uint32_t i = 0; svc && i < svc->n_servers; i++)
			if (forward_has(svc->servers[i].method, FORWARD_BY_SOURCE) &&
			    !forward_has(svc->servers[i].rt->method, FORWARD_BY_SOURCE))
				add_entry(&e, &svc->servers[i].addr, ADDR_KIND_NAT_SERVER,
					  LINK_ANY);
	}
	/* Servers by NAT, those included whose NAT connections live on: removed, or of another
	 * method by now. */
	for (uint32_t id = 1; left > 0 && id <= MAX_SERVERS; id++) {
		const struct server_rt *s = rt->servers[id];

		left -= s != NULL;
		if (s && (forward_has(s->method, FORWARD_BY_SOURCE) || p->was_nat[id]))
			add_entry(&e, &s->ep.addr, ADDR_KIND_NAT_SERVER, LINK_ANY);
	}
	for (uint32_t i = 0; i < p->n_lingering; i++)
		add_entry(&e, &p->lingering[i].addr, ADDR_KIND_LINGERING, LINK_ANY);
	if (!e.failed)
		t = FAM_FN(addr_table, create)(e.v, e.n);
	free(e.v);
	if (!t)
		return -ENOMEM;
	kinds_decide(t);
	FAM(snapshot_set_addrs)(draft, t);
	return pool_set(draft);
}

int FAM(builder_cover)(struct snapshot *draft)
{
	const struct mark_rule *rules;
	struct FAM(mark_cover) *cover;
	const uint32_t n = classify_rules(draft->marks, &rules);

	cover = FAM_FN(mark_cover, create)(rules, n, draft->FAM(listeners), draft->FAM(cover));
	if (!cover && errno)
		return -ENOMEM;
	FAM(snapshot_set_cover)(draft, cover);
	return 0;
}

int FAM(builder_listeners)(struct snapshot *draft)
{
	struct FAM(listener_table) *t;
	struct FAM(listener) *v;
	size_t n = 0;

	for (uint32_t id = 1; id <= draft->max_service_id; id++)
		n += draft->services[id] ? draft->services[id]->n_listen + 1 : 0;
	v = calloc(n ? n : 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	n = 0;
	for (uint32_t id = 1; id <= draft->max_service_id; id++) {
		const struct service *svc = draft->services[id];

		if (svc && svc->fwmark && svc->family == FAM_FAMILY)
			v[n++] = (struct FAM(listener)){.addr = FAM_FN(addr, of_mark)(svc->fwmark),
							.proto = LISTENER_MARK,
							.service_id = id};
		for (uint32_t i = 0; svc && i < svc->n_listen; i++) {
			if (svc->listen[i].addr.family != FAM_FAMILY ||
			    !has_packets(&svc->listen[i].addr))
				continue;
			v[n++] = (struct FAM(listener)){
				.addr = FAM_FN(addr, of)(&svc->listen[i].addr),
				.port = svc->listen[i].port,
				.proto = svc->proto,
				.service_id = id};
		}
	}
	t = FAM_FN(listener_table, create)(v, (uint32_t)n);
	free(v);
	if (!t)
		return -ENOMEM;
	FAM(snapshot_set_listeners)(draft, t);
	return 0;
}
