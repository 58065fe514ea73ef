/* SPDX-License-Identifier: BSD-3-Clause */
/* FTP through NAT, through the real stages, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "unit/dataplane/ftp_talk.h"

static void a_passive_data_connection_goes_to_the_control_connections_server(void **state)
{
	struct packet p;
	uint32_t seq;

	(void)state;
	logged_in();
	assert_false(data_reaches_server(9700, PASV_PORT));
	says(command("PASV\r\n"), "PASV\r\n");
	seq = server_seq;
	p = answer(ANSWER);
	says(p, ANSWER_NAT);
	assert_int_equal(p.seq, seq);
	/* A stranger's, or of another port, is not. */
	for (uint16_t port = 9810; port < 9820; port++)
		assert_false(data_reaches_server(port, PASV_PORT + 1));
	assert_true(data_reaches_server(9802, PASV_PORT));
	p = from_server(PASV_PORT, 9802, TCP_SYN | TCP_ACK, 1, "");
	assert_int_equal(p.saddr, ipv4(VIP));
	/* An announcement allows one connection. */
	assert_false(data_reaches_server(9803, PASV_PORT));
}

static void sequence_numbers_follow_a_text_that_grew(void **state)
{
	const uint32_t longer = strlen(ANSWER_NAT) - strlen(ANSWER);
	struct packet p;
	uint32_t seq;

	(void)state;
	logged_in();
	command("PASV\r\n");
	seq = server_seq;
	says(answer(ANSWER), ANSWER_NAT);
	p = answer("150 ok\r\n");
	says(p, "150 ok\r\n");
	assert_int_equal(p.seq, seq + strlen(ANSWER_NAT));
	/* The client acknowledges what it has seen. */
	p = from_client(CPORT, 21, TCP_ACK, client_seq, seq, "");
	assert_int_equal(p.ack, seq);
	p = from_client(CPORT, 21, TCP_ACK, client_seq, seq + strlen(ANSWER_NAT), "");
	assert_int_equal(p.ack, seq + strlen(ANSWER));
	/* TCP repeats the answer: the same text again, though its expectation is used. */
	assert_true(data_reaches_server(9802, PASV_PORT));
	p = from_server(21, CPORT, TCP_ACK, seq, ANSWER);
	says(p, ANSWER_NAT);
	assert_int_equal(p.seq, seq);
	assert_false(data_reaches_server(9803, PASV_PORT));
	/* With what followed it in the same segment: that moves as before. */
	p = from_server(21, CPORT, TCP_ACK, seq, ANSWER "150 ok\r\n226 done\r\n");
	says(p, ANSWER_NAT "150 ok\r\n226 done\r\n");
	server_seq += strlen("226 done\r\n");
	/* A second one adds up. */
	command("PASV\r\n");
	seq = server_seq;
	p = answer(ANSWER);
	says(p, ANSWER_NAT);
	assert_int_equal(p.seq, seq + longer);
	p = answer("x");
	assert_int_equal(p.seq, seq + strlen(ANSWER) + 2 * longer);
}

static void an_answer_cut_across_segments_is_held_until_it_is_whole(void **state)
{
	struct packet p;
	uint32_t seq;

	(void)state;
	logged_in();
	command("PA");
	command("SV\r\n");
	seq = server_seq;
	says(answer("200 x\r\n227 Entering Pa"), "200 x\r\n");
	says(answer("ssive Mode (10,10,"), "");
	p = answer("0,1,200,13).\r\n200 y\r\n");
	says(p, ANSWER_NAT "200 y\r\n");
	assert_int_equal(p.seq, seq + 7);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void what_was_held_back_comes_again_with_the_rest(void **state)
{
	uint32_t seq;

	(void)state;
	logged_in();
	command("PASV\r\n");
	seq = server_seq;
	says(from_server(21, CPORT, TCP_ACK, seq, "227 Entering"), "");
	says(from_server(21, CPORT, TCP_ACK, seq, "227 Entering"), "");
	says(from_server(21, CPORT, TCP_ACK, seq, ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void an_active_data_connection_reaches_the_client_as_the_vip(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	says(command("PORT 192,168,1,1,100,200\r\n"), "PORT 192,168,1,1,100,200\r\n");
	p = from_server(20, 25800, TCP_SYN, 1, "");
	assert_int_equal(p.proto, 6);
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(p.sport, be16_from(20));
	p = from_client(25800, 20, TCP_SYN | TCP_ACK, 1, 2, "");
	assert_int_equal(p.daddr, ipv4(SERVER));
	command("eprt |1|192.168.1.1|25801|\r\n");
	p = from_server(20, 25801, TCP_SYN, 1, "");
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(refused(), 0);
}

/* A server opens data connections from port 20, and the client's port may be one that it used
 * before with another VIP. */
static void a_port_that_another_vip_used_before_is_the_new_vips(void **state)
{
	struct packet p;

	(void)state;
	logged_in();
	command("PORT 192,168,1,1,100,200\r\n");
	p = from_server(20, 25800, TCP_SYN, 1, "");
	assert_int_equal(p.saddr, ipv4(VIP));
	from_client(25800, 20, TCP_SYN | TCP_ACK, 1, 2, "");
	talk_vip = VIP2;
	talk_cport = CPORT + 1;
	logged_in();
	command("PORT 192,168,1,1,100,200\r\n");
	/* The connection of the first VIP is open still: its SYN has come again. */
	p = from_server(20, 25800, TCP_SYN, 1, "");
	assert_int_equal(p.saddr, ipv4(VIP));
	from_server(20, 25800, TCP_RST, 2, "");
	p = from_server(20, 25800, TCP_SYN, 9000, "");
	assert_int_equal(p.proto, 6);
	assert_int_equal(p.saddr, ipv4(VIP2));
	p = from_client(25800, 20, TCP_SYN | TCP_ACK, 1, 9001, "");
	assert_int_equal(p.daddr, ipv4(SERVER));
}

static void epsv_needs_no_other_text(void **state)
{
	(void)state;
	logged_in();
	command("EPSV\r\n");
	says(answer("229 Extended (|||6446|)\r\n"), "229 Extended (|||6446|)\r\n");
	assert_true(data_reaches_server(9802, 6446));
	/* Cut, and with the family named. */
	command("EPSV 1\r\n");
	says(answer("229 Extended ("), "229 Extended (");
	says(answer("|||6447|)\r\n"), "|||6447|)\r\n");
	assert_true(data_reaches_server(9803, 6447));
	assert_int_equal(refused(), 0);
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
						 "229 (|||22|)\r\n", "229 (|||6446)\r\n"};
	uint32_t n = 0;

	(void)state;
	logged_in();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refuses(bad[i], ++n);
	says(answer(ANSWER), ANSWER); /* nobody asked */
	assert_int_equal(refused(), ++n);
	for (size_t i = 0; i < sizeof(bad_answer) / sizeof(*bad_answer); i++) {
		command(bad_answer[i][2] == '7' ? "PASV\r\n" : "EPSV\r\n");
		says(answer(bad_answer[i]), bad_answer[i]);
		assert_int_equal(refused(), ++n);
	}
	assert_int_equal(h.dp->ftp_until, 0);
	assert_false(data_reaches_server(9802, PASV_PORT));
}

static void an_announcement_is_forgotten_after_two_minutes(void **state)
{
	(void)state;
	logged_in();
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	harness_advance_ms(&h, 121000);
	assert_false(data_reaches_server(9802, PASV_PORT));
}

static void what_arrives_with_a_wrong_checksum_is_not_read(void **state)
{
	struct packet p = {.src = STATION,
			   .saddr = ipv4(SERVER),
			   .daddr = ipv4(CLIENT),
			   .sport = be16_from(21),
			   .dport = be16_from(CPORT),
			   .tcp_flags = TCP_ACK,
			   .bad_l4 = 1,
			   .data = ANSWER,
			   .payload = sizeof(ANSWER) - 1};

	(void)state;
	logged_in();
	command("PASV\r\n");
	p.seq = server_seq;
	p.ack = client_seq;
	says(pass(1, p), ANSWER);
	assert_false(data_reaches_server(9802, PASV_PORT));
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

#define T(name) LAB_TEST(name, bed_setup, 1)
#define T3(name)                                                                                   \
	{                                                                                          \
#name " (3 workers)", name, bed_setup, lab_close, (void *)3                        \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_passive_data_connection_goes_to_the_control_connections_server),
		T3(a_passive_data_connection_goes_to_the_control_connections_server),
		T(sequence_numbers_follow_a_text_that_grew),
		T3(sequence_numbers_follow_a_text_that_grew),
		T(an_answer_cut_across_segments_is_held_until_it_is_whole),
		T(what_was_held_back_comes_again_with_the_rest),
		T(an_active_data_connection_reaches_the_client_as_the_vip),
		T3(an_active_data_connection_reaches_the_client_as_the_vip),
		T(a_port_that_another_vip_used_before_is_the_new_vips),
		T3(a_port_that_another_vip_used_before_is_the_new_vips),
		T(epsv_needs_no_other_text),
		T3(epsv_needs_no_other_text),
		T(foreign_addresses_low_ports_and_garbage_are_counted_and_left),
		T(an_announcement_is_forgotten_after_two_minutes),
		T(what_arrives_with_a_wrong_checksum_is_not_read),
	};

	return lab_run(256, tests);
}
