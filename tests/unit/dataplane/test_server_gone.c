/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fate of connections when their real server is removed or quiesced, and what a SYN
 * on an old connection is: packet by packet as Linux 6.1 IPVS was seen to do it
 * (expire_nodest_conn = 0: keep, 1: reset), and plvs's own answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP    "10.1.0.100"
#define CLIENT "192.168.1.1"
#define R1     "10.10.0.1"
#define R2     "10.10.0.2"

#define S TCP_SYN
#define A TCP_ACK
#define F (TCP_FIN | TCP_ACK)
#define D (TCP_PSH | TCP_ACK)
#define R TCP_RST

static const struct world_server both[] = {{R1 ":8080", 1, FWD_NAT}, {R2 ":8080", 1, FWD_NAT}};
static const struct world_server quiesced[] = {{R1 ":8080", 0, FWD_NAT}, {R2 ":8080", 1, FWD_NAT}};
static const struct world_server dr[] = {{R1 ":80", 1, FWD_DR}, {R2 ":80", 1, FWD_DR}};
static const struct world_server both_udp[] = {{R1 ":8053", 1, FWD_NAT}, {R2 ":8053", 1, FWD_NAT}};

/* R1 is chosen while it is there. */
static void web(const struct world_policy *policy, const struct world_server *servers, uint32_t n)
{
	world_policy(&h, policy);
	assert_int_equal(world_service(&h, "tcp", VIP ":80", NULL, servers, n), 0);
}

static void dns(const struct world_policy *policy, const struct world_server *servers, uint32_t n)
{
	world_policy(&h, policy);
	assert_int_equal(world_service(&h, "udp", VIP ":53", NULL, servers, n), 0);
}

static int bed_setup(void **state)
{

	if (lab_open(state, 0, false) < 0)
		return -1;
	return 0;
}

static void put(unsigned int port, struct packet p, uint32_t seq, uint32_t ack)
{
	p.seq = seq;
	p.ack = ack;
	lab_put(port, p);
}

static bool got(unsigned int port, struct packet *p)
{
	if (!lab_got(port, p))
		return false;
	assert_false(p->bad_l4 || p->bad_ip);
	return true;
}

static void client_puts(uint16_t sport, uint8_t flags, uint32_t seq, uint32_t ack)
{
	put(0,
	    (struct packet){.saddr = ipv4(CLIENT),
			    .daddr = ipv4(VIP),
			    .sport = be16_from(sport),
			    .dport = be16_from(80),
			    .proto = IPPROTO_TCP,
			    .tcp_flags = flags,
			    .payload = flags == D ? 4 : 0},
	    seq, ack);
}

static void server_puts(const char *server, uint16_t cport, uint8_t flags, uint32_t seq,
			uint32_t ack)
{
	put(1,
	    (struct packet){.saddr = ipv4(server),
			    .daddr = ipv4(CLIENT),
			    .sport = be16_from(8080),
			    .dport = be16_from(cport),
			    .proto = IPPROTO_TCP,
			    .tcp_flags = flags,
			    .payload = flags == D ? 6 : 0},
	    seq, ack);
}

static void client_asks(uint16_t sport)
{
	put(0,
	    (struct packet){.saddr = ipv4(CLIENT),
			    .daddr = ipv4(VIP),
			    .sport = be16_from(sport),
			    .dport = be16_from(53),
			    .proto = IPPROTO_UDP,
			    .payload = 10},
	    0, 0);
}

/* The one packet that came out towards the servers, TTL one less. */
static void at_server(const char *server, uint8_t flags)
{
	struct packet p;

	assert_true(got(1, &p));
	assert_int_equal(p.daddr, ipv4(server));
	assert_int_equal(p.saddr, ipv4(CLIENT));
	assert_int_equal(p.tcp_flags, flags);
	assert_int_equal(p.ttl, 63);
	assert_false(got(1, &p));
	assert_false(got(0, &p));
}

static struct packet at_client(uint8_t flags, uint8_t ttl)
{
	struct packet p, more;

	assert_true(got(0, &p));
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(p.sport, be16_from(80));
	assert_int_equal(p.daddr, ipv4(CLIENT));
	assert_int_equal(p.tcp_flags, flags);
	assert_int_equal(p.ttl, ttl);
	assert_false(got(0, &more));
	return p;
}

static void nothing(void)
{
	struct packet p;

	assert_false(got(0, &p));
	assert_false(got(1, &p));
}

static void left_to_linux(enum punt_class want)
{
	enum punt_class class = PUNT_MAX;
	struct rte_mbuf *m = harness_punted(&h, &class);

	assert_non_null(m);
	rte_pktmbuf_free(m);
	assert_int_equal(class, want);
	nothing();
}

/* An established connection to R1. */
static void connect_r1(uint16_t sport)
{
	struct packet p;

	client_puts(sport, S, 100, 0);
	at_server(R1, S);
	server_puts(R1, sport, S | A, 500, 101);
	p = at_client(S | A, 63);
	(void)p;
	client_puts(sport, A, 101, 501);
	at_server(R1, A);
}

static uint64_t left_of(const char *endpoint)
{
	const struct server_rt *rt = world_server(&h, "tcp", VIP ":80", endpoint);

	return rt ? counts_active(server_rt_counts(rt)) + counts_inactive(server_rt_counts(rt)) : 0;
}

static void keep_waits_for_the_server_and_revives(void **state)
{
	const struct world_policy keep = {.on_removed = ON_REMOVED_KEEP};

	(void)state;
	web(&keep, both, 2);
	connect_r1(2001);
	web(&keep, both + 1, 1);
	client_puts(2001, D, 101, 501);
	nothing();
	server_puts(R1, 2001, D, 501, 101);
	at_client(D, 63);
	client_puts(2001, S, 900, 0);
	nothing();
	assert_int_equal(left_of(R1 ":8080"), 1);
	web(&keep, both, 2);
	client_puts(2001, D, 101, 501);
	at_server(R1, D);
	assert_int_equal(lab_counters().dropped[DROP_SERVER_GONE], 2);
	assert_int_equal(lab_counters().resets, 0);
}

static void reset_answers_data_with_a_rst_and_schedules_a_syn(void **state)
{
	const struct world_policy reset = {.on_removed = ON_REMOVED_RESET};
	struct packet p;

	(void)state;
	web(&reset, both, 2);
	connect_r1(2001);
	web(&reset, both + 1, 1);
	client_puts(2001, D, 101, 507);
	p = at_client(R, 64);
	assert_int_equal(p.seq, 507);
	assert_int_equal(p.payload, 0);
	assert_int_equal(left_of(R1 ":8080"), 0);
	assert_int_equal(lab_counters().resets, 1);
	client_puts(2001, S, 900, 0);
	at_server(R2, S);
	/* A SYN is scheduled at once, too. */
	web(&reset, both, 2);
	connect_r1(2002);
	web(&reset, both + 1, 1);
	client_puts(2002, S, 900, 0);
	at_server(R2, S);
	assert_int_equal(left_of(R1 ":8080"), 0);
	/* No RST about a RST. */
	web(&reset, both, 2);
	connect_r1(2003);
	web(&reset, both + 1, 1);
	client_puts(2003, R, 900, 0);
	nothing();
	assert_int_equal(left_of(R1 ":8080"), 0);
}

static void reset_by_the_servers_packet_reaches_both_sides(void **state)
{
	struct packet p;

	(void)state;
	web(NULL, both, 2);
	connect_r1(2001);
	web(NULL, both + 1, 1);
	server_puts(R1, 2001, D, 501, 101);
	p = at_client(R | A, 63);
	assert_int_equal(p.seq, 501);
	assert_int_equal(p.payload, 0);
	assert_true(got(1, &p));
	assert_int_equal(p.saddr, ipv4(CLIENT));
	assert_int_equal(p.sport, be16_from(2001));
	assert_int_equal(p.daddr, ipv4(R1));
	assert_int_equal(p.dport, be16_from(8080));
	assert_int_equal(p.tcp_flags, R);
	assert_int_equal(p.seq, 101);
	nothing();
	/* The next one is answered alone: the client knows. */
	server_puts(R1, 2001, D, 507, 101);
	assert_true(got(1, &p));
	assert_int_equal(p.tcp_flags, R);
	nothing();
	/* A client that did not believe it is told the number that it waits for. */
	client_puts(2001, A, 101, 495);
	p = at_client(R, 64);
	assert_int_equal(p.seq, 495);
	assert_int_equal(left_of(R1 ":8080"), 0);
}

static void resets_are_limited_in_rate(void **state)
{
	(void)state;
	web(NULL, both, 2);
	connect_r1(2001);
	web(NULL, both + 1, 1);
	for (int i = 0; i < 3000; i++) {
		struct packet p;

		server_puts(R1, 2001, D, 501, 101);
		while (got(0, &p) || got(1, &p))
			;
	}
	assert_true(lab_counters().resets < 2500);
	assert_true(lab_counters().resets > 0);
	assert_int_equal(lab_counters().resets + lab_counters().resets_suppressed, 3000);
}

static void drain_goes_on_until_its_deadline(void **state)
{
	const struct world_policy drain = {.on_removed = ON_REMOVED_DRAIN, .drain_s = 10};

	(void)state;
	web(&drain, both, 2);
	connect_r1(2001);
	web(&drain, both + 1, 1);
	client_puts(2001, D, 101, 501);
	at_server(R1, D);
	server_puts(R1, 2001, D, 501, 105);
	at_client(D, 63);
	harness_advance_ms(&h, 5000);
	client_puts(2001, D, 105, 507);
	at_server(R1, D);
	/* The server returns, and goes again: the time starts anew. */
	web(&drain, both, 2);
	client_puts(2001, D, 105, 507);
	at_server(R1, D);
	web(&drain, both + 1, 1);
	harness_advance_ms(&h, 7000);
	client_puts(2001, D, 105, 507);
	at_server(R1, D);
	harness_advance_ms(&h, 4000);
	client_puts(2001, D, 105, 507);
	at_client(R, 64);
	nothing();
	assert_int_equal(left_of(R1 ":8080"), 0);
}

static void a_change_of_policy_reaches_servers_already_removed(void **state)
{
	const struct world_policy keep = {.on_removed = ON_REMOVED_KEEP};

	(void)state;
	dns(&keep, both_udp, 2);
	client_asks(2003);
	at_server(R1, 0);
	dns(&keep, both_udp + 1, 1);
	client_asks(2003);
	nothing();
	dns(NULL, both_udp + 1, 1);
	client_asks(2003);
	at_server(R2, 0);
	client_asks(2003);
	at_server(R2, 0);
}

static void a_removed_servers_datagrams_reach_nobody(void **state)
{
	struct packet p = {.saddr = ipv4(R1),
			   .daddr = ipv4(CLIENT),
			   .sport = be16_from(8053),
			   .dport = be16_from(2004),
			   .proto = IPPROTO_UDP,
			   .payload = 10};

	(void)state;
	dns(NULL, both_udp, 2);
	client_asks(2004);
	at_server(R1, 0);
	dns(NULL, both_udp + 1, 1);
	put(1, p, 0, 0);
	nothing();
	assert_int_equal(lab_counters().dropped[DROP_SERVER_GONE], 1);
	client_asks(2004);
	at_server(R2, 0);
}

static void the_policy_holds_when_the_service_itself_is_gone(void **state)
{
	const struct world_policy keep = {.on_removed = ON_REMOVED_KEEP};

	(void)state;
	dns(NULL, both_udp, 2); /* the VIP stays */
	web(&keep, both, 2);
	connect_r1(2006);
	world_service_del(&h, "tcp", VIP ":80");
	client_puts(2006, D, 101, 501);
	nothing();
	assert_int_equal(lab_counters().dropped[DROP_SERVICE_GONE], 1);
	client_puts(2007, S, 900, 0);
	left_to_linux(PUNT_OWN);

	web(NULL, both, 2);
	client_puts(2006, D, 101, 501);
	at_server(R1, D);
	world_service_del(&h, "tcp", VIP ":80");
	client_puts(2006, D, 101, 501);
	at_client(R, 64);
	assert_int_equal(lab_counters().dropped[DROP_SERVICE_GONE], 2);
}

/* As control leaves the addresses when the last service of a VIP goes. */
static void vip_lingers(void)
{
	const struct addr_entry4 e[] = {
		{.addr = ipv4(VIP), .kinds = ADDR_KIND_LINGERING, .link = LINK_ANY},
		{.addr = ipv4(R1), .kinds = ADDR_KIND_NAT_SERVER, .link = LINK_ANY}};
	struct addr_table4 *t = addr_table4_create(e, 2);

	assert_non_null(t);
	snapshot_set_addrs4(h.dp->pub.snapshot, t);
}

static void a_vip_that_lingers_is_there_for_its_connections_only(void **state)
{
	struct packet p;

	(void)state;
	web(NULL, both, 2);
	connect_r1(2008);
	connect_r1(2009);
	world_service_del(&h, "tcp", VIP ":80");
	vip_lingers();
	/* The next packet of either side. */
	client_puts(2008, D, 101, 501);
	at_client(R, 64);
	server_puts(R1, 2009, D, 501, 101);
	at_client(R | A, 63);
	assert_true(got(1, &p));
	assert_int_equal(p.tcp_flags, R);
	client_puts(2009, A, 101, 501);
	at_client(R, 64);
	/* Everything else is Linux's to route. */
	client_puts(2008, D, 101, 501);
	left_to_linux(PUNT_TRANSIT);
	client_puts(2010, S, 900, 0);
	left_to_linux(PUNT_TRANSIT);
	assert_int_equal(left_of(R1 ":8080"), 0);
}

static void a_syn_leaves_a_quiesced_server_under_reset_only(void **state)
{
	const struct world_policy keep = {.on_removed = ON_REMOVED_KEEP};

	(void)state;
	web(NULL, both, 2);
	connect_r1(2002);
	web(NULL, quiesced, 2);
	client_puts(2002, D, 101, 501);
	at_server(R1, D);
	client_puts(2002, S, 900, 0);
	at_server(R2, S);

	web(&keep, both, 2);
	connect_r1(2003);
	web(&keep, quiesced, 2);
	client_puts(2003, S, 900, 0);
	at_server(R1, S);
}

/* rr: the next connection goes to the other server. */
static void web_rr(int8_t reuse, const struct world_server *servers)
{
	const struct world_policy policy = {.reuse = reuse};

	world_policy(&h, &policy);
	assert_int_equal(world_service(&h, "tcp", VIP ":80", sched_find("rr"), servers, 2), 0);
}

static be32 syn_goes_to(uint16_t sport)
{
	struct packet p, more;

	client_puts(sport, S, 100, 0);
	assert_true(got(1, &p));
	assert_int_equal(p.tcp_flags, S);
	assert_false(got(1, &more));
	return p.daddr;
}

static const char *name(be32 server)
{
	return server == ipv4(R1) ? R1 : R2;
}

/* A NAT connection in a state: FIN_WAIT (server closed), TIME_WAIT, CLOSE, ESTABLISHED. */
static be32 connection_in(enum conn_state state, uint16_t sport)
{
	be32 server = syn_goes_to(sport);
	struct packet p;

	server_puts(name(server), sport, S | A, 500, 101);
	client_puts(sport, A, 101, 501);
	if (state == CONN_CLOSE)
		client_puts(sport, R, 101, 0);
	if (state == CONN_TIME_WAIT || state == CONN_FIN_WAIT)
		server_puts(name(server), sport, F, 501, 101);
	if (state == CONN_TIME_WAIT)
		client_puts(sport, F, 101, 502);
	while (got(0, &p) || got(1, &p))
		;
	return server;
}

static void conn_reuse_1_schedules_a_syn_on_a_closed_connection(void **state)
{
	be32 was;

	(void)state;
	web_rr(0, both);
	was = connection_in(CONN_ESTABLISHED, 8001);
	assert_int_equal(syn_goes_to(8001), was);
	was = connection_in(CONN_TIME_WAIT, 8002);
	assert_int_not_equal(syn_goes_to(8002), was);
	was = connection_in(CONN_CLOSE, 8006);
	assert_int_not_equal(syn_goes_to(8006), was);
	was = connection_in(CONN_FIN_WAIT, 8005);
	assert_int_equal(syn_goes_to(8005), was);
	was = syn_goes_to(8004); /* retransmitted in SYN_RECV */
	assert_int_equal(syn_goes_to(8004), was);
}

static void conn_reuse_0_keeps_the_server(void **state)
{
	be32 was;

	(void)state;
	web_rr(-1, both);
	was = connection_in(CONN_TIME_WAIT, 8003);
	assert_int_equal(syn_goes_to(8003), was);
	was = connection_in(CONN_CLOSE, 8006);
	assert_int_equal(syn_goes_to(8006), was);
}

/* DR: the MAC tells the server. */
static uint8_t dr_syn_goes_to(uint16_t sport)
{
	struct packet p;

	client_puts(sport, S, 100, 0);
	assert_true(got(1, &p));
	return p.dst.byte[5];
}

static void conn_reuse_2_includes_fin_wait_by_direct_routing(void **state)
{
	uint8_t was;
	struct packet p;

	(void)state;
	for (int8_t mode = 1; mode <= 2; mode++) {
		uint16_t sport = (uint16_t)(8010 + mode);

		web_rr(mode, dr);
		was = dr_syn_goes_to(sport);
		client_puts(sport, A, 101, 501);
		client_puts(sport, F, 101, 501);
		assert_true(got(1, &p));
		assert_true(got(1, &p));
		if (mode == 2)
			assert_int_not_equal(dr_syn_goes_to(sport), was);
		else
			assert_int_equal(dr_syn_goes_to(sport), was);
	}
	/* By NAT it does not. */
	web_rr(2, both);
	assert_int_equal(connection_in(CONN_FIN_WAIT, 8005), syn_goes_to(8005));
}

static void unknown_tcp_is_left_answered_or_dropped(void **state)
{
	const struct world_policy rst = {.unknown = UNKNOWN_RST}, drop = {.unknown = UNKNOWN_DROP};
	struct packet p;

	(void)state;
	web(NULL, both, 2);
	client_puts(3012, A, 7, 77);
	left_to_linux(PUNT_OWN);
	web(&rst, both, 2);
	client_puts(3012, A, 7, 77);
	p = at_client(R, 64);
	assert_int_equal(p.seq, 77);
	client_puts(3012, F, 7, 78);
	at_client(R, 64);
	client_puts(3012, R, 7, 0);
	nothing();
	client_puts(3012, S | A, 7, 79);
	at_client(R, 64);
	web(&drop, both, 2);
	client_puts(3012, A, 7, 77);
	nothing();
	assert_int_equal(lab_counters().dropped[DROP_NO_CONNECTION], 5);
}

static void sloppy_tcp_makes_a_connection_of_any_packet_but_a_rst(void **state)
{
	const struct world_policy sloppy = {.sloppy_tcp = true};

	(void)state;
	web(&sloppy, both, 2);
	client_puts(3013, A, 7, 77);
	at_server(R1, A);
	assert_int_equal(
		counts_active(server_rt_counts(world_server(&h, "tcp", VIP ":80", R1 ":8080"))), 1);
	assert_int_equal(lab_counters().embryonic, 0); /* ESTABLISHED */
	client_puts(3014, R, 7, 0);
	left_to_linux(PUNT_OWN);
}

static void a_servers_packet_without_a_connection_is_routed_or_refused(void **state)
{
	const struct world_policy send = {.nat_icmp_send = true};
	struct packet p;

	(void)state;
	web(NULL, both, 2);
	server_puts(R1, 3999, A, 7, 77);
	left_to_linux(PUNT_TRANSIT);
	web(&send, both, 2);
	server_puts(R1, 3999, A, 7, 77);
	assert_true(got(1, &p));
	assert_int_equal(p.proto, IPPROTO_ICMP);
	assert_int_equal(be16_to(p.sport), 3 << 8 | 3);
	assert_int_equal(p.saddr, ipv4("10.10.255.254"));
	assert_int_equal(p.daddr, ipv4(R1));
	nothing();
	assert_int_equal(lab_counters().dropped[DROP_NO_REPLY], 1);
	/* Its own connections are its own affair. */
	put(1,
	    (struct packet){.saddr = ipv4(R1),
			    .daddr = ipv4(CLIENT),
			    .sport = be16_from(40000),
			    .dport = be16_from(25),
			    .proto = IPPROTO_TCP,
			    .tcp_flags = S},
	    1, 0);
	left_to_linux(PUNT_TRANSIT);
}

static void a_marks_servers_are_refused_in_both_protocols(void **state)
{
	const struct world_policy send = {.nat_icmp_send = true};
	struct packet p;

	(void)state;
	world_policy(&h, &send);
	assert_int_equal(world_service(&h, "mark", "7", NULL, both, 2), 0);
	for (unsigned int udp = 0; udp < 2; udp++) {
		put(1,
		    (struct packet){.saddr = ipv4(R1),
				    .daddr = ipv4(CLIENT),
				    .sport = be16_from(8080),
				    .dport = be16_from(3999),
				    .proto = udp ? IPPROTO_UDP : IPPROTO_TCP,
				    .tcp_flags = udp ? 0 : A},
		    7, 77);
		assert_true(got(1, &p));
		assert_int_equal(p.proto, IPPROTO_ICMP);
		assert_int_equal(be16_to(p.sport), 3 << 8 | 3);
		nothing();
	}
	assert_int_equal(lab_counters().dropped[DROP_NO_REPLY], 2);
}

#define T(test) LAB_TEST(test, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(keep_waits_for_the_server_and_revives),
		T(reset_answers_data_with_a_rst_and_schedules_a_syn),
		T(reset_by_the_servers_packet_reaches_both_sides),
		T(resets_are_limited_in_rate),
		T(drain_goes_on_until_its_deadline),
		T(a_change_of_policy_reaches_servers_already_removed),
		T(a_removed_servers_datagrams_reach_nobody),
		T(the_policy_holds_when_the_service_itself_is_gone),
		T(a_vip_that_lingers_is_there_for_its_connections_only),
		T(a_syn_leaves_a_quiesced_server_under_reset_only),
		T(conn_reuse_1_schedules_a_syn_on_a_closed_connection),
		T(conn_reuse_0_keeps_the_server),
		T(conn_reuse_2_includes_fin_wait_by_direct_routing),
		T(unknown_tcp_is_left_answered_or_dropped),
		T(sloppy_tcp_makes_a_connection_of_any_packet_but_a_rst),
		T(a_servers_packet_without_a_connection_is_routed_or_refused),
		T(a_marks_servers_are_refused_in_both_protocols),
	};

	return lab_run(256, tests);
}
