/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames with checksums that are not finished, and frames of many segments: as they arrive, on
 * their way, and as they leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/csum.h"
#include "unit/dataplane/big_lab.h"
#include "dataplane/conn/tcp_state.h"

#define VIP6 "2001:db8:1::100"

/* The next frame leaves a port as big as it came; its field is as wrong as it was. */
static void leaves(unsigned int port, uint8_t proto, uint32_t payload, uint16_t segment,
		   uint16_t wrong)
{
	struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
	struct virtio_net_hdr hdr;
	const uint8_t *ip;
	uint16_t was, stays;
	uint32_t head;

	assert_non_null(m);
	head = ETH + big_lab_l3_len(m) + (proto == IPPROTO_TCP ? TCP : 8);
	assert_int_equal(m->pkt_len, head + payload);
	was = big_lab_load(big_lab_field(m, proto));
	assert_true(big_leave(m, &hdr));
	assert_int_equal(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(hdr.csum_start, ETH + big_lab_l3_len(m));
	assert_int_equal(hdr.csum_offset, proto == IPPROTO_TCP ? 16 : 6);
	assert_int_equal(hdr.gso_size, segment);
	assert_int_equal(hdr.hdr_len, segment ? head : 0);
	ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETH);
	/* 0 and 0xffff are the same sum. */
	assert_int_equal(
		big_lab_load(big_lab_field(m, proto)) % 0xffff,
		csum_add16(big_lab_pseudo(ip, m->pkt_len - ETH - big_lab_l3_len(m)), wrong) %
			0xffff);
	big_stay(m);
	stays = big_lab_load(big_lab_field(m, proto));
	assert_int_equal(stays % 0xffff, was % 0xffff);
	rte_pktmbuf_free(m);
}

/* ---- NAT and direct routing ---- */

static void nat_passes_64_kib_whole_both_ways(void **state)
{
	struct packet back = lab_tcp(BIG_SERVER, 8080, BIG_CLIENT, 1001, TCP_ACK);

	(void)state;
	back.df = 1;
	big_lab_established(80);
	big_lab_arrives(0, big_lab_client(80, TCP_ACK | TCP_PSH), 65160, 1448, 0);
	leaves(1, IPPROTO_TCP, 65160, 1448, 0);
	big_lab_arrives(1, back, 65160, 1448, 0);
	leaves(0, IPPROTO_TCP, 65160, 1448, 0);
	lab_nothing();
}

static void direct_routing_passes_frames_whole(void **state)
{
	(void)state;
	lab_put(0, big_lab_client(81, TCP_SYN));
	lab_drain(1);
	big_lab_arrives(0, big_lab_client(81, TCP_ACK), 40000, 1460, 0);
	leaves(1, IPPROTO_TCP, 40000, 1460, 0);
}

static void unfinished_checksums_stay_so_and_wrong_ones_wrong(void **state)
{
	(void)state;
	big_lab_established(80);
	for (uint16_t wrong = 0; wrong < 3; wrong++) {
		big_lab_arrives(0, big_lab_client(80, TCP_ACK), 100, 0, wrong);
		leaves(1, IPPROTO_TCP, 100, 0, wrong);
		big_lab_arrives(0, big_lab_client(80, TCP_ACK), 9000, 1400, wrong);
		leaves(1, IPPROTO_TCP, 9000, 1400, wrong);
	}
}

/* Any ports and lengths: the sums of the field wrap in all ways. */
static void datagrams_of_any_ports_keep_their_sum(void **state)
{
	(void)state;
	srandom(15);
	for (unsigned int i = 0; i < 3000; i++) {
		const uint16_t sport = (uint16_t)(1024 + random() % 60000);
		const uint32_t payload = (uint32_t)random() % 1200;

		big_lab_arrives(0, lab_udp(BIG_CLIENT, sport, BIG_VIP, 53, 0), payload, 0, 0);
		leaves(1, IPPROTO_UDP, payload, 0, 0);
	}
	big_lab_arrives(0, lab_udp(BIG_CLIENT, 999, BIG_VIP, 53, 0), 12000, 1200, 0);
	leaves(1, IPPROTO_UDP, 12000, 1200, 0);
}

static void ipv6_is_described_as_ipv6(void **state)
{
	struct packet p = {.v6 = true,
			   .saddr6 = ipv6("2001:db8::1"),
			   .daddr6 = ipv6(VIP6),
			   .sport = be16_from(7),
			   .dport = be16_from(80),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = TCP_ACK};
	struct virtio_net_hdr hdr;
	struct rte_mbuf *m;
	uint16_t before;

	(void)state;
	packet_to_port(&p, 0, &lab_station);
	m = big_lab_frame(&p, 20000);
	hdr = big_lab_describe(m, IPPROTO_TCP, 1428, 0);
	before = big_lab_load(big_lab_field(m, IPPROTO_TCP));
	assert_true(big_arrive(m, &hdr));
	assert_int_equal(big_segment_len(m), 40 + TCP + 1428);
	assert_true(big_leave(m, &hdr));
	assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
	assert_int_equal(hdr.csum_start, ETH + 40);
	assert_int_equal(big_lab_load(big_lab_field(m, IPPROTO_TCP)), before);
	rte_pktmbuf_free(m);
}

static void congestion_marks_and_tags_are_described(void **state)
{
	struct packet p = big_lab_client(80, TCP_ACK);
	struct virtio_net_hdr hdr;
	uint8_t frame[FRAME_MAX];
	struct rte_mbuf *m;

	(void)state;
	p.tcp_flags = TCP_ACK | 0x80; /* CWR */
	p.vlan = 5;
	p.payload = 900;
	packet_to_port(&p, 0, &lab_station);
	m = harness_frame(&h, frame, (uint16_t)packet_build(&p, frame));
	assert_non_null(m);
	hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
				      .gso_size = 400,
				      .csum_start = 38,
				      .csum_offset = 16};
	assert_true(big_arrive(m, &hdr));
	assert_true(big_leave(m, &hdr));
	assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
	assert_int_equal(hdr.csum_start, 38);
	assert_int_equal(hdr.hdr_len, 58);
	rte_pktmbuf_free(m);
}

/* ---- MTU ---- */

static void the_mtu_is_for_segments_not_for_frames(void **state)
{
	struct packet p;

	(void)state;
	big_lab_established(80);
	big_lab_arrives(0, big_lab_client(80, TCP_ACK), 30000, 1460, 0); /* 1,500 bytes of IP */
	leaves(1, IPPROTO_TCP, 30000, 1460, 0);
	big_lab_arrives(0, big_lab_client(80, TCP_ACK), 30000, 1461, 0);
	assert_true(lab_got(0, &p));
	assert_int_equal(p.proto, IPPROTO_ICMP);
	assert_int_equal(p.sport, 3 << 8 | 4);
	assert_int_equal(be16_to(p.dport), 0);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 1);
	lab_nothing();
}

/* ---- descriptions ---- */

static bool taken(uint8_t proto, struct virtio_net_hdr hdr)
{
	struct packet p = proto == IPPROTO_TCP ? big_lab_client(80, TCP_ACK)
					       : lab_udp(BIG_CLIENT, 1, BIG_VIP, 53, 0);
	struct rte_mbuf *m;
	bool ok;

	packet_to_port(&p, 0, &lab_station);
	m = big_lab_frame(&p, 600);
	ok = big_arrive(m, &hdr);
	assert_true(ok || !big_is_marked(m));
	rte_pktmbuf_free(m);
	return ok;
}

static void contradictions_are_not_taken(void **state)
{
	const struct virtio_net_hdr good = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
					    .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
					    .gso_size = 100,
					    .csum_start = 34,
					    .csum_offset = 16};
	struct virtio_net_hdr bad = good;

	(void)state;
	assert_true(taken(IPPROTO_TCP, good));
	assert_false(taken(IPPROTO_UDP, good));
	bad.gso_size = 0;
	assert_false(taken(IPPROTO_TCP, bad));
	bad = good;
	bad.csum_start = 54; /* of a packet inside */
	assert_false(taken(IPPROTO_TCP, bad));
	bad = good;
	bad.csum_offset = 6;
	assert_false(taken(IPPROTO_TCP, bad));
	for (unsigned int kind = 2; kind < 256; kind++) {
		bad = good;
		bad.gso_type = (uint8_t)kind;
		assert_int_equal(taken(IPPROTO_TCP, bad),
				 (kind & 0x7f) == VIRTIO_NET_HDR_GSO_TCPV4 || kind == 0x80);
	}
	bad = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 65535, .csum_offset = 65535};
	assert_false(taken(IPPROTO_TCP, bad));
	bad.csum_start = 653; /* the last byte */
	bad.csum_offset = 0;
	assert_false(taken(IPPROTO_TCP, bad));
}

/* Of neither TCP nor UDP: the sum is finished at once, as a device would. */
static void other_checksums_are_finished_on_arrival(void **state)
{
	const struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 2};
	struct packet p = lab_udp(BIG_CLIENT, 0, BIG_VIP, 0, 0);
	struct rte_mbuf *m;
	const uint8_t *icmp;

	(void)state;
	p.proto = IPPROTO_ICMP;
	packet_to_port(&p, 0, &lab_station);
	m = big_lab_frame(&p, 300);
	icmp = rte_pktmbuf_mtod_offset(m, const uint8_t *, 34);
	memset((uint8_t *)(uintptr_t)icmp + 2, 0, 2);
	assert_true(big_arrive(m, &hdr));
	assert_false(big_is_marked(m));
	assert_int_equal(csum_fold(csum_add(0, icmp, m->pkt_len - 34)), 0xffff);
	rte_pktmbuf_free(m);
}

/* Segments that were put together have right checksums: each one gets its own again. */
static void frames_put_together_are_marked_too(void **state)
{
	const struct virtio_net_hdr hdr = {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000};
	struct packet p = big_lab_client(80, TCP_ACK);
	struct rte_mbuf *m;

	(void)state;
	big_lab_established(80);
	packet_to_port(&p, 0, &lab_station);
	m = big_lab_frame(&p, 5000);
	assert_true(big_arrive(m, &hdr));
	assert_int_equal(harness_receive(&h, 0, 0, m), 0);
	harness_run(&h);
	leaves(1, IPPROTO_TCP, 5000, 1000, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(nat_passes_64_kib_whole_both_ways, big_lab_setup, 1),
		LAB_TEST(nat_passes_64_kib_whole_both_ways, big_lab_setup, 3),
		LAB_TEST(direct_routing_passes_frames_whole, big_lab_setup, 1),
		LAB_TEST(unfinished_checksums_stay_so_and_wrong_ones_wrong, big_lab_setup, 1),
		LAB_TEST(datagrams_of_any_ports_keep_their_sum, big_lab_setup, 1),
		LAB_TEST(ipv6_is_described_as_ipv6, big_lab_setup, 1),
		LAB_TEST(congestion_marks_and_tags_are_described, big_lab_setup, 1),
		LAB_TEST(the_mtu_is_for_segments_not_for_frames, big_lab_setup, 1),
		LAB_TEST(contradictions_are_not_taken, big_lab_setup, 1),
		LAB_TEST(other_checksums_are_finished_on_arrival, big_lab_setup, 1),
		LAB_TEST(frames_put_together_are_marked_too, big_lab_setup, 1),
	};

	return lab_run(192, tests);
}
