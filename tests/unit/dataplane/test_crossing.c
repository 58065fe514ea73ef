/* SPDX-License-Identifier: BSD-3-Clause */
/* Full NAT to servers of the other family: IPv6 clients of IPv4 servers, and the reverse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "crossing_lab.h"
#include "dataplane/conn/tcp_state.h"

static uint64_t ports_in_use(void)
{
	return lab_counters().local_ports;
}

static unsigned int step_of(const struct packet *at_server)
{
	return at_server->v6 ? owner6_step(at_server->saddr6, at_server->sport)
			     : owner4_step(at_server->saddr, at_server->sport);
}

static unsigned int step_of_client(bool v6, uint16_t port)
{
	return v6 ? owner6_step(ipv6(CLIENT6), be16_from(port))
		  : owner4_step(ipv4(CLIENT4), be16_from(port));
}

/* --- both ways ----------------------------------------------------------------------- */

static void a_handshake_crosses_both_ways(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct packet p = from_client(v6, IPPROTO_TCP, 1001, TCP_SYN), at_server, got;

		p.traffic_class = 0xb8;
		lab_put(0, p);
		at_server = lab_take(1);
		is_at_server(&at_server, !v6);
		assert_int_equal(at_server.ttl, 63);
		assert_int_equal(step_of(&at_server), step_of_client(v6, 1001));
		p = answer(&at_server, TCP_SYN | TCP_ACK);
		p.seq = 7000;
		p.ttl = 50;
		lab_put(1, p);
		got = lab_take(0);
		is_at_client(&got, v6, 1001);
		assert_int_equal(be16_to(got.sport), 80);
		assert_int_equal(got.ttl, 49);
		assert_int_equal(got.seq, 7000);
		assert_memory_equal(
			&got.dst, v6 ? "\x02\x06\x00\x00\x00\x01" : "\x02\x01\xc0\xa8\x01\x01", 6);
		/* The next packet keeps the local port. */
		p = from_client(v6, IPPROTO_TCP, 1001, TCP_ACK);
		p.ack = 7001;
		lab_put(0, p);
		got = lab_take(1);
		assert_int_equal(got.sport, at_server.sport);
	}
	assert_int_equal(lab_counters().connections, 2);
	assert_int_equal(ports_in_use(), 2);
	lab_nothing();
}

static void datagrams_cross_both_ways_and_get_the_checksum_that_ipv6_wants(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct packet p = from_client(v6, IPPROTO_UDP, 2001, 0), got;

		p.no_l4 = !v6;
		lab_put(0, p);
		got = lab_take(1);
		is_at_server(&got, !v6);
		assert_false(got.no_l4);
		assert_int_equal(got.payload, 21);
		p = answer(&got, 0);
		p.no_l4 = v6;
		lab_put(1, p);
		got = lab_take(0);
		is_at_client(&got, v6, 2001);
		assert_false(got.no_l4);
		assert_int_equal(got.payload, 22);
	}
	lab_nothing();
}

static void traffic_class_and_hop_limit_go_along(void **state)
{
	uint8_t frame[FRAME_MAX];

	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct packet p = from_client(v6, IPPROTO_UDP, 2100, 0);
		size_t len;

		p.traffic_class = 0xb8;
		p.flow_label = 0x12345;
		p.ttl = 9;
		packet_to_port(&p, 0, NULL);
		len = packet_build(&p, frame);
		if (!v6) { /* the TOS, with its checksum */
			frame[ETH + 1] = 0xb8;
			memset(frame + ETH + 10, 0, 2);
			const be16 sum = csum_of(frame + ETH, 20);

			memcpy(frame + ETH + 10, &sum, 2);
		}
		lab_put_frame(0, frame, len);
		assert_true(lab_got_frame(1, frame) > 0);
		if (v6) {
			assert_int_equal(frame[ETH], 0x45);
			assert_int_equal(frame[ETH + 1], 0xb8);
			assert_int_equal(frame[ETH + 6] & 0x40, 0);
			assert_int_equal(frame[ETH + 8], 8);
		} else {
			assert_memory_equal(frame + ETH, "\x6b\x80\x00\x00", 4);
			assert_int_equal(frame[ETH + 7], 8);
		}
	}
}

/* --- refused ------------------------------------------------------------------------- */

/* The router tells about a packet that it dropped: type, code and the word behind the checksum. */
static uint32_t told(unsigned int port, bool v6, uint8_t type, uint8_t code)
{
	uint8_t frame[FRAME_MAX];
	const size_t at = ETH + (v6 ? 40 : 20);
	const size_t len = lab_got_frame(port, frame);
	struct packet p;

	assert_true(len > at + 8);
	assert_int_equal(packet_describe(frame, len, &p), 0);
	assert_int_equal(p.v6, v6);
	assert_false(p.bad_ip || p.bad_l4);
	assert_int_equal(frame[at], type);
	assert_int_equal(frame[at + 1], code);
	return (uint32_t)lab_get16(frame + at + 4) << 16 | lab_get16(frame + at + 6);
}

static void a_hop_limit_that_runs_out_is_told_in_the_senders_family(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct packet p = from_client(v6, IPPROTO_UDP, 2200, 0), got;

		p.ttl = 1;
		lab_put(0, p);
		told(0, v6, v6 ? 3 : 11, 0);
		p.ttl = 64;
		lab_put(0, p);
		got = lab_take(1);
		p = answer(&got, 0);
		p.ttl = 1;
		lab_put(1, p);
		told(1, !v6, v6 ? 11 : 3, 0);
	}
	assert_int_equal(lab_dropped(DROP_TTL_EXCEEDED), 4);
	lab_nothing();
}

static void packets_that_grow_too_large_are_told_a_smaller_mtu(void **state)
{
	struct packet p = from_client(false, IPPROTO_UDP, 2300, 0), got;

	(void)state;
	/* IPv4 with DF, 1500 bytes: 1520 as IPv6. */
	p.payload = 1500 - 28;
	lab_put(0, p);
	assert_int_equal(told(0, false, 3, 4), 1480);
	p.payload = 1480 - 28;
	lab_put(0, p);
	got = lab_take(1);
	assert_int_equal(got.payload, 1480 - 28);
	/* The same for a reply. */
	lab_put(0, from_client(true, IPPROTO_UDP, 2301, 0));
	got = lab_take(1);
	p = answer(&got, 0);
	p.payload = 1500 - 28;
	lab_put(1, p);
	assert_int_equal(told(1, false, 3, 4), 1480);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 2);
	lab_nothing();
}

static void a_small_link_is_told_to_ipv6_with_twenty_bytes_more(void **state)
{
	struct packet p = from_client(true, IPPROTO_UDP, 2400, 0), got;

	(void)state;
	world_link(&h, link_id_of(1, 0), 1400);
	world_neighbour(&h, link_id_of(1, 0), SERVER4, "02:01:0a:0a:00:01");
	p.payload = 1421 - 48;
	lab_put(0, p);
	assert_int_equal(told(0, true, 2, 0), 1420);
	p.payload = 1420 - 48;
	lab_put(0, p);
	got = lab_take(1);
	assert_int_equal(got.payload, 1420 - 48);
	lab_nothing();
}

/* --- extension headers, options -------------------------------------------------------- */

static void extension_headers_are_left_behind_or_the_packet_is_dropped(void **state)
{
	static const uint8_t options[8] = {0, 0, 1, 4}, routing[8] = {0, 0, 4, 0},
			     route_left[8] = {0, 0, 4, 1};
	struct packet p = from_client(true, IPPROTO_UDP, 2800, 0), got;

	(void)state;
	p.ext = options;
	p.ext_len = 8;
	p.ext_first = 60;
	lab_put(0, p);
	got = lab_take(1);
	is_at_server(&got, false);
	assert_int_equal(got.payload, 21);
	p.ext = routing;
	p.ext_first = 43;
	lab_put(0, p);
	lab_take(1);
	p.ext = route_left;
	lab_put(0, p);
	assert_int_equal(lab_dropped(DROP_UNTRANSLATABLE), 1);
	lab_nothing();
}

static void ipv4_options_are_left_behind_but_a_source_route(void **state)
{
	struct packet p = from_client(false, IPPROTO_UDP, 2900, 0), got;
	uint8_t frame[FRAME_MAX], longer[FRAME_MAX];
	static const uint8_t stamps[8] = {7, 7, 4, 1, 2, 3, 4}, route[8] = {131, 7, 4, 1, 2, 3, 4},
			     done[8] = {137, 7, 8, 1, 2, 3, 4};
	static const uint8_t *const options[] = {stamps, route, done};

	(void)state;
	packet_to_port(&p, 0, NULL);
	const size_t len = packet_build(&p, frame);

	for (unsigned int i = 0; i < 3; i++) {
		memcpy(longer, frame, ETH + 20);
		memcpy(longer + ETH + 20, options[i], 8);
		memcpy(longer + ETH + 28, frame + ETH + 20, len - ETH - 20);
		longer[ETH] = 0x47;
		lab_put16(longer + ETH + 2, (uint16_t)(len - ETH + 8));
		memset(longer + ETH + 10, 0, 2);
		const be16 sum = csum_of(longer + ETH, 28);

		memcpy(longer + ETH + 10, &sum, 2);
		lab_put_frame(0, longer, len + 8);
		if (i == 1)
			continue;
		got = lab_take(1);
		is_at_server(&got, true);
		assert_int_equal(got.payload, 21);
	}
	assert_int_equal(lab_dropped(DROP_UNTRANSLATABLE), 1);
	lab_nothing();
}

/* --- life ---------------------------------------------------------------------------- */

static void a_connection_that_ends_gives_its_half_and_port_back(void **state)
{
	struct worker *w = h.dp->workers[0];

	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct packet got;

		lab_put(0, from_client(v6, IPPROTO_TCP, 1001, TCP_SYN));
		got = lab_take(1);
		assert_int_equal(v6 ? w->v4.n_others : w->v6.n_others, 1);
		lab_put(1, answer(&got, TCP_RST | TCP_ACK));
		assert_int_equal(lab_drain(0), 1);
		harness_advance_ms(&h, 130000);
		harness_run(&h);
		assert_int_equal(lab_counters().connections, 0);
		assert_int_equal(ports_in_use(), 0);
		assert_int_equal(w->v4.table.n_locals + w->v6.table.n_locals + w->v4.n_others +
					 w->v6.n_others,
				 0);
		assert_int_equal(w->v4.table.n + w->v6.table.n, 0);
		lab_put(1, answer(&got, TCP_ACK));
		assert_int_equal(lab_dropped(DROP_POOL_UNKNOWN), 1 + v6);
	}
}

static void full_tables_give_halves_of_old_connections_back(void **state)
{
	struct worker *w = h.dp->workers[0];

	(void)state;
	for (uint16_t i = 0; i < 500; i++)
		for (unsigned int v6 = 0; v6 < 2; v6++) {
			lab_put(0, from_client(v6, IPPROTO_TCP, (uint16_t)(2000 + i), TCP_SYN));
			lab_drain(1);
		}
	assert_true(lab_counters().evicted > 800);
	assert_int_equal(w->v4.table.n_locals + w->v6.table.n_locals, lab_counters().connections);
	assert_int_equal(w->v4.table.n + w->v6.table.n, lab_counters().connections);
	assert_int_equal(ports_in_use(), lab_counters().connections);
}

static void replies_come_to_the_worker_of_their_connection(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 100; i++)
		for (unsigned int v6 = 0; v6 < 2; v6++) {
			struct packet got;

			lab_put(0, from_client(v6, IPPROTO_TCP, (uint16_t)(3000 + i), TCP_SYN));
			got = lab_take(1);
			assert_int_equal(step_of(&got), step_of_client(v6, (uint16_t)(3000 + i)));
			lab_put(1, answer(&got, TCP_SYN | TCP_ACK));
			got = lab_take(0);
			is_at_client(&got, v6, (uint16_t)(3000 + i));
		}
	assert_int_equal(lab_counters().connections, 200);
}

static void a_reply_that_waits_for_its_next_hop_leaves_translated(void **state)
{
	struct packet got;

	(void)state;
	lab_put(0, from_client(true, IPPROTO_UDP, 4000, 0));
	got = lab_take(1);
	world_neighbour(&h, link_id_of(0, 0), CLIENT6, NULL);
	lab_put(1, answer(&got, 0));
	assert_int_equal(lab_dropped(DROP_NH_UNRESOLVED), 1);
	world_neighbour(&h, link_id_of(0, 0), CLIENT6, "02:06:00:00:00:01");
	lab_put(1, answer(&got, 0));
	got = lab_take(0);
	is_at_client(&got, true, 4000);
	lab_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_handshake_crosses_both_ways, crossing_setup, 1),
		LAB_TEST(datagrams_cross_both_ways_and_get_the_checksum_that_ipv6_wants,
			 crossing_setup, 1),
		LAB_TEST(traffic_class_and_hop_limit_go_along, crossing_setup, 1),
		LAB_TEST(a_hop_limit_that_runs_out_is_told_in_the_senders_family, crossing_setup,
			 1),
		LAB_TEST(packets_that_grow_too_large_are_told_a_smaller_mtu, crossing_setup, 1),
		LAB_TEST(a_small_link_is_told_to_ipv6_with_twenty_bytes_more, crossing_setup, 1),
		LAB_TEST(extension_headers_are_left_behind_or_the_packet_is_dropped, crossing_setup,
			 1),
		LAB_TEST(ipv4_options_are_left_behind_but_a_source_route, crossing_setup, 1),
		LAB_TEST(a_connection_that_ends_gives_its_half_and_port_back, crossing_setup, 1),
		LAB_TEST(full_tables_give_halves_of_old_connections_back, crossing_setup_small, 1),
		LAB_TEST(replies_come_to_the_worker_of_their_connection, crossing_setup, 3),
		LAB_TEST(a_reply_that_waits_for_its_next_hop_leaves_translated, crossing_setup, 1),
	};

	return lab_run(256, tests);
}
