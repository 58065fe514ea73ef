/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Full NAT: servers see an address of the pool of their link, clients see the VIP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/sync/conn_sync.h"
#include "lib/lab_families.h"
#include "metrics/local_port_warning.h"
#include "metrics/traffic.h"
#include "sched/sched.h"

#define VIP    "10.1.0.100"
#define CLIENT "192.168.1.1"
#define SERVER "10.10.0.1"
#define LOCAL  "10.10.0.200"

static int bed_of(void **state, uint64_t max, bool pool)
{
	static const struct world_server v4[] = {{SERVER ":8080", 1, FWD_FULLNAT}};
	static const struct world_server v6[] = {{"[" SERVER6 "]:8080", 1, FWD_FULLNAT}};

	if (lab_families_open(state, max) < 0)
		return -1;
	world_service(&h, "tcp", VIP ":80", NULL, v4, 1);
	world_service(&h, "udp", VIP ":53", NULL, v4, 1);
	world_service(&h, "tcp", "[" VIP6 "]:80", NULL, v6, 1);
	world_service(&h, "udp", "[" VIP6 "]:53", NULL, v6, 1);
	if (!pool)
		return 0;
	return lab_families_pools(LOCAL, LOCAL6);
}

static int setup(void **state)
{
	return bed_of(state, 0, true);
}

static int setup_no_pool(void **state)
{
	return bed_of(state, 0, false);
}

static int setup_small(void **state)
{
	return bed_of(state, 40, true);
}

static int setup_large(void **state)
{
	return bed_of(state, 200000, true);
}

static struct packet from_client(uint16_t sport, uint8_t flags)
{
	return lab_tcp(CLIENT, sport, VIP, 80, flags);
}

static uint64_t ports_in_use(void)
{
	return lab_counters().local_ports;
}

/* --- both ways ----------------------------------------------------------------------- */

static void both_ends_are_rewritten_both_ways_with_right_checksums(void **state)
{
	struct packet at_server, at_client;

	(void)state;
	lab_put(0, from_client(1001, TCP_SYN));
	at_server = lab_take(1);
	assert_int_equal(at_server.saddr, ipv4(LOCAL));
	assert_int_equal(at_server.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(at_server.dport), 8080);
	assert_true(be16_to(at_server.sport) >= 1024);
	assert_int_equal(owner4_step(ipv4(LOCAL), at_server.sport),
			 owner4_step(ipv4(CLIENT), be16_from(1001)));
	assert_int_equal(at_server.ttl, 63);
	lab_put(1, lab_answer(&at_server, TCP_SYN | TCP_ACK));
	at_client = lab_take(0);
	assert_int_equal(at_client.saddr, ipv4(VIP));
	assert_int_equal(be16_to(at_client.sport), 80);
	assert_int_equal(at_client.daddr, ipv4(CLIENT));
	assert_int_equal(be16_to(at_client.dport), 1001);
	assert_int_equal(at_client.ttl, 63);
	assert_memory_equal(&at_client.dst, "\x02\x01\xc0\xa8\x01\x01", 6);
	/* The next packet keeps the local port. */
	lab_put(0, from_client(1001, TCP_ACK));
	assert_int_equal(lab_take(1).sport, at_server.sport);
	assert_int_equal(lab_counters().connections, 1);
	assert_int_equal(ports_in_use(), 1);
	lab_nothing();
}

static void datagrams_without_a_checksum_stay_without(void **state)
{
	struct packet p = lab_udp(CLIENT, 2000, VIP, 53, 30), got;

	(void)state;
	p.no_l4 = 1;
	lab_put(0, p);
	got = lab_take(1);
	assert_int_equal(got.saddr, ipv4(LOCAL));
	assert_true(got.no_l4);
	p = lab_answer(&got, 0);
	p.payload = 31;
	lab_put(1, p);
	got = lab_take(0);
	assert_int_equal(got.daddr, ipv4(CLIENT));
	assert_int_equal(be16_to(got.dport), 2000);
	assert_int_equal(got.payload, 31);
}

static struct packet from_client6(uint16_t sport, uint16_t dport, uint8_t proto)
{
	return (struct packet){.v6 = true,
			       .saddr6 = ipv6(CLIENT6),
			       .daddr6 = ipv6(VIP6),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = proto,
			       .payload = proto == IPPROTO_UDP ? 20 : 0,
			       .tcp_flags = proto == IPPROTO_TCP ? TCP_SYN : 0};
}

static void ipv6_is_rewritten_both_ways(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct packet got;

		lab_put(0, from_client6(3000, i ? 53 : 80, protos[i]));
		got = lab_take(1);
		assert_true(addr6_equal(got.saddr6, ipv6(LOCAL6)));
		assert_true(addr6_equal(got.daddr6, ipv6(SERVER6)));
		assert_int_equal(be16_to(got.dport), 8080);
		assert_int_equal(owner6_step(ipv6(LOCAL6), got.sport),
				 owner6_step(ipv6(CLIENT6), be16_from(3000)));
		lab_put(1, lab_answer(&got, TCP_SYN | TCP_ACK));
		got = lab_take(0);
		assert_true(addr6_equal(got.saddr6, ipv6(VIP6)));
		assert_true(addr6_equal(got.daddr6, ipv6(CLIENT6)));
		assert_int_equal(be16_to(got.dport), 3000);
	}
}

/* --- ICMP errors --------------------------------------------------------------------- */

static struct packet error_about(const char *from, const char *to, const struct packet *about,
				 uint8_t quote[64])
{
	uint8_t frame[FRAME_MAX];

	packet_build(about, frame);
	memcpy(quote, frame + 14, 40);
	return (struct packet){.saddr = ipv4(from),
			       .daddr = ipv4(to),
			       .proto = IPPROTO_ICMP,
			       .sport = 3 << 8 | 1,
			       .payload = 40,
			       .data = quote};
}

static bool got_error(unsigned int port, struct packet *outer, struct packet *inner)
{
	if (!bed_error(&h, port, outer, inner))
		return false;
	assert_false(outer->bad_ip || outer->bad_l4 || inner->bad_ip);
	return true;
}

static void errors_about_requests_reach_the_client_and_about_replies_the_server(void **state)
{
	struct packet request, reply, outer, inner;
	uint8_t quote[64];

	(void)state;
	lab_put(0, from_client(1020, TCP_SYN));
	request = lab_take(1);
	lab_put(1, error_about("10.10.0.99", LOCAL, &request, quote));
	assert_true(got_error(0, &outer, &inner));
	assert_int_equal(outer.saddr, ipv4(VIP));
	assert_int_equal(outer.daddr, ipv4(CLIENT));
	assert_int_equal(inner.saddr, ipv4(CLIENT));
	assert_int_equal(be16_to(inner.sport), 1020);
	assert_int_equal(inner.daddr, ipv4(VIP));
	assert_int_equal(be16_to(inner.dport), 80);
	lab_put(1, lab_answer(&request, TCP_SYN | TCP_ACK));
	reply = lab_take(0);
	lab_put(0, error_about("192.168.200.1", VIP, &reply, quote));
	assert_true(got_error(1, &outer, &inner));
	assert_int_equal(outer.saddr, ipv4(LOCAL));
	assert_int_equal(outer.daddr, ipv4(SERVER));
	assert_int_equal(inner.saddr, ipv4(SERVER));
	assert_int_equal(be16_to(inner.sport), 8080);
	assert_int_equal(inner.daddr, ipv4(LOCAL));
	assert_int_equal(inner.dport, request.sport);
	/* About what nobody sent. */
	request.sport = be16_from(9);
	lab_put(1, error_about("10.10.0.99", LOCAL, &request, quote));
	request.saddr = ipv4("198.51.100.1");
	lab_put(1, error_about("10.10.0.99", LOCAL, &request, quote));
	assert_int_equal(lab_dropped(DROP_POOL_UNKNOWN) + lab_dropped(DROP_ICMP_UNRELATED), 2);
	lab_nothing();
}

/* --- bad input ----------------------------------------------------------------------- */

static void packets_to_the_pool_without_a_connection_are_dropped_by_name(void **state)
{
	struct packet got;

	(void)state;
	lab_put(1, lab_tcp(SERVER, 8080, LOCAL, 5000, TCP_SYN | TCP_ACK));
	lab_put(1, lab_tcp(SERVER, 8080, LOCAL, 5000, TCP_SYN));
	lab_put(1, lab_udp(SERVER, 8080, LOCAL, 5000, 10));
	assert_int_equal(lab_dropped(DROP_POOL_UNKNOWN), 3);
	/* From a link that the pool is not of. */
	lab_put(0, from_client(1001, TCP_SYN));
	got = lab_take(1);
	lab_put(0, lab_answer(&got, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_dropped(DROP_WRONG_LINK), 1);
	lab_nothing();
}

static void without_a_pool_on_the_servers_link_no_connection_is_made(void **state)
{
	(void)state;
	lab_put(0, from_client(1001, TCP_SYN));
	assert_int_equal(lab_dropped(DROP_NO_LOCAL_ADDRESS), 1);
	/* The pool of another link is not for this server. */
	world_pool(&h, "192.168.1.200", link_id_of(0, 0));
	lab_put(0, from_client(1001, TCP_SYN));
	assert_int_equal(lab_dropped(DROP_NO_LOCAL_ADDRESS), 2);
	assert_int_equal(lab_counters().connections, 0);
	world_pool(&h, LOCAL, link_id_of(1, 0));
	lab_put(0, from_client(1001, TCP_SYN));
	lab_take(1);
	lab_nothing();
}

/* --- life ---------------------------------------------------------------------------- */

static void a_connection_that_ends_gives_its_port_back_after_the_quarantine(void **state)
{
	struct worker *w = h.dp->workers[0];
	struct packet got;

	(void)state;
	lab_put(0, from_client(1001, TCP_SYN));
	got = lab_take(1);
	lab_put(1, lab_answer(&got, TCP_RST | TCP_ACK));
	assert_int_equal(lab_drain(0), 1);
	assert_int_equal(w->v4.table.n_locals, 1);
	harness_advance_ms(&h, 130000);
	harness_run(&h);
	assert_int_equal(lab_counters().connections, 0);
	assert_int_equal(ports_in_use(), 0);
	assert_int_equal(w->v4.table.n_locals, 0);
	assert_int_equal(w->v4.table.n, 0);
	/* A late reply finds nothing. */
	lab_put(1, lab_answer(&got, TCP_ACK));
	assert_int_equal(lab_dropped(DROP_POOL_UNKNOWN), 1);
}

static void a_syn_in_time_wait_gets_another_port(void **state)
{
	struct packet first, second;

	(void)state;
	lab_put(0, from_client(1001, TCP_SYN));
	first = lab_take(1);
	lab_put(1, lab_answer(&first, TCP_RST | TCP_ACK));
	lab_drain(0);
	lab_put(0, from_client(1001, TCP_SYN));
	second = lab_take(1);
	assert_int_not_equal(first.sport, second.sport);
	assert_int_equal(ports_in_use(), 1);
	assert_int_equal(lab_counters().connections, 1);
}

static void a_full_table_gives_ports_of_old_entries_back(void **state)
{
	struct worker *w = h.dp->workers[0];

	(void)state;
	for (uint16_t i = 0; i < 500; i++) {
		lab_put(0, from_client((uint16_t)(2000 + i), TCP_SYN));
		assert_int_equal(lab_drain(1), 1);
	}
	assert_true(lab_counters().evicted > 400);
	assert_int_equal(w->v4.table.n, lab_counters().connections);
	assert_int_equal(w->v4.table.n_locals, lab_counters().connections);
	assert_int_equal(ports_in_use(), lab_counters().connections);
}

static void a_pool_that_is_used_up_drops_by_name_and_other_servers_are_not_harmed(void **state)
{
	static struct traffic traffic;
	struct local_port_warning warning = {.traffic = &traffic};
	uint32_t sent = 0, warned_at = 0;

	(void)state;
	traffic.dp = h.dp;
	for (uint32_t i = 0; i < 66000; i++) {
		struct packet p = from_client((uint16_t)(1024 + i % 60000), TCP_SYN);

		p.saddr = be32_from(0xc0a80000 + 256 + i / 60000);
		lab_put(0, p);
		sent += lab_drain(1);
		if (i % 100 != 0 || warned_at)
			continue;
		local_port_warning_look(&warning);
		if (!local_port_warning_text(&warning))
			continue;
		warned_at = sent;
		assert_non_null(strstr(local_port_warning_text(&warning), SERVER ":8080"));
		assert_true(lab_dropped(DROP_NO_LOCAL_PORT) < sent / 1000);
	}
	/* From 85 % on, at the next look of the worker (LOCAL_PORT_SAMPLE). */
	assert_in_range(warned_at, LOCAL_PORTS / 100 * 85, LOCAL_PORTS / 100 * 87);
	assert_in_range(sent, 63000, LOCAL_PORTS);
	assert_int_equal(lab_dropped(DROP_NO_LOCAL_PORT), 66000 - sent);
	/* Some gave way to others of their network: their ports are in quarantine. */
	assert_int_equal(ports_in_use(), lab_counters().connections);
	assert_true(local_fill_counts(h.dp->workers[0]->v4.ports.fill, h.now_s));
	assert_int_equal(local_fill_percent(h.dp->workers[0]->v4.ports.fill), 100);
	/* Of another protocol the ports are others. */
	lab_put(0, lab_udp(CLIENT, 999, VIP, 53, 5));
	assert_int_equal(lab_drain(1), 1);
}

static void of_a_burst_only_clients_without_a_port_are_dropped(void **state)
{
	uint32_t sent = 0;

	(void)state;
	for (uint32_t i = 0; i < 66016; i++) {
		struct packet p = from_client((uint16_t)(1024 + i % 60000), TCP_SYN);

		p.saddr = be32_from(0xc0a80000 + 256 + i / 60000);
		lab_put(0, p);
		if (i % BURST_MAX == BURST_MAX - 1)
			sent += lab_drain(1);
	}
	assert_in_range(sent, 63000, LOCAL_PORTS);
	assert_int_equal(lab_dropped(DROP_NO_LOCAL_PORT), 66016 - sent);
	assert_int_equal(ports_in_use(), lab_counters().connections);
	assert_int_equal(h.dp->workers[0]->v4.table.n_locals, lab_counters().connections);
	assert_int_equal(lab_counters().created, sent);
}

/* --- more than one worker, more than one router ---------------------------------------- */

static void replies_come_to_the_worker_of_their_connection(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 200; i++) {
		struct packet got;
		unsigned int owner = owner4(&h.dp->owners, ipv4(CLIENT), be16_from(3000 + i));

		lab_put(0, from_client(3000 + i, TCP_SYN));
		got = lab_take(1);
		assert_int_equal(owner4(&h.dp->owners, ipv4(LOCAL), got.sport), owner);
		lab_put(1, lab_answer(&got, TCP_SYN | TCP_ACK));
		assert_int_equal(be16_to(lab_take(0).dport), 3000 + i);
	}
	assert_int_equal(lab_counters().connections, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(both_ends_are_rewritten_both_ways_with_right_checksums, setup, 1),
		LAB_TEST(datagrams_without_a_checksum_stay_without, setup, 1),
		LAB_TEST(ipv6_is_rewritten_both_ways, setup, 1),
		LAB_TEST(errors_about_requests_reach_the_client_and_about_replies_the_server, setup,
			 1),
		LAB_TEST(packets_to_the_pool_without_a_connection_are_dropped_by_name, setup, 1),
		LAB_TEST(without_a_pool_on_the_servers_link_no_connection_is_made, setup_no_pool,
			 1),
		LAB_TEST(a_connection_that_ends_gives_its_port_back_after_the_quarantine, setup, 1),
		LAB_TEST(a_syn_in_time_wait_gets_another_port, setup, 1),
		LAB_TEST(a_full_table_gives_ports_of_old_entries_back, setup_small, 1),
		LAB_TEST(a_pool_that_is_used_up_drops_by_name_and_other_servers_are_not_harmed,
			 setup_large, 1),
		LAB_TEST(of_a_burst_only_clients_without_a_port_are_dropped, setup_large, 1),
		LAB_TEST(replies_come_to_the_worker_of_their_connection, setup, 3),
	};

	return lab_run(256, tests);
}
