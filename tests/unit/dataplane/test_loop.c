/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/conn/conn_view.h"
#include "lib/eal_run.h"
#include "lib/harness.h"
#include "lib/world.h"

#define PUBLIC	0
#define PRIVATE 1
#define VIP	"10.1.0.100:53"

static const char *const server_macs[] = {"02:aa:00:00:00:01", "02:aa:00:00:00:02"};

/* A router with a DR and a NAT service, and everything around it that they need. */
static int router(struct harness *h, uint16_t n_workers, uint16_t n_queues)
{
	const struct harness_config config = {.n_workers = n_workers, .n_queues = n_queues};
	const struct world_server dr = {"10.2.0.1:53", 1, FWD_DR};
	const struct world_server nat = {"10.2.0.2:5353", 1, FWD_NAT};
	const link_id public = link_id_of(PUBLIC, 0), private = link_id_of(PRIVATE, 0);
	char error[256];

	if (harness_create(h, &config, error) != 0) {
		print_error("%s\n", error);
		return -1;
	}
	return world_own(h, "10.1.0.1", public) || world_route(h, "10.1.0.0/16", public, NULL) ||
	       world_route(h, "10.2.0.0/16", private, NULL) ||
	       world_neighbour(h, private, "10.2.0.1", server_macs[0]) ||
	       world_neighbour(h, private, "10.2.0.2", server_macs[1]) ||
	       world_neighbour(h, public, "10.1.0.9", "02:cc:00:00:00:09") ||
	       world_service(h, "udp", VIP, NULL, &dr, 1) ||
	       world_service(h, "udp", "10.1.0.101:53", NULL, &nat, 1);
}

static void check_doors(const struct harness *h)
{
	char text[256];

	if (!harness_doors_add_up(h, text))
		fail_msg("%s", text);
}

static struct worker_counters totals(const struct harness *h)
{
	struct worker_counters c;

	dataplane_worker_counters(h->dp, &c);
	return c;
}

/* Takes one frame out of a port and checks its destination MAC. */
static void expect_sent_to(struct harness *h, uint16_t port, const char *mac_text)
{
	struct rte_mbuf *m = harness_sent(h, port);
	struct mac mac;

	assert_non_null(m);
	assert_int_equal(mac_parse(mac_text, &mac), 0);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), mac.byte, 6);
	rte_pktmbuf_free(m);
}

static void a_packet_for_a_service_leaves_to_its_server(void **state)
{
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	assert_int_equal(
		harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.9:1000", VIP)),
		0);
	harness_run(&h);
	expect_sent_to(&h, PRIVATE, server_macs[0]);
	assert_null(harness_sent(&h, PRIVATE));
	assert_int_equal(totals(&h).received, 1);
	assert_int_equal(totals(&h).sent, 1);
	check_doors(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

/* Many clients through one queue of one worker: the others get theirs by ring, and send
 * by ring, since the port has no queue for them. */
static void workers_without_queues_receive_and_send_by_rings(void **state)
{
	struct worker_counters c;
	struct harness h;
	unsigned int n = 0;
	struct rte_mbuf *m;
	char client[32];

	(void)state;
	assert_int_equal(router(&h, 4, 1), 0);
	for (unsigned int i = 0; i < 200; i++) {
		snprintf(client, sizeof(client), "10.1.0.9:%u", 1000 + i);
		m = harness_datagram(&h, PUBLIC, client, VIP);
		assert_int_equal(harness_receive(&h, PUBLIC, 0, m), 0);
	}
	harness_run(&h);
	check_doors(&h);
	while ((m = harness_sent(&h, PRIVATE)) != NULL) {
		n++;
		rte_pktmbuf_free(m);
	}
	assert_int_equal(n, 200);
	c = totals(&h);
	assert_int_equal(c.received, 200);
	assert_int_equal(c.sent, 200);
	assert_int_equal(c.created, 200);
	assert_int_equal(h.dp->workers[0]->counters.received, 200);
	assert_int_equal(h.dp->workers[0]->counters.sent, 200);
	for (unsigned int i = 1; i < 4; i++) {
		const struct worker_counters *w = &h.dp->workers[i]->counters;

		assert_true(w->created > 20); /* each owns about a quarter */
		assert_int_equal(w->ring_in, w->created);
		assert_int_equal(w->handed_off, w->created);
	}
	assert_int_equal(harness_destroy(&h), 0);
}

static void both_directions_of_a_connection_meet_at_one_worker(void **state)
{
	struct harness h;
	char client[32];

	(void)state;
	assert_int_equal(router(&h, 3, 3), 0);
	for (uint16_t i = 0; i < 60; i++) {
		snprintf(client, sizeof(client), "10.1.0.9:%u", 2000 + i);
		harness_receive(&h, PUBLIC, i % 3,
				harness_datagram(&h, PUBLIC, client, "10.1.0.101:53"));
		harness_run(&h);
		expect_sent_to(&h, PRIVATE, server_macs[1]);
		harness_receive(&h, PRIVATE, (i + 1) % 3,
				harness_datagram(&h, PRIVATE, "10.2.0.2:5353", client));
		harness_run(&h);
		expect_sent_to(&h, PUBLIC, "02:cc:00:00:00:09");
		check_doors(&h);
	}
	assert_int_equal(totals(&h).created, 60);
	assert_int_equal(totals(&h).hits, 60);
	assert_int_equal(harness_destroy(&h), 0);
}

static void packets_wait_for_a_next_hop_and_leave_when_it_answers(void **state)
{
	const struct world_server far = {"10.2.0.7:53", 1, FWD_DR};
	struct resolve_request wish;
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	assert_int_equal(world_service(&h, "udp", VIP, NULL, &far, 1), 0);
	harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.9:1000", VIP));
	harness_run(&h);
	assert_null(harness_sent(&h, PRIVATE));
	assert_int_equal(totals(&h).parked, 1);
	check_doors(&h);
	assert_true(harness_resolve_wanted(&h, &wish));
	assert_int_equal(wish.link, link_id_of(PRIVATE, 0));
	assert_int_equal(world_neighbour(&h, wish.link, "10.2.0.7", "02:aa:00:00:00:07"), 0);
	harness_advance_ms(&h, 100);
	expect_sent_to(&h, PRIVATE, "02:aa:00:00:00:07");
	assert_int_equal(totals(&h).parked, 0);
	check_doors(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

static void what_is_parked_when_workers_stop_is_counted_and_freed(void **state)
{
	const struct world_server far = {"10.2.0.7:53", 1, FWD_DR};
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 2, 1), 0);
	assert_int_equal(world_service(&h, "udp", VIP, NULL, &far, 1), 0);
	for (unsigned int i = 0; i < 6; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.1.0.9:%u", 1000 + i);
		harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, client, VIP));
	}
	loop_round(h.dp->workers[0], h.now_tick, h.now_s); /* some wait in a ring, some parked */
	assert_true(totals(&h).parked > 0);
	assert_true(totals(&h).handed_off > 0);
	check_doors(&h);
	harness_stop(&h);
	assert_int_equal(totals(&h).parked, 0);
	assert_int_equal(
		totals(&h).dropped[DROP_NH_UNRESOLVED] + totals(&h).dropped[DROP_RING_FULL], 6);
	check_doors(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

static void frames_that_linux_sends_leave_by_their_port(void **state)
{
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 2, 1), 0);
	assert_int_equal(
		harness_inject(&h, PRIVATE,
			       harness_datagram(&h, PRIVATE, "10.2.0.254:1", "10.2.0.1:2")),
		0);
	harness_run(&h);
	assert_int_equal(totals(&h).injected, 1);
	expect_sent_to(&h, PRIVATE, "02:00:00:00:00:02");
	check_doors(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

static void packets_for_the_router_go_to_linux_with_their_port(void **state)
{
	enum punt_class class;
	struct rte_mbuf *m;
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 2, 2), 0);
	harness_receive(&h, PUBLIC, 1,
			harness_datagram(&h, PUBLIC, "10.1.0.9:1000", "10.1.0.1:22"));
	harness_run(&h);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_OWN);
	assert_int_equal(m->port, PUBLIC);
	rte_pktmbuf_free(m);
	check_doors(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

static void connections_end_when_their_time_is_over(void **state)
{
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.9:1000", VIP));
	harness_run(&h);
	assert_int_equal(h.dp->workers[0]->v4.table.n, 1);
	harness_advance_ms(&h, 290000);
	assert_int_equal(h.dp->workers[0]->v4.table.n, 1);
	harness_advance_ms(&h, 20000);
	assert_int_equal(h.dp->workers[0]->v4.table.n, 0);
	assert_int_equal(totals(&h).expired, 1);
	assert_int_equal(server_rt_counts(world_server(&h, "udp", VIP, "10.2.0.1:53")), 0);
	assert_int_equal(harness_destroy(&h), 0);
}

/* The same on threads, more of them than CPUs here: nothing is lost between workers. */
static void threads_hand_over_every_packet(void **state)
{
	enum { N = 3000, AT_ONCE = 256 };
	const struct harness_config config = {.threads = true};
	const struct world_server dr = {"10.2.0.1:53", 1, FWD_DR};
	time_t deadline = time(NULL) + 30;
	unsigned int given = 0, got = 0;
	struct rte_mbuf *m;
	struct harness h;
	char text[256];

	(void)state;
	if (harness_create(&h, &config, text) != 0)
		fail_msg("%s", text);
	assert_int_equal(world_route(&h, "10.2.0.0/16", link_id_of(PRIVATE, 0), NULL), 0);
	assert_int_equal(world_neighbour(&h, link_id_of(PRIVATE, 0), "10.2.0.1", server_macs[0]),
			 0);
	assert_int_equal(world_service(&h, "udp", VIP, NULL, &dr, 1), 0);
	while (got < N && time(NULL) < deadline) {
		if (given < N && given - got < AT_ONCE) {
			snprintf(text, sizeof(text), "10.1.0.9:%u", 1000 + given);
			m = harness_datagram(&h, PUBLIC, text, VIP);
			given += m && harness_receive(&h, PUBLIC, 0, m) == 0;
			continue;
		}
		m = harness_sent(&h, PRIVATE);
		if (!m) {
			usleep(50);
			continue;
		}
		rte_pktmbuf_free(m);
		got++;
	}
	assert_int_equal(got, N);
	harness_stop(&h);
	assert_int_equal(totals(&h).created, N);
	assert_true(totals(&h).handed_off > N / 2);
	assert_int_equal(totals(&h).ring_in, totals(&h).handed_off);
	check_doors(&h);
	assert_int_equal(harness_destroy(&h), 0);
}

/* ---- commands ---- */

/* n connections of as many clients. */
static void clients_come(struct harness *h, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		char client[32];

		snprintf(client, sizeof(client), "10.1.0.9:%u", 1000 + i);
		harness_receive(h, PUBLIC, 0, harness_datagram(h, PUBLIC, client, VIP));
		if (i % 32 == 31)
			harness_round(h);
		rte_pktmbuf_free(harness_sent(h, PRIVATE));
	}
	harness_run(h);
}

static void listing_goes_through_a_table_in_bounded_steps(void **state)
{
	enum { N = 5000, ROOM = 700 };
	struct conn_view *views = calloc(ROOM, sizeof(*views));
	struct worker_command cmd = {
		.kind = CMD_LIST, .views = views, .n_max = ROOM, .eventfd = -1, .filter.state = -1};
	uint8_t seen[N] = {0};
	unsigned int n = 0, rounds = 0;
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	clients_come(&h, N);
	do {
		cmd.done = 0;
		assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
		for (; !cmd.done; rounds++)
			harness_round(&h);
		for (unsigned int i = 0; i < cmd.n; i++) {
			unsigned int c = be16_to(views[i].client.port) - 1000U;

			assert_true(c < N);
			seen[c]++;
			assert_int_equal(be16_to(views[i].virtual.port), 53);
			assert_int_equal(views[i].proto, IPPROTO_UDP);
			assert_int_equal(views[i].method, FWD_DR);
			assert_int_not_equal(views[i].service_id, 0);
			assert_int_equal(views[i].expires_s, 300);
		}
		n += cmd.n;
	} while (cmd.cursor != 0);
	assert_int_equal(n, N);
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(seen[i], 1);
	assert_true(rounds >= N / LIST_LOOK);
	free(views);
	assert_int_equal(harness_destroy(&h), 0);
}

/* By the time of the round: a step is followed by many times its own time without one. */
static void listing_waits_while_packets_keep_a_worker_busy(void **state)
{
	enum { N = 10 * LIST_LOOK };
	struct conn_view *views = calloc(N, sizeof(*views));
	struct worker_command cmd = {
		.kind = CMD_LIST, .views = views, .n_max = N, .eventfd = -1, .filter.state = -1};
	struct worker *w;
	uint32_t at;
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	w = h.dp->workers[0];
	clients_come(&h, N);
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
	for (unsigned int round = 0; round < 5; round++) {
		harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.9:1000", VIP));
		harness_round(&h);
		rte_pktmbuf_free(harness_sent(&h, PRIVATE));
		if (round == 0)
			at = cmd.cursor;
		assert_int_equal(cmd.cursor, at);
		w->now_tsc++;
	}
	assert_true(at > 1 << 1);
	w->now_tsc = w->command_due;
	harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.9:1000", VIP));
	harness_round(&h);
	rte_pktmbuf_free(harness_sent(&h, PRIVATE));
	assert_true(cmd.cursor > at);
	harness_run(&h);
	assert_int_equal(cmd.done, 1);
	assert_int_equal(cmd.n, N);
	free(views);
	assert_int_equal(harness_destroy(&h), 0);
}

static void listing_shows_only_what_the_filter_lets_through(void **state)
{
	struct conn_view views[10];
	struct worker_command cmd = {
		.kind = CMD_LIST, .views = views, .n_max = 10, .eventfd = -1, .filter.state = -1};
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.9:1000", VIP));
	harness_receive(&h, PUBLIC, 0, harness_datagram(&h, PUBLIC, "10.1.0.8:1000", VIP));
	harness_receive(&h, PUBLIC, 0,
			harness_datagram(&h, PUBLIC, "10.1.0.9:1000", "10.1.0.101:53"));
	harness_run(&h);
	assert_int_equal(prefix_parse("10.1.0.9/32", &cmd.filter.client), 0);
	cmd.filter.server_id = world_server(&h, "udp", VIP, "10.2.0.1:53")->id;
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
	harness_run(&h);
	assert_int_equal(cmd.done, 1);
	assert_int_equal(cmd.cursor, 0);
	assert_int_equal(cmd.n, 1);
	assert_int_equal(be16_to(views[0].server.port), 53);
	cmd.filter.proto = IPPROTO_TCP;
	cmd.done = 0;
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
	harness_run(&h);
	assert_int_equal(cmd.done, 1);
	assert_int_equal(cmd.n, 0);
	assert_int_equal(harness_destroy(&h), 0);
}

static void one_connection_is_found_by_its_key(void **state)
{
	struct conn_view view;
	struct worker_command cmd = {.kind = CMD_FIND, .views = &view, .n_max = 1, .eventfd = -1};
	struct endpoint client, vip;
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	harness_receive(&h, PUBLIC, 0,
			harness_datagram(&h, PUBLIC, "10.1.0.9:1000", "10.1.0.101:53"));
	harness_run(&h);
	assert_int_equal(endpoint_parse("10.1.0.9:1000", &client), 0);
	assert_int_equal(endpoint_parse("10.1.0.101:53", &vip), 0);
	cmd.key4 = (struct key4){.saddr = client.addr.v4,
				 .daddr = vip.addr.v4,
				 .sport = client.port,
				 .dport = vip.port,
				 .proto = IPPROTO_UDP};
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
	harness_run(&h);
	assert_int_equal(cmd.done, 1);
	assert_int_equal(cmd.n, 1);
	assert_int_equal(be16_to(view.server.port), 5353);
	cmd.key4.sport = be16_from(1001);
	cmd.done = 0;
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
	harness_run(&h);
	assert_int_equal(cmd.done, 1);
	assert_int_equal(cmd.n, 0);
	assert_int_equal(harness_destroy(&h), 0);
}

static void commands_are_answered_when_workers_stop(void **state)
{
	struct worker_command cmd = {.kind = CMD_LIST, .cursor = 5, .eventfd = -1};
	struct harness h;

	(void)state;
	assert_int_equal(router(&h, 1, 1), 0);
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), 0);
	harness_stop(&h);
	assert_int_equal(cmd.done, 1);
	assert_int_equal(cmd.cursor, 0);
	assert_int_equal(dataplane_command(h.dp, 0, &cmd), -ESHUTDOWN);
	assert_int_equal(harness_destroy(&h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_for_a_service_leaves_to_its_server),
		cmocka_unit_test(workers_without_queues_receive_and_send_by_rings),
		cmocka_unit_test(both_directions_of_a_connection_meet_at_one_worker),
		cmocka_unit_test(packets_wait_for_a_next_hop_and_leave_when_it_answers),
		cmocka_unit_test(what_is_parked_when_workers_stop_is_counted_and_freed),
		cmocka_unit_test(frames_that_linux_sends_leave_by_their_port),
		cmocka_unit_test(packets_for_the_router_go_to_linux_with_their_port),
		cmocka_unit_test(connections_end_when_their_time_is_over),
		cmocka_unit_test(threads_hand_over_every_packet),
		cmocka_unit_test(listing_goes_through_a_table_in_bounded_steps),
		cmocka_unit_test(listing_waits_while_packets_keep_a_worker_busy),
		cmocka_unit_test(listing_shows_only_what_the_filter_lets_through),
		cmocka_unit_test(one_connection_is_found_by_its_key),
		cmocka_unit_test(commands_are_answered_when_workers_stop),
	};

	return eal_run(3, 256, tests);
}
