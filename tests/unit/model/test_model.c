/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <pthread.h>
#include <string.h>

#include "lib/counts.h"
#include "model/published.h"

static be32 ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a.v4;
}

static struct endpoint ep(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, &e), 0);
	return e;
}

/* A grace period that ends when the test says so: tokens up to `passed` are over. */
struct test_grace {
	uint64_t started, passed;
	struct grace grace;
};

static uint64_t test_grace_start(void *arg)
{
	return ++((struct test_grace *)arg)->started;
}

static bool test_grace_passed(void *arg, uint64_t token)
{
	return token <= ((struct test_grace *)arg)->passed;
}

static void test_grace_init(struct test_grace *g)
{
	memset(g, 0, sizeof(*g));
	g->grace = (struct grace){test_grace_start, test_grace_passed, g};
}

/* --- fib ---------------------------------------------------------------------------- */

static void the_longest_prefix_wins(void **state)
{
	const struct route4 routes[] = {
		{.addr = 0, .len = 0, .link = 1},
		{.addr = ip("10.0.0.0"), .len = 8, .link = 2},
		{.addr = ip("10.1.0.77"), .len = 16, .link = 3}, /* host bits are cleared */
		{.addr = ip("10.1.2.3"), .len = 32, .link = 4},
		{.addr = ip("10.1.2.3"), .len = 33, .link = 5}, /* no prefix: left out */
	};
	struct fib4 *fib = fib4_create(routes, 5);

	(void)state;
	assert_non_null(fib);
	assert_int_equal(fib4_find(fib, ip("192.0.2.1"))->link, 1);
	assert_int_equal(fib4_find(fib, ip("10.2.0.1"))->link, 2);
	assert_int_equal(fib4_find(fib, ip("10.1.2.4"))->link, 3);
	assert_int_equal(fib4_find(fib, ip("10.1.2.3"))->link, 4);
	fib4_destroy(fib);
	fib = fib4_create(routes + 1, 3);
	assert_null(fib4_find(fib, ip("192.0.2.1")));
	fib4_destroy(fib);
	fib = fib4_create(NULL, 0);
	assert_null(fib4_find(fib, 0));
	assert_null(fib4_find_local(fib, 0));
	fib4_destroy(fib);
}

static void of_equal_prefixes_the_lowest_metric_wins(void **state)
{
	const struct route4 routes[] = {
		{.addr = ip("10.0.0.0"), .len = 8, .link = 1, .metric = 100},
		{.addr = ip("10.0.0.0"), .len = 8, .link = 2, .metric = 50},
		{.addr = ip("10.0.0.0"), .len = 8, .link = 3, .metric = 50},
	};
	struct fib4 *fib = fib4_create(routes, 3);

	(void)state;
	assert_int_equal(fib4_find(fib, ip("10.9.9.9"))->link, 2);
	fib4_destroy(fib);
}

static void only_the_routers_own_hosts_are_local(void **state)
{
	const struct route4 routes[] = {
		{.addr = ip("10.0.0.0"), .len = 8, .kind = ROUTE_ONLINK},
		{.addr = ip("10.0.0.1"), .len = 32, .kind = ROUTE_LOCAL, .link = 7},
		{.addr = ip("10.0.0.2"), .len = 32, .kind = ROUTE_GATEWAY},
		{.addr = ip("10.0.0.3"), .len = 32, .kind = ROUTE_LOCAL, .metric = 9},
		{.addr = ip("10.0.0.3"), .len = 32, .kind = ROUTE_GATEWAY, .metric = 1},
		{.addr = ip("127.0.0.0"), .len = 8, .kind = ROUTE_LOCAL},
	};
	struct fib4 *fib = fib4_create(routes, 6);

	(void)state;
	assert_int_equal(fib4_find_local(fib, ip("10.0.0.1"))->link, 7);
	assert_null(fib4_find_local(fib, ip("10.0.0.2")));
	assert_null(fib4_find_local(fib, ip("10.0.0.3")));
	assert_null(fib4_find_local(fib, ip("10.0.0.4")));
	fib4_destroy(fib);
}

static void a_fib_finds_every_one_of_many_routes(void **state)
{
	enum { N = 20000 };
	struct route4 *routes = calloc(N, sizeof(*routes));
	struct fib4 *fib;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		routes[i].addr = be32_from(0x0a000000 + (i << 8));
		routes[i].len = 24;
		routes[i].link = i;
	}
	fib = fib4_create(routes, N);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(fib4_find(fib, be32_from(0x0a0000ff + (i << 8)))->link, i);
	fib4_destroy(fib);
	free(routes);
}

static void a_link_is_known_once_it_is_set(void **state)
{
	const struct link_info info = {.known = true, .mtu = 1400};
	struct fib *fib = fib_create();

	(void)state;
	assert_null(fib_link(fib, link_id_of(3, 10)));
	assert_int_equal(fib_set_link(fib, link_id_of(3, 10), &info), 0);
	assert_int_equal(fib_link(fib, link_id_of(3, 10))->mtu, 1400);
	assert_null(fib_link(fib, link_id_of(3, 11)));
	assert_int_equal(fib_set_link(fib, LINK_ANY, &info), -EINVAL);
	fib_destroy(fib);
}

/* --- next hops ---------------------------------------------------------------------- */

static struct nexthop *nexthop_new(link_id link, be32 addr)
{
	struct nexthop *nh = calloc(1, sizeof(*nh));

	nh->link = link;
	nh->addr = addr_from_v4(addr);
	return nh;
}

static void next_hops_are_found_replaced_and_unlinked(void **state)
{
	struct nexthop_table t;
	struct nexthop *a = nexthop_new(1, ip("10.0.0.1")), *b = nexthop_new(1, ip("10.0.0.1"));
	uint32_t id;

	(void)state;
	assert_int_equal(nexthop_table_init(&t, 4), 0);
	assert_int_equal(nexthop_find4(&t, 1, ip("10.0.0.1")), 0);
	id = nexthop_add4(&t, 1, ip("10.0.0.1"), a);
	assert_int_not_equal(id, 0);
	assert_int_equal(nexthop_find4(&t, 1, ip("10.0.0.1")), id);
	assert_int_equal(nexthop_find4(&t, 2, ip("10.0.0.1")), 0);
	assert_ptr_equal(nexthop_by_id(&t, id), a);
	assert_ptr_equal(nexthop_replace(&t, id, b), a);
	assert_ptr_equal(nexthop_by_id(&t, id), b);
	assert_int_equal(b->id, id);
	free(a);
	nexthop_unlink4(&t, id);
	assert_int_equal(nexthop_find4(&t, 1, ip("10.0.0.1")), 0);
	assert_ptr_equal(nexthop_by_id(&t, id), b);
	assert_ptr_equal(nexthop_free_id(&t, id), b);
	assert_null(nexthop_by_id(&t, id));
	free(b);
	nexthop_table_fini(&t);
}

static void a_full_next_hop_table_says_so(void **state)
{
	struct nexthop_table t;
	struct nexthop *extra = nexthop_new(9, 9);
	uint32_t id;

	(void)state;
	assert_int_equal(nexthop_table_init(&t, 4), 0);
	for (uint32_t i = 1; i <= 4; i++)
		assert_int_not_equal(nexthop_add4(&t, i, i, nexthop_new(i, i)), 0);
	assert_int_equal(nexthop_add4(&t, 9, 9, extra), 0);
	/* An unlinked id is still in use. */
	id = nexthop_find4(&t, 2, 2);
	nexthop_unlink4(&t, id);
	assert_int_equal(nexthop_add4(&t, 9, 9, extra), 0);
	free((void *)nexthop_free_id(&t, id));
	assert_int_equal(nexthop_add4(&t, 9, 9, extra), id);
	nexthop_table_fini(&t);
}

static void next_hop_slots_are_used_again_after_much_churn(void **state)
{
	struct nexthop_table t;
	uint32_t tombs = 0;

	(void)state;
	assert_int_equal(nexthop_table_init(&t, 64), 0);
	for (uint32_t i = 0; i < 50000; i++) {
		assert_int_not_equal(nexthop_add4(&t, 1, i, nexthop_new(1, i)), 0);
		if (i >= 40) {
			uint32_t id = nexthop_find4(&t, 1, i - 40);

			assert_int_not_equal(id, 0);
			nexthop_unlink4(&t, id);
			free((void *)nexthop_free_id(&t, id));
		}
	}
	for (uint32_t i = 50000 - 40; i < 50000; i++)
		assert_int_not_equal(nexthop_find4(&t, 1, i), 0);
	assert_int_equal(nexthop_find4(&t, 1, 7), 0);
	for (uint32_t i = 0; i <= t.mask; i++)
		tombs += t.slots4[i].id == NEXTHOP_TOMB;
	assert_in_range(tombs, 0, 60);
	nexthop_table_fini(&t);
}

static void a_slot_that_changed_hands_between_two_looks_is_no_match(void **state)
{
	const struct nexthop_slot4 s = {.link = 1, .addr = 5, .id = 7};

	(void)state;
	assert_true(nexthop_slot4_matches(&s, 7, 1, 5));
	assert_false(nexthop_slot4_matches(&s, 6, 1, 5)); /* 6 was here when the id was read */
	assert_false(nexthop_slot4_matches(&s, 7, 2, 5));
	assert_false(nexthop_slot4_matches(&s, 7, 1, 6));
}

/* --- retire ------------------------------------------------------------------------- */

static unsigned int destroyed;

static void count_destroy(void *object)
{
	destroyed++;
	free(object);
}

static void retired_objects_are_freed_only_after_their_grace_period(void **state)
{
	struct test_grace g;
	struct retire_list l;

	(void)state;
	destroyed = 0;
	test_grace_init(&g);
	retire_list_init(&l, &g.grace);
	for (unsigned int i = 0; i < 200; i++)
		retire(&l, malloc(16), count_destroy);
	assert_int_equal(retire_poll(&l), 200);
	assert_int_equal(destroyed, 0);
	g.passed = 50;
	assert_int_equal(retire_poll(&l), 150);
	assert_int_equal(destroyed, 50);
	for (unsigned int i = 0; i < 200; i++)
		retire(&l, malloc(16), count_destroy);
	g.passed = 399;
	assert_int_equal(retire_poll(&l), 1);
	assert_int_equal(destroyed, 399);
	retire_list_fini(&l);
	assert_int_equal(destroyed, 400);
}

/* --- snapshot ----------------------------------------------------------------------- */

static void a_clone_shares_everything_but_what_is_replaced(void **state)
{
	struct snapshot *a = snapshot_create(3), *b;
	struct service *one = service_create(2, 1), *two = service_create(0, 1),
		       *new_two = service_create(5, 3);
	const struct addr_entry4 addr = {ip("10.1.0.100"), ADDR_KIND_VIP, LINK_ANY};
	const struct listener4 listen = {ip("10.1.0.100"), be16_from(80), IPPROTO_TCP, 0, 1};

	(void)state;
	one->name = strdup("web");
	new_two->listen[2] = ep("10.1.0.100:80");
	snapshot_set_service(a, 1, one);
	snapshot_set_service(a, 2, two);
	snapshot_set_addrs4(a, addr_table4_create(&addr, 1));
	snapshot_set_listeners4(a, listener_table4_create(&listen, 1));
	b = snapshot_clone(a, 7);
	snapshot_set_service(b, 2, new_two);
	assert_ptr_equal(b->services[1], a->services[1]);
	assert_ptr_equal(b->addrs4, a->addrs4);
	assert_ptr_equal(a->services[2], two);
	assert_ptr_equal(b->services[2], new_two);
	assert_null(b->services[7]);
	snapshot_destroy(a);
	assert_string_equal(b->services[1]->name, "web");
	assert_int_equal(listener_table4_find(b->listeners4, IPPROTO_TCP, listen.addr, listen.port),
			 1);
	snapshot_destroy(b);
}

/* The references of nodes are counted 64 at a time. */
static void a_change_of_a_clone_leaves_the_neighbours_in_both(void **state)
{
	struct snapshot *a = snapshot_create(130), *b, *c;
	struct service *first[131];

	(void)state;
	for (uint32_t id = 1; id <= 130; id++) {
		first[id] = service_create(0, 0);
		assert_int_equal(snapshot_set_service(a, id, first[id]), 0);
		assert_int_equal(first[id]->refs, 1);
	}
	b = snapshot_clone(a, 200);
	assert_int_equal(first[65]->refs, 1); /* its holder has two references */
	assert_int_equal(snapshot_set_service(b, 65, service_create(1, 0)), 0);
	assert_int_equal(snapshot_set_service(b, 200, service_create(1, 0)), 0);
	assert_int_equal(first[65]->refs, 1);
	assert_int_equal(first[64]->refs, 2);
	assert_int_equal(first[63]->refs, 1);
	c = snapshot_clone(b, 200);
	assert_int_equal(snapshot_set_service(c, 65, NULL), 0);
	snapshot_destroy(b);
	assert_ptr_equal(a->services[65], first[65]);
	assert_null(c->services[65]);
	assert_int_equal(c->services[200]->n_servers, 1);
	snapshot_destroy(a);
	for (uint32_t id = 1; id <= 130; id++)
		if (id != 65)
			assert_int_equal(c->services[id]->refs, 1);
	snapshot_destroy(c);
}

static unsigned int sched_released;

static void count_release(struct service *svc)
{
	assert_non_null(svc);
	sched_released++;
}

static void a_service_node_gives_its_tables_back_with_its_last_holder(void **state)
{
	struct snapshot *a = snapshot_create(1), *b;
	struct service *svc = service_create(0, 0);

	(void)state;
	sched_released = 0;
	svc->sched_release = count_release;
	snapshot_set_service(a, 1, svc);
	b = snapshot_clone(a, 1);
	snapshot_destroy(a);
	assert_int_equal(sched_released, 0);
	snapshot_destroy(b);
	assert_int_equal(sched_released, 1);
}

static void the_same_listener_twice_is_refused(void **state)
{
	const struct listener4 l[] = {
		{ip("10.1.0.100"), be16_from(80), IPPROTO_TCP, 0, 1},
		{ip("10.1.0.100"), be16_from(80), IPPROTO_UDP, 0, 2},
		{ip("10.1.0.100"), be16_from(0), IPPROTO_TCP, 0, 3},
		{ip("10.1.0.100"), be16_from(80), IPPROTO_TCP, 0, 4},
	};
	struct listener_table4 *t = listener_table4_create(l, 3);

	(void)state;
	assert_int_equal(listener_table4_find(t, IPPROTO_TCP, l[0].addr, l[0].port), 1);
	assert_int_equal(listener_table4_find(t, IPPROTO_UDP, l[1].addr, l[1].port), 2);
	assert_int_equal(listener_table4_find(t, IPPROTO_TCP, l[2].addr, 0), 3);
	assert_int_equal(listener_table4_find(t, IPPROTO_UDP, l[2].addr, 0), 0);
	free(t);
	assert_null(listener_table4_create(l, 4));
	assert_int_equal(errno, EEXIST);
}

static void kinds_of_one_address_are_merged(void **state)
{
	const struct addr_entry4 e[] = {
		{ip("10.1.0.1"), ADDR_KIND_VIP, LINK_ANY},
		{ip("10.1.0.2"), ADDR_KIND_NAT_SERVER, LINK_ANY},
		{ip("10.1.0.1"), ADDR_KIND_ACTIVE, 5},
	};
	struct addr_table4 *t = addr_table4_create(e, 3);

	(void)state;
	assert_int_equal(t->n, 2);
	assert_int_equal(t->any, ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_NAT_SERVER);
	assert_int_equal(addr_table4_find(t, e[0].addr)->kinds, ADDR_KIND_VIP | ADDR_KIND_ACTIVE);
	assert_int_equal(addr_table4_find(t, e[0].addr)->link, 5);
	assert_null(addr_table4_find(t, ip("10.1.0.3")));
	free(t);
}

/* All of a subnet and all ports of a VIP: what people configure must not be what the hash
 * is worst at. */
static void neighbours_do_not_pile_up_in_the_tables(void **state)
{
	enum { N = 250 };
	struct addr_entry4 addrs[N];
	struct listener4 listen[N];
	struct addr_table4 *at;
	struct listener_table4 *lt;
	uint32_t run = 0, longest = 0;

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		addrs[i] = (struct addr_entry4){be32_from(0x0a010000 + i), ADDR_KIND_VIP, LINK_ANY};
		listen[i] = (struct listener4){ip("10.1.0.1"), be16_from((uint16_t)(8000 + i)),
					       IPPROTO_TCP, 0, i + 1};
	}
	at = addr_table4_create(addrs, N);
	lt = listener_table4_create(listen, N);
	for (uint32_t i = 0; i <= at->mask; i++) {
		run = at->slots[i].kinds ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (uint32_t i = run = 0; i <= lt->mask; i++) {
		run = lt->slots[i].proto ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	assert_in_range(longest, 1, 40);
	free(at);
	free(lt);
}

/* --- run-time state ----------------------------------------------------------------- */

static void a_removed_server_revives_with_its_counts(void **state)
{
	struct test_grace g;
	struct runtime rt;
	struct service_rt *svc;
	struct server_rt *srv;
	struct endpoint e = ep("10.10.0.1:80");

	(void)state;
	test_grace_init(&g);
	assert_int_equal(runtime_init(&rt), 0);
	svc = runtime_service_get(&rt, "tcp:10.1.0.100:80");
	srv = runtime_server_get(&rt, svc, &e);
	counts_bind(srv, true);
	runtime_server_remove(&rt, srv, &g.grace);
	g.passed = 100;
	/* A connection names it: it waits. */
	assert_int_equal(runtime_reap(&rt, &g.grace), 1);
	assert_ptr_equal(runtime_server(&rt, srv->id), srv);
	assert_ptr_equal(runtime_server_get(&rt, svc, &e), srv);
	assert_int_equal(srv->removed, 0);
	assert_int_equal(counts_active(server_rt_counts(srv)), 1);
	assert_int_equal(runtime_reap(&rt, &g.grace), 0);
	assert_ptr_equal(runtime_server_find(&rt, svc, &e), srv);
	runtime_fini(&rt);
}

static void ids_are_not_used_again_while_somebody_may_name_them(void **state)
{
	struct test_grace g;
	struct runtime rt;
	struct service_rt *svc;
	struct server_rt *srv;
	struct endpoint e = ep("10.10.0.1:80");
	uint32_t srv_id, svc_id;

	(void)state;
	test_grace_init(&g);
	assert_int_equal(runtime_init(&rt), 0);
	svc = runtime_service_get(&rt, "tcp:10.1.0.100:80");
	srv = runtime_server_get(&rt, svc, &e);
	srv_id = srv->id;
	svc_id = svc->id;
	counts_bind(srv, false);
	runtime_server_remove(&rt, srv, &g.grace);
	runtime_service_remove(&rt, svc, &g.grace);
	g.passed = 2;
	/* The connection names the server, the server its service. */
	assert_int_equal(runtime_reap(&rt, &g.grace), 2);
	assert_ptr_equal(runtime_service_find(&rt, "tcp:10.1.0.100:80"), svc);
	counts_unbind(srv, false);
	/* Out of its slot, but its id waits for another grace period. */
	assert_int_equal(runtime_reap(&rt, &g.grace), 2);
	assert_null(runtime_server(&rt, srv_id));
	rt.server_hint = srv_id - 1;
	assert_int_not_equal(runtime_server_get(&rt, svc, &e)->id, srv_id);
	runtime_server_remove(&rt, runtime_server_find(&rt, svc, &e), &g.grace);
	for (unsigned int i = 0; i < 8; i++) {
		g.passed = g.started;
		runtime_reap(&rt, &g.grace);
	}
	assert_int_equal(rt.n_leavers, 0);
	assert_int_equal(rt.n_servers, 0);
	assert_int_equal(rt.n_services, 0);
	rt.service_hint = svc_id - 1;
	svc = runtime_service_get(&rt, "udp:10.1.0.100:53");
	assert_int_equal(svc->id, svc_id);
	rt.server_hint = srv_id - 1;
	assert_int_equal(runtime_server_get(&rt, svc, &e)->id, srv_id);
	runtime_fini(&rt);
}

static void the_registry_finds_everything_while_others_come_and_go(void **state)
{
	enum { N = 3000 };
	struct test_grace g;
	struct runtime rt;
	struct service_rt *svc;
	struct endpoint e = ep("10.10.0.1:80");

	(void)state;
	test_grace_init(&g);
	g.passed = UINT64_MAX;
	assert_int_equal(runtime_init(&rt), 0);
	svc = runtime_service_get(&rt, "fwmark:7");
	for (uint32_t i = 0; i < N; i++) {
		e.addr.v4 = be32_from(0x0a000000 + i);
		assert_non_null(runtime_server_get(&rt, svc, &e));
	}
	for (uint32_t i = 0; i < N; i += 3) {
		e.addr.v4 = be32_from(0x0a000000 + i);
		runtime_server_remove(&rt, runtime_server_find(&rt, svc, &e), &g.grace);
	}
	while (runtime_reap(&rt, &g.grace) > 0)
		;
	for (uint32_t i = 0; i < N; i++) {
		e.addr.v4 = be32_from(0x0a000000 + i);
		assert_int_equal(runtime_server_find(&rt, svc, &e) != NULL, i % 3 != 0);
	}
	assert_int_equal(svc->n_server_rt, N - N / 3);
	runtime_fini(&rt);
}

/* Of no registry. */
static struct server_rt rt_alone(void)
{
	static uint64_t slots[2 * COUNT_ROW];

	slots[1] = slots[COUNT_ROW + 1] = 0;
	return (struct server_rt){.slots = &slots[1], .id = 1, .n_rows = 1};
}

static void the_overload_flag_has_hysteresis(void **state)
{
	struct server_rt rt = rt_alone();

	(void)state;
	/* With a lower threshold: until the sum is below it. */
	server_rt_set_thresholds(&rt, 4, 2);
	for (int i = 0; i < 3; i++)
		counts_bind(&rt, i % 2);
	assert_false(server_rt_overloaded(&rt));
	counts_bind(&rt, true);
	assert_true(server_rt_overloaded(&rt));
	counts_unbind(&rt, true);
	counts_unbind(&rt, true);
	assert_true(server_rt_overloaded(&rt));
	counts_unbind(&rt, false);
	assert_false(server_rt_overloaded(&rt));
	/* Without one: until the sum is below three quarters of the upper one. */
	server_rt_set_thresholds(&rt, 4, 0);
	for (int i = 0; i < 3; i++)
		counts_bind(&rt, true);
	assert_true(server_rt_overloaded(&rt));
	counts_unbind(&rt, true);
	assert_true(server_rt_overloaded(&rt));
	counts_unbind(&rt, true);
	assert_false(server_rt_overloaded(&rt));
}

#define SHARERS 20
#define BINDS	1000000

struct sharer {
	struct server_rt *rt;
	uint32_t worker;
};

static void *sharer_run(void *arg)
{
	const struct sharer *s = arg;

	for (uint32_t i = 0; i < BINDS; i++) {
		counts_bind_of(s->rt, s->worker, i % 2);
		if (i % 4 == 0)
			counts_unbind_of(s->rt, s->worker, false);
	}
	return NULL;
}

/* More workers than rows: several add to one row, and nothing is lost. */
static void workers_that_share_a_row_lose_no_count(void **state)
{
	struct endpoint e = ep("10.10.0.1:80");
	struct sharer sharers[SHARERS];
	pthread_t threads[SHARERS];
	struct runtime rt;
	struct server_rt *srv;

	(void)state;
	assert_int_equal(runtime_init(&rt), 0);
	assert_int_equal(runtime_set_workers(&rt, SHARERS), 0);
	srv = runtime_server_get(&rt, runtime_service_get(&rt, "tcp:10.1.0.100:80"), &e);
	assert_non_null(srv);
	assert_int_equal(srv->n_rows, COUNT_ROWS_MAX);
	for (uint32_t i = 0; i < SHARERS; i++) {
		sharers[i] = (struct sharer){srv, i};
		assert_int_equal(pthread_create(&threads[i], NULL, sharer_run, &sharers[i]), 0);
	}
	for (uint32_t i = 0; i < SHARERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counts_active(server_rt_counts(srv)), SHARERS * BINDS / 2);
	assert_int_equal(counts_inactive(server_rt_counts(srv)), SHARERS * BINDS / 4);
	runtime_fini(&rt);
}

/* A server whose last connections left while another worker was setting the flag would get
 * no more connections, and nobody would clear it. */
static void an_idle_server_is_never_left_overloaded(void **state)
{
	struct server_rt rt = rt_alone();

	(void)state;
	server_rt_set_thresholds(&rt, 2, 0);
	server_rt_overload(&rt, 2); /* both are gone by now */
	assert_false(server_rt_overloaded(&rt));
	counts_set(&rt, 2 * SERVER_COUNT_INACTIVE); /* both have changed class only */
	server_rt_overload(&rt, 2);
	assert_true(server_rt_overloaded(&rt));
}

static void only_a_higher_or_no_upper_threshold_clears_the_flag(void **state)
{
	struct server_rt rt = rt_alone();

	(void)state;
	server_rt_set_thresholds(&rt, 1, 0);
	counts_bind(&rt, true);
	assert_true(server_rt_overloaded(&rt));
	server_rt_set_thresholds(&rt, 1, 1);
	assert_true(server_rt_overloaded(&rt));
	server_rt_set_thresholds(&rt, 2, 0);
	assert_false(server_rt_overloaded(&rt));
	counts_bind(&rt, true);
	assert_true(server_rt_overloaded(&rt));
	server_rt_set_thresholds(&rt, 0, 0);
	assert_false(server_rt_overloaded(&rt));
}

static void a_change_of_class_keeps_the_sum(void **state)
{
	struct server_rt rt = rt_alone();

	(void)state;
	counts_bind(&rt, false);
	counts_bind(&rt, false);
	counts_change(&rt, true);
	assert_int_equal(counts_active(server_rt_counts(&rt)), 1);
	assert_int_equal(counts_inactive(server_rt_counts(&rt)), 1);
	counts_change(&rt, false);
	assert_int_equal(counts_active(server_rt_counts(&rt)), 0);
	assert_int_equal(counts_inactive(server_rt_counts(&rt)), 2);
}

static void a_service_key_says_protocol_and_address_or_mark(void **state)
{
	struct endpoint e = ep("10.1.0.100:80");
	char buf[96];

	(void)state;
	assert_string_equal(service_key_format(IPPROTO_TCP, &e, 0, 0, buf, sizeof(buf)),
			    "tcp:10.1.0.100:80");
	assert_string_equal(service_key_format(IPPROTO_UDP, &e, 0, 0, buf, sizeof(buf)),
			    "udp:10.1.0.100:80");
	assert_string_equal(service_key_format(0, NULL, 7, ADDR_V4, buf, sizeof(buf)), "fwmark:7");
	assert_string_equal(service_key_format(0, NULL, 7, ADDR_V6, buf, sizeof(buf)),
			    "fwmark:7/ipv6");
	e = ep("[2001:db8::1]:53");
	assert_string_equal(service_key_format(IPPROTO_UDP, &e, 0, 0, buf, sizeof(buf)),
			    "udp:[2001:db8::1]:53");
}

static void a_service_key_is_read_as_it_is_written(void **state)
{
	static const char *const good[] = {"tcp:10.1.0.100:80", "udp:[2001:db8::1]:53", "fwmark:7",
					   "fwmark:4294967295/ipv6"};
	static const char *const bad[] = {
		"",	     "fwmark:",	       "fwmark:0",  "fwmark:07",    "fwmark:4294967296",
		"fwmark:7/", "fwmark:7/ipv4x", "fwmark:7 ", "tcp:10.1.0.1", "sctp:10.1.0.1:80",
		"tcp:::1:80"};
	uint8_t proto = 99, family = 99;
	struct endpoint e = {0};
	uint32_t mark = 99;
	char buf[96];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(service_key_parse(good[i], &proto, &e, &mark, &family), 0);
		service_key_format(proto, &e, mark, family, buf, sizeof(buf));
		assert_string_equal(buf, good[i]);
	}
	assert_int_equal(family, ADDR_V6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(service_key_parse(bad[i], &proto, &e, &mark, &family), -EINVAL);
	assert_int_equal(mark, 4294967295U);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(of_equal_prefixes_the_lowest_metric_wins),
		cmocka_unit_test(only_the_routers_own_hosts_are_local),
		cmocka_unit_test(a_fib_finds_every_one_of_many_routes),
		cmocka_unit_test(a_link_is_known_once_it_is_set),
		cmocka_unit_test(next_hops_are_found_replaced_and_unlinked),
		cmocka_unit_test(a_full_next_hop_table_says_so),
		cmocka_unit_test(next_hop_slots_are_used_again_after_much_churn),
		cmocka_unit_test(a_slot_that_changed_hands_between_two_looks_is_no_match),
		cmocka_unit_test(retired_objects_are_freed_only_after_their_grace_period),
		cmocka_unit_test(a_clone_shares_everything_but_what_is_replaced),
		cmocka_unit_test(a_change_of_a_clone_leaves_the_neighbours_in_both),
		cmocka_unit_test(a_service_node_gives_its_tables_back_with_its_last_holder),
		cmocka_unit_test(the_same_listener_twice_is_refused),
		cmocka_unit_test(kinds_of_one_address_are_merged),
		cmocka_unit_test(neighbours_do_not_pile_up_in_the_tables),
		cmocka_unit_test(a_removed_server_revives_with_its_counts),
		cmocka_unit_test(ids_are_not_used_again_while_somebody_may_name_them),
		cmocka_unit_test(the_registry_finds_everything_while_others_come_and_go),
		cmocka_unit_test(the_overload_flag_has_hysteresis),
		cmocka_unit_test(workers_that_share_a_row_lose_no_count),
		cmocka_unit_test(an_idle_server_is_never_left_overloaded),
		cmocka_unit_test(only_a_higher_or_no_upper_threshold_clears_the_flag),
		cmocka_unit_test(a_change_of_class_keeps_the_sum),
		cmocka_unit_test(a_service_key_says_protocol_and_address_or_mark),
		cmocka_unit_test(a_service_key_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
