/* SPDX-License-Identifier: BSD-3-Clause */
/* One-packet scheduling and persistence through the real stages, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define SERVER1 "10.10.0.1"
#define SERVER2 "10.10.0.2"

static const struct world_server pool[] = {
	{SERVER1 ":8080", 1, FWD_NAT},
	{SERVER2 ":8080", 1, FWD_NAT},
};

static int bed_setup(void **state)
{

	if (lab_open(state, 3000, true) < 0)
		return -1;
	return 0;
}

/* Where the next packet that left by a port goes to, or 0. */
static be32 sent_to(unsigned int port)
{
	struct packet p;

	if (!lab_got(port, &p))
		return 0;
	assert_false(p.bad_ip || p.bad_l4);
	return p.daddr;
}

static struct packet client(const char *addr, uint16_t sport, uint8_t proto, uint16_t dport)
{
	return (struct packet){.saddr = ipv4(addr),
			       .daddr = ipv4(VIP),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = proto,
			       .tcp_flags = proto == IPPROTO_TCP ? TCP_SYN : 0,
			       .payload = proto == IPPROTO_UDP ? 18 : 0};
}

static uint64_t server_conns(const char *proto, const char *listen, const char *server)
{
	struct server_counters c;

	dataplane_server_counters(h.dp, world_server(&h, proto, listen, server)->id, &c);
	return c.conns;
}

static uint32_t entries(void)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < h.dp->n_workers; i++)
		n += h.dp->workers[i]->v4.table.n;
	return n;
}

/* --- one packet --- */

static void one_packet(void)
{
	const struct world_policy ops = {.one_packet = true};

	world_policy(&h, &ops);
	world_service(&h, "udp", VIP ":53", sched_find("rr"), pool, 2);
}

static void every_datagram_is_scheduled_and_leaves_nothing_behind(void **state)
{
	const struct server_rt *rt;

	(void)state;
	one_packet();
	rt = world_server(&h, "udp", VIP ":53", SERVER1 ":8080");
	for (unsigned int i = 0; i < 10; i++) {
		lab_put(0, client("192.168.7.1", 4000, IPPROTO_UDP, 53));
		assert_int_equal(sent_to(1), ipv4(i % 2 ? SERVER2 : SERVER1));
		assert_int_equal(entries(), 0);
		assert_int_equal(server_rt_counts(rt), 0);
	}
	assert_int_equal(server_conns("udp", VIP ":53", SERVER1 ":8080"), 5);
}

static void an_answer_of_a_one_packet_server_is_linuxs_to_route(void **state)
{
	struct packet p = client("192.168.7.1", 4000, IPPROTO_UDP, 53);
	enum punt_class class;
	struct rte_mbuf *m;

	(void)state;
	one_packet();
	lab_put(0, p);
	assert_int_equal(sent_to(1), ipv4(SERVER1));
	p = (struct packet){.saddr = ipv4(SERVER1),
			    .daddr = ipv4("192.168.7.1"),
			    .sport = be16_from(8080),
			    .dport = be16_from(4000),
			    .proto = IPPROTO_UDP,
			    .payload = 18};
	lab_put(1, p);
	assert_int_equal(sent_to(0), 0);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_TRANSIT);
	rte_pktmbuf_free(m);
}

static void a_datagram_that_waits_for_a_next_hop_is_scheduled_once(void **state)
{
	static const struct world_server far[] = {{"10.10.0.9:8080", 1, FWD_NAT},
						  {"10.10.0.8:8080", 1, FWD_NAT}};
	const struct world_policy ops = {.one_packet = true};

	(void)state;
	world_policy(&h, &ops);
	world_service(&h, "udp", VIP ":53", sched_find("rr"), far, 2);
	for (unsigned int i = 0; i < 4; i++)
		lab_put(0, client("192.168.7.1", 4000, IPPROTO_UDP, 53));
	assert_int_equal(sent_to(1), 0);
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.9", "02:01:0a:0a:00:09");
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.8", "02:01:0a:0a:00:08");
	harness_run(&h);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(sent_to(1), ipv4(i % 2 ? "10.10.0.8" : "10.10.0.9"));
	assert_int_equal(server_conns("udp", VIP ":53", "10.10.0.9:8080"), 2);
	assert_int_equal(server_conns("udp", VIP ":53", "10.10.0.8:8080"), 2);
}

/* --- persistence --- */

static void persistent(uint32_t seconds, uint64_t netmask, bool expire)
{
	const struct world_policy policy = {
		.persist_s = seconds, .netmask = netmask, .expire_quiescent = expire};

	world_policy(&h, &policy);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), pool, 2);
}

static struct server_rt *web(const char *server)
{
	return world_server(&h, "tcp", VIP ":80", server);
}

static be32 syn(const char *addr, uint16_t sport)
{
	lab_put(0, client(addr, sport, IPPROTO_TCP, 80));
	return sent_to(1);
}

static uint64_t templates(void)
{
	struct worker_counters c;

	dataplane_worker_counters(h.dp, &c);
	return c.templates;
}

/* 255.0.255.0: the second and the last part of the address do not count. */
static void a_netmask_may_have_holes(void **state)
{
	be32 first, other;

	(void)state;
	persistent(300, NETMASK_BITS | 0xff00ff00, false);
	first = syn("192.1.7.1", 4000);
	assert_int_equal(syn("192.200.7.99", 4001), first);
	other = syn("192.1.8.1", 4002);
	assert_int_not_equal(other, first);
	assert_int_equal(syn("192.77.8.2", 4003), other);
	assert_int_equal(syn("192.3.7.3", 4004), first);
	assert_int_equal(templates(), 2);
}

static void under_the_mask_of_no_bits_all_clients_are_one(void **state)
{
	be32 first;

	(void)state;
	persistent(300, NETMASK_BITS, false);
	first = syn("192.168.7.1", 4000);
	assert_int_equal(syn("10.99.7.99", 4001), first);
	assert_int_equal(syn("172.16.8.1", 4002), first);
	assert_int_equal(templates(), 1);
}

static void a_network_of_clients_stays_with_its_server(void **state)
{
	(void)state;
	persistent(300, 24, false);
	assert_int_equal(syn("192.168.7.1", 4000), ipv4(SERVER1));
	assert_int_equal(syn("192.168.8.1", 4000), ipv4(SERVER2));
	for (uint16_t i = 1; i < 20; i++) {
		assert_int_equal(syn("192.168.7.200", 4000 + i), ipv4(SERVER1));
		assert_int_equal(syn("192.168.8.9", 4000 + i), ipv4(SERVER2));
	}
	assert_int_equal(templates(), 2);
	assert_int_equal(web(SERVER1 ":8080")->templates, 1);
	assert_int_equal(counts_active(server_rt_counts(web(SERVER1 ":8080"))), 20);
	assert_int_equal(entries(), 42);
}

static void a_template_starts_over_while_connections_are_under_it(void **state)
{
	(void)state;
	persistent(13, 32, false);
	syn("192.168.7.1", 4000); /* half-open for 60 s */
	harness_advance_ms(&h, 55000);
	assert_int_equal(templates(), 1);
	harness_advance_ms(&h, 7000); /* the connection is gone at 60 s */
	assert_int_equal(entries(), 1);
	assert_int_equal(templates(), 1);
	harness_advance_ms(&h, 5000); /* five times over */
	assert_int_equal(entries(), 0);
	assert_int_equal(templates(), 0);
	assert_int_equal(web(SERVER1 ":8080")->templates, 0);
}

/* A connection that the client resets: CLOSE, which lasts 10 s. */
static void established_and_reset(const char *addr, uint16_t sport, const char *server)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_RST};
	struct packet p = client(addr, sport, IPPROTO_TCP, 80);

	assert_int_equal(syn(addr, sport), ipv4(server));
	for (unsigned int i = 0; i < 2; i++) {
		p.tcp_flags = flags[i];
		lab_put(0, p);
		assert_int_equal(sent_to(1), ipv4(server));
	}
}

/* -p 2: the connection is in CLOSE until 10 s; the template's time ends at 2 s. */
static void a_template_lasts_for_its_extension_when_its_time_ends_under_connections(void **state)
{
	const struct world_policy policy = {.persist_s = 2, .extension_s = 60};

	(void)state;
	world_policy(&h, &policy);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), pool, 2);
	established_and_reset("192.168.7.1", 4000, SERVER1);
	harness_advance_ms(&h, 16000);
	assert_int_equal(entries(), 1);
	assert_int_equal(templates(), 1);
	/* The extension ends at 62 s. The use at 16 s gives the template its 2 s again, and the
	 * new connection another extension, from 18 s to 78 s. */
	established_and_reset("192.168.7.1", 4001, SERVER1);
	harness_advance_ms(&h, 61000); /* 77 s */
	assert_int_equal(templates(), 1);
	harness_advance_ms(&h, 2000);
	assert_int_equal(templates(), 0);
	/* rr goes on: the client is a new one. */
	assert_int_equal(syn("192.168.7.1", 4002), ipv4(SERVER2));
}

static void without_an_extension_a_template_lasts_for_its_timeout_again(void **state)
{
	(void)state;
	persistent(2, 32, 0);
	established_and_reset("192.168.7.1", 4000, SERVER1);
	harness_advance_ms(&h, 9500);
	assert_int_equal(templates(), 1);
	harness_advance_ms(&h, 3500);
	assert_int_equal(entries(), 0);
	assert_int_equal(syn("192.168.7.1", 4001), ipv4(SERVER2));
}

static void weight_zero_keeps_its_clients_unless_told_otherwise(void **state)
{
	static const struct world_server quiet[] = {{SERVER1 ":8080", 0, FWD_NAT},
						    {SERVER2 ":8080", 1, FWD_NAT}};
	const struct world_policy expire = {.persist_s = 300, .expire_quiescent = true};

	(void)state;
	persistent(300, 32, false);
	assert_int_equal(syn("192.168.7.1", 4000), ipv4(SERVER1));
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), quiet, 2);
	assert_int_equal(syn("192.168.7.1", 4001), ipv4(SERVER1));
	world_policy(&h, &expire);
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), quiet, 2);
	assert_int_equal(syn("192.168.7.1", 4002), ipv4(SERVER2));
	assert_int_equal(web(SERVER1 ":8080")->templates, 0);
	assert_int_equal(web(SERVER2 ":8080")->templates, 1);
	assert_int_equal(templates(), 1);
}

static void a_removed_servers_clients_go_elsewhere_and_it_waits_for_its_templates(void **state)
{
	(void)state;
	persistent(300, 32, false);
	assert_int_equal(syn("192.168.7.1", 4000), ipv4(SERVER1));
	harness_advance_ms(&h, 61000); /* the connection is gone, the template is not */
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), pool + 1, 1);
	harness_run(&h);
	runtime_reap(&h.dp->pub.runtime, &h.dp->pub.grace);
	assert_non_null(web(SERVER1 ":8080"));
	assert_int_equal(syn("192.168.7.1", 4001), ipv4(SERVER2));
	harness_run(&h);
	runtime_reap(&h.dp->pub.runtime, &h.dp->pub.grace);
	assert_null(web(SERVER1 ":8080"));
}

static void an_overloaded_server_keeps_its_persistent_clients(void **state)
{
	(void)state;
	persistent(300, 32, false);
	server_rt_set_thresholds(web(SERVER1 ":8080"), 1, 0);
	assert_int_equal(syn("192.168.7.1", 4000), ipv4(SERVER1));
	assert_true(server_rt_overloaded(web(SERVER1 ":8080")));
	assert_int_equal(syn("192.168.7.1", 4001), ipv4(SERVER1));
	assert_int_equal(syn("192.168.7.2", 4000), ipv4(SERVER2));
	assert_int_equal(syn("192.168.7.3", 4000), ipv4(SERVER2));
}

static void port_0_takes_every_port_to_one_server_and_keeps_it(void **state)
{
	static const struct world_server any[] = {{SERVER1 ":0", 1, FWD_NAT},
						  {SERVER2 ":0", 1, FWD_NAT}};
	const struct world_policy policy = {.persist_s = 300};

	(void)state;
	world_policy(&h, &policy);
	world_service(&h, "tcp", VIP ":0", sched_find("rr"), any, 2);
	for (uint16_t port = 79; port < 85; port++) {
		struct rte_mbuf *m;
		struct packet p;

		lab_put(0, client("192.168.7.1", (uint16_t)(port + 1000), IPPROTO_TCP, port));
		m = harness_sent(&h, 1);
		assert_non_null(m);
		packet_describe(rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m), &p);
		rte_pktmbuf_free(m);
		assert_int_equal(p.daddr, ipv4(SERVER1));
		assert_int_equal(be16_to(p.dport), port);
	}
	assert_int_equal(templates(), 1);
}

static void ftp_data_goes_where_its_control_connection_went(void **state)
{
	static const struct world_server ftp[] = {{SERVER1 ":2121", 1, FWD_NAT},
						  {SERVER2 ":2121", 1, FWD_NAT}};
	const struct world_policy policy = {.persist_s = 300};

	(void)state;
	world_policy(&h, &policy);
	world_service(&h, "tcp", VIP ":21", sched_find("rr"), ftp, 2);
	for (uint16_t i = 0; i < 4; i++) {
		const char *who = i % 2 ? "192.168.7.2" : "192.168.7.1";

		lab_put(0, client(who, (uint16_t)(4000 + i), IPPROTO_TCP, 21));
		assert_int_equal(sent_to(1), ipv4(i % 2 ? SERVER2 : SERVER1));
		lab_put(0, client(who, (uint16_t)(5000 + i), IPPROTO_TCP, 50000));
		assert_int_equal(sent_to(1), ipv4(i % 2 ? SERVER2 : SERVER1));
	}
	assert_int_equal(templates(), 2);
}

static void a_flood_of_clients_that_never_get_through_leaves_room(void **state)
{
	char addr[32];

	(void)state;
	persistent(300, 32, false);
	for (unsigned int i = 0; i < 12000; i++) {
		snprintf(addr, sizeof(addr), "172.16.%u.%u", i / 250, i % 250 + 1);
		assert_int_not_equal(syn(addr, 4000), 0);
	}
	assert_true(entries() <= h.dp->workers[0]->v4.table.capacity);
	assert_true(h.dp->workers[0]->counters.evicted > 8000);
	assert_int_equal(web(SERVER1 ":8080")->templates + web(SERVER2 ":8080")->templates,
			 templates());
}

static void workers_agree_on_a_clients_server(void **state)
{
	unsigned int spread = 0;

	(void)state;
	persistent(300, 24, false);
	for (uint16_t i = 0; i < 300; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "192.168.%u.%u", i % 10, i / 10 + 1);
		assert_int_equal(syn(addr, (uint16_t)(4000 + i)), ipv4(i % 2 ? SERVER2 : SERVER1));
	}
	assert_int_equal(templates(), 10);
	assert_int_equal(entries(), 310);
	for (unsigned int i = 0; i < 3; i++)
		spread += h.dp->workers[i]->counters.connections > 50;
	assert_int_equal(spread, 3);
	harness_advance_ms(&h, 400000);
	assert_int_equal(entries(), 0);
	assert_int_equal(web(SERVER1 ":8080")->templates, 0);
}

#define THREE(f) LAB_TEST(f, bed_setup, 3)
#define ONE(f)	 LAB_TEST(f, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(every_datagram_is_scheduled_and_leaves_nothing_behind),
		ONE(an_answer_of_a_one_packet_server_is_linuxs_to_route),
		ONE(a_datagram_that_waits_for_a_next_hop_is_scheduled_once),
		ONE(a_netmask_may_have_holes),
		ONE(under_the_mask_of_no_bits_all_clients_are_one),
		ONE(a_network_of_clients_stays_with_its_server),
		ONE(a_template_starts_over_while_connections_are_under_it),
		ONE(a_template_lasts_for_its_extension_when_its_time_ends_under_connections),
		ONE(without_an_extension_a_template_lasts_for_its_timeout_again),
		ONE(weight_zero_keeps_its_clients_unless_told_otherwise),
		ONE(a_removed_servers_clients_go_elsewhere_and_it_waits_for_its_templates),
		ONE(an_overloaded_server_keeps_its_persistent_clients),
		ONE(port_0_takes_every_port_to_one_server_and_keeps_it),
		ONE(ftp_data_goes_where_its_control_connection_went),
		ONE(a_flood_of_clients_that_never_get_through_leaves_room),
		THREE(workers_agree_on_a_clients_server),
	};

	return lab_run(256, tests);
}
