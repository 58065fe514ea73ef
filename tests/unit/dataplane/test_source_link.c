/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources that a link cannot bring: NAT servers by a link that does not lead to them, VIPs,
 * the router's own addresses, addresses that no packet has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP    "10.1.0.100"
#define CLIENT "192.168.1.1"
#define SERVER "10.10.0.1"
#define OTHER  "10.20.0.1" /* a server that two links lead to */
#define ON_TAG "10.30.0.1" /* on VLAN 30 of port 1 */

static int bed_setup(void **state)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_NAT}};
	static const struct world_server two[] = {{OTHER ":8080", 1, FWD_NAT}};
	static const struct world_server tag[] = {{ON_TAG ":8080", 1, FWD_NAT}};
	static const char *const private[] = {OTHER, NULL};
	static const char *const tagged[] = {ON_TAG, NULL};
	const link_id paths[] = {link_id_of(1, 0), link_id_of(1, 40), link_id_of(1, 41),
				 link_id_of(1, 42)};

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_link(&h, link_id_of(1, 30), 1500);
	for (unsigned int v = 40; v < 43; v++)
		world_link(&h, link_id_of(1, v), 1500);
	world_route(&h, "10.30.0.0/16", link_id_of(1, 30), NULL);
	world_paths(&h, "10.20.0.0/16", paths, 4);
	bed_neighbours(&h, link_id_of(1, 0), private);
	bed_neighbours(&h, link_id_of(1, 30), tagged);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), two, 1);
	world_service(&h, "tcp", VIP ":82", sched_find("rr"), tag, 1);
	return 0;
}

static void put(unsigned int port, uint16_t vlan, struct packet p)
{
	p.vlan = vlan;
	lab_put(port, p);
}

static void opens(uint16_t port)
{
	put(0, 0, lab_tcp(CLIENT, 1000, VIP, port, TCP_SYN));
	assert_int_equal(lab_drain(1), 1);
}

static uint64_t wrong_link(void)
{
	return bed_dropped(&h, DROP_WRONG_LINK);
}

static uint64_t bad_source(void)
{
	return bed_dropped(&h, DROP_BAD_SOURCE);
}

static void a_server_is_heard_only_by_the_link_that_leads_to_it(void **state)
{
	(void)state;
	opens(80);
	put(0, 0, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_RST));
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(wrong_link(), 1);
	put(1, 30, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_RST));
	assert_int_equal(wrong_link(), 2);
	put(1, 0, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_drain(0), 1);
	put(0, 0, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_RST)); /* also once the worker knows it */
	assert_int_equal(wrong_link(), 3);
}

static void a_server_on_a_vlan_is_heard_by_that_vlan(void **state)
{
	(void)state;
	opens(82);
	put(1, 0, lab_tcp(ON_TAG, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(wrong_link(), 1);
	put(1, 30, lab_tcp(ON_TAG, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_drain(0), 1);
	assert_int_equal(wrong_link(), 1);
}

static void every_path_of_a_multipath_route_brings_the_server(void **state)
{
	static const uint16_t vlans[] = {0, 40, 41, 42, 0, 42, 41, 40};

	(void)state;
	opens(81);
	for (size_t i = 0; i < sizeof(vlans) / sizeof(vlans[0]); i++)
		put(1, vlans[i], lab_tcp(OTHER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_drain(0), 8);
	assert_int_equal(wrong_link(), 0);
	put(1, 30, lab_tcp(OTHER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	put(0, 0, lab_tcp(OTHER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(wrong_link(), 2);
}

static void the_check_follows_routes(void **state)
{
	static const char *const there[] = {SERVER, NULL};

	(void)state;
	opens(80);
	put(1, 0, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_drain(0), 1);
	bed_neighbours(&h, link_id_of(1, 30), there);
	world_route(&h, SERVER "/32", link_id_of(1, 30), NULL);
	put(1, 0, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_ACK));
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(wrong_link(), 1);
	put(1, 30, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_ACK));
	assert_int_equal(lab_drain(0), 1);
}

/* Workers remember the next hop of a server's last connection. */
static void new_connections_follow_routes(void **state)
{
	static const char *const there[] = {SERVER, NULL};
	struct packet p;

	(void)state;
	put(0, 0, lab_tcp(CLIENT, 1000, VIP, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.vlan, 0);
	put(0, 0, lab_tcp(CLIENT, 1001, VIP, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.vlan, 0);
	bed_neighbours(&h, link_id_of(1, 30), there);
	world_route(&h, SERVER "/32", link_id_of(1, 30), NULL);
	put(0, 0, lab_tcp(CLIENT, 1002, VIP, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.vlan, 30);
}

/* Addresses are remembered, since ids of servers are used again. */
static void a_hop_of_another_address_is_not_taken(void **state)
{
	struct worker *w = h.dp->workers[0];
	const uint32_t id = world_server(&h, "tcp", VIP ":80", SERVER ":8080")->id;
	const uint32_t other = world_server(&h, "tcp", VIP ":82", ON_TAG ":8080")->id;
	struct packet p;

	(void)state;
	opens(80);
	opens(82);
	assert_int_equal(w->servers[id].hop_addr4, ipv4(SERVER));
	assert_int_equal(w->servers[id].hop_gen, w->env.gen);
	w->servers[id].hop = w->servers[other].hop;
	w->servers[id].hop_addr4 = ipv4(ON_TAG);
	put(0, 0, lab_tcp(CLIENT, 1003, VIP, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.vlan, 0);
	assert_int_equal(p.daddr, ipv4(SERVER));
}

static void a_loose_link_brings_every_server_but_no_vip(void **state)
{
	(void)state;
	opens(80);
	world_loose(&h, link_id_of(0, 0));
	put(0, 0, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_drain(0), 1);
	put(1, 30, lab_tcp(SERVER, 8080, CLIENT, 1000, TCP_SYN | TCP_ACK));
	assert_int_equal(wrong_link(), 1);
	put(0, 0, lab_tcp(VIP, 80, CLIENT, 1000, TCP_ACK));
	assert_int_equal(bad_source(), 1);
}

static void other_packets_of_a_server_are_held_to_its_link(void **state)
{
	struct packet echo = lab_tcp(SERVER, 0, CLIENT, 0, 0);

	(void)state;
	echo.proto = IPPROTO_ICMP;
	echo.sport = 8 << 8;
	put(0, 0, echo); /* to route */
	echo.daddr = ipv4("192.168.1.254");
	put(0, 0, echo); /* to the router */
	echo.daddr = ipv4(VIP);
	put(0, 0, echo);
	put(0, 0, lab_tcp(SERVER, 3000, VIP, 80, TCP_SYN)); /* as a client of a VIP */
	assert_int_equal(lab_drain_punted() + lab_drain(0) + lab_drain(1), 0);
	assert_int_equal(wrong_link(), 4);
	put(1, 0, lab_tcp(SERVER, 3000, VIP, 80, TCP_SYN));
	assert_int_equal(lab_drain(1), 1);
}

static void nobody_speaks_as_the_router_or_a_vip(void **state)
{
	static const char *const sources[] = {VIP, "192.168.1.254", "10.10.255.254"};
	static const char *const dests[] = {VIP, "192.168.1.254", "10.9.9.9"};

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		for (unsigned int k = 0; k < 3; k++) {
			put(i % 2, 0, lab_tcp(sources[i], 1000, dests[k], 80, TCP_SYN));
			put(i % 2, 0, lab_udp(sources[i], 1000, dests[k], 80, 0));
		}
	assert_int_equal(bad_source(), 18);
	assert_int_equal(lab_drain_punted() + lab_drain(0) + lab_drain(1), 0);
}

static void martians_are_dropped_and_dhcp_is_not(void **state)
{
	static const char *const sources[] = {"127.0.0.1", "224.0.0.5", "255.255.255.255",
					      "240.0.0.1", "0.0.0.0",	"0.1.2.3"};

	(void)state;
	for (unsigned int i = 0; i < 6; i++)
		put(0, 0, lab_udp(sources[i], 68, VIP, 67, 0));
	put(0, 0, lab_udp("0.0.0.0", 1000, "255.255.255.255", 67, 0));
	assert_int_equal(bad_source(), 7);
	assert_int_equal(lab_drain_punted(), 0);
	put(0, 0, lab_udp("0.0.0.0", 68, "255.255.255.255", 67, 0));
	assert_int_equal(lab_drain_punted(), 1);
	assert_int_equal(bad_source(), 7);
}

/* An ICMP error 3/1 by `from` about what the client sent to the server. */
static struct packet error_by(const char *from, uint8_t quote[64])
{
	struct packet about = lab_tcp(CLIENT, 1000, SERVER, 8080, TCP_SYN);
	uint8_t frame[FRAME_MAX];

	packet_build(&about, frame);
	memcpy(quote, frame + 14, 40);
	return (struct packet){.saddr = ipv4(from),
			       .daddr = ipv4(CLIENT),
			       .proto = IPPROTO_ICMP,
			       .sport = 3 << 8 | 1,
			       .payload = 40,
			       .data = quote};
}

static void an_error_is_judged_by_the_packet_it_quotes(void **state)
{
	static const char *const senders[] = {SERVER, "10.10.0.99", "203.0.113.9"};
	uint8_t quote[64];

	(void)state;
	opens(80);
	for (unsigned int i = 0; i < 3; i++)
		put(1, 0, error_by(senders[i], quote));
	assert_int_equal(lab_drain(0), 3);
	for (unsigned int i = 0; i < 3; i++)
		put(0, 0, error_by(senders[i], quote));
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(wrong_link(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_server_is_heard_only_by_the_link_that_leads_to_it, bed_setup, 1),
		LAB_TEST(a_server_on_a_vlan_is_heard_by_that_vlan, bed_setup, 1),
		LAB_TEST(every_path_of_a_multipath_route_brings_the_server, bed_setup, 1),
		LAB_TEST(the_check_follows_routes, bed_setup, 1),
		LAB_TEST(new_connections_follow_routes, bed_setup, 1),
		LAB_TEST(a_hop_of_another_address_is_not_taken, bed_setup, 1),
		LAB_TEST(a_loose_link_brings_every_server_but_no_vip, bed_setup, 1),
		LAB_TEST(other_packets_of_a_server_are_held_to_its_link, bed_setup, 1),
		LAB_TEST(nobody_speaks_as_the_router_or_a_vip, bed_setup, 1),
		LAB_TEST(martians_are_dropped_and_dhcp_is_not, bed_setup, 1),
		LAB_TEST(an_error_is_judged_by_the_packet_it_quotes, bed_setup, 1),
	};

	return lab_run(256, tests);
}
