/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections that an operator ends: who is asked, who is told, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/stages/ended.h"
#include "lib/lab.h"

#define VIP	"10.1.0.100"
#define CLIENT	"192.168.1.1"
#define UNKNOWN "192.168.1.77" /* no neighbour */
#define R1	"10.10.0.1"
#define R2	"10.10.0.2"
#define VIP6	"2001:db8:1::100"
#define CLIENT6 "2001:db8:c::1"
#define SERVER6 "2001:db8:10::1"

#define S TCP_SYN
#define A TCP_ACK
#define R TCP_RST

static int bed_setup(void **state)
{
	static const struct world_server nat[] = {{R1 ":8080", 1, FWD_NAT}};
	static const struct world_server other[] = {{R2 ":8080", 1, FWD_NAT}};
	static const struct world_server dr[] = {{R1 ":81", 1, FWD_DR}};
	static const struct world_server dns[] = {{R1 ":8053", 1, FWD_NAT}};
	static const struct world_server nat6[] = {{"[" SERVER6 "]:8080", 1, FWD_NAT}};
	static const struct world_policy persistent = {.persist_s = 300};

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_route(&h, "::/0", link_id_of(0, 0), NULL);
	world_route(&h, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	world_neighbour(&h, link_id_of(0, 0), CLIENT6, "02:06:00:00:00:01");
	world_neighbour(&h, link_id_of(1, 0), SERVER6, "02:06:00:00:00:02");
	world_service(&h, "tcp", VIP ":80", NULL, nat, 1);
	world_service(&h, "tcp", VIP ":81", NULL, dr, 1);
	world_service(&h, "udp", VIP ":53", NULL, dns, 1);
	world_service(&h, "tcp", "[" VIP6 "]:80", NULL, nat6, 1);
	world_policy(&h, &persistent);
	world_service(&h, "tcp", VIP ":82", NULL, other, 1);
	return 0;
}

static void put(unsigned int port, struct packet p, uint32_t seq, uint32_t ack)
{
	p.seq = seq;
	p.ack = ack;
	lab_put(port, p);
}

static void client_puts(uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq, uint32_t ack)
{
	put(0, lab_tcp(CLIENT, sport, VIP, dport, flags), seq, ack);
}

/* The client's numbers begin at 100, the server's at 500. */
static void connect_to(uint16_t sport, uint16_t dport, const char *server)
{
	client_puts(sport, dport, S, 100, 0);
	if (server)
		put(1, lab_tcp(server, 8080, CLIENT, sport, S | A), 500, 101);
	client_puts(sport, dport, A, 101, 501);
	lab_drain(0);
	lab_drain(1);
}

/* The only packet that left by the port. */
static struct packet sent(unsigned int port, uint8_t flags)
{
	struct packet p, more;

	assert_true(lab_got(port, &p));
	assert_false(p.bad_l4 || p.bad_ip);
	assert_int_equal(p.tcp_flags, flags);
	assert_false(lab_got(port, &more));
	return p;
}

static void command(struct worker_command *cmd)
{
	cmd->eventfd = -1;
	cmd->done = 0;
	assert_int_equal(dataplane_command(h.dp, 0, cmd), 0);
	harness_run(&h);
	assert_int_equal(cmd->done, 1);
}

static uint32_t end_one(uint16_t cport, uint16_t vport, uint8_t proto)
{
	struct worker_command cmd = {.kind = CMD_END_ONE,
				     .family = ADDR_V4,
				     .key4 = {.saddr = ipv4(CLIENT),
					      .sport = be16_from(cport),
					      .daddr = ipv4(VIP),
					      .dport = be16_from(vport),
					      .proto = proto}};

	command(&cmd);
	return cmd.n;
}

/* Of all workers' connections, step by step. */
static uint32_t end_all(struct conn_filter filter)
{
	struct worker_command cmd = {.kind = CMD_END, .n_max = 2, .filter = filter};
	uint32_t n = 0;

	do {
		command(&cmd);
		n += cmd.n;
	} while (cmd.cursor);
	return n;
}

static const struct conn4 *entry(uint16_t cport, uint16_t vport, uint8_t proto)
{
	const struct key4 key = {.saddr = ipv4(CLIENT),
				 .sport = be16_from(cport),
				 .daddr = ipv4(VIP),
				 .dport = be16_from(vport),
				 .proto = proto};
	const struct table4 *t = &h.dp->workers[0]->v4.table;

	return table4_find(t, &key, table4_hash(t, &key), DIR_IN);
}

static void both_ends_are_asked_and_the_answer_resets_both(void **state)
{
	struct packet p;

	(void)state;
	connect_to(2001, 80, R1);
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	p = sent(0, A);
	assert_int_equal(p.saddr, ipv4(VIP));
	assert_int_equal(p.daddr, ipv4(CLIENT));
	assert_int_equal(p.sport, be16_from(80));
	assert_int_equal(p.dport, be16_from(2001));
	p = sent(1, A);
	assert_int_equal(p.saddr, ipv4(CLIENT));
	assert_int_equal(p.daddr, ipv4(R1));
	assert_int_equal(p.dport, be16_from(8080));
	/* The client says its numbers. */
	client_puts(2001, 80, A, 101, 501);
	p = sent(0, R);
	assert_int_equal(p.seq, 501);
	assert_int_equal(p.saddr, ipv4(VIP));
	p = sent(1, R | A);
	assert_int_equal(p.seq, 101);
	assert_int_equal(p.daddr, ipv4(R1));
	assert_int_equal(entry(2001, 80, IPPROTO_TCP)->c.state, CONN_CLOSE);
	/* The server's answer comes late. */
	put(1, lab_tcp(R1, 8080, CLIENT, 2001, A), 501, 101);
	p = sent(1, R);
	assert_int_equal(p.seq, 101);
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(lab_dropped(DROP_ENDED), 1);
	harness_advance_ms(&h, 11000);
	assert_null(entry(2001, 80, IPPROTO_TCP));
}

static void a_server_that_answers_ends_a_client_that_is_silent(void **state)
{
	struct packet p;

	(void)state;
	connect_to(2001, 80, R1);
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	lab_drain(0);
	lab_drain(1);
	put(1, lab_tcp(R1, 8080, CLIENT, 2001, A), 501, 101);
	p = sent(1, R);
	assert_int_equal(p.seq, 101);
	p = sent(0, R | A);
	assert_int_equal(p.seq, 501);
	assert_int_equal(p.saddr, ipv4(VIP));
}

static void by_direct_routing_the_client_alone_is_asked(void **state)
{
	(void)state;
	connect_to(2001, 81, NULL);
	assert_int_equal(end_one(2001, 81, IPPROTO_TCP), 1);
	sent(0, A);
	assert_int_equal(lab_drain(1), 0);
	client_puts(2001, 81, A, 101, 501);
	sent(0, R);
	assert_int_equal(sent(1, R | A).daddr, ipv4(VIP));
}

static void a_syn_of_an_ended_connection_is_a_new_one(void **state)
{
	(void)state;
	connect_to(2001, 80, R1);
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	lab_drain(0);
	lab_drain(1);
	client_puts(2001, 80, S, 9000, 0);
	sent(1, S);
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(entry(2001, 80, IPPROTO_TCP)->c.state, CONN_SYN_RECV);
	assert_int_not_equal(entry(2001, 80, IPPROTO_TCP)->c.gen, GEN_ENDED);
}

static void a_rst_of_the_client_goes_on_and_is_not_answered(void **state)
{
	struct packet p;

	(void)state;
	connect_to(2001, 80, R1);
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	lab_drain(0);
	lab_drain(1);
	client_puts(2001, 80, R, 101, 0);
	p = sent(1, R);
	assert_int_equal(p.seq, 101);
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(entry(2001, 80, IPPROTO_TCP)->c.state, CONN_CLOSE);
}

static void data_of_the_client_does_not_reach_the_server(void **state)
{
	struct packet p = lab_tcp(CLIENT, 2001, VIP, 80, TCP_PSH | A);

	(void)state;
	connect_to(2001, 80, R1);
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	lab_drain(0);
	lab_drain(1);
	p.payload = 100;
	put(0, p, 101, 501);
	assert_int_equal(sent(1, R | A).payload, 0);
	sent(0, R);
}

static void datagrams_and_closed_connections_are_removed_at_once(void **state)
{
	(void)state;
	lab_put(0, lab_udp(CLIENT, 2001, VIP, 53, 10));
	connect_to(2002, 80, R1);
	client_puts(2002, 80, R, 101, 0);
	assert_int_equal(entry(2002, 80, IPPROTO_TCP)->c.state, CONN_CLOSE);
	lab_drain(0);
	lab_drain(1);
	assert_int_equal(end_all((struct conn_filter){.state = -1}), 2);
	assert_null(entry(2001, 53, IPPROTO_UDP));
	assert_null(entry(2002, 80, IPPROTO_TCP));
	lab_nothing();
}

static void a_filter_ends_what_passes_and_templates_stay(void **state)
{
	struct conn_filter of_r2 = {.state = -1, .server.addr = {.family = ADDR_V4}};

	(void)state;
	of_r2.server.addr.v4 = ipv4(R2);
	connect_to(2001, 80, R1);
	for (uint16_t i = 0; i < 5; i++)
		connect_to((uint16_t)(3000 + i), 82, R2);
	assert_int_equal(end_all(of_r2), 5);
	assert_int_equal(lab_drain(0), 5);
	assert_int_equal(lab_drain(1), 5);
	assert_int_equal(h.dp->workers[0]->counters.templates, 1);
	client_puts(2001, 80, A, 101, 501); /* goes on */
	sent(1, A);
	/* Without a filter the other connection is left, and no template. */
	assert_int_equal(end_all((struct conn_filter){.state = -1}), 1);
	assert_int_equal(h.dp->workers[0]->counters.templates, 1);
	lab_drain(0);
	lab_drain(1);
	/* Asked again, none is counted twice. */
	assert_int_equal(end_all(of_r2), 0);
	assert_int_equal(lab_drain(0), 5);
	lab_drain(1);
}

static void without_a_next_hop_the_next_packet_ends_it(void **state)
{
	struct worker_command cmd = {.kind = CMD_END, .n_max = 10, .filter.state = -1};

	(void)state;
	lab_put(0, lab_tcp(UNKNOWN, 2001, VIP, 81, S));
	lab_put(0, lab_tcp(UNKNOWN, 2001, VIP, 81, A));
	lab_drain(1);
	command(&cmd);
	assert_int_equal(cmd.n, 1);
	lab_nothing();
	put(0, lab_tcp(UNKNOWN, 2001, VIP, 81, A), 101, 501);
	assert_int_equal(sent(0, R).seq, 501);
	sent(1, R | A);
}

static void a_router_without_its_lease_asks_nobody(void **state)
{
	(void)state;
	connect_to(2001, 80, R1);
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	lab_nothing();
	assert_int_equal(h.dp->workers[0]->counters.generated, 0);
}

static void workers_look_for_ended_ones_no_longer_than_they_last(void **state)
{
	struct worker *w = h.dp->workers[0];

	(void)state;
	connect_to(2001, 80, R1);
	harness_run(&h);
	assert_int_equal(w->env.leavers, 0);
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 1);
	lab_drain(0);
	lab_drain(1);
	harness_run(&h);
	assert_int_equal(w->env.leavers, 1);
	w->ends_tick = h.now_tick;
	harness_run(&h);
	assert_int_equal(w->env.leavers, 0);
}

static void there_is_none_to_end(void **state)
{
	(void)state;
	assert_int_equal(end_one(2001, 80, IPPROTO_TCP), 0);
	assert_int_equal(end_all((struct conn_filter){.state = -1}), 0);
	lab_nothing();
}

static struct packet tcp6(const char *from, uint16_t sport, const char *to, uint16_t dport,
			  uint8_t flags)
{
	return (struct packet){.v6 = true,
			       .src = lab_station,
			       .saddr6 = ipv6(from),
			       .daddr6 = ipv6(to),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = flags};
}

static void ipv6_connections_end_alike(void **state)
{
	struct worker_command cmd = {.kind = CMD_END_ONE,
				     .family = ADDR_V6,
				     .key6 = {.saddr = ipv6(CLIENT6),
					      .sport = be16_from(2001),
					      .daddr = ipv6(VIP6),
					      .dport = be16_from(80),
					      .proto = IPPROTO_TCP}};

	(void)state;
	put(0, tcp6(CLIENT6, 2001, VIP6, 80, S), 100, 0);
	put(1, tcp6(SERVER6, 8080, CLIENT6, 2001, S | A), 500, 101);
	put(0, tcp6(CLIENT6, 2001, VIP6, 80, A), 101, 501);
	lab_drain(0);
	lab_drain(1);
	command(&cmd);
	assert_int_equal(cmd.n, 1);
	sent(0, A);
	sent(1, A);
	put(0, tcp6(CLIENT6, 2001, VIP6, 80, A), 101, 501);
	assert_int_equal(sent(0, R).seq, 501);
	assert_int_equal(sent(1, R | A).seq, 101);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(both_ends_are_asked_and_the_answer_resets_both, bed_setup, 1),
		LAB_TEST(a_server_that_answers_ends_a_client_that_is_silent, bed_setup, 1),
		LAB_TEST(by_direct_routing_the_client_alone_is_asked, bed_setup, 1),
		LAB_TEST(a_syn_of_an_ended_connection_is_a_new_one, bed_setup, 1),
		LAB_TEST(a_rst_of_the_client_goes_on_and_is_not_answered, bed_setup, 1),
		LAB_TEST(data_of_the_client_does_not_reach_the_server, bed_setup, 1),
		LAB_TEST(datagrams_and_closed_connections_are_removed_at_once, bed_setup, 1),
		LAB_TEST(a_filter_ends_what_passes_and_templates_stay, bed_setup, 1),
		LAB_TEST(without_a_next_hop_the_next_packet_ends_it, bed_setup, 1),
		LAB_TEST(a_router_without_its_lease_asks_nobody, bed_setup, 1),
		LAB_TEST(workers_look_for_ended_ones_no_longer_than_they_last, bed_setup, 1),
		LAB_TEST(there_is_none_to_end, bed_setup, 1),
		LAB_TEST(ipv6_connections_end_alike, bed_setup, 1),
	};

	return lab_run(256, tests);
}
