/* SPDX-License-Identifier: BSD-3-Clause */
/* One-packet scheduling and persistence through the real stages, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>

#include "dataplane/tcp_state.h"
#include "lib/harness.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define SERVER1 "10.10.0.1"
#define SERVER2 "10.10.0.2"

static struct harness h;
static char error[256];

static const struct world_server pool[] = {
	{SERVER1 ":8080", 1, FWD_NAT},
	{SERVER2 ":8080", 1, FWD_NAT},
};

static int bed_setup_n(unsigned int workers)
{
	const struct harness_config hc = {.n_workers = (uint16_t)workers, .max_connections = 3000};

	if (harness_create(&h, &hc, error) < 0) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	world_route(&h, "0.0.0.0/0", link_id_of(0, 0), "192.168.1.253");
	world_route(&h, "10.10.0.0/16", link_id_of(1, 0), NULL);
	world_own(&h, "192.168.1.254", link_id_of(0, 0));
	world_neighbour(&h, link_id_of(0, 0), "192.168.1.253", "02:01:c0:a8:01:01");
	world_neighbour(&h, link_id_of(1, 0), SERVER1, "02:01:0a:0a:00:01");
	world_neighbour(&h, link_id_of(1, 0), SERVER2, "02:01:0a:0a:00:02");
	return 0;
}

static int bed_setup(void **state)
{
	(void)state;
	return bed_setup_n(1);
}

/* After every test: the doors add up and no buffer is lost. */
static int bed_teardown(void **state)
{
	bool ok = harness_doors_add_up(&h, error);
	unsigned int lost;

	(void)state;
	if (!ok)
		fprintf(stderr, "doors: %s\n", error);
	lost = harness_destroy(&h);
	if (lost)
		fprintf(stderr, "%u packet buffers lost\n", lost);
	return ok && lost == 0 ? 0 : -1;
}

static void put(unsigned int port, struct packet p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	p.dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(port + 1)}};
	p.src = (struct mac){{2, 9, 9, 9, 9, 9}};
	len = packet_build(&p, frame);
	assert_int_equal(
		harness_receive(&h, (uint16_t)port, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
}

/* Where the next packet that left by a port goes to, or 0. */
static be32 sent_to(unsigned int port)
{
	struct rte_mbuf *m = harness_sent(&h, (uint16_t)port);
	struct packet p;

	if (!m)
		return 0;
	assert_int_equal(
		packet_describe(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), &p),
		0);
	rte_pktmbuf_free(m);
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
		n += h.dp->workers[i]->table4.n;
	return n;
}

/* --- one packet --- */

static void one_packet(void)
{
	const struct world_policy ops = {.flags = SERVICE_ONE_PACKET};

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
		put(0, client("192.168.7.1", 4000, IPPROTO_UDP, 53));
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
	put(0, p);
	assert_int_equal(sent_to(1), ipv4(SERVER1));
	p = (struct packet){.saddr = ipv4(SERVER1),
			    .daddr = ipv4("192.168.7.1"),
			    .sport = be16_from(8080),
			    .dport = be16_from(4000),
			    .proto = IPPROTO_UDP,
			    .payload = 18};
	put(1, p);
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
	const struct world_policy ops = {.flags = SERVICE_ONE_PACKET};

	(void)state;
	world_policy(&h, &ops);
	world_service(&h, "udp", VIP ":53", sched_find("rr"), far, 2);
	for (unsigned int i = 0; i < 4; i++)
		put(0, client("192.168.7.1", 4000, IPPROTO_UDP, 53));
	assert_int_equal(sent_to(1), 0);
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.9", "02:01:0a:0a:00:09");
	world_neighbour(&h, link_id_of(1, 0), "10.10.0.8", "02:01:0a:0a:00:08");
	harness_run(&h);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(sent_to(1), ipv4(i % 2 ? "10.10.0.8" : "10.10.0.9"));
	assert_int_equal(server_conns("udp", VIP ":53", "10.10.0.9:8080"), 2);
	assert_int_equal(server_conns("udp", VIP ":53", "10.10.0.8:8080"), 2);
}

#define ONE(f) cmocka_unit_test_setup_teardown(f, bed_setup, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(every_datagram_is_scheduled_and_leaves_nothing_behind),
		ONE(an_answer_of_a_one_packet_server_is_linuxs_to_route),
		ONE(a_datagram_that_waits_for_a_next_hop_is_scheduled_once),
	};
	int ret;

	if (harness_eal_init(0, 256, NULL) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	harness_eal_fini();
	return ret;
}
