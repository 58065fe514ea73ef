/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of workers about their connections, and reports of a peer that they take in, in virtual
 * time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/eal_run.h"
#include "lib/pair.h"
#include "lib/world.h"

#define CLIENT 0xc0a80700U /* 192.168.7.0 */

static struct pair p;

static int setup_n(unsigned int workers_a, unsigned int workers_b, uint64_t max)
{
	if (pair_open(&p, workers_a, workers_b, max) < 0)
		return -1;
	p.access_a.set_mode(p.access_a.arg, SYNC_EMIT);
	p.access_b.set_mode(p.access_b.arg, SYNC_HOLD);
	harness_run(&p.a);
	harness_run(&p.b);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_n(1, 3, 3000);
}

static int setup_small(void **state)
{
	(void)state;
	return setup_n(1, 1, 80);
}

static int teardown(void **state)
{
	(void)state;
	return pair_close(&p);
}

static uint32_t taken(struct sync_event *out, uint32_t max)
{
	harness_run(&p.a);
	return p.access_a.take(p.access_a.arg, out, max);
}

/* The kind of the only event there is, or SYNC_NONE. */
static enum sync_kind only(struct sync_event *e)
{
	struct sync_event v[2];

	if (taken(v, 2) != 1)
		return SYNC_NONE;
	*e = v[0];
	return v[0].kind;
}

/* A server's id of `a` becomes that of `b`, by identity. */
static uint32_t translate(uint32_t id)
{
	const struct runtime *a = &p.a.dp->pub.runtime, *b = &p.b.dp->pub.runtime;
	const struct server_rt *srv = runtime_server(a, id);
	const struct service_rt *svc = runtime_service_of(a, srv);

	return runtime_server_find(b, runtime_service_find(b, svc->key), &srv->ep)->id;
}

/* All that a tells goes to b, as of a transfer. Returns how many. */
static uint32_t pass(uint8_t gen)
{
	struct sync_event e;
	uint32_t n = 0;

	while (taken(&e, 1) == 1) {
		e.gen = gen;
		if (e.kind == SYNC_PUT)
			e.server = translate(e.server);
		if (e.kind != SYNC_WALK)
			assert_int_equal(p.access_b.give(p.access_b.arg, &e), 0);
		n++;
		if (n % 1000 == 0)
			harness_run(&p.b);
	}
	harness_run(&p.b);
	assert_int_equal(p.access_b.pending(p.access_b.arg), 0);
	return n;
}

static void walk(void)
{
	const struct sync_event op = {.kind = SYNC_WALK, .token = 5};

	assert_int_equal(p.access_a.tell(p.access_a.arg, &op), 0);
}

static void sweep(uint8_t gen)
{
	const struct sync_event op = {.kind = SYNC_SWEEP, .gen = gen};

	assert_int_equal(p.access_b.tell(p.access_b.arg, &op), 0);
	harness_run(&p.b);
}

static uint64_t b_counter(size_t offset)
{
	struct worker_counters c;

	dataplane_worker_counters(p.b.dp, &c);
	return *(uint64_t *)((char *)&c + offset);
}

#define B_COUNTER(name) b_counter(offsetof(struct worker_counters, name))

/* --- what is told --- */

static void a_flood_of_syns_is_not_told_of(void **state)
{
	struct sync_event e;

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		struct packet sent;

		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 80, TCP_SYN));
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4001, IPPROTO_TCP, 443, TCP_SYN));
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_UDP, 53, 0));
		if (i % 2)
			pair_put(&p.a, 0,
				 pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 80, TCP_RST));
		pair_sent(&p.a, 1, &sent);
	}
	assert_true(pair_entries(&p.a) >= 1500);
	harness_advance_ms(&p.a, 700000);
	assert_int_equal(pair_entries(&p.a), 0);
	assert_int_equal(taken(&e, 1), 0);
}

static void tcp_is_told_of_from_established_to_its_end(void **state)
{
	struct sync_event e;

	(void)state;
	assert_int_not_equal(pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80), 0);
	assert_int_equal(only(&e), SYNC_PUT);
	assert_int_equal(e.state, CONN_ESTABLISHED);
	assert_int_equal(e.vport, be16_from(80));
	assert_int_equal(e.dport, be16_from(8080));
	pair_put(&p.a, 0, pair_from_client(CLIENT, 4000, IPPROTO_TCP, 80, TCP_FIN | TCP_ACK));
	assert_int_equal(only(&e), SYNC_PUT);
	assert_int_not_equal(e.state, CONN_ESTABLISHED);
	harness_advance_ms(&p.a, 200000);
	assert_int_equal(only(&e), SYNC_END);
	assert_int_equal(e.caddr, be32_from(CLIENT));
	pair_sent(&p.a, 1, &(struct packet){0});
}

static void udp_is_told_of_when_answered_or_seen_twice(void **state)
{
	struct packet sent;
	struct sync_event e;

	(void)state;
	pair_put(&p.a, 0, pair_from_client(CLIENT, 4000, IPPROTO_UDP, 53, 0));
	assert_int_equal(taken(&e, 1), 0);
	pair_put(&p.a, 0, pair_from_client(CLIENT, 4000, IPPROTO_UDP, 53, 0));
	assert_int_equal(only(&e), SYNC_PUT);
	pair_sent(&p.a, 1, &sent);
	assert_int_not_equal(pair_connect(&p.a, CLIENT, 4001, IPPROTO_UDP, 53), 0);
	assert_int_equal(only(&e), SYNC_PUT);
	assert_int_equal(e.cport, be16_from(4001));
}

static void a_template_is_told_of_once_a_client_got_through(void **state)
{
	struct sync_event v[4];

	(void)state;
	assert_int_not_equal(pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 443), 0);
	assert_int_equal(taken(v, 4), 2);
	assert_int_equal(v[0].proto & PROTO_TEMPLATE ? v[0].caddr : v[1].caddr, be32_from(CLIENT));
	assert_true((v[0].proto | v[1].proto) & PROTO_TEMPLATE);
	/* At its end, too. */
	harness_advance_ms(&p.a, 2000000);
	assert_int_equal(pair_entries(&p.a), 0);
	for (;;) {
		uint32_t n = taken(v, 1);

		assert_int_equal(n, 1);
		if (v[0].kind == SYNC_END && (v[0].proto & PROTO_TEMPLATE))
			return;
	}
}

static void a_live_connection_is_told_of_again_by_the_wheel(void **state)
{
	struct packet sent;
	struct sync_event e;

	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(only(&e), SYNC_PUT);
	harness_advance_ms(&p.a, 400000);
	pair_put(&p.a, 0, pair_from_client(CLIENT, 4000, IPPROTO_TCP, 80, TCP_ACK));
	harness_advance_ms(&p.a, 600000);
	pair_sent(&p.a, 1, &sent);
	assert_true(taken(&e, 1) == 1);
	assert_int_equal(e.kind, SYNC_PUT);
}

static void without_a_peer_nothing_is_told(void **state)
{
	struct sync_event e;

	(void)state;
	p.access_a.set_mode(p.access_a.arg, 0);
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	harness_advance_ms(&p.a, 1000000);
	assert_int_equal(taken(&e, 1), 0);
	assert_int_equal(p.access_a.lost(p.access_a.arg), 0);
}

static void a_full_ring_is_counted_and_stops_nothing(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2800; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
	for (uint32_t i = 0; i < 2800; i++)
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 80, TCP_RST));
	assert_int_equal(p.access_a.lost(p.access_a.arg), 0);
	harness_advance_ms(&p.a, 20000);
	pair_sent(&p.a, 1, &(struct packet){0});
	assert_int_equal(pair_entries(&p.a), 0);
	assert_true(p.access_a.lost(p.access_a.arg) > 0);
	assert_int_equal(p.access_a.lost(p.access_a.arg) + SYNC_EVENT_RING - 1, 3 * 2800);
}

/* --- what is taken in --- */

static void both_tables_are_the_same(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 300; i++) {
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
		pair_connect(&p.a, CLIENT + i, 4001, IPPROTO_TCP, 81);
		pair_connect(&p.a, CLIENT + i, 4002, IPPROTO_UDP, 53);
		pair_connect(&p.a, CLIENT + i, 4003, IPPROTO_TCP, 443);
		if (i % 3 == 0)
			pair_put(&p.a, 0,
				 pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 80,
						  TCP_FIN | TCP_ACK));
	}
	pair_sent(&p.a, 1, &(struct packet){0});
	pass(1);
	assert_true(pair_entries(&p.b) > 1200);
	assert_true(pair_equal(&p));
	harness_advance_ms(&p.a, 2000000);
	assert_int_equal(pair_entries(&p.a), 0);
	pass(1);
	assert_int_equal(pair_entries(&p.b), 0);
	assert_true(pair_equal(&p));
}

static void what_the_peer_told_of_ages_only_after_a_takeover(void **state)
{
	be32 server;

	(void)state;
	server = pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	pass(1);
	harness_advance_ms(&p.b, 5000000);
	assert_int_equal(pair_entries(&p.b), 1);
	p.access_b.set_mode(p.access_b.arg, SYNC_EMIT);
	harness_advance_ms(&p.b, 899000);
	assert_int_equal(pair_entries(&p.b), 1);
	harness_advance_ms(&p.b, 2000);
	assert_int_equal(pair_entries(&p.b), 0);
	assert_int_not_equal(server, 0);
}

static void a_connection_goes_on_at_its_server_after_a_takeover(void **state)
{
	struct packet sent;
	be32 server[4];

	(void)state;
	server[0] = pair_connect(&p.a, CLIENT + 1, 4000, IPPROTO_TCP, 80);
	server[1] = pair_connect(&p.a, CLIENT + 2, 4000, IPPROTO_TCP, 80);
	server[2] = pair_connect(&p.a, CLIENT + 3, 4000, IPPROTO_UDP, 53);
	server[3] = pair_connect(&p.a, CLIENT + 4, 4000, IPPROTO_TCP, 443);
	pass(1);
	p.access_b.set_mode(p.access_b.arg, SYNC_EMIT);
	for (uint32_t i = 0; i < 4; i++) {
		const uint8_t proto = i == 2 ? IPPROTO_UDP : IPPROTO_TCP;
		const uint16_t port = i == 2 ? 53 : i == 3 ? 443 : 80;

		pair_put(&p.b, 0, pair_from_client(CLIENT + 1 + i, 4000, proto, port, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_int_equal(sent.daddr, server[i]);
		pair_put(&p.b, 1, pair_answer(&sent, TCP_ACK));
		assert_true(pair_sent(&p.b, 0, &sent));
		assert_int_equal(sent.saddr, ipv4(PAIR_VIP));
		assert_false(sent.bad_l4 || sent.bad_ip);
	}
	/* The client's next connection follows its template. */
	assert_int_equal(pair_connect(&p.b, CLIENT + 4, 4100, IPPROTO_TCP, 443), server[3]);
	assert_int_equal(pair_connect(&p.b, CLIENT + 9, 4100, IPPROTO_TCP, 443), server[3]);
}

static be32 call_to(struct harness *h, uint32_t client, uint16_t sport, const char *message)
{
	struct packet sent, said = pair_from_client(client, sport, IPPROTO_UDP, 5060, 0);
	be32 server;

	said.data = message;
	said.payload = (uint16_t)strlen(message);
	pair_put(h, 0, said);
	assert_true(pair_sent(h, 1, &sent));
	pair_put(h, 1, pair_answer(&sent, 0)); /* a client got through under the template */
	server = sent.daddr;
	pair_sent(h, 0, &sent);
	return server;
}

/* The servers' ids differ, and the workers that are home to the network. */
static void a_call_goes_on_at_its_server_after_a_takeover(void **state)
{
	static const struct world_server sip[] = {{PAIR_SERVER1 ":5062", 1, FWD_NAT},
						  {PAIR_SERVER2 ":5062", 1, FWD_NAT}};
	static const char *const calls[] = {"INVITE\r\nCall-ID: one@h\r\n\r\n",
					    "INVITE\r\ni:two\r\n\r\n",
					    "INVITE\r\ni: three\r\n\r\n"};
	const struct world_policy policy = {
		.persist_s = 300, .netmask = NETMASK_BITS, .engine = PERSIST_BY_CALL_ID};
	be32 server[3];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct harness *h = i ? &p.b : &p.a;

		world_policy(h, &policy);
		assert_int_equal(
			world_service(h, "udp", PAIR_VIP ":5060", sched_find("rr"), sip, 2), 0);
	}
	for (uint16_t i = 0; i < 3; i++)
		server[i] = call_to(&p.a, CLIENT + 1, 4000 + i, calls[i]);
	assert_int_not_equal(server[0], server[1]);
	pass(1);
	p.access_b.set_mode(p.access_b.arg, SYNC_EMIT);
	for (uint16_t i = 3; i-- > 0;)
		assert_int_equal(call_to(&p.b, CLIENT + 77, 5000 + i, calls[i]), server[i]);
}

static void a_client_of_the_peer_is_asked_for_before_a_takeover(void **state)
{
	const uint32_t near = 0xc0a8014dU; /* 192.168.1.77: no gateway is between */
	struct resolve_request want;
	struct packet sent;
	bool asked = false;

	(void)state;
	world_route(&p.b, "192.168.1.0/24", link_id_of(0, 0), NULL);
	for (unsigned int i = 0; i < 2; i++) {
		pair_put(&p.a, 0, pair_from_client(near, 4000, IPPROTO_UDP, 53, 0));
		pair_sent(&p.a, 1, &sent);
	}
	assert_int_equal(pass(1), 1);
	while (harness_resolve_wanted(&p.b, &want))
		asked |= want.addr.v4 == be32_from(near) && want.link == link_id_of(0, 0);
	assert_true(asked);
}

static void what_a_complete_transfer_did_not_bring_goes(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 400; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 2 ? 80 : 443);
	pass(1);
	/* The connections end while the peer does not hear of it. */
	p.access_a.set_mode(p.access_a.arg, 0);
	for (uint16_t i = 0; i < 400; i += 4) {
		pair_put(
			&p.a, 0,
			pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, i % 2 ? 80 : 443, TCP_RST));
		pair_sent(&p.a, 1, &(struct packet){0});
	}
	harness_advance_ms(&p.a, 15000);
	p.access_a.set_mode(p.access_a.arg, SYNC_EMIT);
	harness_run(&p.a);
	walk();
	assert_true(pass(2) > 300);
	assert_false(pair_entries(&p.a) == pair_entries(&p.b));
	sweep(2);
	assert_true(pair_equal(&p));
}

static void a_change_during_a_walk_comes_after_the_entry(void **state)
{
	struct sync_event e;
	bool ended = false, closed = false;

	(void)state;
	p.access_a.set_mode(p.access_a.arg, 0);
	for (uint16_t i = 0; i < 1000; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
	p.access_a.set_mode(p.access_a.arg, SYNC_EMIT);
	harness_round(&p.a);
	walk();
	harness_round(&p.a); /* a part of it */
	pair_put(&p.a, 0, pair_from_client(CLIENT + 3, 4000, IPPROTO_TCP, 80, TCP_RST));
	while (taken(&e, 1)) {
		ended = ended || (e.kind == SYNC_WALK && e.token == 5);
		if (e.kind == SYNC_PUT && e.caddr == be32_from(CLIENT + 3))
			closed = e.state == CONN_CLOSE;
	}
	assert_true(ended);
	assert_true(closed);
	pair_sent(&p.a, 1, &(struct packet){0});
}

static void a_walk_waits_for_room_and_loses_nothing(void **state)
{
	struct sync_event e;
	uint32_t n = 0;

	(void)state;
	p.access_a.set_mode(p.access_a.arg, 0);
	for (uint32_t i = 0; i < 2500; i++)
		for (uint16_t k = 0; k < 1; k++)
			pair_connect(&p.a, CLIENT + i, (uint16_t)(4000 + k), IPPROTO_TCP, 80);
	p.access_a.set_mode(p.access_a.arg, SYNC_EMIT);
	harness_round(&p.a);
	for (unsigned int i = 0; i < 3; i++) {
		walk();
		harness_run(&p.a);
	}
	while (p.access_a.take(p.access_a.arg, &e, 1) == 1) {
		n += e.kind == SYNC_PUT;
		harness_round(&p.a);
	}
	assert_true(n >= 2500);
	assert_int_equal(p.access_a.lost(p.access_a.arg), 0);
}

static void a_flush_comes_back_behind_what_was_before(void **state)
{
	const struct sync_event op = {.kind = SYNC_FLUSH, .token = 77};
	struct sync_event v[3];

	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(p.access_a.tell(p.access_a.arg, &op), 0);
	assert_int_equal(taken(v, 3), 2);
	assert_int_equal(v[0].kind, SYNC_PUT);
	assert_int_equal(v[1].kind, SYNC_FLUSH);
	assert_int_equal(v[1].token, 77);
}

static void a_nat_key_in_the_way_gives_way_to_the_peers(void **state)
{
	struct sync_event e;

	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(only(&e), SYNC_PUT);
	e.server = translate(e.server);
	e.gen = 1;
	assert_int_equal(p.access_b.give(p.access_b.arg, &e), 0);
	e.vport = be16_from(8000); /* another listener, the same server and client */
	assert_int_equal(p.access_b.give(p.access_b.arg, &e), 0);
	harness_run(&p.b);
	assert_int_equal(pair_entries(&p.b), 1);
	assert_int_equal(B_COUNTER(sync_collided), 1);
	assert_non_null(
		pair_find(&p.b, be32_from(CLIENT), 4000, IPPROTO_TCP, ipv4(PAIR_VIP), 8000));
}

/* As after a minute of traffic. */
static void connect_assured(struct harness *h, uint32_t client, uint16_t port)
{
	struct worker *w = h->dp->workers[0];
	struct conn4 *c;

	pair_connect(h, client, port, IPPROTO_UDP, 53);
	c = pair_find(h, be32_from(client), port, IPPROTO_UDP, ipv4(PAIR_VIP), 53);
	assert_non_null(c);
	c->c.evidence |= EVIDENCE_ASSURED;
	give_way4_update(w, c);
	if (sync_on(w))
		sync4_changed(w, c);
}

static void copies_carry_what_is_assured_and_give_way_alike(void **state)
{
	struct worker *b = p.b.dp->workers[0];
	struct conn4 *c;

	(void)state;
	for (uint16_t i = 0; i < 40; i++)
		connect_assured(&p.a, CLIENT + 256U * i, 4000);
	for (uint16_t i = 0; i < 60; i++)
		pair_connect(&p.a, CLIENT + 256U * i, 5000, IPPROTO_UDP, 53);
	pass(1);
	assert_int_equal(pair_entries(&p.b), 100);
	assert_int_equal(b->v4.way.list[GIVE_WAY_NOT_ASSURED].n, 60);
	c = pair_find(&p.b, be32_from(CLIENT), 4000, IPPROTO_UDP, ipv4(PAIR_VIP), 53);
	assert_true(c->c.evidence & EVIDENCE_ASSURED);
	/* A flood of its own, after a takeover: those alone go that are not assured. */
	p.access_b.set_mode(p.access_b.arg, 0);
	for (uint16_t i = 0; i < 500; i++)
		pair_connect(&p.b, CLIENT + 256U * i, 6000, IPPROTO_UDP, 53);
	for (uint16_t i = 0; i < 40; i++)
		assert_non_null(pair_find(&p.b, be32_from(CLIENT + 256U * i), 4000, IPPROTO_UDP,
					  ipv4(PAIR_VIP), 53));
	assert_null(pair_find(&p.b, be32_from(CLIENT), 5000, IPPROTO_UDP, ipv4(PAIR_VIP), 53));
}

static void a_full_table_refuses_and_counts(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 100; i++)
		connect_assured(&p.a, CLIENT + 256U * i, 4000);
	assert_int_equal(pair_entries(&p.a), 100);
	/* The other has some of its own. */
	p.access_b.set_mode(p.access_b.arg, 0);
	for (uint16_t i = 0; i < 50; i++)
		connect_assured(&p.b, CLIENT + 256U * i, 5000);
	p.access_b.set_mode(p.access_b.arg, SYNC_HOLD);
	pass(1);
	assert_int_equal(pair_entries(&p.b), 101);
	assert_true(B_COUNTER(sync_full) > 0);
	assert_int_equal(B_COUNTER(sync_installed), 51);
}

static void a_removed_server_gets_no_connection_from_the_peer(void **state)
{
	static const struct world_server one[] = {{PAIR_SERVER1 ":8080", 1, FWD_NAT}};

	(void)state;
	for (uint16_t i = 0; i < 10; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 80);
	pair_connect(&p.b, CLIENT + 99, 4000, IPPROTO_TCP, 80);
	pair_connect(&p.b, CLIENT + 98, 4000, IPPROTO_TCP, 80);
	world_service(&p.b, "tcp", PAIR_VIP ":80", NULL, one, 1);
	pass(1);
	assert_int_equal(B_COUNTER(sync_refused), 5);
	assert_int_equal(pair_entries(&p.b), 7);
}

static void after_a_takeover_what_is_here_is_newer(void **state)
{
	struct sync_event e;

	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(only(&e), SYNC_PUT);
	e.server = translate(e.server);
	e.gen = 1;
	p.access_b.give(p.access_b.arg, &e);
	harness_run(&p.b);
	p.access_b.set_mode(p.access_b.arg, SYNC_EMIT);
	harness_run(&p.b);
	e.kind = SYNC_END;
	p.access_b.give(p.access_b.arg, &e);
	e.kind = SYNC_PUT;
	e.state = CONN_CLOSE;
	p.access_b.give(p.access_b.arg, &e);
	sweep(9);
	assert_int_equal(pair_entries(&p.b), 1);
	assert_int_equal(
		pair_find(&p.b, be32_from(CLIENT), 4000, IPPROTO_TCP, ipv4(PAIR_VIP), 80)->c.state,
		CONN_ESTABLISHED);
}

#define T(f)	 cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SMALL(f) cmocka_unit_test_setup_teardown(f, setup_small, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flood_of_syns_is_not_told_of),
		T(tcp_is_told_of_from_established_to_its_end),
		T(udp_is_told_of_when_answered_or_seen_twice),
		T(a_template_is_told_of_once_a_client_got_through),
		T(a_call_goes_on_at_its_server_after_a_takeover),
		T(a_live_connection_is_told_of_again_by_the_wheel),
		T(without_a_peer_nothing_is_told),
		T(a_full_ring_is_counted_and_stops_nothing),
		T(both_tables_are_the_same),
		T(what_the_peer_told_of_ages_only_after_a_takeover),
		T(a_connection_goes_on_at_its_server_after_a_takeover),
		T(a_client_of_the_peer_is_asked_for_before_a_takeover),
		T(what_a_complete_transfer_did_not_bring_goes),
		T(a_change_during_a_walk_comes_after_the_entry),
		T(a_walk_waits_for_room_and_loses_nothing),
		T(a_flush_comes_back_behind_what_was_before),
		T(a_nat_key_in_the_way_gives_way_to_the_peers),
		SMALL(copies_carry_what_is_assured_and_give_way_alike),
		SMALL(a_full_table_refuses_and_counts),
		T(a_removed_server_gets_no_connection_from_the_peer),
		T(after_a_takeover_what_is_here_is_newer),
	};

	return eal_run(0, 400, tests);
}
