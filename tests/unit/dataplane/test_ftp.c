/* SPDX-License-Identifier: BSD-3-Clause */
/* FTP through NAT, through the real stages, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/bed.h"
#include "lib/harness.h"
#include "lib/packet.h"
#include "lib/world.h"

#define VIP    "10.1.0.100"
#define SERVER "10.10.0.1"
#define CLIENT "192.168.1.1"
#define CPORT  9801

#define ANSWER	   "227 Entering Passive Mode (10,10,0,1,200,13).\r\n"
#define ANSWER_NAT "227 Entering Passive Mode (10,1,0,100,200,13).\r\n"
#define PASV_PORT  (200 * 256 + 13)

static struct harness h;
static uint8_t last[FRAME_MAX];

static int bed_setup_n(unsigned int workers)
{
	static const char *const servers[] = {SERVER, NULL};
	const struct world_policy ftp = {.flags = SERVICE_FTP};
	const struct world_server server = {SERVER ":21", 1, FWD_NAT};

	if (bed_open(&h, workers, 0, true) < 0)
		return -1;
	bed_neighbours(&h, link_id_of(1, 0), servers);
	world_policy(&h, &ftp);
	world_service(&h, "tcp", VIP ":21", NULL, &server, 1);
	return 0;
}

static int bed_setup(void **state)
{
	(void)state;
	return bed_setup_n(1);
}

static int bed_setup_3(void **state)
{
	(void)state;
	return bed_setup_n(3);
}

static int bed_teardown(void **state)
{
	(void)state;
	return bed_close(&h);
}

/* What comes out of the other port; proto 0: nothing. */
static struct packet pass(unsigned int port, struct packet p)
{
	uint8_t frame[FRAME_MAX];
	struct packet got = {0};
	struct rte_mbuf *m;
	size_t len;

	p.proto = IPPROTO_TCP;
	p.dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(port + 1)}};
	p.src = (struct mac){{2, 9, 9, 9, 9, 9}};
	len = packet_build(&p, frame);
	assert_int_equal(
		harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
	m = harness_sent(&h, (uint16_t)!port);
	if (!m)
		return got;
	len = rte_pktmbuf_data_len(m);
	memcpy(last, rte_pktmbuf_mtod(m, void *), len);
	rte_pktmbuf_free(m);
	assert_int_equal(packet_describe(last, len, &got), 0);
	assert_false(got.bad_ip);
	assert_int_equal(got.bad_l4, p.bad_l4);
	return got;
}

static struct packet from_client(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq,
				 uint32_t ack, const char *text)
{
	return pass(0, (struct packet){.saddr = ipv4(CLIENT),
				       .daddr = ipv4(VIP),
				       .sport = be16_from(sport),
				       .dport = be16_from(dport),
				       .tcp_flags = flags,
				       .seq = seq,
				       .ack = ack,
				       .data = text,
				       .payload = (uint16_t)strlen(text)});
}

static struct packet from_server(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq,
				 const char *text)
{
	return pass(1, (struct packet){.saddr = ipv4(SERVER),
				       .daddr = ipv4(CLIENT),
				       .sport = be16_from(sport),
				       .dport = be16_from(dport),
				       .tcp_flags = flags,
				       .seq = seq,
				       .data = text,
				       .payload = (uint16_t)strlen(text)});
}

static struct packet command(uint32_t seq, const char *text)
{
	return from_client(CPORT, 21, TCP_ACK, seq, 5001, text);
}

static struct packet answer(uint32_t seq, const char *text)
{
	return from_server(21, CPORT, TCP_ACK, seq, text);
}

static void says(struct packet p, const char *text)
{
	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_int_equal(p.payload, strlen(text));
	assert_memory_equal(p.data, text, strlen(text));
}

static void logged_in(void)
{
	from_client(CPORT, 21, TCP_SYN, 1000, 0, "");
	from_server(21, CPORT, TCP_SYN | TCP_ACK, 5000, "");
	from_client(CPORT, 21, TCP_ACK, 1001, 5001, "");
}

static uint64_t refused(void)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < h.dp->n_workers; i++)
		n += h.dp->workers[i]->counters.ftp_refused;
	return n;
}

static bool data_reaches_server(uint16_t cport, uint16_t port)
{
	struct packet p = from_client(cport, port, TCP_SYN, 1, 0, "");
	enum punt_class class;
	struct rte_mbuf *m;

	while ((m = harness_punted(&h, &class)) != NULL)
		rte_pktmbuf_free(m);
	return p.proto && p.daddr == ipv4(SERVER) && p.dport == be16_from(port);
}

static void a_passive_data_connection_goes_to_the_control_connections_server(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	assert_false(data_reaches_server(9700, PASV_PORT));
	says(command(1001, "PASV\r\n"), "PASV\r\n");
	p = answer(5001, ANSWER);
	says(p, ANSWER_NAT);
	assert_int_equal(p.seq, 5001);
	/* A stranger's, or of another port, is not. */
	for (uint16_t port = 9810; port < 9820; port++)
		assert_false(data_reaches_server(port, PASV_PORT + 1));
	assert_true(data_reaches_server(9802, PASV_PORT));
	p = from_server(PASV_PORT, 9802, TCP_SYN | TCP_ACK, 1, "");
	assert_int_equal(p.saddr, ipv4(VIP));
	/* One announcement, one connection. */
	assert_false(data_reaches_server(9803, PASV_PORT));
}

static void sequence_numbers_follow_a_text_that_grew(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	command(1001, "PASV\r\n");
	says(answer(5001, ANSWER), ANSWER_NAT);
	p = answer(5001 + strlen(ANSWER), "150 ok\r\n");
	says(p, "150 ok\r\n");
	assert_int_equal(p.seq, 5001 + strlen(ANSWER_NAT));
	/* The client acknowledges what it has seen. */
	p = from_client(CPORT, 21, TCP_ACK, 1007, 5001, "");
	assert_int_equal(p.ack, 5001);
	p = from_client(CPORT, 21, TCP_ACK, 1007, 5001 + strlen(ANSWER_NAT), "");
	assert_int_equal(p.ack, 5001 + strlen(ANSWER));
	/* TCP repeats the answer: the same text again, though its expectation is used. */
	assert_true(data_reaches_server(9802, PASV_PORT));
	p = answer(5001, ANSWER);
	says(p, ANSWER_NAT);
	assert_int_equal(p.seq, 5001);
	assert_false(data_reaches_server(9803, PASV_PORT));
	/* A second one adds up. */
	command(1007, "PASV\r\n");
	p = answer(6000, ANSWER);
	says(p, ANSWER_NAT);
	assert_int_equal(p.seq, 6001);
	p = answer(6000 + strlen(ANSWER), "x");
	assert_int_equal(p.seq, 6000 + strlen(ANSWER) + 2);
}

static void an_answer_cut_across_segments_is_held_until_it_is_whole(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	command(1001, "PA");
	command(1003, "SV\r\n");
	p = answer(5001, "200 x\r\n227 Entering Pa");
	says(p, "200 x\r\n");
	says(answer(5023, "ssive Mode (10,10,"), "");
	p = answer(5041, "0,1,200,13).\r\n200 y\r\n");
	says(p, ANSWER_NAT "200 y\r\n");
	assert_int_equal(p.seq, 5008);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void an_active_data_connection_reaches_the_client_as_the_vip(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	says(command(1001, "PORT 192,168,1,1,100,200\r\n"), "PORT 192,168,1,1,100,200\r\n");
	p = from_server(20, 25800, TCP_SYN, 1, "");
	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(p.sport, be16_from(20));
	p = from_client(25800, 20, TCP_SYN | TCP_ACK, 1, 2, "");
	assert_int_equal(p.daddr, ipv4(SERVER));
	p = command(1027, "eprt |1|192.168.1.1|25801|\r\n");
	p = from_server(20, 25801, TCP_SYN, 1, "");
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(refused(), 0);
}

static void epsv_needs_no_other_text(void **state)
{
	(void)state;
	logged_in();
	command(1001, "EPSV\r\n");
	says(answer(5001, "229 Extended (|||6446|)\r\n"), "229 Extended (|||6446|)\r\n");
	assert_true(data_reaches_server(9802, 6446));
}

static void foreign_addresses_low_ports_and_garbage_are_counted_and_left(void **state)
{
	static const char *const bad[] = {
		"PORT 192,168,1,2,100,200\r\n",	  "PORT 192,168,1,1,3,255\r\n",
		"PORT 192,168,1,1,0,0\r\n",	  "PORT 192,168,1,1,100\r\n",
		"PORT 192,168,1,1,100,256\r\n",	  "PORT 192,168,1,1,100,200,1\r\n",
		"EPRT |1|10.10.0.1|25800|\r\n",	  "EPRT |2|::1|25800|\r\n",
		"EPRT |1|192.168.1.1|65536|\r\n", "EPRT |1|192.168.1.1|80|\r\n"};
	static const char *const bad_answer[] = {"227 (10,10,0,2,200,13)\r\n",
						 "227 (10,10,0,1,0,80)\r\n", "227 who knows\r\n",
						 "229 (|||22|)\r\n"};
	uint32_t seq = 1001, n = 0;

	(void)state;
	logged_in();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		says(command(seq, bad[i]), bad[i]);
		seq += (uint32_t)strlen(bad[i]);
		assert_int_equal(refused(), ++n);
	}
	says(answer(5001, ANSWER), ANSWER); /* nobody asked */
	assert_int_equal(refused(), ++n);
	command(seq, "PASV\r\n");
	for (size_t i = 0; i < sizeof(bad_answer) / sizeof(*bad_answer); i++) {
		says(answer(5100 + 100 * (uint32_t)i, bad_answer[i]), bad_answer[i]);
		assert_int_equal(refused(), ++n);
	}
	assert_int_equal(h.dp->ftp_until, 0);
	assert_false(data_reaches_server(9802, PASV_PORT));
}

static void an_announcement_is_forgotten_after_two_minutes(void **state)
{
	(void)state;
	logged_in();
	command(1001, "PASV\r\n");
	answer(5001, ANSWER);
	harness_advance_ms(&h, 121000);
	assert_false(data_reaches_server(9802, PASV_PORT));
}

static void what_arrives_with_a_wrong_checksum_is_not_read(void **state)
{
	struct packet p = {.saddr = ipv4(SERVER),
			   .daddr = ipv4(CLIENT),
			   .sport = be16_from(21),
			   .dport = be16_from(CPORT),
			   .tcp_flags = TCP_ACK,
			   .seq = 5001,
			   .bad_l4 = 1,
			   .data = ANSWER,
			   .payload = sizeof(ANSWER) - 1};

	(void)state;
	logged_in();
	command(1001, "PASV\r\n");
	says(pass(1, p), ANSWER);
	assert_false(data_reaches_server(9802, PASV_PORT));
}

#define T(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
#define T3(name)                                                                                   \
	{                                                                                          \
#name " (3 workers)", name, bed_setup_3, bed_teardown, NULL                        \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_passive_data_connection_goes_to_the_control_connections_server),
		T3(a_passive_data_connection_goes_to_the_control_connections_server),
		T(sequence_numbers_follow_a_text_that_grew),
		T3(sequence_numbers_follow_a_text_that_grew),
		T(an_answer_cut_across_segments_is_held_until_it_is_whole),
		T(an_active_data_connection_reaches_the_client_as_the_vip),
		T3(an_active_data_connection_reaches_the_client_as_the_vip),
		T(epsv_needs_no_other_text),
		T3(epsv_needs_no_other_text),
		T(foreign_addresses_low_ports_and_garbage_are_counted_and_left),
		T(an_announcement_is_forgotten_after_two_minutes),
		T(what_arrives_with_a_wrong_checksum_is_not_read),
	};
	int failed;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	failed = cmocka_run_group_tests_name("ftp", tests, NULL, NULL);
	harness_eal_fini();
	return failed;
}
