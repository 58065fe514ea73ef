/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of plvs-generator: DPDK's checksums agree with its own, and no damage goes unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>

#include "generator.h"

#define ETH 14U

static struct gen_options options(bool v6)
{
	struct gen_options o = {0};

	assert_int_equal(addr_parse(v6 ? "2001:db8:64::1" : "10.64.0.1", &o.client), 0);
	assert_int_equal(endpoint_parse(v6 ? "[2001:db8::80]:80" : "192.0.2.80:80", &o.vip), 0);
	return o;
}

/* A frame of flow 61,234 with n bytes of its pattern. The length. */
static uint16_t build(uint8_t frame[GEN_FRAME_MAX], bool v6, uint8_t proto, uint16_t n)
{
	const struct gen_options o = options(v6);
	const struct gen_frame f = {.dst = {{2, 0, 0, 0, 0, 1}},
				    .src = {{2, 0, 0, 0, 0, 2}},
				    .from = gen_client(&o, 61234),
				    .to = o.vip,
				    .proto = proto,
				    .flags = proto == IPPROTO_TCP ? TH_PUSH | TH_ACK : 0,
				    .seq = 0xfffffff0,
				    .ack = 77};
	uint8_t *payload;
	const uint16_t len = gen_frame_head(frame, &f, n, &payload);

	gen_pattern(payload, n, 61234, 0);
	gen_frame_sum(frame);
	return len;
}

static void each_kind(void (*check)(bool v6, uint8_t proto, uint16_t n))
{
	static const uint16_t sizes[] = {0, 1, 18, 101, 1400};

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned int kind = 0; kind < 4; kind++)
			check(kind & 1, kind & 2 ? IPPROTO_TCP : IPPROTO_UDP, sizes[i]);
}

static void check_sums(bool v6, uint8_t proto, uint16_t n)
{
	uint8_t frame[GEN_FRAME_MAX], *ip = frame + ETH;
	const uint16_t len = build(frame, v6, proto, n);
	uint8_t *field = ip + (v6 ? 40 : 20) + (proto == IPPROTO_TCP ? 16 : 6);
	struct gen_frame f;
	uint16_t written;

	memcpy(&written, field, 2);
	memset(field, 0, 2);
	assert_int_equal(written, v6 ? rte_ipv6_udptcp_cksum((void *)ip, ip + 40)
				     : rte_ipv4_udptcp_cksum((void *)ip, ip + 20));
	memcpy(field, &written, 2);
	if (!v6)
		assert_int_equal(rte_raw_cksum(ip, 20), 0xffff);
	assert_int_equal(gen_frame_read(frame, len, &f), 0);
	assert_true(gen_frame_sums_are_right(&f));
	assert_int_equal(f.n_payload, n);
	assert_true(gen_pattern_is(f.payload, n, 61234, 0));
	assert_int_equal(f.seq, proto == IPPROTO_TCP ? 0xfffffff0 : 0);
	assert_int_equal(len, gen_headers(v6 ? ADDR_V6 : ADDR_V4, proto) + n);
}

static void checksums_are_those_of_dpdk(void **state)
{
	(void)state;
	each_kind(check_sums);
}

/* Every byte of the IP packet but those that no checksum covers (IPv6: class, label, hop limit). */
static void check_damage(bool v6, uint8_t proto, uint16_t n)
{
	uint8_t frame[GEN_FRAME_MAX];
	const uint16_t len = build(frame, v6, proto, n);
	struct gen_frame f;

	for (uint16_t at = ETH; at < len; at++) {
		if (v6 && (at < ETH + 4 || at == ETH + 7))
			continue;
		frame[at] ^= 0x10;
		if (gen_frame_read(frame, len, &f) == 0)
			assert_false(gen_frame_sums_are_right(&f));
		frame[at] ^= 0x10;
	}
}

static void no_changed_byte_passes(void **state)
{
	(void)state;
	each_kind(check_damage);
}

/* In memory of just that length, so that a sanitizer sees a byte too many. */
static void check_cut(bool v6, uint8_t proto, uint16_t n)
{
	uint8_t frame[GEN_FRAME_MAX];
	const uint16_t len = build(frame, v6, proto, n);
	struct gen_frame f;

	for (uint16_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1U);

		assert_non_null(part);
		memcpy(part, frame, cut);
		assert_true(gen_frame_read(part, cut, &f) < 0);
		free(part);
	}
}

static void a_frame_that_is_cut_is_no_frame(void **state)
{
	(void)state;
	each_kind(check_cut);
}

static void a_client_is_known_by_its_number(void **state)
{
	static const uint32_t flows[] = {0, 1, GEN_PORTS - 1, GEN_PORTS, 15359999};
	struct endpoint other;

	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		const struct gen_options o = options(v6);

		for (unsigned int i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
			const struct endpoint client = gen_client(&o, flows[i]);

			assert_int_equal(gen_flow(&o, &client), flows[i]);
		}
		assert_int_equal(
			endpoint_parse(v6 ? "[2001:db8:63::1]:2000" : "10.63.255.255:2000", &other),
			0);
		assert_int_equal(gen_flow(&o, &other), UINT32_MAX);
		assert_int_equal(gen_flow(&o, &o.vip), UINT32_MAX);
	}
}

static void a_pattern_tells_flows_and_places_apart(void **state)
{
	uint8_t bytes[64];

	(void)state;
	gen_pattern(bytes, sizeof(bytes), 5, 10);
	assert_true(gen_pattern_is(bytes, sizeof(bytes), 5, 10));
	assert_false(gen_pattern_is(bytes, sizeof(bytes), 6, 10));
	assert_false(gen_pattern_is(bytes, sizeof(bytes), 5, 11));
	bytes[63]++;
	assert_false(gen_pattern_is(bytes, sizeof(bytes), 5, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_are_those_of_dpdk),
		cmocka_unit_test(no_changed_byte_passes),
		cmocka_unit_test(a_frame_that_is_cut_is_no_frame),
		cmocka_unit_test(a_client_is_known_by_its_number),
		cmocka_unit_test(a_pattern_tells_flows_and_places_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
