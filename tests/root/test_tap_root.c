/* SPDX-License-Identifier: BSD-3-Clause */
/* TAPs that are full, exist already, disappear or come up elsewhere; carrier, MTU; what is refused.
 */
#include "root/link_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/log.h"
#include "link/nlreq.h"

static void ten_thousand_vips_are_set_while_pings_go_on(void **state)
{
	enum { N = 10000 };
	struct link_address *list = calloc(N, sizeof(*list));
	double start = now_s();

	(void)state;
	host_add("192.0.2.1", 1, 0, 0, true);
	for (uint32_t i = 0; i < N; i++)
		list[i] = (struct link_address){addr_from_v4(be32_from(0x0b000000U + i)), 32,
						LINK_ADDRESS_VIP, true, link_id_of(0, 0)};
	assert_int_equal(link_set_addresses(side, list, N), 0);
	run("ping -q -c 20 -i 0.02 -w 5 192.0.2.1 >/dev/null");
	assert_true(WITHIN(30, fib4_find_local(published.fib->v4, list[N - 1].addr.v4)));
	link_sync(side);
	for (uint32_t i = 0; i < N; i++)
		assert_non_null(fib4_find_local(published.fib->v4, list[i].addr.v4));
	print_message("10000 VIPs in %.2f s, %lu fibs\n", now_s() - start,
		      link_counters(side)->fibs_published);
	free(list);
}

static void an_urgent_frame_passes_a_tap_that_is_full(void **state)
{
	enum { BULK = 4000, URGENT = 20 }; /* a TAP's queue holds 1000 */
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = ip("192.0.2.1").v4};
	int bulk = socket(AF_INET, SOCK_DGRAM, 0), urgent = socket(AF_INET, SOCK_DGRAM, 0);
	int priority = 7;

	(void)state;
	host_add("192.0.2.1", 1, 0, 0, true);
	run("ping -q -c 1 -w 20 192.0.2.1 >/dev/null"); /* the neighbour is known */
	assert_int_equal(setsockopt(urgent, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)),
			 0);
	bulk_seen = urgent_seen = 0;
	/* The link thread reads nothing meanwhile. */
	__atomic_store_n(&callback_hold, 1, __ATOMIC_RELEASE);
	run("ip link set public mtu 1450");
	assert_true(WITHIN(5, mtu_asked == 1450));
	for (unsigned int i = 0; i < BULK; i++)
		(void)!sendto(bulk, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	for (unsigned int i = 0; i < URGENT; i++)
		(void)!sendto(urgent, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	__atomic_store_n(&callback_hold, 0, __ATOMIC_RELEASE);
	assert_true(WITHIN(10, __atomic_load_n(&urgent_seen, __ATOMIC_RELAXED) == URGENT));
	assert_true(WITHIN(10, __atomic_load_n(&bulk_seen, __ATOMIC_RELAXED) > 0));
	assert_true(bulk_seen < BULK); /* it was full indeed */
	close(bulk);
	close(urgent);
}

static void a_tap_that_exists_is_left_as_it_is_but_for_left_over_vips(void **state)
{
	struct link_config c = config_make();
	struct link_address list[] = {
		{ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, false, LINK_ANY},
		{ip("192.0.2.82"), 0, LINK_ADDRESS_VIP, true, LINK_ANY},
	};
	const struct addr marked = ip("192.0.2.99");
	struct nlreq req;
	struct nl_link k;

	(void)state;
	side_end();
	/* As a crash leaves it: a VIP of the configuration, and one that only the mark tells. */
	run("ip tuntap add mode tap name public && ip link set public up && "
	    "ip addr add 198.51.100.7/24 dev public && ip addr add 192.0.2.80/32 dev public && "
	    "true");
	/* Older "ip" cannot set the mark. */
	assert_int_equal(nlreq_open(&req), 0);
	assert_int_equal(nlreq_link_get(&req, "public", &k), 0);
	assert_int_equal(nlreq_addr_add(&req, k.ifindex, &marked, bits(32), 0x70), 0);
	nlreq_close(&req);
	c.addresses = list;
	c.n_addresses = 2;
	side_start(&c);
	run("ip addr show dev public | grep -q 198.51.100.7/24");
	run("! ip addr show dev public | grep -qE '192.0.2.10/|192.0.2.80|192.0.2.99'");
	run("ip addr show dev public | grep -q 192.0.2.82/32");
	run("ip link show public | grep -q LOWER_UP");
	side_end();
	run("ip addr show dev public | grep -q 198.51.100.7/24");
	run("! ip addr show dev public | grep -q 192.0.2.82");
	run("! ip link show private 2>/dev/null");
	run("ip link del public");
}

static void a_tap_that_disappears_comes_back_with_what_was_configured(void **state)
{
	struct host *h = host_add("192.0.2.1", 1, 0, 0, true);
	struct link_address vip = {ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, true, 0};

	(void)state;
	link_set_addresses(side, &vip, 1);
	want(LINK_ANY, "192.0.2.1");
	assert_true(WITHIN(3, hop_is(0, "192.0.2.1", NEXTHOP_REACHABLE, &h->mac)));
	run("ip link del public");
	assert_true(WITHIN(2, link_port_counters(side, 0)->tap_lost == 1));
	assert_true(
		WITHIN(4, run_ok("ip addr show dev public 2>/dev/null | grep -q 192.0.2.80/32")));
	run("{ ip route; ip -6 route; } | grep -q 'default via 192.0.2.1'");
	run("ping -q -c 2 -i 0.05 -W 2 192.0.2.1 >/dev/null");
	assert_true(WITHIN(4, hop_is(0, "192.0.2.1", NEXTHOP_REACHABLE, &h->mac)));
	assert_int_equal(link_port_counters(side, 0)->tap_lost, 1);
}

static void an_mtu_goes_to_the_port_or_is_set_back(void **state)
{
	(void)state;
	run("ip link set public mtu 1400");
	assert_true(WITHIN(2, mtu_asked == 1400));
	link_sync(side);
	assert_int_equal(route_to("8.8.8.8")->mtu, 1400);
	mtu_answer = EINVAL;
	run("ip link set public mtu 9000");
	assert_true(WITHIN(2, mtu_asked == 9000));
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q 'mtu 1400'")));
	run("ip link set public address 02:00:00:00:00:99");
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q 02:00:00:00:00:01")));
}

static void lost_events_are_made_up_by_reading_everything(void **state)
{
	enum { N = 60000 };
	char path[64], command[128], text[256];
	FILE *batch;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/plvs-link-test.%d", getpid());
	batch = fopen(path, "w");
	assert_non_null(batch);
	for (unsigned int i = 0; i < N; i++) {
		snprintf(command, sizeof(command), "route add 20.%u.%u.%u/32 via 192.0.2.1\n",
			 i >> 16 & 255, i >> 8 & 255, i & 255);
		fputs(of_family(command, text, sizeof(text)), batch);
	}
	fclose(batch);
	__atomic_store_n(&callback_hold, 1, __ATOMIC_RELEASE);
	run("ip link set public mtu 1450");
	assert_true(WITHIN(2, mtu_asked == 1450));
	snprintf(command, sizeof(command), "ip -batch %s", path);
	run(command);
	unlink(path);
	__atomic_store_n(&callback_hold, 0, __ATOMIC_RELEASE);
	assert_true(WITHIN(20, link_counters(side)->netlink_overruns > 0));
	link_sync(side);
	assert_int_equal(route_to("20.0.234.95")->dest.len, bits(32));
	assert_int_equal(route_to("20.0.0.0")->dest.len, bits(32));
	assert_true(link_counters(side)->routes >= N);
	/* And it follows from there. */
	run("ip route del 20.0.0.0/32");
	assert_int_equal(route_to("20.0.0.0")->dest.len, bits(0));
}

static void carrier_follows_the_interface_under_the_port(void **state)
{
	struct link_config c = config_make();

	(void)state;
	side_end();
	run("ip link add wire0 type veth peer name wire1 && ip link set wire0 up");
	strcpy(c.ports[0].kernel_if, "wire0");
	side_start(&c);
	run("ip link show public | grep -q NO-CARRIER");
	carrier_edges = 0;
	run("ip link set wire1 up");
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q LOWER_UP")));
	link_set_carrier(side, 0, false); /* not for this port */
	link_set_carrier(side, 1, false);
	link_sync(side);
	run("ip link show public | grep -q LOWER_UP");
	run("ip link show private | grep -q NO-CARRIER");
	run("ip link del wire0");
	assert_true(WITHIN(2, run_ok("ip link show public | grep -q NO-CARRIER")));
	assert_int_equal(carrier_edges, 3);
}

/* No interrupt, no word to the eventfd: the device alone says that its link went. */
static void a_link_that_goes_without_a_word_is_seen_within_a_second(void **state)
{
	struct link_config c = config_make();

	(void)state;
	side_end();
	link_is_up = true;
	c.callbacks.port_up = port_up;
	side_start(&c);
	run("ip link show public | grep -q LOWER_UP");
	__atomic_store_n(&link_is_up, false, __ATOMIC_RELEASE);
	assert_true(WITHIN(1, run_ok("ip link show public | grep -q NO-CARRIER")));
	__atomic_store_n(&link_is_up, true, __ATOMIC_RELEASE);
	assert_true(WITHIN(1, run_ok("ip link show public | grep -q LOWER_UP")));
}

static void the_port_is_told_of_vlans_of_the_configuration_before_it_starts(void **state)
{
	struct link_config c = config_make();

	(void)state;
	side_end();
	memset(vlan_there, 0, sizeof(vlan_there));
	side_start(&c);
	/* link_start() has returned: ports start now. */
	assert_true(vlan_is(1, 10, true));
	assert_true(vlan_is(0, 10, false));
}

static void *hold_namespace(void *arg)
{
	if (unshare(CLONE_NEWNET) < 0)
		abort();
	__atomic_store_n((int *)arg, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static void taps_live_in_the_namespace_that_is_named(void **state)
{
	struct link_config c = config_make();
	char command[512];
	pthread_t holder;
	int tid = 0;

	(void)state;
	side_end();
	assert_int_equal(pthread_create(&holder, NULL, hold_namespace, &tid), 0);
	assert_true(WITHIN(2, __atomic_load_n(&tid, __ATOMIC_ACQUIRE) != 0));
	snprintf(c.netns, sizeof(c.netns), "/proc/%d/task/%d/ns/net", getpid(), tid);
	side_start(&c);
	host_add("192.0.2.1", 1, 0, 0, true);
	run("! ip link show public 2>/dev/null");
	snprintf(command, sizeof(command),
		 "nsenter --net=%s sh -c 'ip addr show dev public | grep -q 192.0.2.10/24 && "
		 "grep -qx 1 /proc/sys/net/ipv4/ip_forward && "
		 "ping -q -c 1 -W 2 192.0.2.1 >/dev/null'",
		 c.netns);
	run(command);
	side_end();
	__atomic_store_n(&tid, 0, __ATOMIC_RELEASE);
	pthread_join(holder, NULL);
}

static void what_cannot_be_is_said_with_its_name(void **state)
{
	struct link_config c = config_make();
	char error[ERROR_TEXT] = "";
	struct link *l;

	(void)state;
	side_end();
	strcpy(c.netns, "no-such-namespace");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), 0);
	assert_int_equal(link_start(l, error), -ENOENT);
	assert_non_null(strstr(error, "no-such-namespace"));
	assert_int_equal(link_sync(l), -ESHUTDOWN);
	link_destroy(l);
	c = config_make();
	run("ip link add public type veth peer name other");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), 0);
	assert_true(link_start(l, error) < 0);
	assert_non_null(strstr(error, "TAP public"));
	link_destroy(l);
	run("ip link del public");
	strcpy(c.ports[1].tap, "public");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), -EINVAL);
	strcpy(c.ports[1].tap, "eleven-long");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), -EINVAL);
	c = config_make();
	strcpy(c.ports[0].tap, "../x");
	assert_int_equal(link_create(&c, &published, &exchange, &l, error), -EINVAL);
}

static void frames_for_a_tap_that_is_down_or_no_port_are_counted(void **state)
{
	const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	(void)state;
	run("ip link set public down");
	to_linux(0, PUNT_TRANSIT, frame, sizeof(frame));
	assert_true(WITHIN(2, link_port_counters(side, 0)->tap_down == 1));
	run("ip link set public up");
	to_linux(0, PUNT_TRANSIT, frame, 10);
	assert_true(WITHIN(2, link_port_counters(side, 0)->tap_error == 1));
	struct rte_mbuf *m = rte_pktmbuf_alloc(exchange.pool[0]);
	assert_non_null(rte_pktmbuf_append(m, 60));
	m->port = 9;
	rte_ring_sp_enqueue(exchange.worker[0].punt[PUNT_ARP], m);
	to_linux(0, PUNT_TRANSIT, frame, sizeof(frame));
	assert_true(WITHIN(2, link_counters(side)->unknown_port == 1));
}

static void listings_show_what_there_is(void **state)
{
	struct link_nexthop *hops;
	struct link_neighbour *neighbours;
	const struct addr gateway = ip("192.0.2.1");
	struct link_fib_route *routes;
	uint32_t n;
	bool found = false;

	(void)state;
	host_add("192.0.2.1", 1, 0, 0, true);
	want(LINK_ANY, "8.8.8.8");
	assert_true(WITHIN(3, hop_is(0, "192.0.2.1", NEXTHOP_REACHABLE, NULL)));
	assert_int_equal(link_list_nexthops(side, &hops, &n), 0);
	assert_int_equal(n, 1);
	assert_true(hops[0].wanted);
	assert_ip(hops[0].nh.addr, "192.0.2.1");
	free(hops);
	assert_int_equal(link_list_neighbours(side, &neighbours, &n), 0);
	for (uint32_t i = 0; i < n; i++)
		found |= addr_equal(&neighbours[i].addr, &gateway) && neighbours[i].managed;
	assert_true(found);
	free(neighbours);
	assert_int_equal(link_list_routes(side, &routes, &n), 0);
	assert_true(n >= 4);
	free(routes);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T4(ten_thousand_vips_are_set_while_pings_go_on),
		T4(an_urgent_frame_passes_a_tap_that_is_full),
		T(a_tap_that_exists_is_left_as_it_is_but_for_left_over_vips),
		T(a_tap_that_disappears_comes_back_with_what_was_configured),
		T(an_mtu_goes_to_the_port_or_is_set_back),
		T(lost_events_are_made_up_by_reading_everything),
		T4(carrier_follows_the_interface_under_the_port),
		T4(a_link_that_goes_without_a_word_is_seen_within_a_second),
		T4(the_port_is_told_of_vlans_of_the_configuration_before_it_starts),
		T(taps_live_in_the_namespace_that_is_named),
		T4(what_cannot_be_is_said_with_its_name),
		T4(frames_for_a_tap_that_is_down_or_no_port_are_counted),
		T(listings_show_what_there_is),
	};

	return link_lab_run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
