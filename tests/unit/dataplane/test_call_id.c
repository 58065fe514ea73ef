/* SPDX-License-Identifier: BSD-3-Clause */
/* Persistence by the Call-ID of SIP: what is read of hostile messages, and the servers of calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/conn_view.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/explain/explain.h"
#include "dataplane/persistence/call_id.h"
#include "lib/lab.h"
#include "lib/lab_families.h"
#include "sched/sched.h"

#define CALL_VIP "10.1.0.100"
#define SERVER1	 "10.10.0.1"
#define SERVER2	 "10.10.0.2"
#define START	 "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"

/* --- the message --- */

/* A copy without a byte behind it: a sanitizer sees what is read there. */
static size_t found(const char *message, size_t len, const uint8_t **at)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(len ? len : 1);
	memcpy(copy, message, len);
	return call_id_find(copy, len, at);
}

static void reads(const char *message, const char *id)
{
	const uint8_t *at = NULL;
	const size_t n = found(message, strlen(message), &at);

	if (n != strlen(id) || (n && memcmp(at, id, n) != 0))
		fail_msg("of \"%s\" \"%.*s\" was read", message, (int)n, n ? (const char *)at : "");
}

static void all_forms_of_the_header_are_read(void **state)
{
	(void)state;
	reads(START "Call-ID: f81d4fae@foo.example.org\r\n\r\n", "f81d4fae@foo.example.org");
	reads(START "call-id:x\r\n\r\n", "x");
	reads(START "CALL-ID \t:\t x \t\r\n\r\n", "x");
	reads(START "i: short@h\r\n\r\n", "short@h");
	reads(START "I:short\r\n\r\n", "short");
	reads(START "i : short\r\n\r\n", "short");
	/* Lines end by CR, LF or CR LF, and go on behind a blank. */
	reads("INVITE x\nCall-ID: x\n\n", "x");
	reads("INVITE x\rCall-ID: x\r\r", "x");
	reads(START "Call-ID:\r\n x@y\r\nTo: z\r\n\r\n", "x@y");
	reads(START "Call-ID\r\n : x\r\n\r\n", "x");
	reads("\r\n\r\nSIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n", "x");
	reads(START "Call-ID: a-.!%*_+`'~()<>:\\\"/[]?{}9@z\r\n", "a-.!%*_+`'~()<>:\\\"/[]?{}9@z");
	/* The first one counts. */
	reads(START "Call-ID: first\r\ni: second\r\n\r\n", "first");
}

static void what_is_no_header_or_not_whole_is_none(void **state)
{
	char longest[CALL_ID_MAX + 200];
	size_t at;

	(void)state;
	reads("", "");
	reads("\r\n\r\n", "");
	reads("Call-ID: in-the-start-line\r\n\r\n", "");
	reads(START "To: x\r\n\r\nCall-ID: in-the-body\r\n\r\n", "");
	reads(START "Call-IDs: x\r\n\r\n", "");
	reads(START "X-Call-ID: x\r\n\r\n", "");
	reads(START "in: x\r\n\r\n", "");
	reads(START "Subject: a\r\n Call-ID: continued\r\n\r\n", "");
	reads(START "Call-ID x\r\n\r\n", "");
	reads(START "Call-ID:\r\n\r\n", "");
	reads(START "Call-ID: @x\r\n\r\n", "");
	reads(START "Call-ID: a@b@c\r\n\r\n", "");
	reads(START "Call-ID: two words\r\n\r\n", "");
	reads(START "Call-ID: a;b\r\n\r\n", "");
	reads(START "Call-ID: \xff\xfe\r\n\r\n", "");
	reads(START "Call-ID: cut-off", "");
	reads(START "Call-ID: cut-off  ", "");
	reads(START "Call-ID:", "");
	reads(START "Call-I", "");
	reads(START "i", "");
	for (unsigned int more = 0; more < 2; more++) {
		const uint8_t *id;

		at = (size_t)snprintf(longest, sizeof(longest), "INVITE x\r\nCall-ID: ");
		memset(longest + at, 'a', CALL_ID_MAX + more);
		memcpy(longest + at + CALL_ID_MAX + more, "\r\n", 3);
		assert_int_equal(found(longest, strlen(longest), &id), more ? 0 : CALL_ID_MAX);
	}
}

static void every_cut_and_every_changed_byte_is_survived(void **state)
{
	static const char message[] = START "i\r\n : a@b\r\nCall-ID: c\r\n\r\nbody";
	char copy[sizeof(message)];
	const uint8_t *id;

	(void)state;
	for (size_t len = 0; len < sizeof(message); len++) {
		found(message, len, &id);
		for (unsigned int byte = 0; byte < 256; byte++) {
			memcpy(copy, message, sizeof(copy));
			copy[len] = (char)byte;
			found(copy, sizeof(copy), &id);
		}
	}
}

static void a_hash_is_never_0_and_spreads(void **state)
{
	static uint8_t seen[65536];
	unsigned int n = 0;
	char text[128];

	(void)state;
	for (unsigned int i = 0; i < 65536; i++) {
		const int len = snprintf(text, sizeof(text), START "i: %u@host\r\n\r\n", i);
		const uint16_t hash = call_id_hash((const uint8_t *)text, (size_t)len);

		assert_int_not_equal(hash, 0);
		n += !seen[hash]++;
	}
	assert_true(n > 40000); /* of 65535 values a random choice hits 63 % */
	assert_int_equal(call_id_hash((const uint8_t *)"x", 1), 0);
}

/* --- calls --- */

static const struct world_server pool[] = {{SERVER1 ":5062", 1, FWD_NAT},
					   {SERVER2 ":5062", 1, FWD_NAT}};

static int bed_setup(void **state)
{
	return lab_open(state, 3000, true);
}

static void by_call(uint64_t netmask, bool one_packet)
{
	const struct world_policy policy = {.persist_s = 60,
					    .netmask = netmask,
					    .one_packet = one_packet,
					    .engine = PERSIST_BY_CALL_ID};

	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "udp", CALL_VIP ":5060", sched_find("rr"), pool, 2), 0);
}

/* Where a message of a client goes, or 0. */
static be32 say(const char *from, uint16_t sport, const char *message)
{
	struct packet p = {.saddr = ipv4(from),
			   .daddr = ipv4(CALL_VIP),
			   .sport = be16_from(sport),
			   .dport = be16_from(5060),
			   .proto = IPPROTO_UDP,
			   .payload = (uint16_t)strlen(message),
			   .data = message};

	lab_put(0, p);
	return lab_got(1, &p) ? p.daddr : 0;
}

static be32 call(const char *from, uint16_t sport, const char *id)
{
	char message[256];

	snprintf(message, sizeof(message), START "Call-ID: %s\r\n\r\n", id);
	return say(from, sport, message);
}

/* How many templates the listing shows. None shows a client's port. */
static unsigned int listed(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < h.dp->n_workers; i++) {
		const struct table4 *t = &h.dp->workers[i]->v4.table;

		for (uint32_t k = 1; k < t->unused; k++) {
			struct conn_view v;

			if (!(t->conns[k].c.flags & CONN_F_TEMPLATE))
				continue;
			conn4_view(h.dp->workers[i], &t->conns[k], &v);
			assert_int_equal(v.client.port, 0);
			assert_int_equal(be16_to(v.virtual.port), 5060);
			n++;
		}
	}
	return n;
}

static void calls_of_a_client_are_spread_and_each_stays(void **state)
{
	char id[32];
	be32 first[20];

	(void)state;
	by_call(32, false);
	for (uint16_t i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "call-%u@h", i);
		first[i] = call("192.168.7.1", (uint16_t)(4000 + i), id);
		assert_int_equal(first[i], ipv4(i % 2 ? SERVER2 : SERVER1));
	}
	/* From other ports, in another order. */
	for (uint16_t i = 20; i-- > 0;) {
		snprintf(id, sizeof(id), "call-%u@h", i);
		assert_int_equal(call("192.168.7.1", (uint16_t)(5000 + i), id), first[i]);
	}
	assert_int_equal(listed(), 20);
}

/* Under /32 the address counts as well (IPVS). Under 0 two clients of one Call-ID meet. */
static void two_clients_of_one_call_meet_under_the_netmask(void **state)
{
	(void)state;
	by_call(NETMASK_BITS, false);
	for (unsigned int i = 0; i < 6; i++) {
		char id[32];
		be32 server;

		snprintf(id, sizeof(id), "conference-%u", i);
		server = call("192.168.7.1", (uint16_t)(4000 + i), id);
		assert_int_equal(server, ipv4(i % 2 ? SERVER2 : SERVER1));
		assert_int_equal(call("172.16.9.8", (uint16_t)(6000 + i), id), server);
	}
	assert_int_equal(listed(), 6);
	by_call(32, false);
	assert_int_equal(call("192.168.7.2", 4000, "other"), ipv4(SERVER1));
	assert_int_equal(call("192.168.7.3", 4000, "other"), ipv4(SERVER2));
}

static void a_message_without_a_call_id_makes_no_connection(void **state)
{
	(void)state;
	by_call(32, false);
	assert_int_equal(say("192.168.7.1", 4000, "\r\n\r\n"), 0);
	assert_int_equal(say("192.168.7.1", 4000, START "To: x\r\n\r\n"), 0);
	assert_int_equal(say("192.168.7.1", 4000, ""), 0);
	assert_int_equal(lab_dropped(DROP_NO_CALL_ID), 3);
	assert_int_equal(listed(), 0);
	lab_nothing(); /* no ICMP error either */
	/* A keep-alive on a connection that exists passes. */
	assert_int_equal(call("192.168.7.1", 4000, "x"), ipv4(SERVER1));
	assert_int_equal(say("192.168.7.1", 4000, "\r\n\r\n"), ipv4(SERVER1));
	assert_int_equal(lab_dropped(DROP_NO_CALL_ID), 3);
}

static void padding_of_a_frame_is_no_part_of_the_message(void **state)
{
	static const char message[] = "A\ni:b\n";
	struct packet p = {.saddr = ipv4("192.168.7.1"),
			   .daddr = ipv4(CALL_VIP),
			   .sport = be16_from(4000),
			   .dport = be16_from(5060),
			   .proto = IPPROTO_UDP,
			   .payload = sizeof(message) - 2, /* the end of the line is padding */
			   .data = message};
	uint8_t frame[FRAME_MAX] = {0};
	size_t len;

	(void)state;
	by_call(32, false);
	packet_to_port(&p, 0, NULL);
	len = packet_build(&p, frame);
	frame[len] = '\n';
	lab_put_frame(0, frame, len + 1);
	assert_int_equal(lab_dropped(DROP_NO_CALL_ID), 1);
}

static void one_packet_decides_each_datagram_by_its_call_id(void **state)
{
	(void)state;
	by_call(32, true);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(call("192.168.7.1", 4000, "a"), ipv4(SERVER1));
		assert_int_equal(call("192.168.7.1", 4000, "b"), ipv4(SERVER2));
	}
	assert_int_equal(say("192.168.7.1", 4000, "\r\n\r\n"), 0);
	assert_int_equal(listed(), 2);
}

static void tcp_goes_by_the_address(void **state)
{
	const struct world_policy policy = {.persist_s = 60, .engine = PERSIST_BY_CALL_ID};
	struct packet p;

	(void)state;
	world_policy(&h, &policy);
	world_service(&h, "tcp", CALL_VIP ":5060", sched_find("rr"), pool, 2);
	for (uint16_t i = 0; i < 4; i++) {
		lab_put(0, lab_tcp("192.168.7.1", (uint16_t)(4000 + i), CALL_VIP, 5060, TCP_SYN));
		assert_true(lab_got(1, &p));
		assert_int_equal(p.daddr, ipv4(SERVER1));
	}
	assert_int_equal(listed(), 1);
}

/* A datagram in two fragments, the second one first or last. */
static be32 say_in_fragments(uint16_t id, uint16_t sport, const char *message, size_t cut,
			     bool second_first)
{
	struct packet p = {.saddr = ipv4("192.168.7.1"),
			   .daddr = ipv4(CALL_VIP),
			   .sport = be16_from(sport),
			   .dport = be16_from(5060),
			   .proto = IPPROTO_UDP,
			   .payload = (uint16_t)strlen(message),
			   .data = message};
	uint8_t frame[FRAME_MAX], part[2][FRAME_MAX];
	const size_t head = 14 + 20, data = 8 + strlen(message);
	unsigned int n;

	packet_to_port(&p, 0, NULL);
	packet_build(&p, frame);
	for (unsigned int i = 0; i < 2; i++) {
		const size_t from = i ? cut : 0, len = i ? data - cut : cut;
		be16 sum;

		memcpy(part[i], frame, head);
		memcpy(part[i] + head, frame + head + from, len);
		lab_put16(part[i] + 14 + 2, (uint16_t)(20 + len));
		lab_put16(part[i] + 14 + 4, id);
		lab_put16(part[i] + 14 + 6, (uint16_t)((i ? 0 : 0x2000) | from / 8));
		memset(part[i] + 14 + 10, 0, 2);
		sum = csum_of(part[i] + 14, 20);
		memcpy(part[i] + 14 + 10, &sum, 2);
	}
	lab_put_frame(0, part[second_first], head + (second_first ? data - cut : cut));
	lab_put_frame(0, part[!second_first], head + (second_first ? cut : data - cut));
	n = 0;
	for (uint8_t ip[FRAME_MAX]; lab_got_ip(1, ip) != 0; n++)
		memcpy(&p.daddr, ip + 16, 4);
	if (n == 0)
		return 0;
	assert_int_equal(n, 2);
	return p.daddr;
}

static void fragments_go_where_their_first_ones_call_goes(void **state)
{
	static const char message[] =
		START "Call-ID: frag\r\nSubject: long, and longer, and longest\r\n\r\n";

	(void)state;
	by_call(32, false);
	assert_int_equal(call("192.168.7.1", 4000, "whole"), ipv4(SERVER1));
	for (uint16_t i = 0; i < 6; i++)
		assert_int_equal(say_in_fragments((uint16_t)(77 + i), (uint16_t)(4100 + i), message,
						  8 + 96, i % 2),
				 ipv4(SERVER2));
	/* The Call-ID is in the second fragment: none. */
	assert_int_equal(say_in_fragments(99, 4200, message, 8 + 32, false), 0);
	assert_int_equal(lab_dropped(DROP_NO_CALL_ID), 1);
}

static struct explain *explained(const uint8_t *frame, size_t len)
{
	struct explain *x = explain_create(h.dp);

	assert_non_null(x);
	x->whole = true;
	x->frame_len = (uint16_t)len;
	memcpy(x->frame, frame, len);
	harness_run(&h);
	while (explain_leg(h.dp->workers[x->next], x))
		;
	assert_null(x->fault);
	return x;
}

/* Workers that own the client's ports, and the home of the network, agree. */
static void workers_agree_and_explain_says_the_same(void **state)
{
	unsigned int with = 0;

	(void)state;
	by_call(NETMASK_BITS, false);
	for (uint16_t i = 0; i < 60; i++) {
		char id[32], message[128], addr[32];
		struct explain *x;
		struct packet p;
		uint8_t frame[FRAME_MAX];
		be32 server;

		snprintf(id, sizeof(id), "call-%u", i % 12);
		snprintf(addr, sizeof(addr), "192.168.%u.%u", i, i + 1);
		snprintf(message, sizeof(message), START "i: %s\r\n\r\n", id);
		p = (struct packet){.saddr = ipv4(addr),
				    .daddr = ipv4(CALL_VIP),
				    .sport = be16_from((uint16_t)(4000 + i)),
				    .dport = be16_from(5060),
				    .proto = IPPROTO_UDP,
				    .payload = (uint16_t)strlen(message),
				    .data = message};
		packet_to_port(&p, 0, NULL);
		x = explained(frame, packet_build(&p, frame));
		assert_int_equal(x->template_found, i >= 12);
		server = call(addr, (uint16_t)(4000 + i), id);
		assert_int_equal(server, ipv4(i % 12 % 2 ? SERVER2 : SERVER1));
		assert_int_equal(x->n_out, 1);
		assert_memory_equal(x->out[0].head + 14 + 16, &server, 4);
		with += x->n_legs > 1;
		explain_destroy(x);
	}
	assert_true(with > 10);
	assert_int_equal(listed(), 12);
}

static void calls_of_ipv6_stay(void **state)
{
	static const struct world_server six[] = {{"[2001:db8:10::1]:5062", 1, FWD_NAT},
						  {"[2001:db8:10::2]:5062", 1, FWD_NAT}};
	const struct world_policy policy = {
		.persist_s = 60, .netmask = 128, .engine = PERSIST_BY_CALL_ID};
	struct addr6 first[8];

	(void)state;
	world_neighbour(&h, link_id_of(1, 0), "2001:db8:10::2", "02:06:00:00:00:03");
	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "udp", "[" VIP6 "]:5060", sched_find("rr"), six, 2), 0);
	for (uint16_t i = 0; i < 16; i++) {
		char message[128];
		struct packet p = {.v6 = true,
				   .saddr6 = ipv6(CLIENT6),
				   .daddr6 = ipv6(VIP6),
				   .sport = be16_from((uint16_t)(4000 + i)),
				   .dport = be16_from(5060),
				   .proto = IPPROTO_UDP,
				   .data = message};

		p.payload =
			(uint16_t)snprintf(message, sizeof(message), START "i: %u\r\n\r\n", i % 8);
		lab_put(0, p);
		p = lab_take(1);
		if (i < 8)
			first[i] = p.daddr6;
		assert_memory_equal(&p.daddr6, &first[i % 8], 16);
	}
	assert_memory_not_equal(&first[0], &first[1], 16);
}

static int families_setup(void **state)
{
	return lab_families_open(state, 3000);
}

#define ONE(f)	 LAB_TEST(f, bed_setup, 1)
#define THREE(f) LAB_TEST(f, bed_setup, 3)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_of_the_header_are_read),
		cmocka_unit_test(what_is_no_header_or_not_whole_is_none),
		cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
		cmocka_unit_test(a_hash_is_never_0_and_spreads),
		THREE(calls_of_a_client_are_spread_and_each_stays),
		THREE(two_clients_of_one_call_meet_under_the_netmask),
		THREE(a_message_without_a_call_id_makes_no_connection),
		ONE(padding_of_a_frame_is_no_part_of_the_message),
		THREE(one_packet_decides_each_datagram_by_its_call_id),
		ONE(tcp_goes_by_the_address),
		ONE(fragments_go_where_their_first_ones_call_goes),
		THREE(fragments_go_where_their_first_ones_call_goes),
		THREE(workers_agree_and_explain_says_the_same),
		LAB_TEST(calls_of_ipv6_stay, families_setup, 1),
	};

	return lab_run(256, tests);
}
