/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "sched/sched.h"

#define GATEWAY 0xc6336401U /* 198.51.100.1, clients are behind it */

static void nexthop_put(struct published *pub, be32 addr, uint8_t last)
{
	struct nexthop *nh = calloc(1, sizeof(*nh));
	const uint8_t l2[14] = {0x02, 0, 0, 0, 2, last, 0x02, 0, 0, 0, 0, 1, 0x08, 0};

	if (!nh)
		fail("no memory for a next hop");
	memcpy(nh->l2, l2, sizeof(l2));
	nh->l2_len = sizeof(l2);
	nh->state = NEXTHOP_REACHABLE;
	nh->mtu = 1500;
	nh->link = link_id_of(0, 0);
	nh->addr = addr_from_v4(addr);
	if (nexthop_add4(&pub->nexthops, nh->link, addr, nh) == 0)
		fail("no room for a next hop");
}

static struct service *service_make(struct published *pub, enum forward_method method)
{
	struct service *svc = service_create(N_SERVERS, 1);

	if (!svc)
		fail("no memory for a service");
	svc->rt = runtime_service_get(&pub->runtime, "tcp:198.51.100.100:80");
	svc->sched = sched_find("wlc"); /* the default of LVS */
	svc->proto = IPPROTO_TCP;
	svc->family = ADDR_V4;
	svc->policy.forward = (uint8_t)method;
	svc->policy.sequence_check = true;
	memcpy(svc->policy.timeout_s, conn_state_timeouts_s, sizeof(svc->policy.timeout_s));
	svc->listen[0] = (struct endpoint){.addr = addr_from_v4(scene_vip()),
					   .port = be16_from(SCENE_VIP_PORT)};
	for (unsigned int k = 0; k < N_SERVERS; k++) {
		struct server *srv = &svc->servers[k];
		struct endpoint ep = {.addr = addr_from_v4(scene_server(k)),
				      .port = be16_from(SCENE_SERVER_PORT)};

		srv->rt = runtime_server_get(&pub->runtime, svc->rt, &ep);
		if (!srv->rt)
			fail("no memory for a real server");
		srv->addr = ep.addr;
		srv->port = ep.port;
		srv->method = (uint8_t)method;
		srv->weight = srv->configured = srv->last_weight = 1;
	}
	if (!svc->sched || sched_attach(svc, NULL) < 0)
		fail("the scheduler wlc cannot be had");
	sched_settle(svc);
	return svc;
}

static struct snapshot *snapshot_make(struct published *pub, enum forward_method method)
{
	struct service *svc = service_make(pub, method);
	struct snapshot *snap = snapshot_create(svc->rt->id);
	struct addr_entry4 addrs[N_SERVERS + 1] = {
		{scene_vip(), ADDR_KIND_VIP | ADDR_KIND_ACTIVE, LINK_ANY}};
	const struct listener4 listener = {.addr = scene_vip(),
					   .port = be16_from(SCENE_VIP_PORT),
					   .proto = IPPROTO_TCP,
					   .service_id = svc->rt->id};
	uint32_t n = 1;

	for (unsigned int k = 0; k < N_SERVERS && method == FWD_NAT; k++)
		addrs[n++] = (struct addr_entry4){scene_server(k), ADDR_KIND_NAT_SERVER, LINK_ANY};
	if (!snap)
		fail("no memory for a snapshot");
	snap->generation = 1;
	snapshot_set_service(snap, svc->rt->id, svc);
	snapshot_set_addrs4(snap, addr_table4_create(addrs, n));
	snapshot_set_listeners4(snap, listener_table4_create(&listener, 1));
	snapshot_set_addrs6(snap, addr_table6_create(NULL, 0));
	snapshot_set_listeners6(snap, listener_table6_create(NULL, 0));
	return snap;
}

static struct fib *fib_make(void)
{
	const link_id link = link_id_of(0, 0);
	const struct route4 routes[] = {
		{.addr = be32_from(0xc0a80a00),
		 .len = 24,
		 .kind = ROUTE_ONLINK,
		 .mtu = 1500,
		 .link = link},
		{.addr = be32_from(0xc6336400),
		 .len = 24,
		 .kind = ROUTE_ONLINK,
		 .mtu = 1500,
		 .link = link},
		{.addr = be32_from(0xc63364fe), .len = 32, .kind = ROUTE_LOCAL, .link = link},
		{.kind = ROUTE_GATEWAY, .mtu = 1500, .via = be32_from(GATEWAY), .link = link},
	};
	const struct link_info info = {
		.known = true, .up = true, .mtu = 1500, .mac = scene_own_mac, .name = "bench"};
	struct fib *fib = fib_create();

	if (!fib || fib_set_link(fib, link, &info) < 0)
		fail("no memory for routes");
	fib->v4 = fib4_create(routes, RTE_DIM(routes));
	fib->v6 = fib6_create(NULL, 0);
	return fib;
}

void scene_publish(struct published *pub, enum forward_method method)
{
	pub->snapshot = snapshot_make(pub, method);
	pub->fib = fib_make();
	pub->resolve_gen = 1;
	for (unsigned int k = 0; k < N_SERVERS; k++)
		nexthop_put(pub, scene_server(k), (uint8_t)(k + 2));
	nexthop_put(pub, be32_from(GATEWAY), 1);
}

void scene_unpublish(struct published *pub)
{
	snapshot_destroy(pub->snapshot);
	fib_destroy(pub->fib);
	pub->snapshot = NULL;
	pub->fib = NULL;
}

void scene_create(struct scene *s, enum forward_method method, uint32_t n, uint32_t max,
		  uint16_t dev)
{
	struct worker *w;

	memset(s, 0, sizeof(*s));
	s->method = method;
	s->n = n;
	s->pub = &s->own_pub;
	s->server_of = calloc(n, 1);
	if (posix_memalign((void **)&s->w, 64, sizeof(*s->w)) != 0 || !s->server_of)
		fail("no memory for a worker");
	if (runtime_init(&s->pub->runtime) < 0 || nexthop_table_init(&s->pub->nexthops, 1024) < 0)
		fail("no memory for the registry");
	scene_publish(s->pub, method);
	w = s->w;
	if (worker_init(w, 0, max + max / 4 + 1, -1, 42, s->pub) < 0)
		fail("no memory for %u connections", max);
	owner_map_init(&s->owners, 1);
	w->owners = &s->owners;
	w->port_dev[0] = dev;
	w->tx_queue[0] = 0;
	worker_env_update(w, s->tick, 1);
}

void scene_destroy(struct scene *s)
{
	worker_fini(s->w);
	free(s->w);
	scene_unpublish(s->pub);
	nexthop_table_fini(&s->own_pub.nexthops);
	runtime_fini(&s->own_pub.runtime);
	free(s->server_of);
}

static struct conn4 *conn_find(const struct scene *s, uint32_t i)
{
	const struct key4 key = {.saddr = scene_client(i),
				 .daddr = scene_vip(),
				 .sport = scene_client_port(i),
				 .dport = be16_from(SCENE_VIP_PORT),
				 .proto = IPPROTO_TCP};
	const struct table4 *t = &s->w->v4.table;

	return table4_find(t, &key, table4_hash(t, &key), DIR_IN);
}

bool scene_has(const struct scene *s, uint32_t i)
{
	return conn_find(s, i) != NULL;
}

static struct conn4 *scene_conn(const struct scene *s, uint32_t i)
{
	struct conn4 *c = conn_find(s, i);

	if (!c)
		fail("connection %u of %u was not made", i, s->n);
	return c;
}

unsigned int scene_server_look(const struct scene *s, uint32_t i)
{
	return be32_to(scene_conn(s, i)->daddr) - be32_to(scene_server(0));
}

void scene_sink_drain(const struct scene *s)
{
	void *m;

	while (s->sink && rte_ring_dequeue(s->sink, &m) == 0)
		rte_pktmbuf_free(m);
}

/* One packet of each of n connections, first and following. */
static void step_pass(struct scene *s, struct rte_mempool *pool, uint32_t first, uint16_t n,
		      enum pkt_dir dir, uint8_t flags)
{
	struct rte_mbuf *frames[BURST_MAX];

	if (rte_pktmbuf_alloc_bulk(pool, frames, n) != 0)
		fail("no packet buffers left");
	for (uint16_t k = 0; k < n; k++)
		packet_write(s, frames[k], first + k, dir, flags);
	pipeline_run(s->w, frames, n);
	pipeline_flush(s->w);
	scene_sink_drain(s);
}

void scene_connect(struct scene *s, struct rte_mempool *pool)
{
	for (uint32_t first = 0; first < s->n; first += BURST_MAX) {
		uint16_t n = (uint16_t)RTE_MIN((uint32_t)BURST_MAX, s->n - first);

		step_pass(s, pool, first, n, DIR_IN, TCP_SYN);
		for (uint32_t i = first; i < first + n; i++)
			s->server_of[i] = (uint8_t)scene_server_look(s, i);
		if (s->method == FWD_NAT)
			step_pass(s, pool, first, n, DIR_OUT, TCP_SYN | TCP_ACK);
		step_pass(s, pool, first, n, DIR_IN, TCP_ACK);
		/* By DR: as after a minute of traffic. */
		for (uint32_t i = first; i < first + n; i++) {
			struct conn4 *c = scene_conn(s, i);

			c->c.evidence |= EVIDENCE_ASSURED;
			give_way4_update(s->w, c);
		}
	}
}
