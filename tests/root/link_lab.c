/* SPDX-License-Identifier: BSD-3-Clause */
#include "root/link_lab.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#define MAC_PUBLIC                                                                                 \
	{                                                                                          \
		{                                                                                  \
			0x02, 0, 0, 0, 0, 0x01                                                     \
		}                                                                                  \
	}
#define MAC_PRIVATE                                                                                \
	{                                                                                          \
		{                                                                                  \
			0x02, 0, 0, 0, 0, 0x02                                                     \
		}                                                                                  \
	}

struct exchange exchange;
struct published published;
struct link *side;
uint32_t mtu_answer;
uint32_t mtu_asked;
uint32_t callback_hold;
uint32_t carrier_edges;
static pthread_t wire;

static uint64_t grace_start(void *arg)
{
	(void)arg;
	return 0;
}

static bool grace_passed(void *arg, uint64_t token)
{
	(void)arg;
	(void)token;
	return true;
}

/* The text with each address, and the length behind it, as the family has them. */
const char *of_family(const char *text, char *out, size_t room)
{
	size_t n = 0;

	while (*text && n + ADDR_STRLEN < room) {
		size_t len = strspn(text, "0123456789.");
		char quad[16] = "", *end;
		struct addr a;

		if (len && len < sizeof(quad))
			memcpy(quad, text, len);
		if (len && quad[len - 1] == '.')
			quad[--len] = '\0';
		if (family == ADDR_V4 || !len || addr_parse(quad, &a) < 0) {
			len = len ? len : 1;
			memcpy(out + n, text, len);
			n += len;
			text += len;
			continue;
		}
		a = ip(quad);
		addr_format(&a, out + n, room - n);
		n += strlen(out + n);
		text += len;
		if (*text == '/') {
			n += (size_t)sprintf(out + n, "/%u",
					     bits((uint8_t)strtoul(text + 1, &end, 10)));
			text = end;
		}
	}
	out[n] = '\0';
	return out;
}

bool run_ok(const char *command)
{
	char text[2048];

	return system(of_family(command, text, sizeof(text))) == 0;
}

void run(const char *command)
{
	char text[2048];
	int ret = system(of_family(command, text, sizeof(text)));

	if (ret != 0)
		fail_msg("\"%s\" ended with %d", text, ret);
}

double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct net_addr ifaddr(const char *text)
{
	struct net_addr a;
	char of[128];

	assert_int_equal(addr_with_len_parse(of_family(text, of, sizeof(of)), &a.addr, &a.len), 0);
	return a;
}

static int mtu_changed(void *arg, uint16_t port, uint16_t mtu)
{
	(void)arg;
	(void)port;
	__atomic_store_n(&mtu_asked, mtu, __ATOMIC_RELEASE);
	while (__atomic_load_n(&callback_hold, __ATOMIC_ACQUIRE))
		usleep(1000);
	return -(int)__atomic_load_n(&mtu_answer, __ATOMIC_RELAXED);
}

static void carrier_changed(void *arg, uint16_t port, bool up)
{
	(void)arg;
	(void)port;
	(void)up;
	__atomic_fetch_add(&carrier_edges, 1, __ATOMIC_RELAXED);
}

bool link_is_up = true;
bool vlan_there[N_PORTS][MAX_VLAN + 1];

static void vlan_changed(void *arg, uint16_t port, uint16_t vlan, bool there)
{
	(void)arg;
	assert_true(port < N_PORTS && vlan > 0 && vlan <= MAX_VLAN);
	__atomic_store_n(&vlan_there[port][vlan], there, __ATOMIC_RELEASE);
}

bool vlan_is(uint16_t port, uint16_t vlan, bool there)
{
	return __atomic_load_n(&vlan_there[port][vlan], __ATOMIC_ACQUIRE) == there;
}

bool port_up(void *arg, uint16_t port)
{
	(void)arg;
	(void)port;
	return __atomic_load_n(&link_is_up, __ATOMIC_ACQUIRE);
}

static struct net_addr addr_public, addr_private, addr_vlan;
static struct net_route route_default;
static struct link_vlan_config vlan_config;

/* Two ports: public 192.0.2.10/24 with a default route, private 10.10.0.2/16 with VLAN 10. */
struct link_config config_make(void)
{
	struct link_config c = {.n_ports = N_PORTS};
	char text[128];

	addr_public = ifaddr("192.0.2.10/24");
	addr_private = ifaddr("10.10.0.2/16");
	addr_vlan = ifaddr("10.20.0.2/24");
	route_default = (struct net_route){0};
	assert_int_equal(addr_parse(of_family("192.0.2.1", text, sizeof(text)), &route_default.via),
			 0);
	route_default.dest.addr.family = route_default.via.family;
	vlan_config = (struct link_vlan_config){.id = 10, .linux_side = {&addr_vlan, NULL, 1, 0}};
	c.ports[0] = (struct link_port_config){.name = "public",
					       .tap = "public",
					       .mac = MAC_PUBLIC,
					       .mtu = 1500,
					       .carrier = true,
					       .linux_side = {&addr_public, &route_default, 1, 1}};
	c.ports[1] = (struct link_port_config){.name = "private",
					       .tap = "private",
					       .mac = MAC_PRIVATE,
					       .mtu = 1500,
					       .carrier = true,
					       .linux_side = {&addr_private, NULL, 1, 0},
					       .vlans = &vlan_config,
					       .n_vlans = 1};
	c.callbacks.mtu_changed = mtu_changed;
	c.callbacks.carrier_changed = carrier_changed;
	c.callbacks.vlan_changed = vlan_changed;
	return c;
}

void side_start(const struct link_config *c)
{
	char error[ERROR_TEXT] = "";

	if (link_create(c, &published, &exchange, &side, error) < 0 || link_start(side, error) < 0)
		fail_msg("%s", error);
}

void side_end(void)
{
	link_stop(side);
	link_destroy(side);
	side = NULL;
	nexthop_table_fini(&published.nexthops);
	assert_int_equal(nexthop_table_init(&published.nexthops, 1024), 0);
}

int each_start(void **state)
{
	const struct link_config c = config_make();

	(void)state;
	hosts_forget();
	mtu_answer = 0;
	/* Of a test that failed. */
	run("for i in public private wire0; do ip link del $i 2>/dev/null; done; true");
	side_start(&c);
	return 0;
}

int each_end(void **state)
{
	(void)state;
	if (side)
		side_end();
	return 0;
}

/* The route that workers find, or NULL. */
const struct link_fib_route *route_to(const char *dest)
{
	static struct link_fib_route out;
	const struct addr a = ip(dest);
	const struct route4 *r4;
	const struct route6 *r6;

	link_sync(side);
	r4 = family == ADDR_V4 ? fib4_find(published.fib->v4, a.v4) : NULL;
	r6 = family == ADDR_V6 ? fib6_find(published.fib->v6, addr6_of(&a)) : NULL;
	if (!r4 && !r6)
		return NULL;
	if (r4)
		out = (struct link_fib_route){.dest.len = r4->len,
					      .via = addr_from_v4(r4->via),
					      .source = addr_from_v4(r4->source),
					      .link = r4->link,
					      .mtu = r4->mtu,
					      .kind = r4->kind};
	else
		out = (struct link_fib_route){.dest.len = r6->len,
					      .via = addr_from_addr6(r6->via),
					      .source = addr_from_addr6(r6->source),
					      .link = r6->link,
					      .mtu = r6->mtu,
					      .kind = r6->kind};
	return &out;
}

bool is_local(const char *text)
{
	const struct addr a = ip(text);

	return family == ADDR_V6 ? fib6_find_local(published.fib->v6, addr6_of(&a)) != NULL
				 : fib4_find_local(published.fib->v4, a.v4) != NULL;
}

const struct nexthop *hop_of(link_id link, const char *text)
{
	const struct addr a = ip(text);
	uint32_t id = family == ADDR_V6 ? nexthop_find6(&published.nexthops, link, addr6_of(&a))
					: nexthop_find4(&published.nexthops, link, a.v4);

	return id ? nexthop_by_id(&published.nexthops, id) : NULL;
}

bool hop_is(link_id link, const char *text, enum nexthop_state state, const struct mac *mac)
{
	const struct nexthop *nh = hop_of(link, text);

	return nh && nh->state == state && (!mac || memcmp(nh->l2, mac, 6) == 0);
}

void want(link_id link, const char *text)
{
	const struct link_want w = {link, ip(text)};

	assert_int_equal(link_want_nexthops(side, &w, 1), 0);
}

void resolve(link_id link, const char *text)
{
	struct resolve_request req = {link, ip(text)};
	uint64_t one = 1;

	assert_int_equal(rte_ring_sp_enqueue_elem(exchange.worker[0].resolve, &req, sizeof(req)),
			 0);
	assert_int_equal(write(exchange.link_eventfd, &one, sizeof(one)), sizeof(one));
}

static void rings_make(void)
{
	struct worker_exchange *x = &exchange.worker[0];
	char name[32];

	exchange.n_workers = 1;
	exchange.link_eventfd = eventfd(0, EFD_NONBLOCK);
	if (wake_init(&x->wake) != 0)
		abort();
	for (unsigned int i = 0; i < PUNT_MAX; i++) {
		snprintf(name, sizeof(name), "punt%u", i);
		x->punt[i] =
			rte_ring_create(name, PUNT_RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	}
	x->inject = rte_ring_create("inject", INJECT_RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	x->inject_first =
		rte_ring_create("first", INJECT_FIRST_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	x->resolve = rte_ring_create_elem("resolve", sizeof(struct resolve_request),
					  RESOLVE_RING_SIZE, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	exchange.pool[0] = rte_pktmbuf_pool_create_by_ops(
		"frames", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0, "ring_mt_rts");
	exchange.pool[1] = exchange.pool[0];
	if (!x->inject || !x->inject_first || !x->resolve || !exchange.pool[0])
		abort();
}

int each_start6(void **state)
{
	family = ADDR_V6;
	return each_start(state);
}

int each_end6(void **state)
{
	const int ret = each_end(state);

	family = ADDR_V4;
	return ret;
}

int link_lab_run(int argc, char **argv, const struct CMUnitTest *tests, size_t n)
{
	char prefix[64];
	char *eal[] = {argv[0],
		       (char *)"--no-huge",
		       (char *)"-m",
		       (char *)"128",
		       (char *)"--no-pci",
		       (char *)"--no-shconf",
		       (char *)"--no-telemetry",
		       (char *)"--lcores",
		       (char *)"0@0",
		       prefix,
		       (char *)"--log-level=4"};
	unsigned int in_use;
	int ret;

	if (unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0) {
		fprintf(stderr, "skipped: needs CAP_NET_ADMIN and /dev/net/tun\n");
		return 77;
	}
	snprintf(prefix, sizeof(prefix), "--file-prefix=plvs-link-test-%d", getpid());
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	rings_make();
	published.grace = (struct grace){grace_start, grace_passed, NULL};
	if (nexthop_table_init(&published.nexthops, 1024) < 0)
		return 1;
	if (pthread_create(&wire, NULL, wire_main, NULL) != 0)
		return 1;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	ret = _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
	__atomic_store_n(&wire_stop, 1, __ATOMIC_RELEASE);
	pthread_join(wire, NULL);
	if (wire_lost) {
		fprintf(stderr, "%u times a frame of Linux woke nobody\n", wire_lost);
		ret = 1;
	}
	/* Every frame came back to its pool. */
	for (struct rte_mbuf *m;
	     rte_ring_sc_dequeue_burst(exchange.worker[0].inject, (void **)&m, 1, NULL);)
		rte_pktmbuf_free(m);
	for (struct rte_mbuf *m;
	     rte_ring_sc_dequeue_burst(exchange.worker[0].inject_first, (void **)&m, 1, NULL);)
		rte_pktmbuf_free(m);
	for (unsigned int i = 0; i < PUNT_MAX; i++)
		for (struct rte_mbuf *m;
		     rte_ring_sc_dequeue_burst(exchange.worker[0].punt[i], (void **)&m, 1, NULL);)
			rte_pktmbuf_free(m);
	in_use = rte_mempool_in_use_count(exchange.pool[0]);
	if (in_use) {
		fprintf(stderr, "%u packet buffers leaked\n", in_use);
		ret = 1;
	}
	rte_eal_cleanup();
	return ret != 0;
}
