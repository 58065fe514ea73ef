/* SPDX-License-Identifier: BSD-3-Clause */
/* Big frames where nobody finishes them: they leave as segments with checksums of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "unit/dataplane/big_lab.h"
#include "dataplane/conn/tcp_state.h"

/* The next TCP packets behind `skip` bytes of the frames of `take`: right checksums, `n` of them
 * without a gap. */
static void segments_are(struct rte_mbuf *(*take)(void), uint32_t skip, uint32_t payload,
			 uint16_t segment)
{
	static uint8_t bytes[2 * FRAME_MAX];
	uint32_t at = 0;

	while (at < payload) {
		const uint32_t n = RTE_MIN((uint32_t)segment, payload - at);
		struct rte_mbuf *m = take();
		const uint8_t *ip = bytes + ETH + skip;
		uint32_t len;

		assert_non_null(m);
		assert_false(big_is_marked(m));
		len = m->pkt_len - ETH - skip;
		assert_int_equal(len, 40 + n);
		memcpy(bytes, rte_pktmbuf_read(m, 0, m->pkt_len, bytes), m->pkt_len);
		rte_pktmbuf_free(m);
		assert_int_equal(lab_get16(ip + 2), len);
		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		assert_int_equal(
			csum_fold(csum_add(big_lab_pseudo(ip, len - 20), ip + 20, len - 20)),
			0xffff);
		assert_int_equal((uint32_t)lab_get16(ip + 24) << 16 | lab_get16(ip + 26), at);
		assert_int_equal(ip[33] & (TCP_FIN | TCP_PSH), at + n < payload ? 0 : TCP_PSH);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(ip[40 + i], big_lab_byte(at + i));
		at += n;
	}
	assert_null(take());
}

static struct rte_mbuf *take_punted(void)
{
	enum punt_class class;

	return harness_punted(&h, &class);
}

static struct rte_mbuf *take_sent(void)
{
	return harness_sent(&h, 1);
}

static void linux_gets_finished_segments(void **state)
{
	(void)state;
	big_lab_arrives(0, big_lab_client(9999, TCP_ACK | TCP_PSH), 700, 0, 0);
	segments_are(take_punted, 0, 700, 700);
	big_lab_arrives(0, big_lab_client(9999, TCP_ACK | TCP_PSH), 14000, 1448, 0);
	segments_are(take_punted, 0, 14000, 1448);
}

static void a_tunnel_carries_segments_one_by_one(void **state)
{
	struct packet p;

	(void)state;
	lab_put(0, big_lab_client(83, TCP_SYN));
	lab_drain(1);
	big_lab_arrives(0, big_lab_client(83, TCP_ACK | TCP_PSH), 20000, 1400, 0);
	segments_are(take_sent, 20, 20000, 1400);
	big_lab_arrives(0, big_lab_client(83, TCP_ACK | TCP_PSH), 2000, 1460,
			0); /* 1,520 bytes outside */
	while (lab_got(0, &p))
		assert_int_equal(p.sport, 3 << 8 | 4);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 1);
	lab_drain(1);
}

static void ftp_reads_finished_segments(void **state)
{
	(void)state;
	big_lab_established(21);
	big_lab_arrives(0, big_lab_client(21, TCP_ACK | TCP_PSH), 30, 0, 0);
	segments_are(take_sent, 0, 30, 30);
	big_lab_arrives(0, big_lab_client(21, TCP_ACK | TCP_PSH), 3000, 1448, 0);
	segments_are(take_sent, 0, 3000, 1448);
}

/* Datagrams may be cut: each segment leaves as fragments. */
static void segments_over_the_mtu_leave_as_fragments(void **state)
{
	(void)state;
	big_lab_arrives(0, lab_udp(BIG_CLIENT, 5353, BIG_VIP, 53, 0), 5600, 2800 - 1000, 0);
	assert_int_equal(lab_drain(1), 3 + 4); /* 1,800 is two, the rest of 200 is one */
}

static void too_many_segments_are_dropped_and_counted(void **state)
{
	(void)state;
	big_lab_arrives(0, big_lab_client(9999, TCP_ACK), 60000, 1, 0);
	assert_int_equal(lab_dropped(DROP_SEGMENTS), 1);
	lab_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(linux_gets_finished_segments, big_lab_setup, 1),
		LAB_TEST(a_tunnel_carries_segments_one_by_one, big_lab_setup, 1),
		LAB_TEST(ftp_reads_finished_segments, big_lab_setup, 1),
		LAB_TEST(segments_over_the_mtu_leave_as_fragments, big_lab_setup, 1),
		LAB_TEST(too_many_segments_are_dropped_and_counted, big_lab_setup, 1),
	};

	return lab_run(192, tests);
}
