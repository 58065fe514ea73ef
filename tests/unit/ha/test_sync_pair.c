/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two routers with whole data planes, and a network between them that loses, repeats and
 * reorders, in virtual time: in the end both tables are the same, and what one had goes on at
 * the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"
#include "ha/sync/sync_recv.h"
#include "ha/sync/sync_send.h"
#include "ha/sync/sync_wire.h"
#include "lib/eal_run.h"
#include "lib/pair.h"
#include "lib/world.h"
#include "sched/sched.h"

#define CLIENT	  0x0a800000U /* 10.128.0.0 */
#define NET_MAX	  4096
#define DELAY_MS  4
#define RATE_MOST 100000000

static struct pair p;

/* ---- the network ---- */

struct flight {
	uint64_t at_ms; /* 0: free */
	bool to_b;
	uint16_t len;
	uint8_t bytes[SYNC_DATAGRAM_BYTES];
};

static struct net {
	struct flight flights[NET_MAX];
	unsigned int loss, repeat; /* percent */
	uint32_t jitter_ms;
	bool cut;
	uint64_t carried, bytes;
	struct flight longest_to_b;
	struct flight last_to_b; /* the one before the last thing that was carried */
} net;

static uint64_t now_ms, dice = 88172645463325252ULL;
static struct identity *ident_a, *ident_b;
static struct sync_send *snd;
static struct sync_recv *rcv;

static uint32_t roll(uint32_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)((dice >> 11) % n);
}

static void carry(bool to_b, const uint8_t *bytes, size_t len)
{
	unsigned int copies = roll(100) < net.repeat ? 2 : 1;

	assert_true(len <= SYNC_DATAGRAM_BYTES);
	for (; copies; copies--) {
		if (net.cut || roll(100) < net.loss)
			continue;
		for (unsigned int i = 0; i < NET_MAX; i++) {
			struct flight *f = &net.flights[i];

			if (f->at_ms)
				continue;
			f->at_ms = now_ms + 1 + roll(DELAY_MS + net.jitter_ms);
			f->to_b = to_b;
			f->len = (uint16_t)len;
			memcpy(f->bytes, bytes, len);
			net.carried++;
			net.bytes += len;
			break;
		}
	}
}

/* The newest version of the layer that a datagram of a had. */
static uint8_t version_sent;

static void out_of_a(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	if (bytes[0] > version_sent)
		version_sent = bytes[0];
	carry(true, bytes, len);
}

static void out_of_b(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	carry(false, bytes, len);
}

static void arrive(void)
{
	for (unsigned int i = 0; i < NET_MAX; i++) {
		struct flight *f = &net.flights[i];

		if (!f->at_ms || f->at_ms > now_ms)
			continue;
		f->at_ms = 0;
		if (f->to_b) {
			net.last_to_b = *f;
			if (f->len > net.longest_to_b.len)
				net.longest_to_b = *f;
			sync_recv_data(rcv, f->bytes, f->len);
		} else {
			sync_send_ack(snd, f->bytes, f->len, now_ms);
		}
	}
}

/* A millisecond at both routers; the workers' ticks with it. */
static void step(void)
{
	now_ms++;
	if (now_ms % 62 == 0) {
		p.a.now_tick++;
		p.b.now_tick++;
		p.a.now_s = p.a.now_tick / CONN_TICK_HZ + 1000;
		p.b.now_s = p.b.now_tick / CONN_TICK_HZ + 1000;
	}
	harness_round(&p.a);
	harness_round(&p.b);
	sync_send_poll(snd, now_ms);
	arrive();
	sync_recv_poll(rcv, now_ms);
}

static void steps(uint32_t n)
{
	while (n--)
		step();
}

static struct sync_send_status sent_status(void)
{
	struct sync_send_status s;

	sync_send_status(snd, &s);
	return s;
}

static struct sync_recv_status recv_status(void)
{
	struct sync_recv_status s;

	sync_recv_status(rcv, &s);
	return s;
}

/* Until the peer has everything. False: not within so many ms. */
static bool copied_within(uint32_t limit_ms)
{
	uint32_t flush = sync_send_flush(snd);

	for (uint32_t i = 0; i < limit_ms; i++) {
		step();
		if (sync_send_flushed(snd, flush) && sync_recv_idle(rcv)) {
			steps(300); /* a sweep may be under way */
			return true;
		}
	}
	fprintf(stderr, "after %u ms: state %d, %u under way, %lu records\n", limit_ms,
		sent_status().state, sent_status().under_way, (unsigned long)sent_status().records);
	return false;
}

/* ---- setup ---- */

static int setup_n(unsigned int workers_a, unsigned int workers_b, uint64_t max, uint32_t rate)
{
	struct sync_send_config sc = {.output = out_of_a, .bytes_per_s = rate};
	struct sync_recv_config rc = {.output = out_of_b, .max_unbound = 1000};

	if (pair_open(&p, workers_a, workers_b, max) < 0)
		return -1;
	memset(&net, 0, sizeof(net));
	now_ms = 100000;
	ident_a = identity_create();
	ident_b = identity_create();
	if (identity_learn(ident_a, p.a.dp->pub.snapshot) < 0 ||
	    identity_learn(ident_b, p.b.dp->pub.snapshot) < 0)
		return -1;
	sc.access = p.access_a;
	sc.identity = ident_a;
	rc.access = p.access_b;
	rc.identity = ident_b;
	snd = sync_send_create(&sc);
	rcv = sync_recv_create(&rc);
	p.access_a.set_mode(p.access_a.arg, SYNC_EMIT);
	p.access_b.set_mode(p.access_b.arg, SYNC_HOLD);
	sync_recv_accept(rcv, true, now_ms);
	harness_run(&p.a);
	harness_run(&p.b);
	return snd && rcv ? 0 : -1;
}

static int setup(void **state)
{
	(void)state;
	return setup_n(1, 3, 5000, RATE_MOST);
}

static int setup_three_one(void **state)
{
	(void)state;
	return setup_n(3, 1, 5000, RATE_MOST);
}

static int setup_slow(void **state)
{
	(void)state;
	return setup_n(1, 3, 40000, 300000);
}

static int setup_many(void **state)
{
	(void)state;
	return setup_n(1, 3, 120000, RATE_MOST);
}

static int teardown(void **state)
{
	(void)state;
	sync_send_destroy(snd);
	sync_recv_destroy(rcv);
	identity_destroy(ident_a);
	identity_destroy(ident_b);
	return pair_close(&p);
}

static const uint16_t ports[] = {80, 81, 443, 53};

static uint8_t proto_of(uint16_t port)
{
	return port == 53 ? IPPROTO_UDP : IPPROTO_TCP;
}

/* n connections of as many clients, of all services in turn; the network goes on meanwhile
 * when `live`. */
static void connect_many(uint32_t n, bool live)
{
	for (uint32_t i = 0; i < n; i++) {
		uint16_t port = ports[i % 4];

		pair_connect(&p.a, CLIENT + i, (uint16_t)(4000 + i % 100), proto_of(port), port);
		if (live && i % 50 == 0)
			step();
	}
}

static void takeover(void)
{
	sync_recv_accept(rcv, false, now_ms);
	p.access_a.set_mode(p.access_a.arg, 0);
	p.access_b.set_mode(p.access_b.arg, SYNC_EMIT);
	sync_send_stop(snd);
	steps(2);
}

/* ---- tests ---- */

static void a_table_and_its_changes_reach_the_peer_through_a_bad_network(void **state)
{
	struct sync_send_status s;

	(void)state;
	net.loss = 15;
	net.repeat = 10;
	net.jitter_ms = 30;
	connect_many(1500, false);
	sync_send_start(snd, now_ms);
	connect_many(3000, true);
	for (uint32_t i = 0; i < 2500; i += 3) {
		uint16_t port = ports[i % 4];

		pair_put(&p.a, 0,
			 pair_from_client(CLIENT + i, (uint16_t)(4000 + i % 100), proto_of(port),
					  port, i % 2 ? TCP_FIN | TCP_ACK : TCP_RST));
		pair_sent(&p.a, 1, &(struct packet){0});
		if (i % 100 == 0)
			step();
	}
	assert_true(copied_within(20000));
	s = sent_status();
	assert_true(s.repeated > 0);
	assert_int_equal(s.sheds, 0);
	assert_true(recv_status().duplicates > 0);
	assert_int_equal(recv_status().refused, 0);
	assert_true(recv_status().complete);
	assert_true(pair_entries(&p.b) > 3000);
	assert_true(pair_equal(&p));
	/* All of it times out, and the peer hears so. */
	for (uint32_t i = 0; i < 16 * 1900 && pair_entries(&p.a); i++) {
		p.a.now_tick++;
		harness_run(&p.a);
		if (i % 8 == 0)
			step();
	}
	assert_int_equal(pair_entries(&p.a), 0);
	assert_true(copied_within(20000));
	assert_int_equal(pair_entries(&p.b), 0);
	assert_true(pair_equal(&p));
}

static void a_hundred_thousand_connections_are_the_same_on_both(void **state)
{
	uint32_t ms;

	(void)state;
	net.loss = 5;
	net.repeat = 5;
	net.jitter_ms = 10;
	for (uint32_t i = 0; i < 100000; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 2 ? 80 : 81);
	assert_int_equal(pair_entries(&p.a), 100000);
	ms = (uint32_t)now_ms;
	version_sent = 0;
	sync_send_start(snd, now_ms);
	assert_true(copied_within(60000));
	assert_int_equal(pair_entries(&p.b), 100000);
	/* A router of before IPv6 follows. */
	assert_int_equal(version_sent, SYNC_VERSION_IPV4);
	assert_true(pair_equal(&p));
	printf("100000 connections in %u ms, %lu datagrams, %lu repeated\n", (uint32_t)now_ms - ms,
	       (unsigned long)sent_status().datagrams, (unsigned long)sent_status().repeated);
}

/* A connection by such a tunnel has no address of its server: the server's identity says it. */
static void a_tunnel_to_a_server_of_the_other_family_is_followed(void **state)
{
	static const struct world_server six[] = {{"[2001:db8:10::1]:85", 1, FWD_TUNNEL}};
	struct harness *const both[] = {&p.a, &p.b};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		world_route(both[i], "2001:db8:10::/48", link_id_of(1, 0), NULL);
		world_own(both[i], "2001:db8:10::fe", link_id_of(1, 0));
		world_neighbour(both[i], link_id_of(1, 0), "2001:db8:10::1", "02:06:00:00:00:02");
		assert_int_equal(
			world_service(both[i], "tcp", PAIR_VIP ":85", sched_find("rr"), six, 1), 0);
		harness_run(both[i]);
	}
	assert_int_equal(identity_learn(ident_a, p.a.dp->pub.snapshot), 0);
	assert_int_equal(identity_learn(ident_b, p.b.dp->pub.snapshot), 0);
	version_sent = 0;
	sync_send_start(snd, now_ms);
	for (uint32_t i = 0; i < 10; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
	for (uint32_t i = 0; i < 10; i++) {
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 85, TCP_SYN));
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 85, TCP_ACK));
	}
	assert_int_equal(pair_entries(&p.a), 20);
	assert_true(copied_within(5000));
	assert_int_equal(version_sent, SYNC_VERSION_MIXED);
	assert_int_equal(recv_status().refused, 0);
	assert_int_equal(pair_entries(&p.b), 20);
	assert_true(pair_equal(&p));
}

static void every_connection_goes_on_after_a_takeover(void **state)
{
	static be32 server[1000];

	(void)state;
	net.loss = 10;
	sync_send_start(snd, now_ms);
	for (uint32_t i = 0; i < 1000; i++) {
		server[i] =
			pair_connect(&p.a, CLIENT + i, 4000, proto_of(ports[i % 4]), ports[i % 4]);
		assert_int_not_equal(server[i], 0);
		if (i % 20 == 0)
			step();
	}
	steps(500); /* the time that is promised, not a flush */
	takeover();
	for (uint32_t i = 0; i < 1000; i++) {
		uint16_t port = ports[i % 4];
		struct packet sent;

		pair_put(&p.b, 0,
			 pair_from_client(CLIENT + i, 4000, proto_of(port), port, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_int_equal(sent.daddr, server[i]);
		if (port == 81) /* DR: by MAC */
			continue;
		assert_false(sent.bad_l4 || sent.bad_ip);
		pair_put(&p.b, 1, pair_answer(&sent, TCP_ACK));
		assert_true(pair_sent(&p.b, 0, &sent));
		assert_int_equal(sent.saddr, ipv4(PAIR_VIP));
		assert_int_equal(sent.dport, be16_from(4000));
	}
}

/* Of a connection whose server is told its client: the answers of server and client at a router. */
static void told_server_has(struct harness *h, struct packet request)
{
	struct packet answer = pair_answer(&request, TCP_ACK), got;

	answer.ack = 28; /* the header's length, behind a first number of 0 */
	pair_put(h, 1, answer);
	assert_true(pair_sent(h, 0, &got));
	assert_int_equal(got.ack, 0);
}

static void a_header_under_way_is_sent_on_by_the_next_router(void **state)
{
	static struct packet at_server[60];
	struct packet got;

	(void)state;
	net.loss = 10;
	sync_send_start(snd, now_ms);
	sync_send_peer(snd, SYNC_VERSION);
	for (uint32_t i = 0; i < 60; i++) {
		assert_int_not_equal(pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 83), 0);
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 83, TCP_ACK));
		assert_true(pair_sent(&p.a, 1, &at_server[i]));
		assert_int_equal(at_server[i].payload, 28);
		if (i % 2)
			told_server_has(&p.a, at_server[i]);
		step();
	}
	assert_true(copied_within(20000));
	assert_true(pair_equal(&p));
	takeover();
	for (uint32_t i = 0; i < 60; i++) {
		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 83, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &got));
		assert_int_equal(got.sport, at_server[i].sport);
		assert_int_equal(got.seq, i % 2 ? 28 : 0);
		assert_int_equal(got.payload, i % 2 ? 0 : 28);
		told_server_has(&p.b, got);
		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 83, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &got));
		assert_int_equal(got.seq, 28);
	}
}

/* A peer that does not read full NAT gets all else. Both have other numbers of workers (T31). */
static void full_nat_goes_on_with_its_local_port_if_the_peer_reads_it(void **state)
{
	static struct packet at_server[200];
	uint64_t unreadable;

	(void)state;
	net.loss = 10;
	sync_send_start(snd, now_ms);
	for (uint32_t i = 0; i < 200; i++) {
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
		assert_int_not_equal(pair_connect(&p.a, CLIENT + i, 4001, IPPROTO_TCP, 82), 0);
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 82, TCP_ACK));
		assert_true(pair_sent(&p.a, 1, &at_server[i]));
		step();
	}
	assert_true(copied_within(20000));
	unreadable = sent_status().unreadable; /* the walk may find what was told already */
	assert_in_range(unreadable, 200, 210);
	assert_int_equal(pair_entries(&p.b), 200);
	sync_send_peer(snd, SYNC_VERSION);
	assert_true(copied_within(20000));
	assert_int_equal(sent_status().unreadable, unreadable);
	assert_int_equal(pair_entries(&p.b), 400);
	assert_true(pair_equal(&p));
	takeover();
	for (uint32_t i = 0; i < 200; i++) {
		struct packet sent;

		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 82, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_int_equal(sent.daddr, at_server[i].daddr);
		assert_int_equal(sent.saddr, at_server[i].saddr);
		assert_int_equal(sent.sport, at_server[i].sport);
		pair_put(&p.b, 1, pair_answer(&sent, TCP_ACK));
		assert_true(pair_sent(&p.b, 0, &sent));
		assert_int_equal(sent.daddr, be32_from(CLIENT + i));
		assert_int_equal(be16_to(sent.sport), 82);
		/* A new connection gets none of these ports. */
		assert_int_not_equal(pair_connect(&p.b, CLIENT + i, 4002, IPPROTO_TCP, 82), 0);
	}
	assert_int_equal(pair_entries(&p.b), 600);
}

/* The router that takes over sends by the same local address, which is of IPv6, and knows the
 * replies. */
static void a_server_of_the_other_family_is_reached_after_a_takeover(void **state)
{
	static struct packet at_server[100];

	(void)state;
	net.loss = 10;
	sync_send_start(snd, now_ms);
	sync_send_peer(snd, SYNC_VERSION);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_not_equal(pair_connect(&p.a, CLIENT + i, 4001, IPPROTO_TCP, 84), 0);
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 84, TCP_ACK));
		assert_true(pair_sent(&p.a, 1, &at_server[i]));
		assert_true(at_server[i].v6);
		step();
	}
	assert_true(copied_within(20000));
	assert_int_equal(pair_entries(&p.b), 100);
	assert_true(pair_equal(&p));
	takeover();
	for (uint32_t i = 0; i < 100; i++) {
		struct packet sent;

		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 84, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_true(addr6_equal(sent.daddr6, at_server[i].daddr6));
		assert_true(addr6_equal(sent.saddr6, ipv6(PAIR_LOCAL6)));
		assert_int_equal(sent.sport, at_server[i].sport);
		pair_put(&p.b, 1, pair_answer(&sent, TCP_ACK));
		assert_true(pair_sent(&p.b, 0, &sent));
		assert_int_equal(sent.daddr, be32_from(CLIENT + i));
		assert_int_equal(be16_to(sent.sport), 84);
	}
}

static void a_long_transfer_survives_a_short_timeout(void **state)
{
	struct packet sent;

	(void)state;
	for (uint32_t id = 1; id <= p.a.dp->pub.snapshot->max_service_id; id++)
		if (p.a.dp->pub.snapshot->services[id])
			p.a.dp->pub.snapshot->services[id]->policy.timeout_s[CONN_ESTABLISHED] = 5;
	for (uint32_t id = 1; id <= p.b.dp->pub.snapshot->max_service_id; id++)
		if (p.b.dp->pub.snapshot->services[id])
			p.b.dp->pub.snapshot->services[id]->policy.timeout_s[CONN_ESTABLISHED] = 5;
	sync_send_start(snd, now_ms);
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	for (unsigned int i = 0; i < 250; i++) { /* 25 s */
		pair_put(&p.a, 0, pair_from_client(CLIENT, 4000, IPPROTO_TCP, 80, TCP_ACK));
		pair_sent(&p.a, 1, &sent);
		steps(100);
	}
	takeover();
	steps(4000);
	pair_put(&p.b, 0, pair_from_client(CLIENT, 4000, IPPROTO_TCP, 80, TCP_ACK));
	assert_true(pair_sent(&p.b, 1, &sent));
	steps(6000);
	assert_int_equal(pair_entries(&p.b), 0);
}

static void a_flood_costs_the_peer_nothing(void **state)
{
	uint64_t bytes;

	(void)state;
	sync_send_start(snd, now_ms);
	assert_true(copied_within(1000));
	bytes = net.bytes;
	for (uint32_t i = 0; i < 4000; i++) {
		pair_put(&p.a, 0,
			 pair_from_client(CLIENT + i, (uint16_t)(1000 + i), IPPROTO_TCP,
					  i % 2 ? 80 : 443, TCP_SYN));
		pair_put(&p.a, 0,
			 pair_from_client(CLIENT + i, (uint16_t)(1000 + i), IPPROTO_UDP, 53, 0));
		pair_sent(&p.a, 1, &(struct packet){0});
		if (i % 40 == 0)
			step();
	}
	steps(100);
	assert_int_equal(net.bytes, bytes);
	assert_int_equal(pair_entries(&p.b), 0);
}

static void a_cut_network_is_made_up_for(void **state)
{
	(void)state;
	sync_send_start(snd, now_ms);
	connect_many(500, true);
	net.cut = true;
	connect_many(1500, true);
	steps(5000);
	assert_false(sync_send_flushed(snd, sync_send_flush(snd)));
	net.cut = false;
	assert_true(copied_within(10000));
	assert_true(pair_equal(&p));
}

static void a_flush_with_nothing_to_send_is_over_without_traffic(void **state)
{
	uint64_t sent;

	(void)state;
	sync_send_start(snd, now_ms);
	connect_many(10, true);
	assert_true(copied_within(10000));
	sent = sent_status().datagrams;
	assert_true(copied_within(100));
	assert_int_equal(sent_status().datagrams, sent);
}

static void beyond_the_rate_it_is_behind_and_catches_up(void **state)
{
	(void)state;
	sync_send_start(snd, now_ms);
	assert_true(copied_within(1000));
	for (uint32_t i = 0; i < 12000; i++) {
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
		if (i % 500 == 0)
			step();
	}
	steps(200);
	assert_true(sent_status().behind);
	assert_true(sent_status().sheds > 0);
	assert_false(recv_status().complete);
	assert_true(sent_status().bytes < 300000);
	assert_true(copied_within(60000));
	assert_false(sent_status().behind);
	assert_true(recv_status().complete);
	assert_int_equal(pair_entries(&p.b), 12000);
	assert_true(pair_equal(&p));
}

static void a_receiver_that_began_anew_gets_everything_again(void **state)
{
	(void)state;
	sync_send_start(snd, now_ms);
	connect_many(1000, true);
	assert_true(copied_within(3000));
	connect_many(3000, true);
	sync_recv_reset(rcv);
	assert_false(recv_status().complete);
	assert_true(copied_within(20000));
	assert_int_equal(sent_status().transfers, 2);
	assert_true(recv_status().complete);
	assert_true(pair_equal(&p));
}

static void connections_of_an_unknown_service_wait_for_it(void **state)
{
	static const struct world_server one[] = {{PAIR_SERVER1 ":90", 1, FWD_NAT}};
	struct packet sent;

	(void)state;
	world_service(&p.a, "tcp", PAIR_VIP ":90", NULL, one, 1);
	identity_learn(ident_a, p.a.dp->pub.snapshot);
	sync_send_start(snd, now_ms);
	for (uint32_t i = 0; i < 1200; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 90);
	assert_true(copied_within(3000));
	assert_int_equal(pair_entries(&p.b), 0);
	assert_int_equal(recv_status().unbound, 1000);
	assert_true(recv_status().unbound_refused >= 200);
	for (uint32_t i = 0; i < 100; i++)
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 90, TCP_RST));
	pair_sent(&p.a, 1, &sent);
	for (unsigned int i = 0; i < 20 * CONN_TICK_HZ; i++) {
		p.a.now_tick++;
		harness_run(&p.a);
	}
	assert_true(copied_within(3000));
	assert_int_equal(recv_status().unbound, 900);
	world_service(&p.b, "tcp", PAIR_VIP ":90", NULL, one, 1);
	identity_learn(ident_b, p.b.dp->pub.snapshot);
	steps(50);
	assert_int_equal(recv_status().unbound, 0);
	assert_int_equal(pair_entries(&p.b), 900);
	takeover();
	pair_put(&p.b, 0, pair_from_client(CLIENT + 500, 4000, IPPROTO_TCP, 90, TCP_ACK));
	assert_true(pair_sent(&p.b, 1, &sent));
}

static void old_datagrams_bring_nothing_back(void **state)
{
	static struct flight old;

	(void)state;
	sync_send_start(snd, now_ms);
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_true(copied_within(1000));
	old = net.last_to_b;
	pair_put(&p.a, 0, pair_from_client(CLIENT, 4000, IPPROTO_TCP, 80, TCP_RST));
	pair_sent(&p.a, 1, &(struct packet){0});
	for (unsigned int i = 0; i < 20 * CONN_TICK_HZ; i++) {
		p.a.now_tick++;
		harness_run(&p.a);
	}
	assert_true(copied_within(1000));
	assert_int_equal(pair_entries(&p.b), 0);
	for (unsigned int i = 0; i < 3; i++)
		sync_recv_data(rcv, old.bytes, old.len);
	steps(10);
	assert_int_equal(pair_entries(&p.b), 0);
	sync_send_start(snd, now_ms); /* another stream */
	assert_true(copied_within(1000));
	sync_recv_data(rcv, old.bytes, old.len);
	steps(10);
	assert_int_equal(pair_entries(&p.b), 0);
	assert_int_equal(recv_status().stale, 1);
}

/* Whatever one byte says: it is refused, or what it brings can be. */
static void changed_bytes_are_refused_or_can_be(void **state)
{
	static struct flight good;
	uint64_t refused;

	(void)state;
	sync_send_start(snd, now_ms);
	connect_many(40, false);
	steps(5);
	good = net.longest_to_b;
	assert_true(good.len > 500);
	takeover();
	sync_recv_accept(rcv, true, now_ms);
	for (uint32_t i = 0; i < 20000; i++) {
		static struct flight bad;

		bad = good;
		for (uint32_t k = roll(3) + 1; k; k--)
			bad.bytes[roll(bad.len)] = (uint8_t)roll(256);
		if (i % 5 == 0)
			bad.len = (uint16_t)roll(bad.len);
		sync_recv_data(rcv, bad.bytes, bad.len);
		sync_recv_poll(rcv, now_ms);
		harness_run(&p.b);
		if (i % 100 == 0)
			sync_recv_reset(rcv);
	}
	refused = recv_status().refused;
	assert_true(refused > 5000);
	for (size_t n = 0; n < 12; n++)
		sync_send_ack(snd, good.bytes, n, now_ms);
}

/* Digits of a 227, as tests of FTP read them. */
static void ftp_line(struct harness *h, unsigned int port, struct packet k, uint32_t seq,
		     uint32_t ack, const char *text, struct packet *out)
{
	k.tcp_flags = TCP_ACK;
	k.seq = seq;
	k.ack = ack;
	k.payload = (uint16_t)strlen(text);
	k.data = text;
	pair_put(h, port, k);
	assert_true(pair_sent(h, port ? 0 : 1, out));
}

static void ftp_goes_on_at_the_other_router(void **state)
{
	struct packet in = pair_from_client(CLIENT, 4000, IPPROTO_TCP, 21, TCP_ACK), out, sent;
	uint32_t grown;

	(void)state;
	net.loss = 10;
	sync_send_start(snd, now_ms);
	assert_int_equal(pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 21), ipv4(PAIR_SERVER1));
	ftp_line(&p.a, 0, in, 100, 500, "PASV\r\n", &sent);
	out = pair_answer(&sent, TCP_ACK);
	ftp_line(&p.a, 1, out, 500, 106, "227 ok (10,10,0,1,200,10)\r\n", &sent);
	/* 10,10,0,1 became 10,1,0,100: */
	grown = sent.payload - (uint32_t)strlen("227 ok (10,10,0,1,200,10)\r\n");
	assert_int_not_equal(grown, 0);
	assert_true(copied_within(3000));
	takeover();
	/* Numbers of the server's next segment, and what the client acknowledges. */
	ftp_line(&p.b, 1, out, 527, 106, "150 here\r\n", &sent);
	assert_int_equal(sent.seq, 527 + grown);
	ftp_line(&p.b, 0, in, 106, 527 + grown, "NOOP\r\n", &sent);
	assert_int_equal(sent.ack, 527);
	/* And the data connection that was announced to the other. */
	pair_put(&p.b, 0, pair_from_client(CLIENT, 4001, IPPROTO_TCP, 200 * 256 + 10, TCP_SYN));
	assert_true(pair_sent(&p.b, 1, &sent));
	assert_int_equal(sent.daddr, ipv4(PAIR_SERVER1));
	assert_int_equal(sent.dport, be16_from(200 * 256 + 10));
}

static void ftp_by_full_nat_goes_on_at_the_other_router(void **state)
{
	struct packet in = pair_from_client(CLIENT, 4000, IPPROTO_TCP, 85, TCP_ACK), out, sent;
	unsigned int a[6];
	char text[64];
	be16 lport;

	(void)state;
	sync_send_start(snd, now_ms);
	sync_send_peer(snd, SYNC_VERSION);
	assert_int_equal(pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 85), ipv4(PAIR_SERVER1));
	snprintf(text, sizeof(text), "PORT %u,%u,%u,%u,100,200\r\n", CLIENT >> 24,
		 CLIENT >> 16 & 255, CLIENT >> 8 & 255, CLIENT & 255);
	ftp_line(&p.a, 0, in, 100, 500, text, &sent);
	assert_in_range(sent.payload, 1, sizeof(text) - 1);
	memcpy(text, sent.data, sent.payload);
	text[sent.payload] = 0;
	assert_int_equal(
		sscanf(text, "PORT %u,%u,%u,%u,%u,%u", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5]),
		6);
	lport = be16_from((uint16_t)(a[4] << 8 | a[5]));
	out = pair_answer(&sent, TCP_ACK);
	ftp_line(&p.a, 1, out, 500, 100 + sent.payload, "200 fine\r\n", &sent);
	assert_true(copied_within(3000));
	takeover();
	/* Numbers of the client's next segment, and what the server acknowledges. */
	ftp_line(&p.b, 0, in, sent.ack, 510, "NOOP\r\n", &sent);
	assert_int_equal(sent.seq, 100 + strlen(text));
	assert_int_equal(sent.ack, 510);
	/* And the data connection that was announced to the other, on its port. */
	out = pair_answer(&sent, TCP_SYN);
	out.sport = be16_from(20);
	out.dport = lport;
	out.seq = 1;
	pair_put(&p.b, 1, out);
	assert_true(pair_sent(&p.b, 0, &sent));
	assert_int_equal(sent.saddr, ipv4(PAIR_VIP));
	assert_int_equal(sent.sport, be16_from(84));
	assert_int_equal(sent.daddr, be32_from(CLIENT));
	assert_int_equal(be16_to(sent.dport), 25800);
	pair_put(&p.b, 0, pair_answer(&sent, TCP_SYN | TCP_ACK));
	assert_true(pair_sent(&p.b, 1, &sent));
	assert_int_equal(sent.sport, lport);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
#define T31(f)	cmocka_unit_test_setup_teardown(f, setup_three_one, teardown)
#define SLOW(f) cmocka_unit_test_setup_teardown(f, setup_slow, teardown)
#define MANY(f) cmocka_unit_test_setup_teardown(f, setup_many, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_table_and_its_changes_reach_the_peer_through_a_bad_network),
		T31(a_table_and_its_changes_reach_the_peer_through_a_bad_network),
		MANY(a_hundred_thousand_connections_are_the_same_on_both),
		T(a_tunnel_to_a_server_of_the_other_family_is_followed),
		T(every_connection_goes_on_after_a_takeover),
		T31(every_connection_goes_on_after_a_takeover),
		T(a_header_under_way_is_sent_on_by_the_next_router),
		T31(a_header_under_way_is_sent_on_by_the_next_router),
		T(full_nat_goes_on_with_its_local_port_if_the_peer_reads_it),
		T31(full_nat_goes_on_with_its_local_port_if_the_peer_reads_it),
		T(a_server_of_the_other_family_is_reached_after_a_takeover),
		T31(a_server_of_the_other_family_is_reached_after_a_takeover),
		T(a_long_transfer_survives_a_short_timeout),
		T(a_flood_costs_the_peer_nothing),
		T(a_cut_network_is_made_up_for),
		T(a_flush_with_nothing_to_send_is_over_without_traffic),
		SLOW(beyond_the_rate_it_is_behind_and_catches_up),
		T(a_receiver_that_began_anew_gets_everything_again),
		T(connections_of_an_unknown_service_wait_for_it),
		T(old_datagrams_bring_nothing_back),
		T(changed_bytes_are_refused_or_can_be),
		T(ftp_goes_on_at_the_other_router),
		T(ftp_by_full_nat_goes_on_at_the_other_router),
		T31(ftp_by_full_nat_goes_on_at_the_other_router),
	};

	return eal_run(0, 400, tests);
}
