/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Encapsulations of tunnels: GUE and GRE, with and without checksums, over both families. Headers
 * are compared with those that IPVS (Linux 6.1) sent for the same servers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	 "10.1.0.100"
#define CLIENT	 "192.168.1.1"
#define SERVER	 "10.10.0.2"
#define SERVER6	 "2001:db8:10::1"
#define ROUTER	 "10.10.9.9" /* on the way to the server */
#define ETH	 14U
#define GUE_PORT 6080

/* Ports of the services: one for each kind of header. */
enum {
	GUE = 57,
	GUE_SUM,
	GRE,
	GRE_SUM,
	GUE6_SUM,
	GRE6,
	EDITED,
};

static void service(const char *listen, const char *server, uint8_t type, uint8_t checksum)
{
	struct world_server s = {server, 1, FWD_TUNNEL, {.type = type, .checksum = checksum}};

	if (type == ENCAP_GUE)
		s.encap.port = be16_from(GUE_PORT);
	world_service(&h, "udp", listen, sched_find("rr"), &s, 1);
}

static int bed_setup(void **state)
{
	const link_id server_side = link_id_of(1, 0);

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_route(&h, "2001:db8:10::/48", server_side, NULL);
	world_own(&h, "2001:db8:10::fe", server_side);
	world_neighbour(&h, server_side, SERVER6, "02:06:00:00:00:02");
	service(VIP ":57", SERVER ":57", ENCAP_GUE, ENCAP_NO_CHECKSUM);
	service(VIP ":58", SERVER ":58", ENCAP_GUE, ENCAP_CHECKSUM);
	service(VIP ":59", SERVER ":59", ENCAP_GRE, ENCAP_NO_CHECKSUM);
	service(VIP ":60", SERVER ":60", ENCAP_GRE, ENCAP_CHECKSUM);
	service(VIP ":61", "[" SERVER6 "]:61", ENCAP_GUE, ENCAP_REMOTE_CHECKSUM);
	service(VIP ":62", "[" SERVER6 "]:62", ENCAP_GRE, ENCAP_NO_CHECKSUM);
	service(VIP ":63", SERVER ":63", ENCAP_IPIP, ENCAP_NO_CHECKSUM);
	return 0;
}

/* A datagram with DF by the tunnel; the outer packet, or 0. */
static size_t through(uint16_t sport, uint16_t dport, uint16_t payload, uint8_t ip[FRAME_MAX])
{
	lab_put_whole(CLIENT, sport, VIP, dport, payload);
	return lab_got_ip(1, ip);
}

/* The client's packet, whole, one hop on. */
static void is_the_clients(const uint8_t *inner, size_t len, uint16_t dport, uint16_t payload)
{
	uint8_t frame[FRAME_MAX] = {[12] = 8};
	struct packet got;

	memcpy(frame + ETH, inner, len);
	assert_int_equal(packet_describe(frame, ETH + len, &got), 0);
	assert_int_equal(got.saddr, ipv4(CLIENT));
	assert_int_equal(got.daddr, ipv4(VIP));
	assert_int_equal(be16_to(got.dport), dport);
	assert_int_equal(got.payload, payload);
	assert_int_equal(got.ttl, 63);
	assert_false(got.bad_ip || got.bad_l4);
}

/* The sum over the pseudo header and the datagram at udp is right. */
static void udp_sum_is_right(const uint8_t *addrs, size_t addrs_len, const uint8_t *udp, size_t len)
{
	uint64_t sum =
		csum_add(0, addrs, addrs_len) + be16_from((uint16_t)len) + be16_from(IPPROTO_UDP);

	assert_int_not_equal(lab_get16(udp + 6), 0);
	assert_int_equal(csum_fold(csum_add(sum, udp, len)), 0xffff);
}

static void gue_puts_udp_and_four_bytes_before_the_packet(void **state)
{
	static const uint8_t gue[] = {0, 4, 0, 0};
	uint8_t ip[FRAME_MAX];

	(void)state;
	for (uint16_t dport = GUE; dport <= GUE_SUM; dport++) {
		size_t len = through(2000, dport, 101, ip);

		assert_int_equal(len, 20 + 12 + 28 + 101);
		assert_int_equal(lab_get16(ip + 2), len);
		assert_int_equal(ip[9], IPPROTO_UDP);
		assert_int_equal(lab_get16(ip + 6), 0x4000);
		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		assert_in_range(lab_get16(ip + 20), 32768, 60999);
		assert_int_equal(lab_get16(ip + 22), GUE_PORT);
		assert_int_equal(lab_get16(ip + 24), len - 20);
		assert_memory_equal(ip + 28, gue, sizeof(gue));
		is_the_clients(ip + 32, len - 32, dport, 101);
		if (dport == GUE)
			assert_int_equal(lab_get16(ip + 26), 0);
		else
			udp_sum_is_right(ip + 12, 8, ip + 20, len - 20);
	}
}

static void source_ports_of_gue_spread_by_client(void **state)
{
	uint8_t one[FRAME_MAX], again[FRAME_MAX];
	unsigned int distinct = 0;
	uint16_t last = 0;

	(void)state;
	for (uint16_t i = 0; i < 100; i++) {
		assert_true(through((uint16_t)(2000 + i), GUE, 10, one) > 0);
		assert_true(through((uint16_t)(2000 + i), GUE, 10, again) > 0);
		assert_int_equal(lab_get16(one + 20), lab_get16(again + 20));
		distinct += lab_get16(one + 20) != last;
		last = lab_get16(one + 20);
	}
	assert_in_range(distinct, 95, 100);
}

static void gre_puts_its_header_before_the_packet(void **state)
{
	static const uint8_t plain[] = {0, 0, 8, 0}, summed[] = {0x80, 0, 8, 0};
	uint8_t ip[FRAME_MAX];
	size_t len = through(2000, GRE, 101, ip);

	(void)state;
	assert_int_equal(len, 20 + 4 + 28 + 101);
	assert_int_equal(ip[9], IPPROTO_GRE);
	assert_memory_equal(ip + 20, plain, sizeof(plain));
	is_the_clients(ip + 24, len - 24, GRE, 101);

	len = through(2000, GRE_SUM, 101, ip);
	assert_int_equal(len, 20 + 8 + 28 + 101);
	assert_memory_equal(ip + 20, summed, sizeof(summed));
	assert_int_equal(lab_get16(ip + 26), 0);
	assert_int_equal(csum_fold(csum_add(0, ip + 20, len - 20)), 0xffff);
	is_the_clients(ip + 28, len - 28, GRE_SUM, 101);
}

static void outer_packets_are_of_the_servers_family(void **state)
{
	static const uint8_t plain[] = {0, 0, 8, 0};
	uint8_t ip[FRAME_MAX];
	size_t len = through(2000, GUE6_SUM, 101, ip);

	(void)state;
	assert_int_equal(len, 40 + 12 + 28 + 101);
	assert_int_equal(lab_get16(ip + 4), len - 40);
	assert_int_equal(ip[6], IPPROTO_UDP);
	udp_sum_is_right(ip + 8, 32, ip + 40, len - 40);
	is_the_clients(ip + 52, len - 52, GUE6_SUM, 101);

	len = through(2000, GRE6, 101, ip);
	assert_int_equal(len, 40 + 4 + 28 + 101);
	assert_int_equal(ip[6], IPPROTO_GRE);
	assert_memory_equal(ip + 40, plain, sizeof(plain));
	is_the_clients(ip + 44, len - 44, GRE6, 101);
}

/* All headers come off the MTU: what fits to the byte passes, one byte more is refused. */
static void all_headers_come_off_the_mtu(void **state)
{
	static const struct {
		uint16_t dport, head;
	} kinds[] = {{GUE, 32},	    {GUE_SUM, 32},  {GRE, 24},
		     {GRE_SUM, 28}, {GUE6_SUM, 52}, {GRE6, 44}};
	uint8_t ip[FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const uint16_t fits = (uint16_t)(1500 - kinds[i].head);

		assert_int_equal(through(2001, kinds[i].dport, (uint16_t)(fits - 28), ip), 1500);
		assert_int_equal(through(2001, kinds[i].dport, (uint16_t)(fits - 27), ip), 0);
		assert_true(lab_got_ip(0, ip) > 0);
		assert_int_equal(lab_get16(ip + 20), 3 << 8 | 4);
		assert_int_equal(lab_get16(ip + 26), fits);
	}
}

static void an_edit_holds_for_connections_that_exist(void **state)
{
	uint8_t ip[FRAME_MAX];

	(void)state;
	assert_int_equal(through(2000, EDITED, 10, ip), 20 + 38);
	assert_int_equal(ip[9], IPPROTO_IPIP);
	service(VIP ":63", SERVER ":63", ENCAP_GRE, ENCAP_NO_CHECKSUM);
	assert_int_equal(through(2000, EDITED, 10, ip), 24 + 38);
	assert_int_equal(ip[9], IPPROTO_GRE);
}

/* "Too big" of a router on the way about `about`, which must be at least 528 bytes. */
static void too_big(const uint8_t *about, uint16_t mtu)
{
	uint8_t frame[FRAME_MAX] = {0}, *ip = frame + ETH, *icmp = ip + 20;
	const be32 from = ipv4(ROUTER);
	be16 sum;

	memcpy(frame, &lab_router[1], 6);
	memcpy(frame + 6, &lab_station, 6);
	frame[12] = 8;
	ip[0] = 0x45;
	ip[2] = (28 + 528) >> 8;
	ip[3] = (28 + 528) & 0xff;
	ip[8] = 61;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, &from, 4);
	memcpy(ip + 16, about + 12, 4);
	sum = csum_of(ip, 20);
	memcpy(ip + 10, &sum, 2);
	icmp[0] = 3;
	icmp[1] = 4;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	memcpy(icmp + 8, about, 528);
	sum = csum_of(icmp, 8 + 528);
	memcpy(icmp + 2, &sum, 2);
	lab_put_frame(1, frame, ETH + 28 + 528);
}

static void errors_about_outer_packets_are_told_less_all_headers(void **state)
{
	static const struct {
		uint16_t dport, head;
	} kinds[] = {{GUE, 32}, {GUE_SUM, 32}, {GRE, 24}, {GRE_SUM, 28}};
	uint8_t outer[FRAME_MAX], ip[FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const uint16_t head = kinds[i].head;

		assert_true(through(3000, kinds[i].dport, 1400, outer) > 0);
		too_big(outer, 1300);
		assert_int_equal(lab_got_ip(0, ip), 28 + 528 - head);
		assert_int_equal(lab_get16(ip + 20), 3 << 8 | 4);
		assert_int_equal(lab_get16(ip + 26), 1300 - head);
		assert_memory_equal(ip + 28, outer + head, 528 - head);
		/* Learnt. */
		assert_int_equal(through(3001, kinds[i].dport, (uint16_t)(1300 - head - 28), ip),
				 1300);
		assert_int_equal(through(3001, kinds[i].dport, (uint16_t)(1300 - head - 27), ip),
				 0);
		assert_true(lab_got_ip(0, ip) > 0);
	}
}

static void errors_about_another_encapsulation_are_forged(void **state)
{
	uint8_t outer[FRAME_MAX], forged[FRAME_MAX], ip[FRAME_MAX];
	uint64_t unrelated = 0;
	size_t len = through(3000, GRE, 1400, outer);

	(void)state;
	/* The connection's server is spoken to by GRE; the error is about IPIP. */
	memcpy(forged, outer, 20);
	forged[9] = IPPROTO_IPIP;
	memcpy(forged + 20, outer + 24, len - 24);
	too_big(forged, 1300);
	assert_int_equal(lab_got_ip(0, ip), 0);
	assert_int_equal(lab_dropped(DROP_ICMP_UNRELATED), ++unrelated);
	/* By GUE, but to another port of the server. */
	assert_true(through(3000, GUE, 1400, outer) > 0);
	outer[23] ^= 1;
	too_big(outer, 1300);
	assert_int_equal(lab_got_ip(0, ip), 0);
	assert_int_equal(lab_dropped(DROP_ICMP_UNRELATED), ++unrelated);
}

/* Linux may have such tunnels of its own: errors that are not about one of ours go there. */
static void headers_that_are_no_encapsulation_of_ours_go_to_linux(void **state)
{
	static const struct {
		uint16_t dport;
		uint8_t at, value;
	} odd[] = {
		{GUE, 28, 0x40}, /* GUE, version 1 */
		{GUE, 29, 17},	 /* no IP packet inside */
		{GUE, 30, 0x80}, /* an option */
		{GRE, 20, 0x20}, /* a key */
		{GRE, 21, 1},	 /* version 1 */
		{GRE, 22, 0x65}, /* no IP packet inside */
	};
	uint8_t outer[FRAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_true(through(3000, odd[i].dport, 1400, outer) > 0);
		outer[odd[i].at] = odd[i].value;
		too_big(outer, 1300);
		assert_int_equal(lab_punted(NULL), PUNT_ICMP);
	}
}

#define GOLDEN(f) LAB_TEST(f, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(gue_puts_udp_and_four_bytes_before_the_packet),
		GOLDEN(source_ports_of_gue_spread_by_client),
		GOLDEN(gre_puts_its_header_before_the_packet),
		GOLDEN(outer_packets_are_of_the_servers_family),
		GOLDEN(all_headers_come_off_the_mtu),
		GOLDEN(an_edit_holds_for_connections_that_exist),
		GOLDEN(errors_about_outer_packets_are_told_less_all_headers),
		GOLDEN(errors_about_another_encapsulation_are_forged),
		GOLDEN(headers_that_are_no_encapsulation_of_ours_go_to_linux),
	};

	return lab_run(256, tests);
}
