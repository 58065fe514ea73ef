/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels: the outer header; and a service of the router itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "unit/dataplane/fragment_lab.h"

/* The IP packet inside, as a frame of its own. */
static size_t unwrap(const uint8_t *frame, size_t len, uint8_t *inner)
{
	assert_true(len > ETH + 40);
	memcpy(inner, frame, ETH);
	memcpy(inner + ETH, frame + ETH + 20, len - ETH - 20);
	return len - 20;
}

static void a_tunnel_wraps_the_packet_and_copies_ttl_tos_and_df(void **state)
{
	struct packet p = udp_from_client(7101, 55, 100), got;
	uint8_t frame[FRAME_MAX], inner[FRAME_MAX];
	uint16_t id = 0;

	(void)state;
	for (unsigned int df = 0; df < 2; df++) {
		struct rte_mbuf *m;
		const uint8_t *f, *ip;
		size_t len;

		p.df = (uint8_t)df;
		p.ttl = 33;
		len = packet_build(&p, frame);
		frame[ETH + 1] = 0xb8;
		header_sum(frame + ETH);
		lab_put_frame(0, frame, len);
		m = harness_sent(&h, 1);
		assert_non_null(m);
		f = rte_pktmbuf_mtod(m, const uint8_t *);
		ip = f + ETH;
		assert_memory_equal(f, "\x02\x01\x0a\x0a\x00\x02", 6);
		assert_memory_equal(f + 6, &lab_router[1], 6);
		assert_int_equal(rte_pktmbuf_pkt_len(m), len + 20);
		assert_int_equal(ip[0], 0x45);
		assert_int_equal(ip[1], 0xb8);
		assert_int_equal(lab_get16(ip + 2), 20 + 20 + 8 + 100);
		assert_int_equal(lab_get16(ip + 6), df ? 0x4000 : 0);
		assert_int_equal(ip[8], 32);
		assert_int_equal(ip[9], IPPROTO_IPIP);
		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		assert_memory_equal(ip + 12, "\x0a\x0a\xff\xfe", 4);
		assert_memory_equal(ip + 16, "\x0a\x0a\x00\x02", 4);
		assert_int_equal(
			packet_describe(inner, unwrap(f, rte_pktmbuf_pkt_len(m), inner), &got), 0);
		assert_int_equal(got.daddr, ipv4(VIP));
		assert_int_equal(got.saddr, ipv4(CLIENT));
		assert_int_equal(be16_to(got.dport), 55);
		assert_int_equal(got.ttl, 32);
		assert_int_equal(got.df, df);
		assert_false(got.bad_ip || got.bad_l4);
		if (df)
			assert_int_not_equal(lab_get16(ip + 4), id);
		id = lab_get16(ip + 4);
		rte_pktmbuf_free(m);
	}
}

static void the_tunnels_header_is_taken_off_the_mtu_that_is_told(void **state)
{
	struct packet p = udp_from_client(7102, 55, 1452); /* 1480: just fits */
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;
	const uint8_t *ip;

	(void)state;
	p.df = 1;
	lab_put_frame(0, frame, packet_build(&p, frame));
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_int_equal(rte_pktmbuf_pkt_len(m), ETH + 1500);
	rte_pktmbuf_free(m);
	p.payload++;
	lab_put_frame(0, frame, packet_build(&p, frame));
	assert_null(harness_sent(&h, 1));
	m = harness_sent(&h, 0);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, const uint8_t *) + ETH;
	assert_int_equal(lab_get16(ip + 20), 3 << 8 | 4);
	assert_int_equal(lab_get16(ip + 26), 1480);
	assert_memory_equal(ip + 12, "\x0a\x01\x00\x64", 4);
	rte_pktmbuf_free(m);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 1);
}

static void what_does_not_fit_a_tunnel_leaves_as_fragments_of_the_outer_packet(void **state)
{
	struct packet p = udp_from_client(7103, 55, 1472), got;
	uint8_t frame[FRAME_MAX], inner[DATAGRAM_MAX];
	struct datagram d;

	(void)state;
	lab_put_frame(0, frame, packet_build(&p, frame));
	gather(1, 2, &d);
	assert_int_equal(d.frame[ETH + 9], IPPROTO_IPIP);
	assert_int_equal(packet_describe(inner, unwrap(d.frame, d.len, inner), &got), 0);
	assert_int_equal(got.payload, 1472);
	assert_false(got.bad_ip || got.bad_l4);
}

static void a_tunnel_answers_a_spent_ttl(void **state)
{
	struct packet p = udp_from_client(7104, 55, 10), got;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;

	(void)state;
	p.ttl = 1;
	lab_put_frame(0, frame, packet_build(&p, frame));
	assert_null(harness_sent(&h, 1));
	m = harness_sent(&h, 0);
	assert_non_null(m);
	assert_int_equal(packet_describe(rte_pktmbuf_mtod(m, uint8_t *), m->pkt_len, &got), 0);
	assert_int_equal(got.sport, 11 << 8);
	rte_pktmbuf_free(m);
}

static void a_local_servers_packets_go_to_linux_as_they_came(void **state)
{
	struct packet p = udp_from_client(7201, 80, 0);
	struct server_rt *rt;
	enum punt_class class;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;
	size_t len;

	(void)state;
	p.proto = IPPROTO_TCP;
	p.tcp_flags = TCP_SYN;
	p.ttl = 1; /* it has arrived */
	len = packet_build(&p, frame);
	lab_put_frame(0, frame, len);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_OWN);
	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), frame, len);
	rte_pktmbuf_free(m);
	rt = world_server(&h, "tcp", VIP ":80", "192.168.1.254:80");
	assert_non_null(rt);
	assert_int_equal(counts_active(server_rt_counts(rt)), 1);
	p.tcp_flags = TCP_ACK;
	lab_put_frame(0, frame, packet_build(&p, frame));
	m = harness_punted(&h, &class);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	p.tcp_flags = TCP_RST;
	lab_put_frame(0, frame, packet_build(&p, frame));
	m = harness_punted(&h, &class);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	assert_null(harness_sent(&h, 0));
	assert_null(harness_sent(&h, 1));
	assert_int_equal(counts_active(server_rt_counts(rt)), 0);
	assert_int_equal(counts_inactive(server_rt_counts(rt)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(a_tunnel_wraps_the_packet_and_copies_ttl_tos_and_df),
		GOLDEN(the_tunnels_header_is_taken_off_the_mtu_that_is_told),
		GOLDEN(what_does_not_fit_a_tunnel_leaves_as_fragments_of_the_outer_packet),
		GOLDEN(a_tunnel_answers_a_spent_ttl),
		GOLDEN(a_local_servers_packets_go_to_linux_as_they_came),
	};

	return lab_run(256, tests);
}
