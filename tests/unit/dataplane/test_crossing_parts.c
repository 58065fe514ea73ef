/* SPDX-License-Identifier: BSD-3-Clause */
/* Full NAT to servers of the other family: fragments, and ICMP errors with the packets that they
 * quote. */
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

/* --- fragments ----------------------------------------------------------------------- */

/* Takes the fragments of a datagram that leave by a port, and puts the payload together behind
 * `data`, where the identification of all has to be the same. Returns the number of fragments. */
static unsigned int gather(unsigned int port, bool v6, uint8_t *data, size_t *data_len,
			   uint32_t *id)
{
	uint8_t frame[FRAME_MAX];
	unsigned int n = 0;
	size_t len;

	*data_len = 0;
	while ((len = lab_got_frame(port, frame)) != 0) {
		const uint8_t *ip = frame + ETH;
		const size_t head = v6 ? 48 : 20;
		const uint16_t field = lab_get16(ip + (v6 ? 42 : 6));
		const size_t at = v6 ? field & 0xfff8U : (field & 0x1fffU) * 8;
		const size_t total = v6 ? lab_get16(ip + 4) + 40U : lab_get16(ip + 2);
		const uint32_t now = v6 ? (uint32_t)lab_get16(ip + 44) << 16 | lab_get16(ip + 46)
					: lab_get16(ip + 4);

		assert_int_equal(ip[0] >> 4, v6 ? 6 : 4);
		assert_int_equal(v6 ? ip[6] : 44, 44);
		assert_true(len >= ETH + total && total <= (v6 ? 1280 : 1500));
		if (!v6)
			assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		assert_true(n == 0 || *id == now);
		*id = now;
		memcpy(data + at, ip + head, total - head);
		if (at + total - head > *data_len)
			*data_len = at + total - head;
		n++;
	}
	return n;
}

static bool udp_sum_good(const uint8_t *udp, size_t len, bool v6)
{
	const be32 a4[2] = {ipv4(LOCAL4), ipv4(SERVER4)};
	const struct addr6 a6[2] = {ipv6(LOCAL6), ipv6(SERVER6)};
	uint64_t sum = v6 ? csum_add(0, a6, sizeof(a6)) : csum_add(0, a4, sizeof(a4));

	sum += be16_from((uint16_t)len) + be16_from(IPPROTO_UDP);
	return csum_fold(csum_add(sum, udp, len)) == 0xffff;
}

/* A datagram of `payload` bytes from the client as fragments of `piece` bytes. */
static void fragments_put(bool v6, uint16_t sport, uint16_t payload, uint16_t piece, bool no_sum)
{
	static uint8_t whole[4096], frame[FRAME_MAX];
	struct packet p = from_client(v6, IPPROTO_UDP, sport, 0);
	const size_t head = v6 ? 40 : 20;
	uint8_t l4[4096];
	size_t len = 8U + payload;
	uint64_t sum;

	p.payload = 8;
	packet_to_port(&p, 0, NULL);
	packet_build(&p, whole);
	memcpy(l4, whole + ETH + head, 8);
	memset(l4 + 8, 'y', payload);
	lab_put16(l4 + 4, (uint16_t)len);
	memset(l4 + 6, 0, 2);
	sum = csum_add(0, whole + ETH + (v6 ? 8 : 12), v6 ? 32 : 8);
	sum += be16_from((uint16_t)len) + be16_from(IPPROTO_UDP);
	if (!no_sum) {
		const be16 s = (be16)~csum_fold(csum_add(sum, l4, len));

		memcpy(l4 + 6, &s, 2);
	}
	for (size_t at = 0; at < len; at += piece) {
		const size_t n = len - at < piece ? len - at : piece;
		const bool more = at + n < len;
		uint8_t *ip = frame + ETH;

		memcpy(frame, whole, ETH + head);
		if (v6) {
			const uint8_t head6[8] = {17,
						  0,
						  (uint8_t)(at >> 8),
						  (uint8_t)((at & 0xf8) | more),
						  0xaa,
						  0xbb,
						  0x12,
						  0x34};

			ip[6] = 44;
			lab_put16(ip + 4, (uint16_t)(8 + n));
			memcpy(ip + 40, head6, 8);
			memcpy(ip + 48, l4 + at, n);
			lab_put_frame(0, frame, ETH + 48 + n);
		} else {
			lab_put16(ip + 2, (uint16_t)(20 + n));
			lab_put16(ip + 4, 0x1234);
			lab_put16(ip + 6, (uint16_t)(at / 8 | (more ? 0x2000 : 0)));
			memset(ip + 10, 0, 2);
			const be16 s = csum_of(ip, 20);

			memcpy(ip + 10, &s, 2);
			memcpy(ip + 20, l4 + at, n);
			lab_put_frame(0, frame, ETH + 20 + n);
		}
	}
}

static void fragments_cross_and_fit_together_again(void **state)
{
	uint8_t data[4096];
	uint32_t id;
	size_t len;

	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		fragments_put(v6, 2500, 2600, 1200, false);
		assert_int_equal(gather(1, !v6, data, &len, &id), 3);
		assert_int_equal(len, 2608);
		assert_int_equal(id, 0x1234);
		assert_true(udp_sum_good(data, len, !v6));
		assert_int_equal(data[2607], 'y');
	}
	/* Longer pieces of IPv4 are cut again: 1280 bytes go by each path of IPv6. */
	fragments_put(false, 2501, 2600, 1480, false);
	assert_int_equal(gather(1, true, data, &len, &id), 3);
	assert_int_equal(len, 2608);
	assert_true(udp_sum_good(data, len, true));
	lab_nothing();
}

static void a_packet_without_df_leaves_as_fragments_of_ipv6(void **state)
{
	struct packet p = from_client(false, IPPROTO_UDP, 2600, 0);
	uint8_t data[4096];
	uint32_t id;
	size_t len;

	(void)state;
	p.df = 0;
	p.payload = 1240 - 8; /* 1280 as IPv6 */
	lab_put(0, p);
	assert_int_equal(lab_take(1).payload, 1232);
	p.payload = 1241 - 8;
	lab_put(0, p);
	assert_int_equal(gather(1, true, data, &len, &id), 2);
	assert_int_equal(len, 1241);
	assert_true(udp_sum_good(data, len, true));
	p.no_l4 = 1; /* not a fragment yet: the sum can be computed */
	lab_put(0, p);
	assert_int_equal(gather(1, true, data, &len, &id), 2);
	assert_true(udp_sum_good(data, len, true));
	lab_nothing();
}

static void fragments_without_a_checksum_are_dropped_by_name(void **state)
{
	(void)state;
	fragments_put(false, 2700, 2600, 1200, true);
	assert_int_equal(lab_dropped(DROP_NO_CHECKSUM), 3);
	lab_nothing();
	/* IPv6 servers alone want one: the datagram crosses within IPv4 as it is. */
}

/* --- ICMP errors --------------------------------------------------------------------- */

/* An error of this type about a packet, from a station on its way, back to its sender. */
static void error_put(unsigned int port, const struct packet *about, uint8_t type, uint8_t code,
		      uint32_t info)
{
	uint8_t quoted[FRAME_MAX], frame[FRAME_MAX];
	const size_t head = about->v6 ? 40 : 20;
	struct packet p = {.v6 = about->v6,
			   .saddr = ipv4(port ? "10.10.0.99" : "192.168.1.99"),
			   .daddr = about->saddr,
			   .saddr6 = ipv6(port ? "2001:db8:10::99" : "2001:db8:c::99"),
			   .daddr6 = about->saddr6,
			   .proto = about->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			   .sport = (be16)(type << 8 | code)};
	be16 sum, words[2];
	size_t len = packet_build(about, quoted) - ETH;

	p.data = quoted + ETH;
	p.payload = (uint16_t)(len < 600 ? len : 600);
	packet_to_port(&p, port, NULL);
	len = packet_build(&p, frame);
	words[0] = be16_from((uint16_t)(info >> 16));
	words[1] = be16_from((uint16_t)info);
	memcpy(frame + ETH + head + 4, words, 4);
	memcpy(&sum, frame + ETH + head + 2, 2);
	sum = csum_apply(sum, csum_delta_sum(csum_delta16(0, words[0]), csum_delta16(0, words[1])));
	memcpy(frame + ETH + head + 2, &sum, 2);
	lab_put_frame(port, frame, len);
}

/* The error that left by a port: its word, with its quote in *inner. */
static uint32_t error_take(unsigned int port, bool v6, uint8_t type, uint8_t code,
			   struct packet *outer, struct packet *inner)
{
	uint8_t frame[FRAME_MAX], quote[FRAME_MAX];
	const size_t at = ETH + (v6 ? 40 : 20), len = lab_got_frame(port, frame);

	assert_true(len > at + 8);
	assert_int_equal(packet_describe(frame, len, outer), 0);
	assert_int_equal(outer->v6, v6);
	assert_false(outer->bad_ip || outer->bad_l4);
	assert_int_equal(frame[at], type);
	assert_int_equal(frame[at + 1], code);
	memset(quote, 0, sizeof(quote));
	lab_put16(quote + 12, v6 ? 0x86dd : 0x0800);
	memcpy(quote + ETH, frame + at + 8, len - at - 8);
	assert_int_equal(packet_describe(quote, len - at - 8 + ETH, inner), 0);
	assert_int_equal(inner->v6, v6);
	assert_false(inner->bad_ip);
	outer->data = inner->data = NULL;
	return (uint32_t)lab_get16(frame + at + 4) << 16 | lab_get16(frame + at + 6);
}

static void errors_cross_with_the_packet_that_they_quote(void **state)
{
	(void)state;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct packet p = from_client(v6, IPPROTO_UDP, 3000, 0), request, reply, outer,
			      inner;

		lab_put(0, p);
		request = lab_take(1);
		request.data = NULL;
		request.ttl = 5;
		/* About a request, to the client: no route. */
		error_put(1, &request, v6 ? 3 : 1, 0, 0);
		error_take(0, v6, v6 ? 1 : 3, v6 ? 0 : 1, &outer, &inner);
		is_at_client(&outer, v6, 0);
		assert_int_equal(inner.ttl, 5);
		assert_int_equal(be16_to(inner.sport), 3000);
		assert_int_equal(be16_to(inner.dport), 53);
		assert_false(inner.bad_l4);
		if (v6) {
			assert_true(addr6_equal(inner.saddr6, ipv6(CLIENT6)));
			assert_true(addr6_equal(inner.daddr6, ipv6(VIP6)));
		} else {
			assert_int_equal(inner.saddr, ipv4(CLIENT4));
			assert_int_equal(inner.daddr, ipv4(VIP4));
		}
		/* About a reply, to the server: port unreachable. */
		lab_put(1, answer(&request, 0));
		reply = lab_take(0);
		reply.data = NULL;
		error_put(0, &reply, v6 ? 1 : 3, v6 ? 4 : 3, 0);
		error_take(1, !v6, v6 ? 3 : 1, v6 ? 3 : 4, &outer, &inner);
		assert_int_equal(be16_to(inner.sport), 8080);
		assert_int_equal(inner.dport, request.sport);
		assert_false(inner.bad_l4);
	}
	lab_nothing();
}

static void path_mtus_are_told_with_the_difference_of_the_headers(void **state)
{
	struct packet p, request, outer, inner;

	(void)state;
	/* An IPv4 router behind us, to an IPv6 client. */
	p = from_client(true, IPPROTO_UDP, 3100, 0);
	p.payload = 400;
	lab_put(0, p);
	request = lab_take(1);
	request.data = NULL;
	error_put(1, &request, 3, 4, 1300);
	assert_int_equal(error_take(0, true, 2, 0, &outer, &inner), 1320);
	error_put(1, &request, 3, 4, 600);
	assert_int_equal(error_take(0, true, 2, 0, &outer, &inner), 1280);
	/* An IPv6 router behind us, to an IPv4 client. */
	p = from_client(false, IPPROTO_UDP, 3101, 0);
	p.payload = 400;
	lab_put(0, p);
	request = lab_take(1);
	request.data = NULL;
	error_put(1, &request, 2, 0, 1400);
	assert_int_equal(error_take(0, false, 3, 4, &outer, &inner), 1380);
	/* No word of IPv6 for it. */
	lab_put(0, from_client(true, IPPROTO_UDP, 3102, 0));
	request = lab_take(1);
	request.data = NULL;
	error_put(1, &request, 3, 14, 0);
	assert_int_equal(lab_dropped(DROP_UNTRANSLATABLE), 1);
	/* About a packet that nobody sent. */
	request.sport = be16_from(9);
	error_put(1, &request, 3, 1, 0);
	assert_int_equal(lab_dropped(DROP_POOL_UNKNOWN), 1);
	lab_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(fragments_cross_and_fit_together_again, crossing_setup, 1),
		LAB_TEST(a_packet_without_df_leaves_as_fragments_of_ipv6, crossing_setup, 1),
		LAB_TEST(fragments_without_a_checksum_are_dropped_by_name, crossing_setup, 1),
		LAB_TEST(errors_cross_with_the_packet_that_they_quote, crossing_setup, 1),
		LAB_TEST(path_mtus_are_told_with_the_difference_of_the_headers, crossing_setup, 1),
	};

	return lab_run(256, tests);
}
