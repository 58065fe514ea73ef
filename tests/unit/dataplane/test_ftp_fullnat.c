/* SPDX-License-Identifier: BSD-3-Clause */
/* FTP through full NAT, through the real stages: servers know clients by a local address and port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "unit/dataplane/ftp_talk.h"

#define DATA_CPORT 25800 /* 100,200 */
#define PORT_TEXT  "PORT 192,168,1,1,100,200\r\n"
#define EPRT_TEXT  "EPRT |2|2001:db8:c::1|25800|\r\n"

static const char *port_text(void)
{
	return talk_v6 ? EPRT_TEXT : PORT_TEXT;
}

static unsigned int step_of(struct addr addr, be16 port)
{
	return talk_v6 ? owner6_step(addr6_of(&addr), port) : owner4_step(addr.v4, port);
}

static struct addr client_addr(void)
{
	return talk_v6 ? addr_from_addr6(ipv6(CLIENT6)) : addr_from_addr4(ipv4(CLIENT));
}

/* The port that a PORT or EPRT names to the server; it names talk_local. */
static uint16_t announced(struct packet p)
{
	char line[128], local[ADDR_STRLEN], expected[160];
	unsigned int a[6], port = 0;

	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_in_range(p.payload, 1, sizeof(line) - 1);
	memcpy(line, p.data, p.payload);
	line[p.payload] = 0;
	if (talk_v6) {
		snprintf(expected, sizeof(expected), "EPRT |2|%s|%%u|\r\n",
			 addr_format(&talk_local, local, sizeof(local)));
		assert_int_equal(sscanf(line, expected, &port), 1);
	} else {
		assert_int_equal(sscanf(line, "PORT %u,%u,%u,%u,%u,%u\r\n", &a[0], &a[1], &a[2],
					&a[3], &a[4], &a[5]),
				 6);
		assert_int_equal(a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3],
				 be32_to(talk_local.v4));
		port = a[4] << 8 | a[5];
	}
	assert_string_equal(line + strlen(line) - 2, "\r\n");
	assert_in_range(port, 1024, 65535);
	return (uint16_t)port;
}

static bool is_local(const struct packet *p)
{
	return talk_v6 ? addr6_equal(p->saddr6, addr6_of(&talk_local)) : p->saddr == talk_local.v4;
}

static bool is_vip(const struct packet *p)
{
	return talk_v6 ? addr6_equal(p->saddr6, ipv6(VIP6)) : p->saddr == ipv4(talk_vip);
}

/* Uses the first address of the pool up, of the step of the control connection. */
static void first_address_is_full(void)
{
	const unsigned int step = step_of(client_addr(), be16_from(CPORT));

	for (uint32_t port = 1025; port < 65536; port++)
		if (port != CPORT && step_of(client_addr(), be16_from((uint16_t)port)) == step)
			from_client((uint16_t)port, 21, TCP_SYN, 1, 0, "");
	lab_drain(1);
}

static void a_passive_data_connection_comes_from_the_control_connections_address(void **state)
{
	const char *said = talk_v6 ? "229 Extended (|||51213|)\r\n" : ANSWER;
	struct addr second = {0};
	struct packet p;

	(void)state;
	assert_int_equal(addr_parse(talk_v6 ? POOL6_SECOND : POOL_SECOND, &second), 0);
	first_address_is_full();
	logged_in();
	assert_true(addr_equal(&talk_local, &second));
	says(command(talk_v6 ? "EPSV\r\n" : "PASV\r\n"), talk_v6 ? "EPSV\r\n" : "PASV\r\n");
	says(answer(said), talk_v6 ? said : ANSWER_NAT);
	/* Of another step, where the first address is free. */
	p = from_client(9802, PASV_PORT, TCP_SYN, 1, 0, "");
	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_int_equal(be16_to(p.dport), PASV_PORT);
	assert_true(is_local(&p));
	assert_int_equal(step_of(talk_local, p.sport), step_of(client_addr(), be16_from(9802)));
	p = from_server(PASV_PORT, be16_to(p.sport), TCP_SYN | TCP_ACK, 1, "");
	assert_true(is_vip(&p));
	assert_int_equal(be16_to(p.dport), 9802);
	assert_int_equal(refused(), 0);
}

static void an_active_data_connection_reaches_the_client_by_a_local_port(void **state)
{
	struct packet p;
	uint16_t lport;

	(void)state;
	logged_in();
	lport = announced(command(port_text()));
	assert_int_equal(step_of(talk_local, be16_from(lport)),
			 step_of(client_addr(), be16_from(DATA_CPORT)));
	says(answer("200 fine\r\n"), "200 fine\r\n");
	p = from_server(20, lport, TCP_SYN, 77, "");
	assert_int_equal(p.proto, IPPROTO_TCP);
	assert_true(is_vip(&p));
	assert_int_equal(be16_to(p.sport), 20);
	assert_int_equal(be16_to(p.dport), DATA_CPORT);
	p = from_client(DATA_CPORT, 20, TCP_SYN | TCP_ACK, 1, 78, "");
	assert_true(is_local(&p));
	assert_int_equal(be16_to(p.sport), lport);
	assert_int_equal(be16_to(p.dport), 20);
	assert_int_equal(p.ack, 78);
	p = from_server(20, lport, TCP_ACK, 78, "data");
	says(p, "data");
	/* An announcement makes one connection. */
	assert_int_equal(from_server(20, (uint16_t)(lport + 2), TCP_SYN, 1, "").proto, 0);
	assert_int_equal(refused(), 0);
}

static void numbers_follow_a_command_that_grew_or_shrank(void **state)
{
	const uint32_t was = (uint32_t)strlen(port_text());
	struct packet p;
	uint32_t seq, len;

	(void)state;
	logged_in();
	seq = client_seq;
	p = command(port_text());
	assert_int_equal(p.seq, seq);
	len = p.payload;
	assert_int_equal(announced(p), announced(p));
	/* The server's acknowledgement in the client's numbers. */
	p = answer("200 fine\r\n");
	assert_int_equal(p.ack, seq + was);
	p = command("NOOP\r\n");
	says(p, "NOOP\r\n");
	assert_int_equal(p.seq, seq + len);
	p = answer("200 ok\r\n");
	assert_int_equal(p.ack, seq + was + 6);
	/* A second one adds up. */
	seq = client_seq;
	p = command(port_text());
	assert_int_equal(p.seq, seq + len - was);
	len += p.payload;
	p = answer("200 fine\r\n");
	assert_int_equal(p.ack, client_seq);
	p = command("NOOP\r\n");
	assert_int_equal(p.seq - (client_seq - 6), len - 2 * was);
	/* A RST of the client has the number that the server expects. */
	p = from_client(talk_cport, 21, TCP_RST, client_seq, 0, "");
	assert_int_equal(p.seq - client_seq, len - 2 * was);
}

static void a_command_that_comes_again_reads_as_before(void **state)
{
	struct packet p;
	char first[160];
	uint32_t seq, len;

	(void)state;
	logged_in();
	seq = client_seq;
	p = command(port_text());
	len = p.payload;
	memcpy(first, p.data, len);
	p = from_client(talk_cport, 21, TCP_ACK, seq, server_seq, port_text());
	assert_int_equal(p.seq, seq);
	assert_int_equal(p.payload, len);
	assert_memory_equal(p.data, first, len);
	/* With the next command behind it, as TCP joins what it sends again. */
	{
		char both[160];

		snprintf(both, sizeof(both), "%sLIST\r\n", port_text());
		p = from_client(talk_cport, 21, TCP_ACK, seq, server_seq, both);
		client_seq += 6;
	}
	assert_int_equal(p.payload, len + 6);
	assert_memory_equal(p.data, first, len);
	client_grown = (int32_t)(len - strlen(port_text()));
	says(answer("200 fine\r\n"), "200 fine\r\n");
	assert_int_equal(h.dp->workers[0]->counters.ftp_expected +
				 (h.dp->n_workers > 1
					  ? h.dp->workers[1]->counters.ftp_expected +
						    h.dp->workers[2]->counters.ftp_expected
					  : 0),
			 1);
}

static void a_command_byte_by_byte_is_held_until_it_is_whole(void **state)
{
	const char *text = port_text();
	struct packet p = {0};
	uint32_t seq;

	(void)state;
	logged_in();
	says(command("P"), ""); /* may become a PORT */
	says(command("W"), "PW");
	says(command("D\r\n"), "D\r\n");
	seq = client_seq;
	for (; *text; text++) {
		const char byte[2] = {*text, 0};

		p = command(byte);
		if (*text != '\n')
			says(p, "");
	}
	assert_int_equal(p.seq, seq);
	assert_in_range(announced(p), 1024, 65535);
	assert_int_equal(answer("200 fine\r\n").ack, client_seq);
	assert_int_equal(refused(), 0);
}

static void bytes_before_their_turn_are_kept_back(void **state)
{
	const uint32_t lost = 6;
	struct packet p;

	(void)state;
	logged_in();
	p = from_client(talk_cport, 21, TCP_ACK, client_seq + lost, server_seq, port_text());
	says(p, "");
	says(command("NOOP\r\n"), "NOOP\r\n");
	assert_in_range(announced(command(port_text())), 1024, 65535);
	assert_int_equal(refused(), 0);
}

static void a_second_announcement_of_a_segment_waits_for_the_next(void **state)
{
	char both[160];
	struct packet p;
	uint32_t one = (uint32_t)strlen(port_text());

	(void)state;
	logged_in();
	snprintf(both, sizeof(both), "%s%s", port_text(), port_text());
	p = command(both);
	assert_in_range(announced(p), 1024, 65535);
	client_seq -= one; /* TCP sends the rest again */
	client_grown = (int32_t)(p.payload - one);
	p = command(port_text());
	assert_in_range(announced(p), 1024, 65535);
	assert_int_equal(answer("200 fine\r\n").ack, client_seq);
}

static void what_is_not_the_clients_own_crosses_as_it_came(void **state)
{
	static const char *const bad[] = {
		"PORT 192,168,1,2,100,200\r\n", "PORT 192,168,1,1,3,255\r\n",
		"PORT 192,168,1,1,100\r\n",	"EPRT |1|10.10.0.1|25800|\r\n",
		"EPRT |2|::1|25800|\r\n",	"EPRT |2|2001:db8:c::1|80|\r\n"};
	uint32_t n = 0;

	(void)state;
	logged_in();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refuses(bad[i], ++n);
	/* A PORT that the server refuses is expected no longer. */
	n = announced(command(port_text()));
	answer("500 no\r\n");
	assert_int_equal(from_server(20, (uint16_t)n, TCP_SYN, 1, "").proto, 0);
}

static void no_local_port_is_announced_twice(void **state)
{
	static uint8_t seen[65536];

	(void)state;
	memset(seen, 0, sizeof(seen));
	logged_in();
	for (unsigned int i = 0; i < 200; i++) {
		const uint16_t lport = announced(command(port_text()));
		struct packet p;

		assert_false(seen[lport]);
		seen[lport] = 1;
		answer("200 fine\r\n");
		p = from_server(20, lport, TCP_SYN, 77, "");
		assert_true(is_vip(&p));
		/* Its connection ends: the quarantine begins. */
		from_client(DATA_CPORT, 20, TCP_SYN | TCP_ACK, 1, 78, "");
		from_server(20, lport, TCP_RST, 78, "");
	}
}

#define T(name)                                                                                    \
	LAB_TEST(name, bed_setup_fullnat, 1),                                                      \
		{#name " (3 workers)", name, bed_setup_fullnat, lab_close, (void *)3},             \
	{                                                                                          \
#name " (IPv6)", name, bed_setup_fullnat6, lab_close, (void *)3                    \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_passive_data_connection_comes_from_the_control_connections_address),
		T(an_active_data_connection_reaches_the_client_by_a_local_port),
		T(numbers_follow_a_command_that_grew_or_shrank),
		T(a_command_that_comes_again_reads_as_before),
		T(a_command_byte_by_byte_is_held_until_it_is_whole),
		T(bytes_before_their_turn_are_kept_back),
		T(a_second_announcement_of_a_segment_waits_for_the_next),
		T(what_is_not_the_clients_own_crosses_as_it_came),
		T(no_local_port_is_announced_twice),
	};

	return lab_run(512, tests);
}
