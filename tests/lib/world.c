/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/world.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/stages/classify.h"
#include "model/nexthop.h"
#include "model/owned_port.h"
#include "sched/sched.h"

#define MAX_WORLD 256 /* of each kind */

struct world_link {
	link_id link;
	struct link_info info;
};

struct world {
	struct retire_list retired;
	struct route4 routes[MAX_WORLD];
	struct route6 routes6[MAX_WORLD];
	uint32_t n_routes, n_routes6;
	struct world_link links[MAX_WORLD];
	uint32_t n_links;
	link_id paths[MAX_WORLD]; /* fib.links_of */
	uint32_t n_paths;
	struct service *services[MAX_WORLD]; /* one reference each */
	uint32_t n_services;
	struct addr nat_servers[MAX_WORLD]; /* removed ones stay */
	uint32_t n_nat_servers;
	struct addr gateway; /* or none */
	struct {
		struct addr addr;
		link_id link;
	} pool[LOCAL_POOL_MAX];
	uint32_t n_pool;
	uint64_t generation;
	struct world_policy policy;
	struct mark_rule *rules;
	uint32_t n_rules;
	struct mark_table *marks; /* of the last snapshot: a reference */
};

static void destroy_snapshot(void *s)
{
	snapshot_destroy(s);
}

static void destroy_fib(void *fib)
{
	fib_destroy(fib);
}

/* ---- what the link thread does ---- */

static int publish_fib(struct harness *h)
{
	struct world *wd = h->world;
	struct published *pub = &h->dp->pub;
	struct fib *fib = fib_create(), *old = pub->fib;
	int rc = fib ? 0 : -ENOMEM;

	if (rc == 0) {
		fib4_destroy(fib->v4);
		fib->v4 = fib4_create(wd->routes, wd->n_routes);
		fib6_destroy(fib->v6);
		fib->v6 = fib6_create(wd->routes6, wd->n_routes6);
		rc = fib->v4 && fib->v6 ? 0 : -ENOMEM;
	}
	if (rc == 0 && wd->n_paths) {
		fib->links_of = malloc(sizeof(wd->paths));
		rc = fib->links_of ? 0 : -ENOMEM;
		if (rc == 0)
			memcpy(fib->links_of, wd->paths, sizeof(wd->paths));
		fib->n_links_of = wd->n_paths;
	}
	for (uint32_t i = 0; rc == 0 && i < wd->n_links; i++)
		rc = fib_set_link(fib, wd->links[i].link, &wd->links[i].info);
	if (rc != 0) {
		fib_destroy(fib);
		return rc;
	}
	__atomic_store_n(&pub->fib, fib, __ATOMIC_RELEASE);
	published_raise_gen(pub);
	if (old)
		retire(&wd->retired, old, destroy_fib);
	retire_poll(&wd->retired);
	return 0;
}

static struct world_link *link_find(struct world *wd, link_id link)
{
	for (uint32_t i = 0; i < wd->n_links; i++)
		if (wd->links[i].link == link)
			return &wd->links[i];
	return NULL;
}

int world_link(struct harness *h, link_id link, uint16_t mtu)
{
	struct world *wd = h->world;
	struct world_link *l = link_find(wd, link);

	if (!l) {
		if (wd->n_links == MAX_WORLD)
			return -ENOSPC;
		l = &wd->links[wd->n_links++];
	}
	l->link = link;
	l->info = (struct link_info){.known = true, .up = true, .mtu = mtu};
	l->info.mac = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(link_port(link) + 1)}};
	return publish_fib(h);
}

static int route_add(struct harness *h, const struct route4 *r)
{
	struct world *wd = h->world;

	if (wd->n_routes == MAX_WORLD)
		return -ENOSPC;
	wd->routes[wd->n_routes] = *r;
	if (!link_find(wd, r->link))
		return -EINVAL;
	wd->routes[wd->n_routes++].mtu = link_find(wd, r->link)->info.mtu;
	return publish_fib(h);
}

static int route6_add(struct harness *h, const struct route6 *r)
{
	struct world *wd = h->world;

	if (wd->n_routes6 == MAX_WORLD || !link_find(wd, r->link))
		return wd->n_routes6 == MAX_WORLD ? -ENOSPC : -EINVAL;
	wd->routes6[wd->n_routes6] = *r;
	wd->routes6[wd->n_routes6++].mtu = link_find(wd, r->link)->info.mtu;
	return publish_fib(h);
}

int world_route(struct harness *h, const char *prefix, link_id link, const char *via)
{
	const enum route_kind kind = via ? ROUTE_GATEWAY : ROUTE_ONLINK;
	struct prefix p;
	struct addr a = {0};

	if (prefix_parse(prefix, &p) != 0 || (via && addr_parse(via, &a) != 0))
		return -EINVAL;
	if (p.addr.family == ADDR_V6) {
		const struct route6 r = {.link = link,
					 .kind = kind,
					 .addr = addr6_of(&p.addr),
					 .len = p.len,
					 .via = addr6_of(&a)};

		return route6_add(h, &r);
	}
	const struct route4 r = {
		.link = link, .kind = kind, .addr = p.addr.v4, .len = p.len, .via = a.v4};

	return route_add(h, &r);
}

int world_paths(struct harness *h, const char *prefix, const link_id *links, uint32_t n)
{
	struct world *wd = h->world;
	struct route4 r = {.link = links[0], .kind = ROUTE_ONLINK, .links_at = 1};
	struct prefix p;

	if (prefix_parse(prefix, &p) != 0 || n + 2 > MAX_WORLD)
		return -EINVAL;
	r.addr = p.addr.v4;
	r.len = p.len;
	wd->paths[1] = n;
	memcpy(&wd->paths[2], links, n * sizeof(*links));
	wd->n_paths = n + 2;
	return route_add(h, &r);
}

int world_loose(struct harness *h, link_id link)
{
	struct world_link *l = link_find(h->world, link);

	if (!l)
		return -EINVAL;
	l->info.loose = true;
	return publish_fib(h);
}

static int own6(struct harness *h, struct addr6 addr, link_id link)
{
	const struct route6 r = {.link = link, .kind = ROUTE_LOCAL, .addr = addr, .len = 128};
	struct world *wd = h->world;

	for (uint32_t i = 0; i < wd->n_routes6; i++)
		if (wd->routes6[i].link == link && addr6_is_zero(wd->routes6[i].source))
			wd->routes6[i].source = addr;
	return route6_add(h, &r);
}

int world_own(struct harness *h, const char *addr, link_id link)
{
	struct world *wd = h->world;
	struct route4 r = {.link = link, .kind = ROUTE_LOCAL, .len = 32};
	struct addr a;

	if (addr_parse(addr, &a) != 0)
		return -EINVAL;
	if (a.family == ADDR_V6)
		return own6(h, addr6_of(&a), link);
	r.addr = a.v4;
	/* As Linux does: what leaves by the link speaks as the router's address there. */
	for (uint32_t i = 0; i < wd->n_routes; i++)
		if (wd->routes[i].link == link && !wd->routes[i].source)
			wd->routes[i].source = a.v4;
	return route_add(h, &r);
}

int world_neighbour(struct harness *h, link_id link, const char *addr, const char *mac)
{
	struct world *wd = h->world;
	struct nexthop_table *t = &h->dp->pub.nexthops;
	const struct world_link *l = link_find(wd, link);
	struct nexthop *nh = calloc(1, sizeof(*nh));
	struct mac dest = {0};
	struct addr a;
	uint32_t id;

	if (!nh || !l || addr_parse(addr, &a) != 0 || (mac && mac_parse(mac, &dest) != 0)) {
		free(nh);
		return -EINVAL;
	}
	memcpy(nh->l2, dest.byte, 6);
	memcpy(nh->l2 + 6, l->info.mac.byte, 6);
	nh->l2_len = 14;
	if (link_vlan(link)) {
		nh->l2[12] = 0x81;
		nh->l2[14] = (uint8_t)(link_vlan(link) >> 8);
		nh->l2[15] = (uint8_t)link_vlan(link);
		nh->l2_len = 18;
	}
	nh->l2[nh->l2_len - 2] = a.family == ADDR_V6 ? 0x86 : 0x08;
	nh->l2[nh->l2_len - 1] = a.family == ADDR_V6 ? 0xdd : 0;
	nh->state = mac ? NEXTHOP_REACHABLE : NEXTHOP_FAILED;
	nh->mtu = l->info.mtu;
	nh->port = link_port(link);
	nh->link = link;
	nh->addr = a;
	id = a.family == ADDR_V6 ? nexthop_find6(t, link, addr6_of(&a))
				 : nexthop_find4(t, link, a.v4);
	if (id) {
		nh->id = id;
		retire(&wd->retired, (void *)nexthop_replace(t, id, nh), free);
		return 0;
	}
	if (a.family == ADDR_V6 ? nexthop_add6(t, link, addr6_of(&a), nh)
				: nexthop_add4(t, link, a.v4, nh))
		return 0;
	free(nh);
	return -ENOSPC;
}

/* ---- what the control thread does ---- */

static int choose_first(const struct service *svc, const struct sched_request *req)
{
	(void)req;
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (server_eligible(&svc->servers[i]))
			return (int)i;
	return SCHED_NONE;
}

static const struct sched_ops world_first = {.name = "first", .choose = choose_first};

/* Entries for the tables of both families. */
struct rows {
	struct addr_entry4 addrs4[MAX_WORLD * 2 + 1];
	struct addr_entry6 addrs6[MAX_WORLD * 2 + 1];
	struct listener4 listeners4[MAX_WORLD];
	struct listener6 listeners6[MAX_WORLD];
	uint32_t n_addrs4, n_addrs6, n_listeners4, n_listeners6;
};

static void addr_put(struct rows *r, const struct addr *a, uint32_t kinds)
{
	if (a->family == ADDR_V6)
		r->addrs6[r->n_addrs6++] =
			(struct addr_entry6){.addr = addr6_of(a), .kinds = kinds, .link = LINK_ANY};
	else
		r->addrs4[r->n_addrs4++] =
			(struct addr_entry4){.addr = a->v4, .kinds = kinds, .link = LINK_ANY};
}

static void pool_put(struct rows *r, const struct addr *a, link_id link)
{
	addr_put(r, a, ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_POOL);
	if (a->family == ADDR_V6)
		r->addrs6[r->n_addrs6 - 1].link = link;
	else
		r->addrs4[r->n_addrs4 - 1].link = link;
}

static void listener_put(struct rows *r, const struct service *s)
{
	const uint8_t proto = s->fwmark ? LISTENER_MARK : s->proto;
	const be16 port = s->fwmark ? 0 : s->listen[0].port;

	if (s->family == ADDR_V6)
		r->listeners6[r->n_listeners6++] = (struct listener6){
			.addr = s->fwmark ? addr6_of_mark(s->fwmark) : addr6_of(&s->listen[0].addr),
			.port = port,
			.proto = proto,
			.service_id = s->rt->id};
	else
		r->listeners4[r->n_listeners4++] = (struct listener4){
			.addr = s->fwmark ? addr4_of_mark(s->fwmark) : s->listen[0].addr.v4,
			.port = port,
			.proto = proto,
			.service_id = s->rt->id};
}

static void fill_tables(const struct world *wd, struct rows *r)
{
	for (uint32_t i = 0; i < wd->n_services; i++) {
		const struct service *s = wd->services[i];

		listener_put(r, s);
		if (!s->fwmark)
			addr_put(r, &s->listen[0].addr, ADDR_KIND_VIP | ADDR_KIND_ACTIVE);
	}
	for (uint32_t i = 0; i < wd->n_nat_servers; i++)
		addr_put(r, &wd->nat_servers[i], ADDR_KIND_NAT_SERVER);
	for (uint32_t i = 0; i < wd->n_pool; i++)
		pool_put(r, &wd->pool[i].addr, wd->pool[i].link);
	if (wd->gateway.family)
		addr_put(r, &wd->gateway, ADDR_KIND_GATEWAY);
}

static struct snapshot *build_snapshot(struct world *wd, const struct snapshot *live)
{
	struct rows *r = calloc(1, sizeof(*r));
	uint32_t max_id = 0;
	struct snapshot *s;

	for (uint32_t i = 0; i < wd->n_services; i++)
		if (wd->services[i]->rt->id > max_id)
			max_id = wd->services[i]->rt->id;
	s = r ? snapshot_create(max_id) : NULL;
	if (!s) {
		free(r);
		return NULL;
	}
	fill_tables(wd, r);
	s->generation = ++wd->generation;
	s->ipvs = wd->policy.ipvs;
	snapshot_set_addrs4(s, addr_table4_create(r->addrs4, r->n_addrs4));
	snapshot_set_addrs6(s, addr_table6_create(r->addrs6, r->n_addrs6));
	snapshot_set_pool4(s, local_pool4_create(s->addrs4));
	snapshot_set_pool6(s, local_pool6_create(s->addrs6));
	snapshot_set_listeners4(s, listener_table4_create(r->listeners4, r->n_listeners4));
	snapshot_set_listeners6(s, listener_table6_create(r->listeners6, r->n_listeners6));
	free(r);
	for (uint32_t i = 0; i < wd->n_services; i++) {
		wd->services[i]->refs++;
		snapshot_set_service(s, wd->services[i]->rt->id, wd->services[i]);
	}
	if (wd->marks) {
		wd->marks->refs++;
		snapshot_set_marks(s, wd->marks);
	}
	snapshot_set_cover4(s, mark_cover4_create(wd->rules, wd->n_rules, s->listeners4,
						  live ? live->cover4 : NULL));
	snapshot_set_cover6(s, mark_cover6_create(wd->rules, wd->n_rules, s->listeners6,
						  live ? live->cover6 : NULL));
	snapshot_set_owned4(s, owned_ports4_create(s));
	snapshot_set_owned6(s, owned_ports6_create(s));
	if (s->addrs4 && s->addrs6 && s->listeners4 && s->listeners6 && s->owned4 && s->owned6)
		return s;
	snapshot_destroy(s);
	return NULL;
}

static int publish_snapshot(struct harness *h)
{
	struct world *wd = h->world;
	struct published *pub = &h->dp->pub;
	struct snapshot *old = pub->snapshot, *s = build_snapshot(wd, old);

	if (!s)
		return -ENOMEM;
	__atomic_store_n(&pub->snapshot, s, __ATOMIC_RELEASE);
	published_raise_gen(pub);
	if (old)
		retire(&wd->retired, old, destroy_snapshot);
	retire_poll(&wd->retired);
	runtime_reap(&pub->runtime, &pub->grace);
	return 0;
}

int world_gateway(struct harness *h, const char *addr)
{
	struct world *wd = h->world;
	struct addr a;

	if (addr_parse(addr, &a) != 0)
		return -EINVAL;
	wd->gateway = a;
	return publish_snapshot(h);
}

int world_pool(struct harness *h, const char *addr, link_id link)
{
	struct world *wd = h->world;
	struct addr a;

	if (addr_parse(addr, &a) != 0 || wd->n_pool == LOCAL_POOL_MAX)
		return -EINVAL;
	wd->pool[wd->n_pool].addr = a;
	wd->pool[wd->n_pool++].link = link;
	return publish_snapshot(h);
}

static uint8_t mark_family(const char *proto)
{
	return strcmp(proto, "mark6") == 0 ? ADDR_V6 : ADDR_V4;
}

/* "tcp", "10.1.0.100:80" -> protocol, endpoint, key. */
static int service_name(const char *proto, const char *listen, uint8_t *number, struct endpoint *ep,
			char key[96])
{
	if (strncmp(proto, "mark", 4) == 0) {
		*number = 0;
		memset(ep, 0, sizeof(*ep));
		service_key_format(0, ep, (uint32_t)atoi(listen), mark_family(proto), key, 96);
		return 0;
	}
	*number = strcmp(proto, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	if (endpoint_parse(listen, ep) != 0)
		return -EINVAL;
	service_key_format(*number, ep, 0, 0, key, 96);
	return 0;
}

static uint32_t service_index(const struct world *wd, const struct service_rt *rt)
{
	uint32_t i = 0;

	while (i < wd->n_services && wd->services[i]->rt != rt)
		i++;
	return i;
}

static int server_fill(struct harness *h, struct service_rt *rt, const struct world_server *from,
		       struct server *to)
{
	struct world *wd = h->world;
	struct endpoint ep;

	if (endpoint_parse(from->endpoint, &ep) != 0)
		return -EINVAL;
	to->rt = runtime_server_get(&h->dp->pub.runtime, rt, &ep);
	if (!to->rt || wd->n_nat_servers == MAX_WORLD)
		return -ENOMEM;
	to->rt->method = from->method;
	to->encap = from->encap;
	runtime_set_encap(&h->dp->pub.runtime, to->rt->id, from->encap);
	to->addr = ep.addr;
	to->port = ep.port;
	to->method = from->method;
	to->weight = to->last_weight = to->configured = from->weight;
	for (uint32_t i = 0; i < wd->n_nat_servers; i++)
		if (addr_equal(&wd->nat_servers[i], &ep.addr))
			return 0;
	if (from->method == FWD_NAT)
		wd->nat_servers[wd->n_nat_servers++] = ep.addr;
	return 0;
}

/* Servers of the old node that the new one does not have. */
static void remove_servers(struct harness *h, const struct service *old, const struct service *now)
{
	struct published *pub = &h->dp->pub;

	for (uint32_t i = 0; i < old->n_servers; i++) {
		bool stays = false;

		for (uint32_t j = 0; now && j < now->n_servers; j++)
			stays = stays || now->servers[j].rt == old->servers[i].rt;
		if (!stays)
			runtime_server_remove(&pub->runtime, old->servers[i].rt, &pub->grace);
		if (!stays)
			old->servers[i].rt->removed = h->now_s; /* virtual time */
	}
}

void world_policy(struct harness *h, const struct world_policy *policy)
{
	struct world *wd = h->world;

	wd->policy = policy ? *policy : (struct world_policy){0};
}

int world_marks(struct harness *h, const struct mark_rule *rules, uint32_t n)
{
	struct world *wd = h->world;
	struct mark_table *old = wd->marks;
	char error[256];

	free(wd->rules);
	wd->rules = calloc(n + 1, sizeof(*rules));
	if (n)
		memcpy(wd->rules, rules, n * sizeof(*rules));
	wd->n_rules = n;
	wd->marks = classify_create(rules, n, old, error);
	mark_table_put(old);
	return wd->marks ? publish_snapshot(h) : -ENOMEM;
}

int world_service(struct harness *h, const char *proto, const char *listen,
		  const struct sched_ops *sched, const struct world_server *servers, uint32_t n)
{
	struct world *wd = h->world;
	struct service *svc, *old;
	struct endpoint ep;
	uint8_t number;
	char key[96];
	uint32_t at;
	int rc = service_name(proto, listen, &number, &ep, key);

	if (rc != 0)
		return rc;
	svc = service_create(n, 1);
	if (!svc)
		return -ENOMEM;
	svc->rt = runtime_service_get(&h->dp->pub.runtime, key);
	svc->proto = number;
	svc->fwmark = number ? 0 : (uint32_t)atoi(listen);
	svc->family = number ? ep.addr.family : mark_family(proto);
	svc->n_workers = h->dp->n_workers;
	svc->policy.locality_s = 86400;
	svc->sched = sched ? sched : &world_first;
	svc->listen[0] = ep;
	svc->policy.one_packet = wd->policy.one_packet;
	svc->policy.expire_quiescent = wd->policy.expire_quiescent;
	svc->policy.sloppy_tcp = wd->policy.sloppy_tcp;
	svc->policy.any_flags = wd->policy.any_flags;
	svc->policy.adopt = wd->policy.adopt;
	svc->policy.nat_icmp_send = wd->policy.nat_icmp_send;
	svc->policy.ftp = wd->policy.ftp;
	svc->policy.client_address = wd->policy.client_address;
	svc->policy.sequence_check = !wd->policy.sequence_off;
	svc->policy.on_removed = wd->policy.on_removed;
	svc->policy.drain_s = wd->policy.drain_s;
	svc->policy.unknown = wd->policy.unknown;
	svc->policy.unknown_reply = wd->policy.reply;
	svc->policy.reuse = wd->policy.reuse < 0 ? 0
			    : wd->policy.reuse	 ? (uint8_t)wd->policy.reuse
						 : REUSE_CLOSED;
	if (wd->policy.tunnel_len) {
		struct addr net;

		if (addr_parse(wd->policy.tunnel_net, &net) < 0)
			return -EINVAL;
		svc->policy.tunnel_source.len = wd->policy.tunnel_len;
		svc->policy.tunnel_source.addr = net;
	}
	svc->policy.persist_s = wd->policy.persist_s;
	svc->policy.persist_engine = wd->policy.engine;
	svc->policy.extension_s = wd->policy.extension_s;
	svc->policy.netmask = wd->policy.netmask       ? wd->policy.netmask
			      : svc->family == ADDR_V6 ? 128
						       : 32;
	memcpy(svc->policy.timeout_s, conn_state_timeouts_s, sizeof(svc->policy.timeout_s));
	rc = svc->rt ? 0 : -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = server_fill(h, svc->rt, &servers[i], &svc->servers[i]);
	at = rc == 0 ? service_index(wd, svc->rt) : 0;
	if (rc == 0 && at == MAX_WORLD)
		rc = -ENOSPC;
	old = rc == 0 && at < wd->n_services ? wd->services[at] : NULL;
	if (rc != 0) {
		service_put(svc);
		return rc;
	}
	rc = sched_attach(svc, old);
	if (rc != 0) {
		service_put(svc);
		return rc;
	}
	wd->services[at] = svc;
	wd->n_services += old == NULL;
	rc = publish_snapshot(h);
	service_rt_set_on_removed(svc->rt, svc->policy.on_removed, svc->policy.drain_s);
	for (uint32_t i = 0; i < n; i++)
		svc->servers[i].rt->quiesced = svc->servers[i].weight == 0;
	sched_published(svc);
	if (old) {
		remove_servers(h, old, svc);
		service_put(old);
	}
	return rc;
}

int world_service_del(struct harness *h, const char *proto, const char *listen)
{
	struct world *wd = h->world;
	struct published *pub = &h->dp->pub;
	struct service_rt *rt;
	struct service *old;
	struct endpoint ep;
	uint8_t number;
	char key[96];
	uint32_t at;
	int rc = service_name(proto, listen, &number, &ep, key);

	if (rc != 0)
		return rc;
	rt = runtime_service_find(&pub->runtime, key);
	at = rt ? service_index(wd, rt) : wd->n_services;
	if (at == wd->n_services)
		return -ENOENT;
	old = wd->services[at];
	wd->services[at] = wd->services[--wd->n_services];
	rc = publish_snapshot(h);
	remove_servers(h, old, NULL);
	runtime_service_remove(&pub->runtime, rt, &pub->grace);
	service_put(old);
	return rc;
}

struct server_rt *world_server(struct harness *h, const char *proto, const char *listen,
			       const char *endpoint)
{
	const struct runtime *runtime = &h->dp->pub.runtime;
	struct endpoint ep, server;
	struct service_rt *rt;
	uint8_t number;
	char key[96];

	if (service_name(proto, listen, &number, &ep, key) != 0 ||
	    endpoint_parse(endpoint, &server) != 0)
		return NULL;
	rt = runtime_service_find(runtime, key);
	return rt ? runtime_server_find(runtime, rt, &server) : NULL;
}

/* ---- life ---- */

int world_init(struct harness *h)
{
	struct world *wd = calloc(1, sizeof(*wd));
	int rc = 0;

	if (!wd)
		return -ENOMEM;
	h->world = wd;
	retire_list_init(&wd->retired, &h->dp->pub.grace);
	for (uint16_t p = 0; rc == 0 && p < h->dp->n_ports; p++)
		rc = world_link(h, link_id_of(p, 0), h->dp->ports[p].mtu);
	return rc == 0 ? publish_snapshot(h) : rc;
}

void world_fini(struct harness *h)
{
	struct world *wd = h->world;

	if (!wd)
		return;
	for (uint32_t i = 0; i < wd->n_services; i++)
		service_put(wd->services[i]);
	if (h->dp->pub.snapshot)
		snapshot_destroy(h->dp->pub.snapshot);
	mark_table_put(wd->marks);
	free(wd->rules);
	fib_destroy(h->dp->pub.fib);
	h->dp->pub.snapshot = NULL;
	h->dp->pub.fib = NULL;
	retire_list_fini(&wd->retired);
	free(wd);
	h->world = NULL;
}
