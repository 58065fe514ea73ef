/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments that arrive: each one follows the first of its datagram.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "model/mark.h"
#include "sched/sched.h"
#include "unit/dataplane/fragment_lab.h"

static char error[256];

#define PIECE 480U

/* Fragment i of a datagram cut every `piece` bytes, as a frame; 0: there is none. */
static size_t cut(const uint8_t *frame, size_t len, uint16_t id, unsigned int i, size_t piece,
		  uint8_t *out)
{
	size_t data = len - ETH - 20, at = i * piece, n;
	bool last;

	if (at >= data)
		return 0;
	last = at + piece >= data;
	n = last ? data - at : piece;
	memcpy(out, frame, ETH + 20);
	memcpy(out + ETH + 20, frame + ETH + 20 + at, n);
	lab_put16(out + ETH + 2, (uint16_t)(20 + n));
	lab_put16(out + ETH + 4, id);
	lab_put16(out + ETH + 6, (uint16_t)((last ? 0 : 0x2000) | at / 8));
	header_sum(out + ETH);
	return ETH + 20 + n;
}

/* Sends fragments in the order given, three of them. */
static void put_cut(unsigned int port, const struct packet *p, uint16_t id, const char *order)
{
	uint8_t frame[FRAME_MAX], piece[FRAME_MAX];
	size_t len = packet_build(p, frame);

	for (; *order; order++) {
		size_t n = cut(frame, len, id, (unsigned int)(*order - '0'), PIECE, piece);

		assert_true(n > 0);
		lab_put_frame(port, piece, n);
	}
}

static uint64_t parked(void)
{
	struct worker_counters c;

	dataplane_worker_counters(h.dp, &c);
	return c.parked;
}

static const char *const orders[] = {"012", "021", "102", "120", "201", "210"};

static void expect_nat(unsigned int n, const struct packet *sent, bool in)
{
	struct packet got;
	struct datagram d;

	gather(in ? 1 : 0, n, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, sent->payload);
	assert_int_equal(got.daddr, in ? ipv4(SERVER) : sent->daddr);
	assert_int_equal(got.saddr, in ? sent->saddr : ipv4(VIP));
	assert_int_equal(be16_to(in ? got.dport : got.sport), in ? 8053 : 53);
	assert_int_equal(got.ttl, 63);
	assert_false(got.bad_ip || got.bad_l4);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(d.at[i] % PIECE, 0);
}

static void fragments_follow_their_first_in_any_order_by_nat_both_ways(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 6; i++) {
		for (uint16_t k = 0; k < 8; k++) { /* owners and homes of all kinds */
			struct packet p = udp_from_client((uint16_t)(2000 + i * 8 + k), 53, 1400);

			put_cut(0, &p, (uint16_t)(i * 8 + k), orders[i]);
			expect_nat(3, &p, true);
			p = (struct packet){.dst = lab_router[1],
					    .src = lab_station,
					    .saddr = ipv4(SERVER),
					    .daddr = ipv4(CLIENT),
					    .sport = be16_from(8053),
					    .dport = p.sport,
					    .proto = IPPROTO_UDP,
					    .payload = 1300};
			put_cut(1, &p, (uint16_t)(i * 8 + k), orders[5 - i]);
			expect_nat(3, &p, false);
		}
	}
	assert_int_equal(parked(), 0);
	for (unsigned int i = 0; i < h.dp->n_workers; i++)
		assert_int_equal(h.dp->workers[i]->v4.follow->n, 0); /* all complete: forgotten */
}

/* Both addresses change in each fragment, and both ports in the first. */
static void fragments_follow_by_full_nat_both_ways(void **state)
{
	static const struct world_server full[] = {{SERVER ":8053", 1, FWD_FULLNAT}};

	(void)state;
	world_service(&h, "udp", VIP ":58", NULL, full, 1);
	world_pool(&h, "10.10.0.200", link_id_of(1, 0));
	for (uint16_t i = 0; i < 6; i++) {
		struct packet p = udp_from_client((uint16_t)(2400 + i), 58, 1400), got;
		struct datagram d;
		be16 local;

		put_cut(0, &p, i, orders[i]);
		gather(1, 3, &d);
		assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
		assert_int_equal(got.payload, 1400);
		assert_int_equal(got.saddr, ipv4("10.10.0.200"));
		assert_int_equal(got.daddr, ipv4(SERVER));
		assert_int_equal(be16_to(got.dport), 8053);
		assert_false(got.bad_ip || got.bad_l4);
		local = got.sport;
		p = (struct packet){.dst = lab_router[1],
				    .src = lab_station,
				    .saddr = ipv4(SERVER),
				    .daddr = ipv4("10.10.0.200"),
				    .sport = be16_from(8053),
				    .dport = local,
				    .proto = IPPROTO_UDP,
				    .payload = 1300};
		put_cut(1, &p, i, orders[5 - i]);
		gather(0, 3, &d);
		assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
		assert_int_equal(got.payload, 1300);
		assert_int_equal(got.saddr, ipv4(VIP));
		assert_int_equal(be16_to(got.sport), 58);
		assert_int_equal(got.daddr, ipv4(CLIENT));
		assert_int_equal(be16_to(got.dport), 2400 + i);
		assert_false(got.bad_ip || got.bad_l4);
	}
	assert_int_equal(parked(), 0);
}

static void fragments_follow_by_direct_routing_and_are_split_again(void **state)
{
	struct packet p = udp_from_client(2100, 54, 1400), got;
	struct datagram d;

	(void)state;
	lan_mtu(268); /* 248 bytes of data each: 480 = 248 + 232 */
	put_cut(0, &p, 9, "201");
	gather(1, 6, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, 1400);
	assert_int_equal(got.daddr, ipv4(VIP));
	assert_false(got.bad_ip || got.bad_l4);
}

/* All go to one server, whichever that is. */
static void expect_together(const struct packet *sent)
{
	struct packet got;
	struct datagram d;

	gather(1, 3, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, sent->payload);
	assert_int_equal(got.saddr, sent->saddr);
	assert_int_equal(be16_to(got.dport), 8057);
	assert_false(got.bad_ip || got.bad_l4);
}

static const struct world_server both[] = {{SERVER ":8057", 1, FWD_NAT},
					   {SERVER2 ":8057", 1, FWD_NAT}};

static void in_all_orders(uint16_t dport)
{
	for (uint16_t i = 0; i < 6; i++) {
		for (uint16_t k = 0; k < 20; k++) { /* owners and homes of all kinds */
			struct packet p =
				udp_from_client((uint16_t)(2000 + i * 20 + k), dport, 1400);

			p.saddr = be32_from(be32_to(p.saddr) + k);
			put_cut(0, &p, (uint16_t)(i * 20 + k), orders[i]);
			expect_together(&p);
		}
	}
	assert_int_equal(parked(), 0);
	assert_int_equal(lab_dropped(DROP_FRAGMENT), 0);
}

static void fragments_follow_by_one_packet_scheduling(void **state)
{
	const struct world_policy once = {.one_packet = true};

	(void)state;
	world_policy(&h, &once);
	world_service(&h, "udp", VIP ":57", sched_find("rr"), both, 2);
	in_all_orders(57);
}

static void fragments_follow_what_asks_the_home_of_a_template(void **state)
{
	const struct world_policy persistent = {.persist_s = 300};
	const struct world_policy once = {.persist_s = 300, .one_packet = true};

	(void)state;
	world_policy(&h, &persistent);
	world_service(&h, "udp", VIP ":57", sched_find("rr"), both, 2);
	in_all_orders(57);
	world_policy(&h, &once);
	world_service(&h, "udp", VIP ":58", sched_find("rr"), both, 2);
	in_all_orders(58);
}

static void fragments_to_a_marked_network_follow(void **state)
{
	static const struct world_server dr[] = {{SERVER2 ":0", 1, FWD_DR}};
	struct mark_rule rule = {.link = LINK_ANY, .mark = 9, .proto = IPPROTO_UDP};
	struct packet p = udp_from_client(2400, 99, 1400), got;
	enum punt_class class;
	struct datagram d;

	(void)state;
	rule.dest = (struct mark_prefix){.addr = addr_from_v4(ipv4("172.20.0.0")), .len = 16};
	assert_int_equal(world_service(&h, "mark", "9", NULL, dr, 1), 0);
	assert_int_equal(world_marks(&h, &rule, 1), 0);
	p.daddr = ipv4("172.20.1.1");
	for (uint16_t i = 0; i < 6; i++) {
		put_cut(0, &p, i, orders[i]);
		gather(1, 3, &d);
		assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
		assert_int_equal(got.daddr, p.daddr);
		assert_int_equal(got.payload, 1400);
	}
	assert_null(harness_punted(&h, &class));
}

static struct packet tcp_from_client(uint16_t sport, uint8_t flags, uint16_t payload)
{
	struct packet p = udp_from_client(sport, 57, payload);

	p.proto = IPPROTO_TCP;
	p.tcp_flags = flags;
	p.seq = 100;
	p.ack = 500;
	return p;
}

static void is_reset(unsigned int port, bool whole)
{
	struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
	struct packet got;

	assert_non_null(m);
	assert_int_equal(packet_describe(rte_pktmbuf_mtod(m, uint8_t *), m->pkt_len, &got), 0);
	assert_int_equal(got.proto, IPPROTO_TCP);
	assert_true(got.tcp_flags & TCP_RST);
	assert_int_equal(got.payload, 0);
	assert_false(got.bad_ip || got.bad_l4);
	if (whole)
		assert_int_equal(lab_get16(rte_pktmbuf_mtod(m, uint8_t *) + ETH + 6) & 0x3fff, 0);
	rte_pktmbuf_free(m);
}

static void fragments_to_and_from_a_removed_server_are_reset(void **state)
{
	const struct world_policy reset = {.on_removed = ON_REMOVED_RESET};

	(void)state;
	world_policy(&h, &reset);
	for (uint16_t sport = 3000; sport < 3002; sport++) {
		struct packet p = tcp_from_client(sport, TCP_SYN, 0);
		uint8_t frame[FRAME_MAX];

		world_service(&h, "tcp", VIP ":57", NULL, both, 2);
		lab_put_frame(0, frame, packet_build(&p, frame));
		rte_pktmbuf_free(harness_sent(&h, 1));
		world_service(&h, "tcp", VIP ":57", NULL, both + 1, 1);
		if (sport == 3000) {
			p = tcp_from_client(sport, TCP_ACK, 1300);
			put_cut(0, &p, 7, "012");
			is_reset(0, true);
			assert_int_equal(lab_dropped(DROP_SERVER_GONE), 1);
			assert_int_equal(lab_dropped(DROP_FRAGMENT), 2);
		} else {
			p = (struct packet){.dst = lab_router[1],
					    .src = lab_station,
					    .saddr = ipv4(SERVER),
					    .daddr = ipv4(CLIENT),
					    .sport = be16_from(8057),
					    .dport = be16_from(sport),
					    .proto = IPPROTO_TCP,
					    .tcp_flags = TCP_ACK,
					    .payload = 1300};
			put_cut(1, &p, 8, "012");
			is_reset(1, true);
			is_reset(0, true);
			assert_int_equal(lab_dropped(DROP_SERVER_GONE), 3);
		}
		assert_null(harness_sent(&h, 0));
		assert_null(harness_sent(&h, 1));
	}
}

static void fragments_without_a_first_wait_and_go_by_time_out(void **state)
{
	struct packet p = udp_from_client(2200, 53, 1400);
	struct rte_mbuf *m;

	(void)state;
	put_cut(0, &p, 10, "21");
	assert_int_equal(parked(), 2);
	assert_true(harness_doors_add_up(&h, error));
	harness_advance_ms(&h, 4000);
	assert_int_equal(parked(), 0);
	assert_int_equal(lab_dropped(DROP_FRAGMENT), 2);
	/* Too late: it is a datagram of its own. */
	put_cut(0, &p, 10, "0");
	m = harness_sent(&h, 1);
	assert_non_null(m);
	rte_pktmbuf_free(m);
}

static void overlapping_and_tiny_fragments_are_dropped_and_counted(void **state)
{
	struct packet p = udp_from_client(2300, 53, 1400);
	uint8_t frame[FRAME_MAX], f[FRAME_MAX];
	size_t len, n;

	(void)state;
	put_cut(0, &p, 11, "0");
	rte_pktmbuf_free(harness_sent(&h, 1));
	put_cut(0, &p, 11, "0"); /* twice */
	assert_int_equal(lab_dropped(DROP_FRAGMENT_BAD), 1);
	len = packet_build(&p, frame);
	n = cut(frame, len, 11, 1, PIECE, f);
	lab_put16(f + ETH + 6, 0x2000 | (PIECE / 8 - 1)); /* reaches back into the first */
	header_sum(f + ETH);
	lab_put_frame(0, f, n);
	assert_int_equal(lab_dropped(DROP_FRAGMENT_BAD), 2);
	/* At offset 8: it would rewrite a TCP header's flags. */
	n = cut(frame, len, 12, 1, 8, f);
	lab_put_frame(0, f, n);
	assert_int_equal(lab_dropped(DROP_FRAGMENT_BAD), 3);
	/* Beyond 65535. */
	n = cut(frame, len, 13, 1, PIECE, f);
	lab_put16(f + ETH + 6, 0x2000 | 0x1fff);
	header_sum(f + ETH);
	lab_put_frame(0, f, n);
	assert_int_equal(lab_dropped(DROP_FRAGMENT_BAD), 4);
	/* A first fragment with half a TCP header. */
	p.proto = IPPROTO_TCP;
	p.tcp_flags = TCP_SYN;
	len = packet_build(&p, frame);
	n = cut(frame, len, 14, 0, 16, f);
	lab_put_frame(0, f, n);
	assert_int_equal(lab_dropped(DROP_FRAGMENT_BAD), 5);
	assert_null(harness_sent(&h, 1));
	assert_int_equal(parked(), 0);
}

static void floods_of_fragments_stay_within_their_bounds(void **state)
{
	struct packet p = udp_from_client(2400, 53, 1400);
	uint8_t frame[FRAME_MAX], f[FRAME_MAX];
	size_t len = packet_build(&p, frame), n;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) { /* one source */
		n = cut(frame, len, (uint16_t)i, 1, PIECE, f);
		lab_put_frame(0, f, n);
	}
	assert_in_range(parked(), 1, FOLLOW_WAIT_MAX);
	for (unsigned int i = 0; i < 10000; i++) { /* many */
		n = cut(frame, len, (uint16_t)i, 1, PIECE, f);
		lab_put16(f + ETH + 14, (uint16_t)(i * 7919));
		header_sum(f + ETH);
		lab_put_frame(0, f, n);
		if (i % 500 == 0)
			harness_advance_ms(&h, 63);
	}
	assert_in_range(parked(), 1, FOLLOW_WAITING);
	assert_true(harness_doors_add_up(&h, error));
	assert_true(lab_dropped(DROP_FRAGMENT_FULL) > 1000);
	harness_advance_ms(&h, 5000);
	assert_int_equal(parked(), 0);
	assert_int_equal(h.dp->workers[0]->v4.follow->n, 0);
	for (unsigned int i = 0; i < FOLLOW_SOURCES; i++)
		assert_int_equal(h.dp->workers[0]->v4.follow->datagrams[i], 0);
	put_cut(0, &p, 15, "102");
	expect_nat(3, &p, true);
}

/* 1,600 a second, from ever new sources: all places to wait are taken for good. */
static void in_a_flood_a_datagram_out_of_order_has_room(void **state)
{
	struct packet flood = udp_from_client(2401, 53, 1400), p = udp_from_client(2402, 53, 1400);
	uint8_t frame[FRAME_MAX], f[FRAME_MAX];
	const size_t len = packet_build(&flood, frame);
	uint16_t i = 0;

	(void)state;
	for (unsigned int tick = 0; tick < 24; tick++) {
		for (unsigned int k = 0; k < 100; k++, i++) {
			const size_t n = cut(frame, len, i, 1, PIECE, f);

			lab_put16(f + ETH + 14, (uint16_t)(i * 7919));
			header_sum(f + ETH);
			lab_put_frame(0, f, n);
		}
		if (tick > 4)
			assert_int_equal(parked(), FOLLOW_WAITING);
		put_cut(0, &p, (uint16_t)(60000 + tick), "210");
		expect_nat(3, &p, true);
		harness_advance_ms(&h, 63);
	}
	assert_int_equal(lab_dropped(DROP_FRAGMENT_FULL), 0);
	assert_true(lab_dropped(DROP_FRAGMENT) > 1000);
	assert_true(harness_doors_add_up(&h, error));
}

static void fragments_that_no_service_takes_all_go_to_linux(void **state)
{
	struct packet p = udp_from_client(2500, 99, 1400);
	enum punt_class class;

	(void)state;
	put_cut(0, &p, 16, "210");
	for (unsigned int i = 0; i < 3; i++) {
		struct rte_mbuf *m = harness_punted(&h, &class);

		assert_non_null(m);
		assert_int_equal(class, PUNT_OWN);
		rte_pktmbuf_free(m);
	}
	assert_null(harness_punted(&h, &class));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(fragments_follow_their_first_in_any_order_by_nat_both_ways),
		LAB_TEST(fragments_follow_their_first_in_any_order_by_nat_both_ways, fragment_setup,
			 3),
		GOLDEN(fragments_follow_by_full_nat_both_ways),
		LAB_TEST(fragments_follow_by_full_nat_both_ways, fragment_setup, 3),
		GOLDEN(fragments_follow_by_direct_routing_and_are_split_again),
		LAB_TEST(fragments_follow_by_one_packet_scheduling, fragment_setup, 3),
		LAB_TEST(fragments_follow_what_asks_the_home_of_a_template, fragment_setup, 3),
		GOLDEN(fragments_to_and_from_a_removed_server_are_reset),
		LAB_TEST(fragments_to_a_marked_network_follow, fragment_setup, 3),
		GOLDEN(fragments_without_a_first_wait_and_go_by_time_out),
		GOLDEN(overlapping_and_tiny_fragments_are_dropped_and_counted),
		GOLDEN(floods_of_fragments_stay_within_their_bounds),
		GOLDEN(in_a_flood_a_datagram_out_of_order_has_room),
		GOLDEN(fragments_that_no_service_takes_all_go_to_linux),
	};

	return lab_run(256, tests);
}
