/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet of a TCP connection that another router of a fleet began reaches the server that the
 * other router chose. The other router is this one before its connections were forgotten: a new
 * bed for each question.
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

#define VIP	"10.1.0.100"
#define R1	"10.10.0.1"
#define R2	"10.10.0.2"
#define CLIENTS 32

static const struct world_server dr[] = {{R1 ":80", 1, FWD_DR}, {R2 ":80", 1, FWD_DR}};

static int bed_setup(void **state)
{
	return lab_open(state, 0, true);
}

static void web(bool adopt)
{
	const struct world_policy policy = {.adopt = adopt, .unknown = UNKNOWN_DROP};

	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "tcp", VIP ":80", sched_find("mh"), dr, 2), 0);
}

/* Client i sends a segment. */
static void segment(int i, uint16_t sport, uint8_t flags)
{
	struct packet p = lab_tcp("203.0.113.1", sport, VIP, 80, flags);

	p.saddr = be32_from(0xcb007101 + (uint32_t)i);
	p.seq = 1000;
	p.ack = 2000;
	lab_put(0, p);
}

/* 1 or 2: the server that the only packet left for; 0: none left. */
static int server(struct packet *out)
{
	struct packet p;

	if (!lab_got(1, &p))
		return 0;
	lab_nothing();
	if (out)
		*out = p;
	assert_int_equal(p.daddr, ipv4(VIP));
	return ((const uint8_t *)&p.dst)[5];
}

/* The server that the scheduler gives client i, by a SYN. */
static int chosen(int i)
{
	segment(i, 1000, TCP_SYN);
	return server(NULL);
}

static void segments_of_unknown_flows_go_to_the_choice_of_mh(void **state)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_PSH | TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST,
					TCP_RST | TCP_ACK};
	int seen[3] = {0};

	(void)state;
	web(true);
	for (int i = 0; i < CLIENTS; i++) {
		const int to = chosen(i);

		seen[to]++;
		for (size_t k = 0; k < sizeof(flags); k++) {
			segment(i, (uint16_t)(2000 + k), flags[k]);
			assert_int_equal(server(NULL), to);
		}
	}
	assert_true(seen[1] > 0 && seen[2] > 0);
	assert_int_equal(lab_counters().adopted, 3 * CLIENTS);
	assert_int_equal(lab_counters().adopted_once, 2 * CLIENTS);
	/* A RST leaves nothing behind; the others are connections. */
	assert_int_equal(lab_counters().connections, 4 * CLIENTS);
}

static void an_adopted_connection_is_established_and_not_assured(void **state)
{
	(void)state;
	web(true);
	segment(1, 2000, TCP_ACK);
	server(NULL);
	assert_int_equal(lab_counters().connections, 1);
	assert_int_equal(lab_counters().embryonic, 0);
	assert_int_equal(lab_counters().not_assured, 1);
	segment(1, 2000, TCP_PSH | TCP_ACK); /* of it: not adopted again */
	server(NULL);
	assert_int_equal(lab_counters().adopted, 1);
	assert_int_equal(lab_counters().connections, 1);
}

/* "Fragmentation needed" from a router on the way, about what the server sent the client. */
static void error_about(int i, uint16_t cport)
{
	const uint32_t client = 0xcb007101 + (uint32_t)i, vip = be32_to(ipv4(VIP));
	const uint8_t quote[28] = {0x45,
				   0,
				   0x05,
				   0xdc,
				   0,
				   1,
				   0x40,
				   0,
				   64,
				   IPPROTO_TCP,
				   0,
				   0,
				   (uint8_t)(vip >> 24),
				   (uint8_t)(vip >> 16),
				   (uint8_t)(vip >> 8),
				   (uint8_t)vip,
				   (uint8_t)(client >> 24),
				   (uint8_t)(client >> 16),
				   (uint8_t)(client >> 8),
				   (uint8_t)client,
				   0,
				   80,
				   (uint8_t)(cport >> 8),
				   (uint8_t)cport};
	struct packet p = {.saddr = ipv4("198.51.100.9"),
			   .daddr = ipv4(VIP),
			   .sport = be16_from(3 << 8 | 4),
			   .proto = IPPROTO_ICMP,
			   .payload = sizeof(quote),
			   .data = quote};

	lab_put(0, p);
}

static void an_icmp_error_about_an_unknown_flow_goes_to_the_same_server(void **state)
{
	struct packet p;

	(void)state;
	web(true);
	for (int i = 0; i < CLIENTS; i++) {
		const int to = chosen(i);

		error_about(i, 2000);
		assert_int_equal(server(&p), to);
		assert_int_equal(p.proto, IPPROTO_ICMP);
		assert_false(p.bad_l4 || p.bad_ip);
	}
	assert_int_equal(lab_counters().adopted_once, CLIENTS);
	assert_int_equal(lab_counters().connections, CLIENTS);
}

static void without_adopt_unknown_segments_are_unknown(void **state)
{
	(void)state;
	web(false);
	segment(1, 2000, TCP_ACK);
	assert_int_equal(server(NULL), 0);
	segment(1, 2000, TCP_RST);
	assert_int_equal(server(NULL), 0);
	assert_int_equal(lab_counters().dropped[DROP_NO_CONNECTION], 2);
	error_about(1, 2000);
	assert_int_equal(server(NULL), 0);
	assert_int_equal(lab_counters().adopted + lab_counters().adopted_once, 0);
	lab_drain_punted();
}

static void what_no_client_sends_is_adopted_by_nobody(void **state)
{
	(void)state;
	web(true);
	segment(1, 2000, TCP_SYN | TCP_ACK);
	assert_int_equal(server(NULL), 0);
	segment(1, 2000, TCP_FIN);
	assert_int_equal(server(NULL), 0);
	segment(1, 2000, TCP_SYN | TCP_FIN);
	assert_int_equal(server(NULL), 0);
	assert_int_equal(lab_counters().adopted + lab_counters().adopted_once, 0);
}

#define ROOM	  1024 /* connections of the bed */
#define STRANGERS 4000

static int small_setup(void **state)
{
	return lab_open(state, ROOM, true);
}

/* Segments of flows that nobody has, from many networks: what they take is bounded and counted, and
 * no client comes to another server. */
static void a_flood_of_strangers_moves_no_client(void **state)
{
	struct worker_counters before, after;
	int to[CLIENTS];

	(void)state;
	web(true);
	for (int i = 0; i < CLIENTS; i++)
		to[i] = chosen(i);
	before = lab_counters();
	for (int k = 0; k < STRANGERS; k++) {
		segment(256 * (k + 1), 4000, TCP_ACK);
		server(NULL);
		segment(256 * (k + 1), 4001, TCP_RST);
		assert_true(server(NULL) > 0);
		segment(256 * (k + 1), 4002, TCP_SYN | TCP_ACK);
		assert_int_equal(server(NULL), 0);
	}
	after = lab_counters();
	assert_int_equal(after.adopted - before.adopted, STRANGERS);
	assert_int_equal(after.adopted_once - before.adopted_once, STRANGERS);
	assert_int_equal(after.dropped[DROP_NO_CONNECTION] - before.dropped[DROP_NO_CONNECTION],
			 STRANGERS);
	assert_true(after.connections <= ROOM);
	assert_true(after.evicted_not_assured > before.evicted_not_assured);
	for (int i = 0; i < CLIENTS; i++) {
		segment(i, 1000, TCP_ACK);
		assert_int_equal(server(NULL), to[i]);
	}
}

/* A router that has just started does not wait for a peer that it does not have. */
static void a_flow_is_adopted_in_the_grace_after_a_start(void **state)
{
	(void)state;
	web(true);
	h.dp->pub.vip_flags = VIP_GRACE;
	segment(1, 2000, TCP_ACK);
	assert_true(server(NULL) > 0);
	web(false);
	segment(2, 2000, TCP_ACK);
	assert_int_equal(server(NULL), 0);
	assert_int_equal(lab_counters().dropped[DROP_NO_ENTRY_GRACE], 1);
	h.dp->pub.vip_flags = 0;
}

#define T(test) LAB_TEST(test, bed_setup, 1), LAB_TEST(test, bed_setup, 3)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(segments_of_unknown_flows_go_to_the_choice_of_mh),
		T(an_adopted_connection_is_established_and_not_assured),
		T(an_icmp_error_about_an_unknown_flow_goes_to_the_same_server),
		T(without_adopt_unknown_segments_are_unknown),
		T(what_no_client_sends_is_adopted_by_nobody),
		T(a_flow_is_adopted_in_the_grace_after_a_start),
		LAB_TEST(a_flood_of_strangers_moves_no_client, small_setup, 1),
		LAB_TEST(a_flood_of_strangers_moves_no_client, small_setup, 3),
	};

	return lab_run(256, tests);
}
