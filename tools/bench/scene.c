/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "sched/sched.h"

static struct addr vip_of(enum addr_family family)
{
	return family == ADDR_V4 ? addr_from_addr4(scene4_vip()) : addr_from_addr6(scene6_vip());
}

static struct addr server_of(enum addr_family family, unsigned int k)
{
	return family == ADDR_V4 ? addr_from_addr4(scene4_server(k))
				 : addr_from_addr6(scene6_server(k));
}

static enum addr_family servers_of(const struct scene_plan *plan)
{
	return plan->servers ? plan->servers : plan->family;
}

static struct service *service_make(struct published *pub, const struct scene_plan *plan)
{
	struct service *svc = service_create(plan->n_servers, 1);

	if (!svc)
		fail("no memory for a service");
	svc->rt = runtime_service_get(&pub->runtime, "tcp:198.51.100.100:80");
	svc->sched = sched_find(plan->sched);
	svc->proto = IPPROTO_TCP;
	svc->n_workers = plan->n_workers;
	svc->family = plan->family;
	svc->policy.forward = (uint8_t)plan->method;
	svc->policy.sequence_check = true;
	memcpy(svc->policy.timeout_s, conn_state_timeouts_s, sizeof(svc->policy.timeout_s));
	svc->listen[0] =
		(struct endpoint){.addr = vip_of(plan->family), .port = be16_from(SCENE_VIP_PORT)};
	for (unsigned int k = 0; k < plan->n_servers; k++) {
		struct server *srv = &svc->servers[k];
		struct endpoint ep = {.addr = server_of(servers_of(plan), k),
				      .port = be16_from(SCENE_SERVER_PORT)};

		srv->rt = runtime_server_get(&pub->runtime, svc->rt, &ep);
		if (!srv->rt)
			fail("no memory for a real server");
		srv->addr = ep.addr;
		srv->port = ep.port;
		srv->method = (uint8_t)plan->method;
		srv->weight = srv->configured = srv->last_weight = 1;
	}
	if (!svc->sched || sched_attach(svc, NULL) < 0)
		fail("the scheduler %s cannot be had", plan->sched);
	sched_published(svc);
	return svc;
}

static struct snapshot *snapshot_make(struct published *pub, const struct scene_plan *plan)
{
	struct service *svc = service_make(pub, plan);
	struct snapshot *snap = snapshot_create(svc->rt->id);

	if (!snap)
		fail("no memory for a snapshot");
	snap->generation = 1;
	snapshot_set_service(snap, svc->rt->id, svc);
	scene4_tables(snap, svc);
	scene6_tables(snap, svc);
	return snap;
}

static struct fib *fib_make(const struct scene_plan *plan)
{
	const bool crosses = servers_of(plan) != plan->family;
	const struct link_info info = {
		.known = true, .up = true, .mtu = 1500, .mac = scene_own_mac, .name = "bench"};
	struct fib *fib = fib_create();

	if (!fib || fib_set_link(fib, link_id_of(0, 0), &info) < 0)
		fail("no memory for routes");
	fib->v4 = scene4_routes(crosses || plan->family == ADDR_V4);
	fib->v6 = scene6_routes(crosses || plan->family == ADDR_V6);
	return fib;
}

static void publish(struct published *pub, const struct scene_plan *plan)
{
	pub->snapshot = snapshot_make(pub, plan);
	pub->fib = fib_make(plan);
	pub->resolve_gen = 1;
	for (unsigned int k = 0; k <= plan->n_servers; k++)
		if ((k ? servers_of(plan) : plan->family) == ADDR_V4)
			scene4_nexthop(pub, k ? scene4_server(k - 1) : scene4_gateway(),
				       (uint8_t)(k + 1));
		else
			scene6_nexthop(pub, k ? scene6_server(k - 1) : scene6_gateway(),
				       (uint8_t)(k + 1));
}

/* The default of LVS. */
static struct scene_plan plan_of(enum addr_family family, enum forward_method method)
{
	return (struct scene_plan){.family = family,
				   .method = method,
				   .n_servers = N_SERVERS,
				   .sched = "wlc",
				   .n_workers = 1};
}

void scene_publish(struct published *pub, enum addr_family family, enum forward_method method)
{
	const struct scene_plan plan = plan_of(family, method);

	publish(pub, &plan);
}

void scene_unpublish(struct published *pub)
{
	snapshot_destroy(pub->snapshot);
	fib_destroy(pub->fib);
	pub->snapshot = NULL;
	pub->fib = NULL;
}

void scene_create_as(struct scene *s, const struct scene_plan *plan)
{
	struct worker *w;

	memset(s, 0, sizeof(*s));
	s->family = plan->family;
	s->servers = servers_of(plan);
	s->method = plan->method;
	s->n = plan->n;
	s->pub = plan->with ? plan->with : &s->own_pub;
	s->server_of = calloc(plan->n, sizeof(*s->server_of));
	s->local_of = calloc(plan->n, 1);
	s->local_port = calloc(plan->n, sizeof(*s->local_port));
	if (posix_memalign((void **)&s->w, 64, sizeof(*s->w)) != 0 || !s->server_of ||
	    !s->local_of || !s->local_port)
		fail("no memory for a worker");
	if (!plan->with) {
		if (runtime_init(&s->pub->runtime) < 0 ||
		    runtime_set_workers(&s->pub->runtime, plan->n_workers) < 0 ||
		    nexthop_table_init(&s->pub->nexthops, RTE_MAX(1024U, plan->n_servers * 2)) < 0)
			fail("no memory for the registry");
		publish(s->pub, plan);
	}
	w = s->w;
	if (worker_init(w, plan->worker, plan->max + plan->max / 4 + 1, -1, 42, s->pub) < 0)
		fail("no memory for %u connections", plan->max);
	owner_map_init(&s->owners, 1);
	w->owners = &s->owners;
	w->port_dev[0] = plan->dev;
	w->tx_queue[0] = 0;
	worker_env_update(w, s->tick, 1);
}

void scene_create(struct scene *s, enum addr_family family, enum forward_method method, uint32_t n,
		  uint32_t max, uint16_t dev)
{
	struct scene_plan plan = plan_of(family, method);

	plan.n = n;
	plan.max = max;
	plan.dev = dev;
	scene_create_as(s, &plan);
}

void scene_destroy(struct scene *s)
{
	frozen4_free(s);
	frozen6_free(s);
	worker_fini(s->w);
	free(s->w);
	if (s->pub == &s->own_pub) {
		scene_unpublish(s->pub);
		nexthop_table_fini(&s->own_pub.nexthops);
		runtime_fini(&s->own_pub.runtime);
	}
	free(s->server_of);
	free(s->local_of);
	free(s->local_port);
}

/* The common part of connection i, or NULL. */
static const struct conn *conn_find(const struct scene *s, uint32_t i)
{
	const struct conn4 *c4 = s->family == ADDR_V4 ? scene4_find(s, i) : NULL;
	const struct conn6 *c6 = s->family == ADDR_V6 ? scene6_find(s, i) : NULL;

	return c4 ? &c4->c : c6 ? &c6->c : NULL;
}

bool scene_has(const struct scene *s, uint32_t i)
{
	return conn_find(s, i) != NULL;
}

unsigned int scene_server_look(const struct scene *s, uint32_t i)
{
	const struct conn *c = conn_find(s, i);
	const struct service *svc = s->pub->snapshot->services[s->pub->snapshot->max_service_id];
	uint32_t k;

	if (!c)
		fail("connection %u of %u was not made", i, s->n);
	/* Ids were given out in list order. */
	k = c->server - svc->servers[0].rt->id;
	if (k >= svc->n_servers || svc->servers[k].rt->id != c->server)
		fail("connection %u has no real server", i);
	return k;
}

void scene_note(struct scene *s, uint32_t i)
{
	s->server_of[i] = (uint16_t)scene_server_look(s, i);
	if (s->method != FWD_FULLNAT)
		return;
	if (s->family == ADDR_V4)
		scene4_local(s, i);
	else
		scene6_local(s, i);
}

void scene_sink_drain(const struct scene *s)
{
	void *m;

	while (s->sink && rte_ring_dequeue(s->sink, &m) == 0)
		rte_pktmbuf_free(m);
}

/* A packet of each of n connections, first and following. */
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
			scene_note(s, i);
		if (scene_replies(s))
			step_pass(s, pool, first, n, DIR_OUT, TCP_SYN | TCP_ACK);
		step_pass(s, pool, first, n, DIR_IN, TCP_ACK);
		/* By DR: as after a minute of traffic. */
		for (uint32_t i = first; i < first + n; i++)
			if (s->family == ADDR_V4)
				scene4_assure(s, i);
			else
				scene6_assure(s, i);
	}
}
