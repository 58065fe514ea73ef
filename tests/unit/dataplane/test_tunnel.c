/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels beside their header: where outer packets come from, and ICMP errors about them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/tunnel/tunnel.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	 "10.1.0.100"
#define CLIENT	 "192.168.1.1"
#define SERVER	 "10.10.0.2"
#define ROUTER	 "10.10.9.9" /* on the way to the server */
#define ETH	 14U
#define ANSWER	 28U /* IPv4 and ICMP header */
#define OWN_PORT 55
#define NET_PORT 56

static int bed_setup(void **state)
{
	static const struct world_server own[] = {{SERVER ":55", 1, FWD_TUNNEL}};
	static const struct world_server net[] = {{SERVER ":56", 1, FWD_TUNNEL}};
	const struct world_policy spread = {.tunnel_net = "172.16.0.0", .tunnel_len = 24};
	const struct sched_ops *rr = sched_find("rr");

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_service(&h, "udp", VIP ":55", rr, own, 1);
	world_policy(&h, &spread);
	world_service(&h, "udp", VIP ":56", rr, net, 1);
	world_policy(&h, NULL);
	return 0;
}

static uint64_t counter(size_t offset)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < h.dp->n_workers; i++)
		sum += *(const uint64_t *)((const char *)&h.dp->workers[i]->counters + offset);
	return sum;
}

/* A datagram with DF by the tunnel; the outer packet, or 0. */
static size_t through(uint16_t sport, uint16_t dport, uint16_t payload, uint8_t ip[FRAME_MAX])
{
	lab_put_whole(CLIENT, sport, VIP, dport, payload);
	return lab_got_ip(1, ip);
}

/* An ICMP error of the router on the way, as a frame; the checksums are right. */
static size_t error_build(const uint8_t *about, size_t quote, uint8_t type, uint8_t code,
			  uint16_t mtu, uint8_t frame[FRAME_MAX])
{
	uint8_t *ip = frame + ETH, *icmp = ip + 20;
	const be32 from = ipv4(ROUTER);
	be16 sum;

	memset(frame, 0, ETH + ANSWER);
	memcpy(frame, &lab_router[1], 6);
	memcpy(frame + 6, &lab_station, 6);
	lab_put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	lab_put16(ip + 2, (uint16_t)(ANSWER + quote));
	ip[8] = 61;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, &from, 4);
	memcpy(ip + 16, about + 12, 4);
	sum = csum_of(ip, 20);
	memcpy(ip + 10, &sum, 2);
	icmp[0] = type;
	icmp[1] = code;
	lab_put16(icmp + 6, mtu);
	memcpy(icmp + 8, about, quote);
	sum = csum_of(icmp, 8 + quote);
	memcpy(icmp + 2, &sum, 2);
	return ETH + ANSWER + quote;
}

static void tell(const uint8_t *about, size_t quote, uint8_t type, uint8_t code, uint16_t mtu)
{
	uint8_t frame[FRAME_MAX];

	lab_put_frame(1, frame, error_build(about, quote, type, code, mtu, frame));
}

/* The client was told this, about the packet inside `outer`, of which quote bytes lie in it. */
static void client_was_told(const uint8_t *outer, size_t quote, uint8_t type, uint8_t code,
			    uint16_t mtu)
{
	const be32 vip = ipv4(VIP), client = ipv4(CLIENT);
	uint8_t ip[FRAME_MAX];
	size_t len = lab_got_ip(0, ip);

	assert_int_equal(len, ANSWER + quote - 20);
	assert_int_equal(lab_get16(ip + 2), len);
	assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
	assert_int_equal(csum_fold(csum_add(0, ip + 20, len - 20)), 0xffff);
	assert_memory_equal(ip + 12, &vip, 4);
	assert_memory_equal(ip + 16, &client, 4);
	assert_int_equal(ip[8], 64);
	assert_int_equal(lab_get16(ip + 20), type << 8 | code);
	assert_int_equal(lab_get16(ip + 26), mtu);
	assert_memory_equal(ip + ANSWER, outer + 20, quote - 20);
	assert_int_equal(lab_got_ip(0, ip), 0);
}

static void nobody_was_told(uint64_t unrelated)
{
	uint8_t ip[FRAME_MAX];
	enum punt_class class;

	assert_int_equal(lab_got_ip(0, ip), 0);
	assert_int_equal(lab_got_ip(1, ip), 0);
	assert_null(harness_punted(&h, &class));
	assert_int_equal(bed_dropped(&h, DROP_ICMP_UNRELATED), unrelated);
}

/* ---- sources ---- */

static void outer_sources_spread_inside_their_prefix_by_client(void **state)
{
	bool seen[256] = {false};
	unsigned int distinct = 0;
	uint8_t ip[FRAME_MAX], again[FRAME_MAX];

	(void)state;
	for (uint16_t i = 0; i < 500; i++) {
		assert_true(through((uint16_t)(2000 + i), NET_PORT, 10, ip) > 0);
		assert_true(through((uint16_t)(2000 + i), NET_PORT, 10, again) > 0);
		assert_memory_equal(ip + 12, again + 12, 4);
		assert_memory_equal(ip + 12, "\xac\x10\x00", 3);
		assert_in_range(ip[15], 1, 254);
		distinct += !seen[ip[15]];
		seen[ip[15]] = true;
	}
	assert_in_range(distinct, 190, 254);
	assert_true(through(2000, OWN_PORT, 10, ip) > 0);
	assert_memory_equal(ip + 12, "\x0a\x0a\xff\xfe", 4);
}

/* ---- errors ---- */

static void a_path_mtu_is_learnt_and_told_less_the_outer_header(void **state)
{
	static const uint16_t ports[] = {OWN_PORT, NET_PORT};
	uint8_t outer[FRAME_MAX], ip[FRAME_MAX];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		size_t len = through(3000, ports[i], 1400, outer);

		assert_int_equal(len, 20 + 28 + 1400);
		tell(outer, 528, 3, 4, 1300);
		client_was_told(outer, 528, 3, 4, 1280);
		/* Known from now on, to whoever comes: 1280 fits, one more does not. */
		assert_int_equal(through(3001, ports[i], 1280 - 28, ip), 1300);
		assert_int_equal(through(3001, ports[i], 1281 - 28, ip), 0);
		assert_true(lab_got_ip(0, ip) > 0);
		assert_int_equal(lab_get16(ip + 20), 3 << 8 | 4);
		assert_int_equal(lab_get16(ip + 26), 1280);
	}
	assert_int_equal(bed_dropped(&h, DROP_TOO_BIG), 2);
	assert_int_equal(counter(offsetof(struct worker_counters, tunnel_errors)), 2);
	/* Forgotten in time. */
	harness_advance_ms(&h, (TUNNEL_MTU_S + 1) * 1000);
	assert_int_equal(through(3002, OWN_PORT, 1400, ip), 1448);
}

static void a_router_that_quotes_28_bytes_of_the_inner_packet_is_enough(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	through(3010, OWN_PORT, 1400, outer);
	tell(outer, 48, 3, 4, 1300);
	client_was_told(outer, 48, 3, 4, 1280);
}

static void extensions_behind_the_quote_are_left_out(void **state)
{
	uint8_t outer[FRAME_MAX], frame[FRAME_MAX];
	size_t len;
	be16 sum;

	(void)state;
	through(3011, OWN_PORT, 1400, outer);
	len = error_build(outer, 160, 11, 0, 0, frame);
	frame[ETH + 20 + 5] = 128 / 4; /* RFC 4884 */
	memset(frame + ETH + 22, 0, 2);
	sum = csum_of(frame + ETH + 20, 8 + 160);
	memcpy(frame + ETH + 22, &sum, 2);
	lab_put_frame(1, frame, len);
	client_was_told(outer, 128, 11, 0, 0);
}

static void a_mtu_below_reason_is_taken_as_the_least(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	through(3020, OWN_PORT, 1400, outer);
	tell(outer, 528, 3, 4, 68);
	client_was_told(outer, 528, 3, 4, TUNNEL_MTU_MIN - 20);
}

static void unreachable_servers_are_told_as_they_are(void **state)
{
	static const uint8_t errors[][2] = {{3, 0}, {3, 1}, {3, 2}, {3, 13}, {11, 0}};
	uint8_t outer[FRAME_MAX];

	(void)state;
	through(3030, OWN_PORT, 100, outer);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		tell(outer, 148, errors[i][0], errors[i][1], 0);
		client_was_told(outer, 148, errors[i][0], errors[i][1], 0);
	}
}

static void forged_errors_are_dropped_and_counted(void **state)
{
	uint8_t outer[FRAME_MAX], forged[FRAME_MAX];
	uint64_t n = 0;

	(void)state;
	through(3040, OWN_PORT, 1400, outer);
	/* A client, a port or a protocol that nobody has; another server. */
	static const unsigned int at[] = {20 + 12, 20 + 20, 16, 19};
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		memcpy(forged, outer, sizeof(forged));
		forged[at[i]] ^= 1;
		tell(forged, 528, 3, 4, 1300);
		nobody_was_told(++n);
	}
	/* Too big for a link that it fits; too big, but it could have been cut. */
	tell(outer, 528, 3, 4, 1448);
	nobody_was_told(++n);
	memcpy(forged, outer, sizeof(forged));
	forged[6] = 0;
	tell(forged, 528, 3, 4, 1300);
	nobody_was_told(++n);
	/* Nothing was learnt. */
	assert_int_equal(through(3040, OWN_PORT, 1400, outer), 1448);
	/* To an address of the prefix that is not this client's. */
	through(3041, NET_PORT, 1400, outer);
	outer[15] = outer[15] == 7 ? 8 : 7;
	tell(outer, 528, 3, 4, 1300);
	nobody_was_told(++n);
}

/* ICMP that is no error about a tunnel of ours is Linux's. */
static void others_errors_go_to_linux(void **state)
{
	uint8_t outer[FRAME_MAX], frame[FRAME_MAX];
	enum punt_class class;
	size_t len;

	(void)state;
	through(3050, OWN_PORT, 1400, outer);
	for (unsigned int i = 0; i < 5; i++) {
		struct rte_mbuf *m;
		uint8_t odd[FRAME_MAX];
		size_t quote = 528;

		memcpy(odd, outer, sizeof(odd));
		if (i == 0)
			odd[20 + 16] ^= 1; /* the inner destination is nobody's of ours */
		else if (i == 1)
			odd[9] = IPPROTO_GRE;
		else if (i == 2)
			quote = 28; /* nothing of the inner packet but 8 bytes */
		else if (i == 3)
			odd[20] = 0x41; /* a header of 4 bytes */
		len = error_build(odd, quote, 3, 4, 1300, frame);
		if (i == 4)
			frame[ETH + 22] ^= 1; /* wrong checksum */
		lab_put_frame(1, frame, len);
		m = harness_punted(&h, &class);
		assert_non_null(m);
		assert_int_equal(class, PUNT_ICMP);
		rte_pktmbuf_free(m);
	}
	nobody_was_told(0);
}

static void a_flood_of_errors_is_limited_and_counted(void **state)
{
	uint8_t outer[FRAME_MAX], ip[FRAME_MAX];
	unsigned int told = 0;

	(void)state;
	through(3060, OWN_PORT, 100, outer);
	for (unsigned int i = 0; i < 5000; i++) {
		tell(outer, 148, 3, 1, 0);
		told += lab_got_ip(0, ip) > 0;
	}
	assert_in_range(told, 1, 2000);
	assert_int_equal(told + bed_dropped(&h, DROP_ICMP_RATE), 5000);
	assert_int_equal(counter(offsetof(struct worker_counters, icmp_suppressed)), 5000 - told);
}

static void an_error_reaches_the_worker_of_its_connection(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	for (uint16_t i = 0; i < 20; i++) {
		through((uint16_t)(4000 + i), OWN_PORT, 1400, outer);
		tell(outer, 148, 3, 1, 0);
		client_was_told(outer, 148, 3, 1, 0);
	}
	assert_true(counter(offsetof(struct worker_counters, handed_off)) > 10);
}

static void an_error_to_a_silent_client_is_dropped(void **state)
{
	uint8_t outer[FRAME_MAX], ip[FRAME_MAX];

	(void)state;
	through(3070, OWN_PORT, 100, outer);
	world_neighbour(&h, link_id_of(0, 0), CLIENT, NULL);
	tell(outer, 148, 3, 1, 0);
	assert_int_equal(lab_got_ip(0, ip), 0);
	assert_int_equal(bed_dropped(&h, DROP_NH_UNRESOLVED), 1);
}

#define GOLDEN(f) LAB_TEST(f, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(outer_sources_spread_inside_their_prefix_by_client),
		GOLDEN(a_path_mtu_is_learnt_and_told_less_the_outer_header),
		GOLDEN(a_router_that_quotes_28_bytes_of_the_inner_packet_is_enough),
		GOLDEN(extensions_behind_the_quote_are_left_out),
		GOLDEN(a_mtu_below_reason_is_taken_as_the_least),
		GOLDEN(unreachable_servers_are_told_as_they_are),
		GOLDEN(forged_errors_are_dropped_and_counted),
		GOLDEN(others_errors_go_to_linux),
		GOLDEN(a_flood_of_errors_is_limited_and_counted),
		GOLDEN(an_error_to_a_silent_client_is_dropped),
		LAB_TEST(an_error_reaches_the_worker_of_its_connection, bed_setup, 3),
	};

	return lab_run(256, tests);
}
