/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets that are larger than the MTU of the link by which they leave: fragments are made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "unit/dataplane/fragment_lab.h"

static void a_nat_datagram_larger_than_the_mtu_leaves_in_two_fragments(void **state)
{
	struct packet p = udp_from_client(7011, 53, 1450), got;
	uint8_t frame[FRAME_MAX];
	struct datagram d;

	(void)state;
	lan_mtu(1400);
	lab_put_frame(0, frame, packet_build(&p, frame));
	gather(1, 2, &d);
	/* As recorded from Linux: 1376 bytes in the first. */
	assert_int_equal(d.at[0], 0);
	assert_int_equal(d.total[0], 20 + 1376);
	assert_int_equal(d.at[1], 1376);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(got.dport), 8053);
	assert_int_equal(got.ttl, 63);
	assert_int_equal(got.payload, 1450);
	assert_false(got.bad_ip || got.bad_l4);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 0);
}

static void a_direct_routing_datagram_is_cut_into_as_many_as_it_takes(void **state)
{
	struct packet p = udp_from_client(7012, 54, 1472), got;
	struct worker_counters c;
	uint8_t frame[FRAME_MAX];
	struct datagram d;

	(void)state;
	lan_mtu(68);
	lab_put_frame(0, frame, packet_build(&p, frame));
	gather(1, 31, &d); /* 1480 bytes by 48 */
	for (unsigned int i = 0; i < d.n; i++)
		assert_int_equal(d.at[i], i * 48);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.daddr, ipv4(VIP));
	assert_int_equal(got.payload, 1472);
	assert_false(got.bad_ip || got.bad_l4);
	dataplane_worker_counters(h.dp, &c);
	assert_int_equal(c.generated, 30);
	assert_int_equal(c.sent, 31);
}

static void only_options_marked_so_are_copied_into_later_fragments(void **state)
{
	/* Record route (not copied) of 7 bytes, router alert (copied), end. */
	static const uint8_t options[12] = {7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0, 0};
	static const uint8_t second[12] = {1, 1, 1, 1, 1, 1, 1, 0x94, 4, 0, 0, 0};
	struct packet p = udp_from_client(7013, 53, 1400), got;
	uint8_t frame[FRAME_MAX];
	struct datagram d;
	size_t len;

	(void)state;
	lan_mtu(1000);
	len = packet_build(&p, frame);
	memmove(frame + ETH + 32, frame + ETH + 20, len - ETH - 20);
	memcpy(frame + ETH + 20, options, sizeof(options));
	frame[ETH] = 0x48;
	lab_put16(frame + ETH + 2, (uint16_t)(len - ETH + 12));
	header_sum(frame + ETH);
	lab_put_frame(0, frame, len + 12);
	gather(1, 2, &d);
	assert_int_equal(d.at[1], 968); /* 1000 - 32 */
	assert_memory_equal(d.options[0], options, 12);
	assert_memory_equal(d.options[1], second, 12);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, 1400);
	assert_false(got.bad_ip || got.bad_l4);
}

static void replies_are_split_towards_clients_too(void **state)
{
	struct packet p = udp_from_client(7014, 53, 10), got;
	uint8_t frame[FRAME_MAX];
	struct datagram d;

	(void)state;
	lab_put_frame(0, frame, packet_build(&p, frame));
	gather(1, 1, &d);
	world_link(&h, link_id_of(0, 0), 600);
	world_neighbour(&h, link_id_of(0, 0), CLIENT, "02:01:c0:a8:01:01");
	p = (struct packet){.dst = lab_router[1],
			    .src = lab_station,
			    .saddr = ipv4(SERVER),
			    .daddr = ipv4(CLIENT),
			    .sport = be16_from(8053),
			    .dport = be16_from(7014),
			    .proto = IPPROTO_UDP,
			    .payload = 1200};
	lab_put_frame(1, frame, packet_build(&p, frame));
	gather(0, 3, &d);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.saddr, ipv4(VIP));
	assert_int_equal(got.payload, 1200);
	assert_false(got.bad_ip || got.bad_l4);
}

static void a_chained_buffer_is_split_as_well(void **state)
{
	struct packet p = udp_from_client(7015, 53, 1450), got;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m, *tail;
	struct datagram d;
	size_t len;

	(void)state;
	lan_mtu(600);
	len = packet_build(&p, frame);
	m = harness_frame(&h, frame, 100);
	tail = harness_frame(&h, frame + 100, (uint16_t)(len - 100));
	assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
	assert_int_equal(harness_receive(&h, 0, 0, m), 0);
	harness_run(&h);
	m = harness_sent(&h, 0);
	assert_null(m);
	/* The first keeps its segments: made one here. */
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_int_equal(m->pkt_len, ETH + 20 + 576);
	assert_int_equal(rte_pktmbuf_linearize(m), 0);
	memcpy(d.frame, rte_pktmbuf_mtod(m, void *), m->pkt_len);
	rte_pktmbuf_free(m);
	{
		uint8_t head[ETH + 20 + 576];

		memcpy(head, d.frame, sizeof(head));
		for (unsigned int i = 1; i < 3; i++) {
			m = harness_sent(&h, 1);
			assert_non_null(m);
			len = m->pkt_len - ETH - 20;
			memcpy(d.frame + ETH + 20 + i * 576U,
			       rte_pktmbuf_mtod_offset(m, uint8_t *, ETH + 20), len);
			rte_pktmbuf_free(m);
		}
		memcpy(d.frame, head, sizeof(head));
	}
	d.len = ETH + 20 + 1152 + len;
	lab_put16(d.frame + ETH + 2, (uint16_t)(d.len - ETH));
	d.frame[ETH + 6] = 0;
	header_sum(d.frame + ETH);
	assert_int_equal(packet_describe(d.frame, d.len, &got), 0);
	assert_int_equal(got.payload, 1450);
	assert_false(got.bad_ip || got.bad_l4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(a_nat_datagram_larger_than_the_mtu_leaves_in_two_fragments),
		GOLDEN(a_direct_routing_datagram_is_cut_into_as_many_as_it_takes),
		GOLDEN(only_options_marked_so_are_copied_into_later_fragments),
		GOLDEN(replies_are_split_towards_clients_too),
		GOLDEN(a_chained_buffer_is_split_as_well),
	};

	return lab_run(256, tests);
}
