/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Services by full NAT: who may call them, and that what a service says of connections holds as by
 * every method.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab_families.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define CLIENT	"192.168.1.1"
#define SERVER	"10.10.0.1"
#define SERVER2 "10.10.0.2"
#define LOCAL	"10.10.0.200"
#define OWN	"192.168.1.254"

static const struct world_server both[] = {{SERVER ":8080", 1, FWD_FULLNAT},
					   {SERVER2 ":8080", 1, FWD_FULLNAT}};

static int setup_no_pool(void **state)
{
	if (lab_open(state, 0, false) < 0)
		return -1;
	return world_service(&h, "tcp", VIP ":80", NULL, both, 1);
}

static int setup(void **state)
{
	return setup_no_pool(state) < 0 || world_pool(&h, LOCAL, link_id_of(1, 0)) < 0 ? -1 : 0;
}

/* --- hairpin --------------------------------------------------------------------------- */

static void a_server_reaches_its_own_service(void **state)
{
	struct packet got;

	(void)state;
	lab_put(1, lab_tcp(SERVER, 4000, VIP, 80, TCP_SYN));
	got = lab_take(1);
	assert_int_equal(got.saddr, ipv4(LOCAL));
	assert_int_equal(got.daddr, ipv4(SERVER));
	lab_put(1, lab_answer(&got, TCP_SYN | TCP_ACK));
	got = lab_take(1);
	assert_int_equal(got.saddr, ipv4(VIP));
	assert_int_equal(got.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(got.dport), 4000);
	lab_nothing();
}

/* A packet of Linux, as an administrator's rule sends it to a VIP out of port 0. */
static void inject(struct packet p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	p.src = lab_router[0];
	p.dst = lab_station;
	len = packet_build(&p, frame);
	assert_int_equal(harness_inject(&h, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
}

static void a_program_of_the_router_reaches_a_service(void **state)
{
	struct packet sent, got;

	(void)state;
	for (uint16_t i = 0; i < 20; i++) {
		inject(lab_tcp(OWN, 4000 + i, VIP, 80, TCP_SYN));
		sent = lab_take(1);
		assert_int_equal(sent.saddr, ipv4(LOCAL));
		assert_int_equal(sent.daddr, ipv4(SERVER));
		lab_put(1, lab_answer(&sent, TCP_SYN | TCP_ACK));
		assert_int_equal(lab_punted(&got), PUNT_OWN);
		assert_false(got.bad_ip || got.bad_l4);
		assert_int_equal(got.saddr, ipv4(VIP));
		assert_int_equal(be16_to(got.sport), 80);
		assert_int_equal(got.daddr, ipv4(OWN));
		assert_int_equal(be16_to(got.dport), 4000 + i);
		inject(lab_tcp(OWN, 4000 + i, VIP, 80, TCP_ACK));
		assert_int_equal(lab_take(1).sport, sent.sport);
	}
	assert_int_equal(lab_counters().connections, 20);
	/* From a wire nobody has this source. */
	lab_put(0, lab_tcp(OWN, 5000, VIP, 80, TCP_SYN));
	assert_int_equal(lab_dropped(DROP_BAD_SOURCE), 1);
	lab_nothing();
}

static void a_program_of_the_router_gets_answers_of_the_router(void **state)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_FULLNAT},
						  {"10.10.0.2:80", 1, FWD_NAT}};
	const struct packet echo = {.saddr = ipv4(OWN),
				    .daddr = ipv4(VIP),
				    .proto = IPPROTO_ICMP,
				    .sport = 8 << 8,
				    .payload = 20};
	struct packet got;

	(void)state;
	inject(echo);
	assert_int_equal(lab_punted(&got), PUNT_OWN);
	assert_int_equal(got.daddr, ipv4(OWN));
	assert_int_equal(got.sport, 0);
	/* No service by NAT: the server would answer the router's own address. */
	world_service(&h, "tcp", VIP ":90", NULL, nat, 2);
	inject(lab_tcp(OWN, 4000, VIP, 90, TCP_SYN));
	assert_int_equal(lab_dropped(DROP_OWN_CLIENT), 1);
	/* No server: the error comes to the program. */
	world_service(&h, "tcp", VIP ":91", NULL, NULL, 0);
	inject(lab_tcp(OWN, 4000, VIP, 91, TCP_SYN));
	assert_int_equal(lab_dropped(DROP_NO_SERVER), 1);
	assert_int_equal(lab_punted(&got), PUNT_OWN);
	assert_int_equal(got.daddr, ipv4(OWN));
	lab_nothing();
}

static void without_a_pool_what_linux_sends_to_a_vip_leaves(void **state)
{
	(void)state;
	inject(lab_tcp(OWN, 4000, VIP, 80, TCP_SYN));
	assert_int_equal(lab_drain(0), 1);
	lab_nothing();
}

/* --- what a service says ----------------------------------------------------------------- */

/* The server that a client's SYN to a port of the VIP reaches. */
static be32 server_of(const char *client, uint16_t sport, const char *vip, uint16_t dport)
{
	struct packet got;

	lab_put(0, lab_tcp(client, sport, vip, dport, TCP_SYN));
	got = lab_take(1);
	assert_int_equal(got.saddr, ipv4(LOCAL));
	return got.daddr;
}

static void a_client_keeps_its_server(void **state)
{
	const struct world_policy persistent = {.persist_s = 300};
	be32 first, second;

	(void)state;
	world_policy(&h, &persistent);
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), both, 2);
	world_policy(&h, NULL);
	first = server_of(CLIENT, 1000, VIP, 81);
	second = server_of("192.168.1.2", 1000, VIP, 81);
	assert_int_not_equal(first, second);
	for (uint16_t i = 1; i < 6; i++) {
		assert_int_equal(server_of(CLIENT, 1000 + i, VIP, 81), first);
		assert_int_equal(server_of("192.168.1.2", 1000 + i, VIP, 81), second);
	}
	lab_nothing();
}

static void a_mark_leads_to_servers_by_full_nat(void **state)
{
	struct mark_rule r = {.link = LINK_ANY, .mark = 7, .proto = IPPROTO_TCP};
	struct packet got;

	(void)state;
	addr_parse("10.2.0.0", &r.dest.addr);
	r.dest.len = 16;
	world_marks(&h, &r, 1);
	world_service(&h, "mark", "7", sched_find("rr"), both, 1);
	lab_put(0, lab_tcp(CLIENT, 1000, "10.2.3.4", 99, TCP_SYN));
	got = lab_take(1);
	assert_int_equal(got.saddr, ipv4(LOCAL));
	assert_int_equal(got.daddr, ipv4(SERVER));
	assert_int_equal(be16_to(got.dport), 8080);
	lab_put(1, lab_answer(&got, TCP_SYN | TCP_ACK));
	got = lab_take(0);
	assert_int_equal(got.saddr, ipv4("10.2.3.4"));
	assert_int_equal(be16_to(got.sport), 99);
	lab_nothing();
}

static void a_server_over_its_threshold_or_of_weight_0_gets_nothing_new(void **state)
{
	struct world_server quiet[] = {both[0], both[1]};
	struct packet got;

	(void)state;
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), both, 2);
	server_rt_set_thresholds(world_server(&h, "tcp", VIP ":81", SERVER ":8080"), 1, 0);
	for (uint16_t i = 0; i < 4; i++)
		server_of(CLIENT, 1000 + i, VIP, 81);
	for (uint16_t i = 4; i < 8; i++)
		assert_int_equal(server_of(CLIENT, 1000 + i, VIP, 81), ipv4(SERVER2));
	/* The other one drains: what it has goes on. */
	quiet[1].weight = 0;
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), quiet, 2);
	lab_put(0, lab_tcp(CLIENT, 1007, VIP, 81, TCP_ACK));
	got = lab_take(1);
	assert_int_equal(got.daddr, ipv4(SERVER2));
	lab_put(1, lab_answer(&got, TCP_ACK));
	assert_int_equal(be16_to(lab_take(0).dport), 1007);
	lab_put(0, lab_tcp(CLIENT, 1100, VIP, 81, TCP_SYN));
	assert_int_equal(lab_dropped(DROP_NO_SERVER), 1);
	lab_drain(0);
	lab_nothing();
}

static void a_removed_server_keeps_its_connections_as_long_as_it_drains(void **state)
{
	const struct world_policy drains = {.on_removed = ON_REMOVED_DRAIN, .drain_s = 30};
	struct packet got;

	(void)state;
	world_policy(&h, &drains);
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), both, 1);
	lab_put(0, lab_tcp(CLIENT, 1000, VIP, 81, TCP_SYN));
	got = lab_take(1);
	world_service(&h, "tcp", VIP ":81", sched_find("rr"), both + 1, 1);
	lab_put(0, lab_tcp(CLIENT, 1000, VIP, 81, TCP_ACK));
	assert_int_equal(lab_take(1).daddr, ipv4(SERVER));
	lab_put(1, lab_answer(&got, TCP_ACK));
	assert_int_equal(be16_to(lab_take(0).dport), 1000);
	assert_int_equal(server_of(CLIENT, 1001, VIP, 81), ipv4(SERVER2));
	lab_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_server_reaches_its_own_service, setup, 1),
		LAB_TEST(a_program_of_the_router_reaches_a_service, setup, 1),
		LAB_TEST(a_program_of_the_router_reaches_a_service, setup, 3),
		LAB_TEST(a_program_of_the_router_gets_answers_of_the_router, setup, 1),
		LAB_TEST(without_a_pool_what_linux_sends_to_a_vip_leaves, setup_no_pool, 1),
		LAB_TEST(a_client_keeps_its_server, setup, 1),
		LAB_TEST(a_client_keeps_its_server, setup, 3),
		LAB_TEST(a_mark_leads_to_servers_by_full_nat, setup, 1),
		LAB_TEST(a_server_over_its_threshold_or_of_weight_0_gets_nothing_new, setup, 1),
		LAB_TEST(a_removed_server_keeps_its_connections_as_long_as_it_drains, setup, 1),
	};

	return lab_run(256, tests);
}
