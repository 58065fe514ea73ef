/* SPDX-License-Identifier: BSD-3-Clause */
/* Forgeries that FTP control connections do not believe, and dialogues that are not a question and
 * an answer each, through the real stages. Clients and servers share nothing but numbers here: an
 * attacker is given the right ones unless a test says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/ftp/ftp.h"
#include "lib/world.h"
#include "unit/dataplane/ftp_talk.h"

#define EVIL	  "227 Entering Passive Mode (10,10,0,1,12,234).\r\n"
#define EVIL_PORT 3306

/* A segment of the server's connection, from whoever has this station. */
static struct packet forged(struct mac station, uint32_t seq, uint32_t ack, const char *text)
{
	return pass(1, (struct packet){.src = station,
				       .saddr = ipv4(SERVER),
				       .daddr = ipv4(CLIENT),
				       .sport = be16_from(21),
				       .dport = be16_from(CPORT),
				       .tcp_flags = TCP_ACK,
				       .seq = seq,
				       .ack = ack,
				       .data = text,
				       .payload = (uint16_t)strlen(text)});
}

static void another_stations_answer_is_not_the_servers(void **state)
{
	const struct mac stranger = {{2, 66, 66, 66, 66, 66}};

	(void)state;
	logged_in();
	command("PASV\r\n");
	forged(stranger, server_seq, client_seq, EVIL);
	assert_int_equal(refused(), 1);
	assert_false(data_reaches_server(9802, EVIL_PORT));
	/* The server's own is not spoiled by it. */
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void a_loose_link_takes_answers_from_any_station(void **state)
{
	const struct mac other_slave = {{2, 66, 66, 66, 66, 66}};

	(void)state;
	world_loose(&h, link_id_of(1, 0));
	logged_in();
	command("PASV\r\n");
	says(forged(other_slave, server_seq, client_seq, ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
	assert_int_equal(refused(), 0);
}

static void numbers_outside_of_the_connection_are_not_believed(void **state)
{
	static const int64_t off[] = {-100000, 100000, 0x7fffffff, 70000};

	(void)state;
	logged_in();
	command("PASV\r\n");
	for (size_t i = 0; i < 4; i++) {
		forged(STATION, server_seq + (uint32_t)off[i], client_seq, EVIL);
		forged(STATION, server_seq, client_seq + (uint32_t)off[i], EVIL);
	}
	assert_int_equal(refused(), 8);
	/* In the window, but the client's line is not acknowledged. */
	forged(STATION, server_seq, client_seq - 1, EVIL);
	assert_int_equal(refused(), 9);
	assert_false(data_reaches_server(9802, EVIL_PORT));
}

static void an_answer_that_is_not_next_waits_for_what_is_missing(void **state)
{
	uint32_t seq;

	(void)state;
	logged_in();
	command("NOOP\r\nPASV\r\n");
	seq = server_seq;
	server_seq += 7;
	/* Its sender repeats what the client did not get. */
	says(answer(ANSWER), "");
	assert_false(data_reaches_server(9802, PASV_PORT));
	server_seq = seq;
	says(answer("200 x\r\n"), "200 x\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void an_answer_nobody_asked_for_announces_nothing(void **state)
{
	(void)state;
	logged_in();
	says(answer(EVIL), EVIL);
	assert_int_equal(refused(), 1);
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	/* Answered: another one is one too many, and leaves the first. */
	says(answer(EVIL), EVIL);
	assert_int_equal(refused(), 2);
	assert_false(data_reaches_server(9802, EVIL_PORT));
	assert_true(data_reaches_server(9802, PASV_PORT));
	/* PASV is not answered by 229, nor EPSV by 227. */
	command("EPSV\r\n");
	says(answer(EVIL "500 what?\r\n"), EVIL "500 what?\r\n");
	command("PASV\r\n");
	says(answer("229 (|||3306|)\r\n"), "229 (|||3306|)\r\n");
	assert_int_equal(refused(), 4);
	assert_false(data_reaches_server(9803, EVIL_PORT));
}

static void a_command_that_comes_again_asks_once(void **state)
{
	uint32_t seq;

	(void)state;
	logged_in();
	seq = client_seq;
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	from_client(CPORT, 21, TCP_ACK, seq, server_seq, "PASV\r\n");
	says(answer(EVIL), EVIL);
	assert_false(data_reaches_server(9802, EVIL_PORT));
	/* Half of it known, half of it new. */
	from_client(CPORT, 21, TCP_ACK, seq, server_seq, "PASV\r\nPASV\r\n");
	client_seq += 6;
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void a_command_that_overtakes_another_is_read_in_its_turn(void **state)
{
	(void)state;
	logged_in();
	from_client(CPORT, 21, TCP_ACK, client_seq + 6, server_seq, "PASV\r\n");
	from_client(CPORT, 21, TCP_ACK, client_seq, server_seq, "NOOP\r\n");
	client_seq += 12;
	says(answer("200 ok\r\n"), "200 ok\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void another_answer_in_the_same_place_ends_the_expectation(void **state)
{
	uint32_t seq;

	(void)state;
	logged_in();
	command("PASV\r\n");
	seq = server_seq;
	forged(STATION, seq, client_seq, EVIL);
	assert_int_equal(refused(), 0); /* nothing tells it from the server's */
	answer(ANSWER);
	assert_int_equal(refused(), 1);
	assert_false(data_reaches_server(9802, EVIL_PORT));
	assert_false(data_reaches_server(9803, PASV_PORT));
}

static void an_error_answers_pasv(void **state)
{
	(void)state;
	logged_in();
	command("PASV\r\n");
	says(answer("425 no\r\n"), "425 no\r\n");
	says(answer(EVIL), EVIL);
	assert_int_equal(refused(), 1);
	assert_false(data_reaches_server(9802, EVIL_PORT));
	/* curl: EPSV first, PASV when that fails. */
	command("EPSV\r\n");
	answer("500 what?\r\n");
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void pipelined_commands_are_answered_in_their_order(void **state)
{
	(void)state;
	logged_in();
	command("USER x\r\nPASS y\r\nPASV\r\nRETR z\r\n");
	says(answer("331 go on\r\n"), "331 go on\r\n");
	/* The error of PASS is not PASV's. */
	says(answer("530 no\r\n" ANSWER), "530 no\r\n" ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
	answer("150 here\r\n226 done\r\n");
	/* Two at a time: the last one holds. */
	command("PASV\r\nPASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	says(answer("227 (10,10,0,1,200,14)\r\n"), "227 (10,1,0,100,200,14)\r\n");
	assert_false(data_reaches_server(9803, PASV_PORT));
	assert_true(data_reaches_server(9803, PASV_PORT + 1));
	assert_int_equal(refused(), 0);
}

static void text_inside_a_reply_announces_nothing(void **state)
{
	(void)state;
	logged_in();
	command("STAT x\r\nPASV\r\n");
	/* A file of that name. */
	says(answer("213-Status:\r\n" EVIL "213 End\r\n"), "213-Status:\r\n" EVIL "213 End\r\n");
	assert_false(data_reaches_server(9802, EVIL_PORT));
	says(answer("227-One\r\n" ANSWER), "227-One\r\n" ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
	command("FOO\r\nPASV\r\n");
	/* An echo that is cut just so. */
	says(answer("500 Unknown: "), "500 Unknown: ");
	says(answer(EVIL), EVIL);
	assert_false(data_reaches_server(9802, EVIL_PORT));
}

static void a_refused_port_expects_nothing(void **state)
{
	(void)state;
	logged_in();
	command("PORT 192,168,1,1,100,200\r\n");
	answer("200 ok\r\n");
	assert_int_equal(from_server(20, 25800, TCP_SYN, 1, "").saddr, ipv4(VIP));
	command("PORT 192,168,1,1,100,201\r\n");
	answer("500 no\r\n");
	assert_int_equal(from_server(20, 25801, TCP_SYN, 1, "").proto, 0);
}

static void abor_ends_what_was_announced(void **state)
{
	(void)state;
	logged_in();
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	command("RETR x\r\n");
	/* With Telnet's interrupt and synch before it. */
	command("\377\364\377\362ABOR\r\n");
	answer("426 cut\r\n");
	answer("226 aborted\r\n");
	assert_false(data_reaches_server(9802, PASV_PORT));
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9802, PASV_PORT));
}

static void after_epsv_all_nothing_else_announces(void **state)
{
	(void)state;
	logged_in();
	command("EPSV ALL\r\n");
	answer("200 ok\r\n");
	command("PORT 192,168,1,1,100,200\r\n");
	assert_int_equal(refused(), 1);
	answer("501 no\r\n");
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER);
	assert_int_equal(refused(), 2);
	command("EPSV\r\n");
	answer("229 (|||6446|)\r\n");
	assert_true(data_reaches_server(9802, 6446));
}

/* The server's port 21 is asked by a source that does not exist: handshake and PORT, both blind. */
static void forged_port(uint32_t source)
{
	char text[64];
	struct packet p = {.saddr = be32_from(source),
			   .daddr = ipv4(VIP),
			   .sport = be16_from(CPORT),
			   .dport = be16_from(21),
			   .tcp_flags = TCP_SYN,
			   .seq = 1000};

	pass(0, p);
	p.tcp_flags = TCP_ACK;
	p.seq = 1001;
	p.ack = 12345;
	pass(0, p);
	snprintf(text, sizeof(text), "PORT %u,%u,%u,%u,200,13\r\n", source >> 24,
		 source >> 16 & 255, source >> 8 & 255, source & 255);
	p.data = text;
	p.payload = (uint16_t)strlen(text);
	pass(0, p);
}

static void forged_control_connections_give_way_to_a_real_one(void **state)
{
	const struct worker *w = h.dp->workers[0];

	(void)state;
	for (uint32_t i = 0; i < 3 * FTP_CONTROL_MAX; i++)
		forged_port(0x0b000000U + i * 2654435761U % 0x1000000U);
	assert_int_equal(w->ftp->unused, FTP_CONTROL_MAX);
	assert_int_equal(w->counters.ftp_expected, 3 * FTP_CONTROL_MAX);
	assert_true(w->counters.ftp_full >= 2 * FTP_CONTROL_MAX);
	logged_in();
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	/* Expectations of an assured client stay, whatever comes. */
	for (uint32_t i = 0; i < 3 * FTP_CONTROL_MAX; i++)
		forged_port(0x0c000000U + i * 2654435761U % 0x1000000U);
	assert_true(data_reaches_server(9802, PASV_PORT));
	command("PASV\r\n");
	says(answer(ANSWER), ANSWER_NAT);
	assert_true(data_reaches_server(9803, PASV_PORT));
}

#define T(name) LAB_TEST(name, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(another_stations_answer_is_not_the_servers),
		T(a_loose_link_takes_answers_from_any_station),
		T(numbers_outside_of_the_connection_are_not_believed),
		T(an_answer_that_is_not_next_waits_for_what_is_missing),
		T(an_answer_nobody_asked_for_announces_nothing),
		T(a_command_that_comes_again_asks_once),
		T(a_command_that_overtakes_another_is_read_in_its_turn),
		T(another_answer_in_the_same_place_ends_the_expectation),
		T(an_error_answers_pasv),
		T(pipelined_commands_are_answered_in_their_order),
		T(text_inside_a_reply_announces_nothing),
		T(a_refused_port_expects_nothing),
		T(abor_ends_what_was_announced),
		T(after_epsv_all_nothing_else_announces),
		T(forged_control_connections_give_way_to_a_real_one),
	};

	return lab_run(256, tests);
}
