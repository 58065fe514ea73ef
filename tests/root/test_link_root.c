/* SPDX-License-Identifier: BSD-3-Clause */
/* The Linux side of ports: addresses, routes, next hops, VLANs, VIPs. */
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

static void a_ping_goes_out_of_the_tap_and_comes_back(void **state)
{
	struct host *h = host_add("192.0.2.1", 1, 0, 0, true);

	(void)state;
	/* -w bounds the whole; -c then counts answers: a busy machine may lose a first one. */
	run("ping -q -c 3 -i 0.05 -w 20 192.0.2.1 >/dev/null");
	assert_true(WITHIN(3, h->echoes >= 3));
	/* Larger than one buffer's room: in segments, both ways. */
	run("ip link set public mtu 6000 && ping -q -c 1 -w 20 -s 5000 192.0.2.1 >/dev/null");
	assert_true(WITHIN(3, h->echoes >= 4));
	/* Counted after the write that wakes ping. */
	assert_true(WITHIN(3, link_port_counters(side, 0)->to_tap_bytes > 5000));
}

static void addresses_and_routes_of_the_configuration_are_in_linux_and_in_the_fib(void **state)
{
	const struct link_fib_route *r = route_to("8.8.8.8");

	(void)state;
	assert_non_null(r);
	assert_int_equal(r->kind, ROUTE_GATEWAY);
	assert_ip(r->via, "192.0.2.1");
	assert_ip(r->source, "192.0.2.10");
	assert_int_equal(r->link, link_id_of(0, 0));
	r = route_to("10.10.3.4");
	assert_int_equal(r->kind, ROUTE_ONLINK);
	assert_int_equal(r->link, link_id_of(1, 0));
	assert_ip(r->source, "10.10.0.2");
	r = route_to("10.20.0.9");
	assert_int_equal(r->kind, ROUTE_ONLINK);
	assert_int_equal(r->link, link_id_of(1, 10));
	assert_true(is_local("10.20.0.2"));
	assert_false(is_local("10.20.0.3"));
	assert_string_equal(fib_link(published.fib, link_id_of(1, 10))->name, "private.10");
	assert_true(fib_link(published.fib, link_id_of(1, 10))->up);
	assert_null(fib_link(published.fib, link_id_of(1, 11)));
	run("grep -qx 2 /proc/sys/net/ipv4/conf/private.10/arp_announce");
	run("grep -qx 1 /proc/sys/net/ipv4/conf/public/forwarding");
	run("ip link show public | grep -q 02:00:00:00:00:01");
}

/* Events of Linux's own (an address of IPv6 that became valid) may fall between the two looks. */
static bool is_not_published(const char *command)
{
	bool same = false;

	for (unsigned int i = 0; !same && i < 5; i++) {
		const uint32_t gen = published.resolve_gen;

		run(command);
		link_sync(side);
		same = published.resolve_gen == gen;
	}
	return same;
}

static void routes_that_come_and_go_are_followed(void **state)
{
	uint32_t gen = published.resolve_gen;

	(void)state;
	run("ip route add 10.99.0.0/16 via 10.10.0.9");
	assert_ip(route_to("10.99.1.1")->via, "10.10.0.9");
	assert_true(published.resolve_gen > gen);
	run("ip route replace 10.99.0.0/16 via 10.10.0.8 mtu 1400");
	assert_ip(route_to("10.99.1.1")->via, "10.10.0.8");
	assert_int_equal(route_to("10.99.1.1")->mtu, 1400);
	run("ip route add blackhole 10.99.1.0/24");
	assert_int_equal(route_to("10.99.1.1")->kind, ROUTE_BLOCK);
	run("ip route del blackhole 10.99.1.0/24 && ip route del 10.99.0.0/16");
	assert_ip(route_to("10.99.1.1")->via, "192.0.2.1");
	/* Out of an interface that is not a port's. */
	run("ip link set lo up && ip route add 10.98.0.0/16 dev lo");
	assert_int_equal(route_to("10.98.0.1")->kind, ROUTE_BLOCK);
	run("ip route del 10.98.0.0/16");
	/* Without a word from Linux. */
	run("ip link set public down");
	assert_null(route_to("8.8.8.8"));
	run("ip link set public up && ip route add default via 192.0.2.1");
	assert_int_equal(route_to("8.8.8.8")->kind, ROUTE_GATEWAY);
	assert_true(is_not_published("ip route replace default via 192.0.2.1"));
}

static void a_wanted_server_is_resolved_and_its_new_mac_is_taken_up(void **state)
{
	struct host *h = host_add("10.10.0.11", 0x11, 1, 0, true);
	const uint8_t expected[14] = {0x02,
				      0xaa,
				      0,
				      0,
				      0,
				      0x11,
				      0x02,
				      0,
				      0,
				      0,
				      0,
				      2,
				      family == ADDR_V6 ? 0x86 : 8,
				      family == ADDR_V6 ? 0xdd : 0};
	const struct nexthop *nh;

	(void)state;
	want(LINK_ANY, "10.10.0.11");
	assert_true(WITHIN(3, hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE, NULL)));
	nh = hop_of(link_id_of(1, 0), "10.10.0.11");
	assert_int_equal(nh->l2_len, 14);
	assert_memory_equal(nh->l2, expected, 14);
	assert_int_equal(nh->port, 1);
	assert_int_equal(nh->mtu, 1500);
	run("ip neigh show dev private | grep -q '10.10.0.11.*managed'");
	pthread_mutex_lock(&hosts_lock);
	h->mac.byte[5] = 0x77;
	pthread_mutex_unlock(&hosts_lock);
	/* Linux ignores a second answer within a second of the first. */
	assert_true(
		WITHIN(4, (host_announce(h), usleep(50000),
			   hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE, &h->mac))));
	/* A flush costs nothing: the MAC stays, and Linux is asked to manage it again. */
	run("ip neigh flush dev private");
	assert_true(hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE, &h->mac));
	assert_true(WITHIN(3, run_ok("ip neigh show dev private | grep -q '10.10.0.11.*managed'")));
	/* The administrator's permanent entry wins, and stays. */
	run("ip neigh replace 10.10.0.11 lladdr 02:bb:00:00:00:01 nud permanent dev private");
	assert_true(WITHIN(2, hop_is(link_id_of(1, 0), "10.10.0.11", NEXTHOP_REACHABLE,
				     &(struct mac){{2, 0xbb, 0, 0, 0, 1}})));
}

static void a_server_that_does_not_answer_is_failed_until_it_does(void **state)
{
	struct host *h = host_add("10.10.0.12", 0x12, 1, 0, false);

	(void)state;
	want(link_id_of(1, 0), "10.10.0.12");
	assert_true(WITHIN(2, hop_is(link_id_of(1, 0), "10.10.0.12", NEXTHOP_INCOMPLETE, NULL)));
	assert_true(WITHIN(8, hop_is(link_id_of(1, 0), "10.10.0.12", NEXTHOP_FAILED, NULL)));
	pthread_mutex_lock(&hosts_lock);
	h->answers = true;
	pthread_mutex_unlock(&hosts_lock);
	assert_true(WITHIN(12, hop_is(link_id_of(1, 0), "10.10.0.12", NEXTHOP_REACHABLE, &h->mac)));
}

static void what_a_worker_asks_for_is_resolved_and_nonsense_is_not(void **state)
{
	struct host *h = host_add("192.0.2.1", 1, 0, 0, true);

	(void)state;
	resolve(link_id_of(0, 0), "192.0.2.1");
	resolve(link_id_of(7, 0), "192.0.2.1");
	resolve(link_id_of(0, 99), "192.0.2.1");
	resolve(link_id_of(0, 0), family == ADDR_V6 ? "ff02::1" : "224.0.0.1");
	resolve(link_id_of(0, 0), family == ADDR_V6 ? "::1" : "127.0.0.1");
	resolve(LINK_ANY, "192.0.2.1");
	assert_true(WITHIN(3, hop_is(link_id_of(0, 0), "192.0.2.1", NEXTHOP_REACHABLE, &h->mac)));
	assert_true(WITHIN(2, link_counters(side)->resolve_refused == 5));
	assert_int_equal(published.nexthops.n, 1);
	/* Proven: from now on Linux keeps it. */
	assert_true(WITHIN(3, run_ok("ip neigh show dev public | grep -q '192.0.2.1 .*managed'")));
}

static void a_vlan_interface_of_the_administrator_is_a_link(void **state)
{
	const link_id link = link_id_of(0, 42);
	struct host *h = host_add("172.16.0.1", 0x42, 0, 42, true);
	const struct nexthop *nh;
	const uint8_t tag[6] = {
		0x81, 0, 0, 42, family == ADDR_V6 ? 0x86 : 8, family == ADDR_V6 ? 0xdd : 0};

	(void)state;
	if (!run_ok("ip link add link public name v42 type vlan id 42 2>/dev/null"))
		skip(); /* a kernel without 8021q */
	run("ip link del v42");
	run("ip link add link public name v42 type vlan id 42 && ip link set v42 up && "
	    "ip addr add 172.16.0.2/24 dev v42");
	assert_int_equal(route_to("172.16.0.1")->link, link);
	assert_true(vlan_is(0, 42, true)); /* the port's filter lets the tag through */
	run("ping -q -c 2 -i 0.05 -W 2 172.16.0.1 >/dev/null");
	assert_int_equal(h->echoes, 2);
	resolve(link, "172.16.0.1");
	assert_true(WITHIN(3, hop_is(link, "172.16.0.1", NEXTHOP_REACHABLE, &h->mac)));
	nh = hop_of(link, "172.16.0.1");
	assert_int_equal(nh->l2_len, 18);
	assert_memory_equal(nh->l2 + 12, tag, 6);
	run("ip link set v42 mtu 1400");
	assert_true(WITHIN(2, hop_of(link, "172.16.0.1")->mtu == 1400));
	run("ip link del v42");
	link_sync(side);
	assert_null(fib_link(published.fib, link));
	assert_true(vlan_is(0, 42, false));
	assert_int_equal(hop_of(link, "172.16.0.1")->state, NEXTHOP_FAILED);
}

static void a_vlan_of_the_configuration_works_with_and_without_8021q(void **state)
{
	const link_id link = link_id_of(1, 10);
	struct host *h = host_add("10.20.0.1", 0x42, 1, 10, true);
	const struct nexthop *nh;
	const uint8_t tag[6] = {
		0x81, 0, 0, 10, family == ADDR_V6 ? 0x86 : 8, family == ADDR_V6 ? 0xdd : 0};

	(void)state;
	run("ping -q -c 2 -i 0.05 -W 2 10.20.0.1 >/dev/null");
	assert_int_equal(h->echoes, 2);
	want(LINK_ANY, "10.20.0.1");
	assert_true(WITHIN(3, hop_is(link, "10.20.0.1", NEXTHOP_REACHABLE, &h->mac)));
	nh = hop_of(link, "10.20.0.1");
	assert_int_equal(nh->l2_len, 18);
	assert_memory_equal(nh->l2 + 12, tag, 6);
	run("ip link set private.10 mtu 1400");
	assert_true(WITHIN(2, hop_of(link, "10.20.0.1")->mtu == 1400));
	/* The whole port goes and comes back. */
	run("ip link del private");
	assert_true(
		WITHIN(4, run_ok("ip addr show dev private 2>/dev/null | grep -q 10.10.0.2/16")));
	assert_true(WITHIN(4, run_ok("ping -q -c 1 -W 1 10.20.0.1 >/dev/null 2>&1")));
	run("ip link del private.10");
	link_sync(side);
}

static void active_vips_are_addresses_of_the_tap_and_leave_when_they_are_not(void **state)
{
	struct link_address list[] = {
		{ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, true, LINK_ANY},
		{ip("10.10.255.254"), bits(16), LINK_ADDRESS_GATEWAY, true, link_id_of(1, 0)},
		{ip("192.0.2.81"), 0, LINK_ADDRESS_VIP, false, link_id_of(0, 0)},
	};

	(void)state;
	link_set_addresses(side, list, 3);
	link_sync(side);
	run("ip addr show dev public | grep -q '192.0.2.80/32'");
	run("ip addr show dev private | grep -q '10.10.255.254/16'");
	run("! ip addr show | grep -q 192.0.2.81");
	assert_true(is_local("192.0.2.80"));
	/* Its own address stays the source, not the one that moves. */
	assert_ip(route_to("10.10.7.7")->source, "10.10.0.2");
	/* Taken away by hand: put back. */
	run("ip addr del 192.0.2.80/32 dev public");
	assert_true(WITHIN(2, run_ok("ip addr show dev public | grep -q 192.0.2.80/32")));
	list[0].active = false;
	list[2].active = true;
	link_set_addresses(side, list, 3);
	link_sync(side);
	run("! ip addr show | grep -q 192.0.2.80");
	run("ip addr show dev public | grep -q 192.0.2.81/32");
	assert_false(is_local("192.0.2.80"));
	link_set_addresses(side, NULL, 0);
	link_sync(side);
	run("! ip addr show | grep -qE '192.0.2.81|10.10.255.254'");
	run("ip addr show dev private | grep -q 10.10.0.2/16");
}

static void addresses_leave_as_a_group_when_the_peer_takes_over_and_come_back(void **state)
{
	const struct link_address list[] = {
		{ip("192.0.2.80"), 0, LINK_ADDRESS_VIP, true, LINK_ANY},
		{ip("10.10.255.254"), bits(16), LINK_ADDRESS_GATEWAY, true, link_id_of(1, 0)},
	};

	(void)state;
	link_set_addresses(side, list, 2);
	link_set_active(side, false);
	link_sync(side);
	run("! ip addr show | grep -qE '192.0.2.80|10.10.255.254'");
	run("ip addr show dev private | grep -q 10.10.0.2/16");
	/* Orders of control meanwhile do not make it active. */
	link_set_addresses(side, list, 2);
	link_sync(side);
	run("! ip addr show | grep -qE '192.0.2.80|10.10.255.254'");
	link_set_active(side, true);
	link_sync(side);
	run("ip addr show dev public | grep -q '192.0.2.80/32'");
	run("ip addr show dev private | grep -q '10.10.255.254/16'");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(a_ping_goes_out_of_the_tap_and_comes_back),
		T(addresses_and_routes_of_the_configuration_are_in_linux_and_in_the_fib),
		T(routes_that_come_and_go_are_followed),
		T(a_wanted_server_is_resolved_and_its_new_mac_is_taken_up),
		T(a_server_that_does_not_answer_is_failed_until_it_does),
		T(what_a_worker_asks_for_is_resolved_and_nonsense_is_not),
		T(a_vlan_interface_of_the_administrator_is_a_link),
		T(a_vlan_of_the_configuration_works_with_and_without_8021q),
		T(active_vips_are_addresses_of_the_tap_and_leave_when_they_are_not),
		T(addresses_leave_as_a_group_when_the_peer_takes_over_and_come_back),
	};

	return link_lab_run(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
