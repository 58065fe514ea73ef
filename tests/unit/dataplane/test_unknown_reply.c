/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of NAT servers without a connection, by the service's unknown_reply; and TCP flags
 * without a connection, by any_flags.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP    "10.1.0.100"
#define CLIENT "192.168.1.1"
#define SERVER "10.10.0.1"

static const struct world_server web[] = {{SERVER ":8080", 1, FWD_NAT}};
static const struct world_server dns[] = {{SERVER ":53", 1, FWD_NAT}};

static int bed_setup(void **state)
{

	if (lab_open(state, 0, false) < 0)
		return -1;
	return 0;
}

static void services(uint8_t reply, bool icmp)
{
	const struct world_policy policy = {.reply = reply, .nat_icmp_send = icmp};

	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "tcp", VIP ":80", sched_find("rr"), web, 1), 0);
	assert_int_equal(world_service(&h, "udp", VIP ":53", sched_find("rr"), dns, 1), 0);
}

static struct packet tcp_out(uint16_t sport, uint16_t dport, uint8_t flags)
{
	return (struct packet){.saddr = ipv4(SERVER),
			       .daddr = ipv4(CLIENT),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = flags,
			       .seq = 100,
			       .ack = 77,
			       .payload = 10};
}

static struct packet udp_out(uint16_t sport, uint16_t dport)
{
	struct packet p = tcp_out(sport, dport, 0);

	p.proto = IPPROTO_UDP;
	return p;
}

static uint64_t no_reply(void)
{
	return bed_dropped(&h, DROP_NO_REPLY);
}

static void late_data_gets_a_rst_and_reaches_nobody(void **state)
{
	struct packet p;

	(void)state;
	services(REPLY_RESET, false);
	lab_put(1, tcp_out(8080, 3999, TCP_ACK | TCP_PSH));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.saddr, ipv4(CLIENT));
	assert_int_equal(p.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(p.dport), 8080);
	assert_int_equal(p.tcp_flags, TCP_RST);
	assert_int_equal(p.seq, 77);
	assert_false(p.bad_ip || p.bad_l4);
	lab_put(1, tcp_out(8080, 3999, TCP_SYN | TCP_ACK));
	assert_true(lab_got(1, &p));
	lab_put(1, tcp_out(8080, 3999, TCP_FIN | TCP_ACK));
	assert_true(lab_got(1, &p));
	lab_put(1, tcp_out(8080, 3999, TCP_RST));
	lab_nothing();
	assert_int_equal(no_reply(), 4);
}

static void an_unasked_datagram_is_dropped_or_refused(void **state)
{
	struct packet p;

	(void)state;
	services(REPLY_RESET, false);
	lab_put(1, udp_out(53, 3999));
	lab_nothing();
	services(REPLY_RESET, true);
	lab_put(1, udp_out(53, 3999));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.proto, IPPROTO_ICMP);
	assert_int_equal(p.daddr, ipv4(SERVER));
	lab_put(1, tcp_out(8080, 3999, TCP_ACK)); /* a RST says more to TCP */
	assert_true(lab_got(1, &p));
	assert_int_equal(p.proto, IPPROTO_TCP);
	lab_nothing();
	assert_int_equal(no_reply(), 3);
}

static void a_datagram_leaves_as_the_only_vip_where_that_is_wanted(void **state)
{
	struct packet p;

	(void)state;
	services(REPLY_VIP, false);
	lab_put(1, udp_out(53, 3999));
	assert_true(lab_got(0, &p));
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(be16_to(p.sport), 53);
	assert_int_equal(be16_to(p.dport), 3999);
	assert_false(p.bad_ip || p.bad_l4);
	lab_put(1, tcp_out(8080, 3999, TCP_ACK));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.tcp_flags, TCP_RST);
	/* A second listener for the same port: which VIP the client asked is not known. */
	assert_int_equal(world_service(&h, "udp", "10.1.0.101:53", sched_find("rr"), dns, 1), 0);
	lab_put(1, udp_out(53, 3999));
	lab_nothing();
	assert_int_equal(no_reply(), 2);
}

static void a_servers_own_traffic_is_routed(void **state)
{
	(void)state;
	services(REPLY_RESET, true);
	lab_put(1, udp_out(53, 53)); /* a resolver */
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, tcp_out(8080, 443, TCP_SYN)); /* a client that took the port */
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, tcp_out(40000, 443, TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, udp_out(8080, 3999)); /* the port of a TCP service */
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_nothing();
	assert_int_equal(no_reply(), 0);
}

static void ports_of_port_0_and_mark_services_are_routed(void **state)
{
	const struct world_policy policy = {.reply = REPLY_RESET, .persist_s = 60};

	(void)state;
	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "tcp", VIP ":0", sched_find("rr"), web, 1), 0);
	assert_int_equal(world_service(&h, "mark", "7", NULL, web, 1), 0);
	lab_put(1, tcp_out(8080, 3999, TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_nothing();
}

static void as_ipvs_all_is_routed(void **state)
{
	(void)state;
	services(REPLY_ROUTE, false);
	lab_put(1, tcp_out(8080, 3999, TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, udp_out(53, 3999));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_nothing();
}

/* An ICMP error of the server's about a client's packet whose connection is gone. */
static void an_error_about_a_lost_connection_names_no_server(void **state)
{
	struct packet about = tcp_out(3999, 8080, TCP_ACK), error;
	uint8_t frame[FRAME_MAX];

	(void)state;
	about.saddr = ipv4(CLIENT);
	about.daddr = ipv4(SERVER);
	packet_build(&about, frame);
	error = (struct packet){.saddr = ipv4(SERVER),
				.daddr = ipv4(CLIENT),
				.proto = IPPROTO_ICMP,
				.sport = 3 << 8 | 3,
				.payload = 40,
				.data = frame + 14};
	services(REPLY_RESET, false);
	lab_put(1, error);
	lab_nothing();
	assert_int_equal(no_reply(), 1);
	services(REPLY_ROUTE, false);
	lab_put(1, error);
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
}

/* The backup asks servers from its own address, and a server may answer through the gateway
 * address. */
static void an_answer_to_a_check_of_the_peer_is_routed(void **state)
{
	static struct punt_rules rules;
	struct packet about = tcp_out(3999, 8080, TCP_ACK), error, p;
	uint8_t frame[FRAME_MAX];

	(void)state;
	rules = (struct punt_rules){
		.n = 2,
		.rule = {{addr_from_v4(0), addr_from_v4(ipv4("192.168.1.9")), 694, 695, IPPROTO_UDP,
			  PUNT_HA},
			 {addr_from_v4(0), addr_from_v4(ipv4(CLIENT)), 694, 695, IPPROTO_UDP,
			  PUNT_HA}},
	};
	h.dp->pub.punt_rules = &rules;
	services(REPLY_VIP, true);
	lab_put(1, tcp_out(8080, 3999, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, tcp_out(8080, 3999, TCP_RST | TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, udp_out(53, 3999));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	about.saddr = ipv4(CLIENT);
	about.daddr = ipv4(SERVER);
	packet_build(&about, frame);
	error = (struct packet){.saddr = ipv4(SERVER),
				.daddr = ipv4(CLIENT),
				.proto = IPPROTO_ICMP,
				.sport = 3 << 8 | 3,
				.payload = 40,
				.data = frame + 14};
	lab_put(1, error);
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	/* Also while connections of the router before may still become known. */
	h.dp->pub.vip_flags = VIP_GRACE;
	lab_put(1, tcp_out(8080, 3999, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_put(1, udp_out(53, 3999));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	h.dp->pub.vip_flags = 0;
	lab_nothing();
	assert_int_equal(no_reply(), 0);
	/* Another class of rules says nothing about the peer. */
	rules.rule[1].class = PUNT_CHECK;
	lab_put(1, tcp_out(8080, 3999, TCP_SYN | TCP_ACK));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.tcp_flags, TCP_RST);
	h.dp->pub.punt_rules = NULL;
	lab_put(1, tcp_out(8080, 3999, TCP_SYN | TCP_ACK));
	assert_true(lab_got(1, &p));
	assert_int_equal(no_reply(), 2);
}

static const uint8_t odd[] = {0, TCP_FIN, TCP_FIN | TCP_PSH | TCP_URG, TCP_SYN | TCP_FIN,
			      TCP_SYN | TCP_RST};

static void client_puts(uint16_t sport, uint16_t dport, uint8_t flags)
{
	struct packet p = tcp_out(sport, dport, flags);

	p.saddr = ipv4(CLIENT);
	p.daddr = ipv4(VIP);
	p.payload = 0;
	lab_put(0, p);
}

static void odd_flags_without_a_connection_are_dropped(void **state)
{
	(void)state;
	services(REPLY_RESET, false);
	for (unsigned int i = 0; i < sizeof(odd); i++)
		client_puts((uint16_t)(2000 + i), 80, odd[i]);
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_BAD_TCP), 5);
	client_puts(2010, 80, TCP_SYN | TCP_ACK); /* somebody's answer, forged or late */
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	lab_nothing();
}

static void odd_flags_do_as_in_ipvs_where_that_is_wanted(void **state)
{
	const struct world_policy ipvs = {.any_flags = true, .ipvs = true};
	struct packet p;

	(void)state;
	world_policy(&h, &ipvs);
	assert_int_equal(world_service(&h, "tcp", VIP ":80", sched_find("rr"), web, 1), 0);
	for (unsigned int i = 0; i < sizeof(odd); i++) {
		client_puts((uint16_t)(2000 + i), 80, odd[i]);
		if ((odd[i] & (TCP_SYN | TCP_RST)) == TCP_SYN)
			assert_true(lab_got(1, &p));
		else
			assert_int_equal(lab_punted(NULL), PUNT_OWN);
	}
	client_puts(2010, 80, TCP_SYN | TCP_ACK);
	assert_true(lab_got(1, &p));
	client_puts(2011, 81, TCP_FIN); /* no service: Linux answers */
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_BAD_TCP), 0);
}

#define T(test) LAB_TEST(test, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(late_data_gets_a_rst_and_reaches_nobody),
		T(an_unasked_datagram_is_dropped_or_refused),
		T(a_datagram_leaves_as_the_only_vip_where_that_is_wanted),
		T(a_servers_own_traffic_is_routed),
		T(ports_of_port_0_and_mark_services_are_routed),
		T(as_ipvs_all_is_routed),
		T(an_error_about_a_lost_connection_names_no_server),
		T(an_answer_to_a_check_of_the_peer_is_routed),
		T(odd_flags_without_a_connection_are_dropped),
		T(odd_flags_do_as_in_ipvs_where_that_is_wanted),
	};

	return lab_run(256, tests);
}
