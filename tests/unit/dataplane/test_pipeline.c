/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Golden packets: a sentence, a packet in, what must come out and by which door.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define CLIENT	"192.168.1.1"
#define SERVER	"10.10.0.1"
#define SERVER2 "10.10.0.2"

static int bed_setup(void **state)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_NAT}};
	static const struct world_server dr[] = {{SERVER2 ":80", 1, FWD_DR}};
	const struct sched_ops *rr = sched_find("rr");

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_service(&h, "tcp", VIP ":80", rr, nat, 1);
	world_service(&h, "udp", VIP ":53", rr, nat, 1);
	world_service(&h, "tcp", VIP ":81", rr, dr, 1);
	world_service(&h, "tcp", VIP ":82", rr, NULL, 0);
	return 0;
}

static int bed_teardown(void **state)
{
	(void)state;
	return bed_close(&h);
}

static struct packet from_client(uint16_t sport, uint16_t dport, uint8_t flags)
{
	return (struct packet){.saddr = ipv4(CLIENT),
			       .daddr = ipv4(VIP),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = flags};
}

static struct packet udp_from_client(uint16_t sport, uint16_t payload)
{
	struct packet p = from_client(sport, 53, 0);

	p.proto = IPPROTO_UDP;
	p.payload = payload;
	return p;
}

static struct packet from_server(uint16_t cport, uint8_t flags)
{
	return (struct packet){.saddr = ipv4(SERVER),
			       .daddr = ipv4(CLIENT),
			       .sport = be16_from(8080),
			       .dport = be16_from(cport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = flags};
}

static void nat_rewrites_both_ways_with_right_checksums(void **state)
{
	struct packet p;

	(void)state;
	lab_put(0, from_client(1001, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(p.dport), 8080);
	assert_int_equal(p.saddr, ipv4(CLIENT));
	assert_int_equal(p.ttl, 63);
	assert_false(p.bad_ip || p.bad_l4);
	assert_memory_equal(&p.src, &lab_router[1], 6);
	assert_memory_equal(&p.dst, "\x02\x01\x0a\x0a\x00\x01", 6);
	lab_put(1, from_server(1001, TCP_SYN | TCP_ACK));
	assert_true(lab_got(0, &p));
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(be16_to(p.sport), 80);
	assert_int_equal(p.daddr, ipv4(CLIENT));
	assert_int_equal(p.ttl, 63);
	assert_false(p.bad_ip || p.bad_l4);
	assert_memory_equal(&p.dst, "\x02\x01\xc0\xa8\x01\x01", 6);
}

static void direct_routing_changes_macs_and_ttl_only(void **state)
{
	struct packet p;

	(void)state;
	lab_put(0, from_client(1002, 81, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_equal(p.daddr, ipv4(VIP));
	assert_int_equal(be16_to(p.dport), 81);
	assert_int_equal(p.ttl, 63);
	assert_false(p.bad_ip || p.bad_l4);
	assert_memory_equal(&p.dst, "\x02\x01\x0a\x0a\x00\x02", 6);
}

static void wrong_l4_checksums_pass_and_stay_wrong(void **state)
{
	struct packet p = from_client(1003, 80, TCP_SYN), u = udp_from_client(1003, 18);

	(void)state;
	p.bad_l4 = 1;
	lab_put(0, p);
	assert_true(lab_got(1, &p));
	assert_true(p.bad_l4);
	assert_false(p.bad_ip);
	u.bad_l4 = 1;
	lab_put(0, u);
	assert_true(lab_got(1, &p));
	assert_true(p.bad_l4);
}

static void a_udp_checksum_of_zero_is_left_alone(void **state)
{
	struct packet p = udp_from_client(1004, 18);

	(void)state;
	p.no_l4 = 1;
	lab_put(0, p);
	assert_true(lab_got(1, &p));
	assert_true(p.no_l4);
	assert_int_equal(p.daddr, ipv4(SERVER));
}

static void a_wrong_ip_checksum_is_dropped(void **state)
{
	struct packet p = from_client(1005, 80, TCP_SYN);

	(void)state;
	p.bad_ip = 1;
	lab_put(0, p);
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_IP_CHECKSUM), 1);
}

static void no_server_is_answered_with_port_unreachable_from_the_vip(void **state)
{
	struct packet p;

	(void)state;
	lab_put(0, from_client(1006, 82, TCP_SYN));
	assert_true(lab_got(0, &p));
	assert_int_equal(p.proto, IPPROTO_ICMP);
	assert_int_equal(p.sport, 3 << 8 | 3);
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(p.daddr, ipv4(CLIENT));
	assert_int_equal(p.ttl, 64);
	assert_false(p.bad_ip || p.bad_l4);
	assert_memory_equal(&p.dst, &lab_station, 6);
	assert_int_equal(p.payload, 40);
	assert_int_equal(lab_dropped(DROP_NO_SERVER), 1);
}

static void what_no_service_takes_of_a_vip_is_linuxs(void **state)
{
	(void)state;
	lab_put(0, from_client(1007, 9999, TCP_SYN));
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	lab_put(0, from_client(1007, 80, TCP_ACK)); /* no connection */
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	lab_put(0, from_client(1007, 80, TCP_SYN | TCP_ACK));
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	lab_nothing();
}

static void nonsense_flags_make_no_connection(void **state)
{
	static const uint8_t flags[] = {
		0,   TCP_FIN, TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST, TCP_FIN | TCP_PSH | TCP_URG,
		0x3f};

	(void)state;
	for (unsigned int i = 0; i < sizeof(flags); i++)
		lab_put(0, from_client((uint16_t)(1100 + i), 80, flags[i]));
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_BAD_TCP), sizeof(flags));
	assert_int_equal(h.dp->workers[0]->v4.table.n, 0);
}

static void a_spent_ttl_is_answered_by_vip_and_by_director(void **state)
{
	struct packet p;

	(void)state;
	lab_put(0, from_client(1008, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	p = from_client(1008, 80, TCP_ACK);
	p.ttl = 1;
	lab_put(0, p);
	assert_true(lab_got(0, &p));
	assert_int_equal(p.sport, 11 << 8);
	assert_int_equal(p.saddr, ipv4(VIP));
	p = from_server(1008, TCP_ACK);
	p.ttl = 1;
	lab_put(1, p);
	assert_true(lab_got(1, &p));
	assert_int_equal(p.sport, 11 << 8);
	assert_int_equal(p.saddr, ipv4("10.10.255.254"));
	assert_int_equal(p.daddr, ipv4(SERVER));
	p = from_client(1008, 80, TCP_ACK);
	p.ttl = 2;
	lab_put(0, p);
	assert_true(lab_got(1, &p));
	assert_int_equal(p.ttl, 1);
	assert_int_equal(lab_dropped(DROP_TTL_EXCEEDED), 2);
}

static void too_big_with_df_is_answered_with_the_mtu(void **state)
{
	struct packet p = udp_from_client(1009, 1450);

	(void)state;
	world_link(&h, link_id_of(1, 0), 1400);
	world_neighbour(&h, link_id_of(1, 0), SERVER, "02:01:0a:0a:00:01");
	p.df = 1;
	lab_put(0, p);
	assert_true(lab_got(0, &p));
	assert_int_equal(p.sport, 3 << 8 | 4);
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_false(p.bad_ip || p.bad_l4);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 1);
}

static void a_vip_answers_arp_and_echo(void **state)
{
	static const uint8_t ask[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 9, 9,   9,   9, 9, 8, 6, 0, 1, 8, 0, 6,	4,
		0,    1,    2,	  9,	9,    9,    9, 9, 192, 168, 1, 1, 0, 0, 0, 0, 0, 0, 10, 1,
		0,    100,  0,	  0,	0,    0,    0, 0, 0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 0,	0};
	struct packet p = from_client(0, 1, 0);
	struct rte_mbuf *m;
	const uint8_t *f;

	(void)state;
	lab_put_frame(0, ask, sizeof(ask));
	m = harness_sent(&h, 0);
	assert_non_null(m);
	f = rte_pktmbuf_mtod(m, const uint8_t *);
	assert_memory_equal(f, &lab_station, 6);
	assert_memory_equal(f + 6, &lab_router[0], 6);
	assert_int_equal(f[21], 2);
	assert_memory_equal(f + 22, &lab_router[0], 6);
	assert_memory_equal(f + 28, "\x0a\x01\x00\x64", 4);
	assert_memory_equal(f + 38, "\xc0\xa8\x01\x01", 4);
	rte_pktmbuf_free(m);
	p.proto = IPPROTO_ICMP;
	p.sport = 8 << 8;
	p.payload = 56;
	p.ttl = 17;
	lab_put(0, p);
	assert_true(lab_got(0, &p));
	assert_int_equal(p.sport, 0);
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(p.ttl, 64);
	assert_int_equal(p.payload, 56);
	assert_false(p.bad_ip || p.bad_l4);
	p = from_client(0, 1, 0);
	p.proto = IPPROTO_ICMP;
	p.sport = 8 << 8;
	p.bad_l4 = 1;
	lab_put(0, p);
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_BAD_ECHO), 1);
}

static void every_truncation_of_a_packet_leaves_by_a_door(void **state)
{
	struct packet p = from_client(1011, 80, TCP_SYN);
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	p.dst = lab_router[0];
	p.src = lab_station;
	p.payload = 40;
	len = packet_build(&p, frame);
	for (size_t n = 1; n < len; n++)
		lab_put_frame(0, frame, n);
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_MALFORMED), len - 1);
}

static void random_damage_never_breaks_the_doors(void **state)
{
	uint32_t x = 12345;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct packet p = from_client((uint16_t)(2000 + round % 500), 80, TCP_SYN);
		uint8_t frame[FRAME_MAX];
		enum punt_class class;
		struct rte_mbuf *m;
		size_t len;

		p.proto = round % 3 ? IPPROTO_TCP : round % 2 ? IPPROTO_UDP : IPPROTO_ICMP;
		p.dst = lab_router[0];
		p.src = lab_station;
		p.payload = (uint16_t)(round % 90);
		len = packet_build(&p, frame);
		for (int k = 0; k < 1 + round % 4; k++) {
			x = x * 1664525 + 1013904223;
			frame[12 + (x >> 8) % (len - 12)] ^= (uint8_t)(1U << (x >> 29));
		}
		/* Half of them with a header checksum that is right again. */
		if (round & 1) {
			uint32_t s = 0;

			frame[24] = frame[25] = 0;
			for (int i = 0; i < 20; i += 2)
				s += (uint32_t)(frame[14 + i] << 8 | frame[15 + i]);
			s = (s & 0xffff) + (s >> 16);
			s = ~((s & 0xffff) + (s >> 16));
			frame[24] = (uint8_t)(s >> 8);
			frame[25] = (uint8_t)s;
		}
		lab_put_frame(0, frame, len);
		while ((m = harness_sent(&h, 0)) || (m = harness_sent(&h, 1)) ||
		       (m = harness_punted(&h, &class)))
			rte_pktmbuf_free(m);
	}
}

static void a_servers_own_traffic_is_linuxs_to_route(void **state)
{
	struct packet p = from_server(4000, TCP_SYN);

	(void)state;
	p.daddr = ipv4("198.51.100.7");
	lab_put(1, p);
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_nothing();
}

static void nobody_else_speaks_as_a_vip(void **state)
{
	struct packet p = from_client(1012, 80, TCP_SYN);

	(void)state;
	p.saddr = ipv4(VIP);
	p.daddr = ipv4("198.51.100.7");
	lab_put(0, p);
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_BAD_SOURCE), 1);
}

static void a_closing_connection_is_replaced_by_a_syn_and_an_established_one_is_not(void **state)
{
	const struct table4 *t = &h.dp->workers[0]->v4.table;
	struct packet p;

	(void)state;
	lab_put(0, from_client(1013, 80, TCP_SYN));
	lab_put(1, from_server(1013, TCP_SYN | TCP_ACK));
	lab_put(0, from_client(1013, 80, TCP_ACK));
	lab_put(0, from_client(1013, 80, TCP_SYN));
	assert_int_equal(h.dp->workers[0]->counters.created, 1);
	lab_put(0, from_client(1013, 80, TCP_RST));
	lab_put(0, from_client(1013, 80, TCP_SYN));
	assert_int_equal(h.dp->workers[0]->counters.created, 2);
	assert_int_equal(t->n, 1);
	while (lab_got(0, &p) || lab_got(1, &p))
		;
}

static void counts_follow_connections_to_their_end(void **state)
{
	struct server_rt *rt = world_server(&h, "tcp", VIP ":80", SERVER ":8080");
	struct packet p;

	(void)state;
	for (uint16_t i = 0; i < 50; i++) {
		lab_put(0, from_client((uint16_t)(3000 + i), 80, TCP_SYN));
		lab_put(0, from_client((uint16_t)(3000 + i), 80, TCP_ACK));
		while (lab_got(1, &p))
			;
	}
	assert_int_equal(counts_active(server_rt_counts(rt)), 50);
	for (uint16_t i = 0; i < 20; i++) {
		lab_put(0, from_client((uint16_t)(3000 + i), 80, TCP_RST));
		while (lab_got(1, &p))
			;
	}
	assert_int_equal(counts_active(server_rt_counts(rt)), 30);
	assert_int_equal(counts_inactive(server_rt_counts(rt)), 20);
	harness_advance_ms(&h, 9000);
	assert_int_equal(counts_inactive(server_rt_counts(rt)), 20);
	harness_advance_ms(&h, 2000);
	assert_int_equal(counts_inactive(server_rt_counts(rt)), 0);
	harness_advance_ms(&h, 901000);
	assert_int_equal(server_rt_counts(rt), 0);
	assert_int_equal(h.dp->workers[0]->v4.table.n, 0);
}

static void packets_wait_for_a_next_hop_and_then_go(void **state)
{
	static const struct world_server added[] = {{"10.10.0.9:8080", 1, FWD_NAT}};
	struct resolve_request want;
	struct packet p;
	int asked = 0;

	(void)state;
	world_service(&h, "tcp", VIP ":90", sched_find("rr"), added, 1);
	lab_put(0, from_client(1014, 90, TCP_SYN));
	lab_nothing();
	while (harness_resolve_wanted(&h, &want))
		asked += want.addr.v4 == ipv4("10.10.0.9");
	assert_true(asked > 0);
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.9", "02:01:0a:0a:00:09");
	harness_run(&h);
	assert_true(lab_got(1, &p));
	assert_int_equal(p.daddr, ipv4("10.10.0.9"));
	assert_int_equal(server_rt_counts(world_server(&h, "tcp", VIP ":90", "10.10.0.9:8080")),
			 SERVER_COUNT_ACTIVE);
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.9", NULL);
	lab_put(0, from_client(1014, 90, TCP_ACK));
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_NH_UNRESOLVED), 1);
}

static void a_syn_flood_evicts_its_own_and_never_an_established_connection(void **state)
{
	struct packet p, syn = from_client(1, 80, TCP_SYN);
	uint32_t capacity = h.dp->workers[0]->v4.table.capacity;

	(void)state;
	for (uint16_t i = 0; i < 100; i++) {
		lab_put(0, from_client((uint16_t)(5000 + i), 80, TCP_SYN));
		lab_put(0, from_client((uint16_t)(5000 + i), 80, TCP_ACK));
		while (lab_got(1, &p))
			;
	}
	for (uint32_t i = 0; i < capacity * 2; i++) {
		syn.saddr = be32_from(0xc6336400 + i / 60000);
		syn.sport = be16_from((uint16_t)(1024 + i % 60000));
		lab_put(0, syn);
		while (lab_got(1, &p))
			;
	}
	assert_true(h.dp->workers[0]->counters.evicted > 0);
	assert_true(h.dp->workers[0]->v4.way.list[GIVE_WAY_HALF_OPEN].n <=
		    h.dp->workers[0]->v4.way.max_half_open);
	for (uint16_t i = 0; i < 100; i++) {
		lab_put(0, from_client((uint16_t)(5000 + i), 80, TCP_ACK));
		assert_true(lab_got(1, &p));
	}
	{
		struct resolve_request want;

		while (harness_resolve_wanted(&h, &want))
			;
	}
}

static void three_workers_agree_on_both_halves_of_a_connection(void **state)
{
	struct packet p;
	uint64_t live = 0;

	(void)state;
	for (uint16_t i = 0; i < 300; i++) {
		lab_put(0, from_client((uint16_t)(6000 + i), 80, TCP_SYN));
		assert_true(lab_got(1, &p));
		lab_put(1, from_server((uint16_t)(6000 + i), TCP_SYN | TCP_ACK));
		assert_true(lab_got(0, &p));
		assert_int_equal(p.saddr, ipv4(VIP));
	}
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(h.dp->workers[i]->v4.table.n > 30);
		live += h.dp->workers[i]->v4.table.n;
	}
	assert_int_equal(live, 300);
}

/* An ICMP error of `from` to `to` that quotes the first 28 bytes of a packet's IP. */
static struct packet error_about(const char *from, const char *to, uint16_t type_code,
				 const struct packet *about, uint8_t quote[64])
{
	uint8_t frame[FRAME_MAX];

	packet_build(about, frame);
	memcpy(quote, frame + 14, 40);
	return (struct packet){.saddr = ipv4(from),
			       .daddr = ipv4(to),
			       .proto = IPPROTO_ICMP,
			       .sport = type_code,
			       .payload = 40,
			       .data = quote};
}

static void errors_from_the_server_side_reach_the_client_as_the_vips(void **state)
{
	static const char *const senders[] = {SERVER, "10.10.0.99"};
	struct packet fwd, outer, inner;
	uint8_t quote[64];

	(void)state;
	lab_put(0, from_client(1020, 80, TCP_SYN));
	assert_true(lab_got(1, &fwd));
	for (int i = 0; i < 2; i++) {
		lab_put(1, error_about(senders[i], CLIENT, 3 << 8 | 1, &fwd, quote));
		assert_true(bed_error(&h, 0, &outer, &inner));
		assert_int_equal(outer.saddr, ipv4(VIP));
		assert_int_equal(outer.daddr, ipv4(CLIENT));
		assert_int_equal(outer.ttl, 63);
		assert_false(outer.bad_ip || outer.bad_l4 || inner.bad_ip);
		assert_int_equal(inner.daddr, ipv4(VIP));
		assert_int_equal(be16_to(inner.dport), 80);
		assert_int_equal(inner.saddr, ipv4(CLIENT));
	}
	/* About what nobody sent: for Linux to route. */
	fwd.sport = be16_from(9);
	lab_put(1, error_about(SERVER, CLIENT, 3 << 8 | 1, &fwd, quote));
	assert_int_equal(lab_punted(NULL), PUNT_TRANSIT);
	lab_nothing();
}

static void errors_about_replies_reach_the_server(void **state)
{
	struct packet p, reply, outer, inner;
	uint8_t quote[64];

	(void)state;
	lab_put(0, from_client(1021, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	lab_put(1, from_server(1021, TCP_SYN | TCP_ACK));
	assert_true(lab_got(0, &reply));
	lab_put(0, error_about("192.168.200.1", VIP, 3 << 8 | 4, &reply, quote));
	assert_true(bed_error(&h, 1, &outer, &inner));
	assert_int_equal(outer.saddr, ipv4("192.168.200.1"));
	assert_int_equal(outer.daddr, ipv4(SERVER));
	assert_false(outer.bad_ip || outer.bad_l4 || inner.bad_ip);
	assert_int_equal(inner.saddr, ipv4(SERVER));
	assert_int_equal(be16_to(inner.sport), 8080);
	assert_int_equal(inner.daddr, ipv4(CLIENT));
	/* With direct routing the director never saw the reply, and passes it on as it is. */
	lab_put(0, from_client(1021, 81, TCP_SYN));
	assert_true(lab_got(1, &p));
	reply.sport = be16_from(81);
	lab_put(0, error_about("192.168.200.1", VIP, 3 << 8 | 4, &reply, quote));
	assert_true(bed_error(&h, 1, &outer, &inner));
	assert_int_equal(outer.daddr, ipv4(VIP));
	assert_int_equal(outer.ttl, 63);
	assert_memory_equal(&outer.dst, "\x02\x01\x0a\x0a\x00\x02", 6);
}

static void forged_errors_are_dropped_and_change_nothing(void **state)
{
	struct packet p, reply, e;
	uint8_t quote[64];
	uint32_t tick;

	(void)state;
	lab_put(0, from_client(1022, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	lab_put(1, from_server(1022, TCP_SYN | TCP_ACK));
	assert_true(lab_got(0, &reply));
	tick = h.dp->workers[0]->v4.table.conns[1].c.tick;
	harness_advance_ms(&h, 3000);
	reply.dport = be16_from(4444);
	lab_put(0, error_about("192.168.200.1", VIP, 3 << 8 | 3, &reply, quote));
	reply.dport = be16_from(1022);
	reply.saddr = ipv4("198.51.100.9");
	lab_put(0, error_about("192.168.200.1", VIP, 3 << 8 | 3, &reply, quote));
	assert_int_equal(lab_dropped(DROP_ICMP_UNRELATED), 2);
	reply.saddr = ipv4(VIP);
	e = error_about("192.168.200.1", VIP, 3 << 8 | 3, &reply, quote);
	e.bad_l4 = 1;
	lab_put(0, e);
	for (uint16_t n = 0; n < 28; n++) {
		e = error_about("192.168.200.1", VIP, 3 << 8 | 3, &reply, quote);
		e.payload = n;
		lab_put(0, e);
	}
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_UNSUPPORTED), 29);
	assert_int_equal(h.dp->workers[0]->v4.table.conns[1].c.tick, tick);
}

static void a_syn_twice_in_one_burst_is_scheduled_once(void **state)
{
	static const struct world_server two[] = {{SERVER ":8080", 1, FWD_NAT},
						  {SERVER2 ":8080", 1, FWD_NAT}};
	struct packet p = from_client(1016, 91, TCP_SYN);
	uint8_t frame[FRAME_MAX];
	size_t len;
	be32 first;

	(void)state;
	world_service(&h, "tcp", VIP ":91", sched_find("rr"), two, 2);
	p.dst = lab_router[0];
	p.src = lab_station;
	len = packet_build(&p, frame);
	for (int i = 0; i < 2; i++)
		harness_receive(&h, 0, 0, harness_frame(&h, frame, (uint16_t)len));
	harness_run(&h);
	assert_true(lab_got(1, &p));
	first = p.daddr;
	assert_true(lab_got(1, &p));
	assert_int_equal(p.daddr, first);
	lab_put(0, from_client(1017, 91, TCP_SYN));
	assert_true(lab_got(1, &p));
	assert_int_not_equal(p.daddr, first);
}

static void a_vip_that_is_not_active_is_silent(void **state)
{
	struct packet p = from_client(1015, 80, TCP_SYN);

	(void)state;
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	lab_put(0, p);
	p.proto = IPPROTO_ICMP;
	p.sport = 8 << 8;
	lab_put(0, p);
	lab_nothing();
	assert_int_equal(lab_dropped(DROP_NOT_ACTIVE), 2);
}

#define GOLDEN(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN(nat_rewrites_both_ways_with_right_checksums),
		GOLDEN(direct_routing_changes_macs_and_ttl_only),
		GOLDEN(wrong_l4_checksums_pass_and_stay_wrong),
		GOLDEN(a_udp_checksum_of_zero_is_left_alone),
		GOLDEN(a_wrong_ip_checksum_is_dropped),
		GOLDEN(no_server_is_answered_with_port_unreachable_from_the_vip),
		GOLDEN(what_no_service_takes_of_a_vip_is_linuxs),
		GOLDEN(nonsense_flags_make_no_connection),
		GOLDEN(a_spent_ttl_is_answered_by_vip_and_by_director),
		GOLDEN(too_big_with_df_is_answered_with_the_mtu),
		GOLDEN(a_vip_answers_arp_and_echo),
		GOLDEN(every_truncation_of_a_packet_leaves_by_a_door),
		GOLDEN(random_damage_never_breaks_the_doors),
		GOLDEN(a_servers_own_traffic_is_linuxs_to_route),
		GOLDEN(nobody_else_speaks_as_a_vip),
		GOLDEN(a_closing_connection_is_replaced_by_a_syn_and_an_established_one_is_not),
		GOLDEN(counts_follow_connections_to_their_end),
		GOLDEN(packets_wait_for_a_next_hop_and_then_go),
		GOLDEN(a_syn_flood_evicts_its_own_and_never_an_established_connection),
		LAB_TEST(three_workers_agree_on_both_halves_of_a_connection, bed_setup, 3),
		GOLDEN(errors_from_the_server_side_reach_the_client_as_the_vips),
		GOLDEN(errors_about_replies_reach_the_server),
		GOLDEN(forged_errors_are_dropped_and_change_nothing),
		GOLDEN(a_syn_twice_in_one_burst_is_scheduled_once),
		GOLDEN(a_vip_that_is_not_active_is_silent),
	};

	return lab_run(256, tests);
}
