/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 7915, field by field: headers (4.1, 5.1), types and codes of ICMP errors (4.2, 5.2), pointers
 * (figures 3 and 6), and MTUs. Expectations are literal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/translate/icmp_map.h"
#include "dataplane/translate/ip_facts.h"

#define DROPPED -1

struct row {
	uint8_t type, code;
	uint32_t info;
	int to_type, to_code;
	uint32_t to_info;
};

static void rows_hold(const struct row *rows, size_t n,
		      bool (*map)(const struct icmp_words *, struct icmp_words *))
{
	for (size_t i = 0; i < n; i++) {
		const struct icmp_words in = {rows[i].type, rows[i].code, rows[i].info};
		struct icmp_words out = {0};
		const bool said = map(&in, &out);

		if (said != (rows[i].to_type != DROPPED) ||
		    (said && (out.type != rows[i].to_type || out.code != rows[i].to_code ||
			      out.info != rows[i].to_info)))
			fail_msg("type %u code %u info %#x: %s %u/%u %#x", in.type, in.code,
				 in.info, said ? "became" : "dropped,", out.type, out.code,
				 out.info);
	}
}

static void errors_of_icmpv4_become_those_of_4_2(void **state)
{
	static const struct row rows[] = {
		{3, 0, 0, 1, 0, 0},
		{3, 1, 0, 1, 0, 0},
		{3, 2, 0, 4, 1, 6},
		{3, 3, 0, 1, 4, 0},
		{3, 4, 1400, 2, 0, 1400},
		{3, 5, 0, 1, 0, 0},
		{3, 6, 0, 1, 0, 0},
		{3, 7, 0, 1, 0, 0},
		{3, 8, 0, 1, 0, 0},
		{3, 9, 0, 1, 1, 0},
		{3, 10, 0, 1, 1, 0},
		{3, 11, 0, 1, 0, 0},
		{3, 12, 0, 1, 0, 0},
		{3, 13, 0, 1, 1, 0},
		{3, 14, 0, DROPPED, 0, 0},
		{3, 15, 0, 1, 1, 0},
		{3, 16, 0, DROPPED, 0, 0},
		{3, 255, 0, DROPPED, 0, 0},
		/* Source quench, redirect, alternative address: obsolete, or of one hop. */
		{4, 0, 0, DROPPED, 0, 0},
		{5, 1, 0, DROPPED, 0, 0},
		{6, 0, 0, DROPPED, 0, 0},
		{11, 0, 0, 3, 0, 0},
		{11, 1, 0, 3, 1, 0},
		/* Queries belong to no connection. */
		{8, 0, 0, DROPPED, 0, 0},
		{0, 0, 0, DROPPED, 0, 0},
		{13, 0, 0, DROPPED, 0, 0},
		/* Parameter problems: a required option is missing; nonsense. */
		{12, 1, 0, DROPPED, 0, 0},
		{12, 3, 0, DROPPED, 0, 0},
	};

	(void)state;
	rows_hold(rows, sizeof(rows) / sizeof(*rows), icmp_words_4to6);
}

static void errors_of_icmpv6_become_those_of_5_2(void **state)
{
	static const struct row rows[] = {
		{1, 0, 0, 3, 1, 0},	    {1, 1, 0, 3, 10, 0},	{1, 2, 0, 3, 1, 0},
		{1, 3, 0, 3, 1, 0},	    {1, 4, 0, 3, 3, 0},		{1, 5, 0, DROPPED, 0, 0},
		{1, 6, 0, DROPPED, 0, 0},   {2, 0, 1400, 3, 4, 1400},	{3, 0, 0, 11, 0, 0},
		{3, 1, 0, 11, 1, 0},	    {4, 1, 6, 3, 2, 0},		{4, 2, 40, DROPPED, 0, 0},
		{4, 3, 0, DROPPED, 0, 0},   {5, 0, 0, DROPPED, 0, 0},	{127, 0, 0, DROPPED, 0, 0},
		{128, 0, 0, DROPPED, 0, 0}, {133, 0, 0, DROPPED, 0, 0},
	};

	(void)state;
	rows_hold(rows, sizeof(rows) / sizeof(*rows), icmp_words_6to4);
}

static void pointers_name_the_field_of_the_other_header(void **state)
{
	/* By byte; DROPPED: n/a in the figures. */
	static const int figure3[20] = {0,	 1, 4,	4,	 DROPPED, DROPPED, DROPPED,
					DROPPED, 7, 6,	DROPPED, DROPPED, 8,	   8,
					8,	 8, 24, 24,	 24,	  24};
	static const int figure6[40] = {0,  1,	DROPPED, DROPPED, 2,  2,  9,  8,  12, 12,
					12, 12, 12,	 12,	  12, 12, 12, 12, 12, 12,
					12, 12, 12,	 12,	  16, 16, 16, 16, 16, 16,
					16, 16, 16,	 16,	  16, 16, 16, 16, 16, 16};

	(void)state;
	for (uint32_t i = 0; i < 24; i++) {
		const int to = i < 20 ? figure3[i] : DROPPED;
		const struct row rows[] = {
			{12, 0, i << 24, to == DROPPED ? DROPPED : 4, 0, (uint32_t)to},
			{12, 2, i << 24, to == DROPPED ? DROPPED : 4, 0, (uint32_t)to},
		};

		rows_hold(rows, 2, icmp_words_4to6);
	}
	for (uint32_t i = 0; i < 44; i++) {
		const int to = i < 40 ? figure6[i] : DROPPED;
		const struct row row = {
			4, 0, i, to == DROPPED ? DROPPED : 12, 0, (uint32_t)to << 24};

		rows_hold(&row, 1, icmp_words_6to4);
	}
}

static void mtus_differ_by_the_headers_and_never_ask_for_less_than_a_link_takes(void **state)
{
	(void)state;
	/* To IPv6: 20 more, at most what next hops take, 1280 at least. */
	assert_int_equal(translated6_mtu(1400, 1500, 9000, 9000), 1420);
	assert_int_equal(translated6_mtu(1400, 1500, 1410, 9000), 1410);
	assert_int_equal(translated6_mtu(1400, 1500, 9000, 1380), 1400);
	assert_int_equal(translated6_mtu(1260, 1500, 9000, 9000), 1280);
	assert_int_equal(translated6_mtu(576, 1500, 9000, 9000), 1280);
	/* A router of before RFC 1191: the plateau below the packet's length. */
	assert_int_equal(translated6_mtu(0, 1500, 9000, 9000), 1512);
	assert_int_equal(translated6_mtu(0, 1492, 9000, 9000), 1280);
	assert_int_equal(translated6_mtu(0, 4000, 9000, 9000), 2022);
	assert_int_equal(translated6_mtu(0, 0, 9000, 9000), 1280);
	/* To IPv4: 20 less, 28 behind a fragment header. */
	assert_int_equal(translated4_mtu(1400, false, 9000, 9000), 1380);
	assert_int_equal(translated4_mtu(1400, true, 9000, 9000), 1372);
	assert_int_equal(translated4_mtu(1400, false, 1300, 9000), 1300);
	assert_int_equal(translated4_mtu(1400, false, 9000, 1300), 1280);
	assert_int_equal(translated4_mtu(0xffffffff, false, 1500, 1500), 1480);
	assert_int_equal(translated4_mtu(10, false, 9000, 9000), 68);
}

/* --- headers ------------------------------------------------------------------------- */

static struct addr6 addr6_byte(uint8_t last)
{
	struct addr6 a = {0};

	((uint8_t *)&a)[0] = 0x20;
	((uint8_t *)&a)[15] = last;
	return a;
}

static void an_ipv4_header_becomes_an_ipv6_header(void **state)
{
	/* TOS 0xb8, 1000 bytes, identification 0x1234, DF, TTL 61, UDP. */
	uint8_t in[20] = {0x45, 0xb8, 0x03, 0xe8, 0x12, 0x34, 0x40, 0, 61, 17,
			  0,	0,    192,  0,	  2,	1,    192,  0, 2,  2};
	static const uint8_t out[40] = {0x6b, 0x80, 0,	  0,	    0x03,	 0xd4,
					17,   61,   0x20, [23] = 1, [24] = 0x20, [39] = 2};
	uint8_t got[48];
	struct ip_facts f = ip_facts4_read(in, 20, 1000, 17);

	(void)state;
	assert_true(f.whole);
	assert_int_equal(ip_facts6_len(&f), 40);
	ip_facts6_write(got, &f, addr6_byte(1), addr6_byte(2));
	assert_memory_equal(got, out, 40);
}

static void an_ipv4_fragment_gets_a_fragment_header(void **state)
{
	/* Offset 185 (1480 bytes), more fragments. */
	uint8_t in[20] = {0x45, 0, 0x05, 0xdc, 0xab, 0xcd, 0x20, 0xb9, 64, 17};
	static const uint8_t out[48] = {0x60, 0,    0,	      0,	   0x05,     0xd0,	44,
					64,   0x20, [23] = 1, [24] = 0x20, [39] = 2, [40] = 17, 0,
					0x05, 0xc9, 0,	      0,	   0xab,     0xcd};
	uint8_t got[48];
	struct ip_facts f = ip_facts4_read(in, 20, 1500, 17);

	(void)state;
	assert_false(f.whole);
	assert_int_equal(ip_facts6_len(&f), 48);
	ip_facts6_write(got, &f, addr6_byte(1), addr6_byte(2));
	assert_memory_equal(got, out, 48);
	/* The last one. */
	in[6] = 0;
	f = ip_facts4_read(in, 20, 1500, 17);
	ip_facts6_write(got, &f, addr6_byte(1), addr6_byte(2));
	assert_int_equal(got[43], 0xc8);
	/* Options are left behind: 24 bytes of header. */
	in[0] = 0x46;
	in[7] = 0;
	f = ip_facts4_read(in, 24, 1500, 17);
	assert_int_equal(f.payload, 1476);
	assert_false(f.fragment);
}

static void an_ipv6_header_becomes_an_ipv4_header(void **state)
{
	/* Class 0x2e, flow label 0x12345, 1240 bytes behind the header, hop limit 60, TCP. */
	uint8_t in[40] = {0x62, 0xe1, 0x23, 0x45, 0x04, 0xd8, 6, 60};
	static const uint8_t out[20] = {0x45, 0x2e, 0x04, 0xec, 0, 0, 0,   0, 60, 6,
					0xf5, 0xcc, 192,  0,	2, 1, 192, 0, 2,  2};
	uint8_t got[20];
	struct ip_facts f = ip_facts6_read(in, 40, 1280, 6);

	(void)state;
	/* 1260 bytes of IPv4: each path of IPv6 takes them, so that they may be cut further on. */
	assert_false(f.whole);
	ip_facts4_write(got, &f, be32_from(0xc0000201), be32_from(0xc0000202));
	assert_int_equal(csum_fold(csum_add(0, got, 20)), 0xffff);
	assert_memory_equal(got, out, 10);
	assert_memory_equal(got + 12, out + 12, 8);
	/* A byte more: DF. */
	f = ip_facts6_read(in, 40, 1281, 6);
	assert_true(f.whole);
	ip_facts4_write(got, &f, be32_from(0xc0000201), be32_from(0xc0000202));
	assert_int_equal(got[6], 0x40);
	assert_int_equal(csum_fold(csum_add(0, got, 20)), 0xffff);
}

static void an_ipv6_fragment_keeps_its_place_and_half_its_identification(void **state)
{
	/* Fragment header: offset 1448, more, identification 0x5678abcd. */
	uint8_t in[48] = {0x60,	     0, 0,    0,    0x05, 0xd0, 44,   64,
			  [40] = 17, 0, 0x05, 0xa9, 0x56, 0x78, 0xab, 0xcd};
	static const uint8_t out[10] = {0x45, 0, 0x05, 0xdc, 0xab, 0xcd, 0x20, 0xb5, 64, 17};
	uint8_t got[20];
	struct ip_facts f = ip_facts6_read(in, 48, 40 + 0x5d0, 17);

	(void)state;
	assert_false(f.whole);
	ip_facts4_write(got, &f, 1, 2);
	assert_memory_equal(got, out, 10);
	/* An atomic fragment is whole, without DF. */
	in[42] = in[43] = 0;
	f = ip_facts6_read(in, 48, 40 + 0x5d0, 17);
	ip_facts4_write(got, &f, 1, 2);
	assert_int_equal(got[6] | got[7], 0);
	assert_int_equal(got[4], 0xab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_of_icmpv4_become_those_of_4_2),
		cmocka_unit_test(errors_of_icmpv6_become_those_of_5_2),
		cmocka_unit_test(pointers_name_the_field_of_the_other_header),
		cmocka_unit_test(
			mtus_differ_by_the_headers_and_never_ask_for_less_than_a_link_takes),
		cmocka_unit_test(an_ipv4_header_becomes_an_ipv6_header),
		cmocka_unit_test(an_ipv4_fragment_gets_a_fragment_header),
		cmocka_unit_test(an_ipv6_header_becomes_an_ipv4_header),
		cmocka_unit_test(an_ipv6_fragment_keeps_its_place_and_half_its_identification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
