/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of a packet from the worker that receives it to the worker that owns its connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>

#include "dataplane/conn/tcp_state.h"
#include "lib/eal_run.h"
#include "lib/harness.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "metrics/ring_warning.h"
#include "metrics/traffic.h"

#define PUBLIC	0
#define PRIVATE 1
#define WORKERS 3
#define VIP4	"10.1.0.100"
#define VIP6	"2001:db8:1::100"

static struct harness h;

static int router_start(void **state)
{
	const uint16_t n_workers = *state ? (uint16_t)(uintptr_t)*state : WORKERS;
	static const struct world_server nat4 = {"10.2.0.1:8080", 1, FWD_NAT, {0}};
	static const struct world_server nat6 = {"[2001:db8:2::1]:8080", 1, FWD_NAT, {0}};
	/* A port has one queue: worker 0 receives everything. */
	const struct harness_config config = {.n_workers = n_workers,
					      .n_queues = 1,
					      .mbufs_per_port = n_workers > WORKERS ? 1023 : 16383};
	char error[256];

	if (harness_create(&h, &config, error) != 0) {
		print_error("%s\n", error);
		return -1;
	}
	return world_route(&h, "0.0.0.0/0", PUBLIC, NULL) ||
	       world_route(&h, "::/0", PUBLIC, NULL) ||
	       world_route(&h, "10.2.0.0/16", link_id_of(PRIVATE, 0), NULL) ||
	       world_route(&h, "2001:db8:2::/48", link_id_of(PRIVATE, 0), NULL) ||
	       world_neighbour(&h, PUBLIC, "10.1.0.9", "02:cc:00:00:00:09") ||
	       world_neighbour(&h, PUBLIC, "2001:db8:c::9", "02:cc:00:00:00:09") ||
	       world_neighbour(&h, link_id_of(PRIVATE, 0), "10.2.0.1", "02:aa:00:00:00:01") ||
	       world_neighbour(&h, link_id_of(PRIVATE, 0), "2001:db8:2::1", "02:aa:00:00:00:01") ||
	       world_service(&h, "tcp", VIP4 ":80", NULL, &nat4, 1) ||
	       world_service(&h, "tcp", "[" VIP6 "]:80", NULL, &nat6, 1);
}

static int router_end(void **state)
{
	char text[256];

	(void)state;
	if (!harness_doors_add_up(&h, text)) {
		print_error("%s\n", text);
		return -1;
	}
	return harness_destroy(&h) == 0 ? 0 : -1;
}

/* A client's packet to the VIP, or the server's to that client. */
static struct packet packet_of(bool v6, uint16_t client_port, uint8_t flags, bool reply)
{
	struct packet p = {.v6 = v6,
			   .src = {{2, 9, 9, 9, 9, 9}},
			   .dst = {{2, 0, 0, 0, 0, reply ? 2 : 1}},
			   .saddr = ipv4(reply ? "10.2.0.1" : "10.1.0.9"),
			   .daddr = ipv4(reply ? "10.1.0.9" : VIP4),
			   .saddr6 = ipv6(reply ? "2001:db8:2::1" : "2001:db8:c::9"),
			   .daddr6 = ipv6(reply ? "2001:db8:c::9" : VIP6),
			   .sport = be16_from(reply ? 8080 : client_port),
			   .dport = be16_from(reply ? client_port : 80),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = flags};

	return p;
}

/* Worker 0 receives the packet and makes a round. */
static void receive(const struct packet *p, uint16_t port)
{
	uint8_t frame[FRAME_MAX];
	const size_t len = packet_build(p, frame);

	assert_int_equal(harness_receive(&h, port, 0, harness_frame(&h, frame, (uint16_t)len)), 0);
	loop_round(h.dp->workers[0], h.now_tick, h.now_s);
}

static void round_of(unsigned int worker)
{
	loop_round(h.dp->workers[worker], h.now_tick, h.now_s);
}

/* The packet that left towards the server. */
static void sent_free(void)
{
	struct rte_mbuf *m;

	while ((m = harness_sent(&h, PRIVATE)) != NULL)
		rte_pktmbuf_free(m);
}

/* The packet that waits in the ring from worker 0, put back; *to: whose ring. NULL: none. */
static struct rte_mbuf *in_ring(unsigned int *to)
{
	void *m = NULL;

	for (*to = 1; *to < WORKERS && !m; ++*to) {
		if (rte_ring_dequeue(h.dp->workers[*to]->ring_from[0], &m) != 0)
			continue;
		assert_int_equal(rte_ring_enqueue(h.dp->workers[*to]->ring_from[0], m), 0);
		break;
	}
	return m;
}

/* A client's port whose connections another worker than 0 owns: its SYN is in that ring. */
static struct rte_mbuf *handed_syn(bool v6, uint16_t *client_port, unsigned int *owner)
{
	struct rte_mbuf *m = NULL;

	for (*client_port = 2000; !m; ++*client_port) {
		const struct packet syn = packet_of(v6, *client_port, TCP_SYN, false);

		assert_true(*client_port < 2100);
		receive(&syn, PUBLIC);
		m = in_ring(owner);
	}
	--*client_port;
	sent_free();
	return m;
}

/* Frames that stage parse would drop. */
static void spoil(struct rte_mbuf *m)
{
	rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->dst_addr.addr_bytes[5] = 0x77;
}

/* The key of a packet, as the stages make it. Returns its hash. */
static uint32_t hash_of(const struct packet *p)
{
	const struct worker *w = h.dp->workers[0];
	const struct key4 key4 = {p->saddr, p->daddr, p->sport, p->dport, p->proto, {0}};
	struct key6 key6 = {.sport = p->sport, .dport = p->dport, .proto = p->proto};

	memcpy(&key6.saddr, &p->saddr6, sizeof(key6.saddr));
	memcpy(&key6.daddr, &p->daddr6, sizeof(key6.daddr));
	return p->v6 ? table6_hash(&w->v6.table, &key6) : table4_hash(&w->v4.table, &key4);
}

static unsigned int owner_of(const struct packet *p)
{
	const struct owner_map *map = h.dp->workers[0]->owners;
	struct addr6 saddr6;

	memcpy(&saddr6, &p->saddr6, sizeof(saddr6));
	return p->v6 ? owner6(map, saddr6, p->sport) : owner4(map, p->saddr, p->sport);
}

/* Worker 0 received and handed over so many packets of each port. */
static void assert_handed(uint64_t of_public, uint64_t of_private)
{
	const struct worker *w = h.dp->workers[0];

	assert_int_equal(w->counters.handed_off, of_public + of_private);
	assert_int_equal(w->port_counters[PUBLIC].rx_handed_off, of_public);
	assert_int_equal(w->port_counters[PRIVATE].rx_handed_off, of_private);
}

static void the_owner_goes_on_at_lookup(bool v6)
{
	uint16_t client_port;
	unsigned int owner, again;
	struct rte_mbuf *m = handed_syn(v6, &client_port, &owner);
	struct packet answer = packet_of(v6, client_port, TCP_SYN | TCP_ACK, true);
	const struct packet syn = packet_of(v6, client_port, TCP_SYN, false);
	const struct worker_counters *c = &h.dp->workers[owner]->counters;
	const struct pkt_tag *tag = pkt_tag(m);

	assert_int_equal(owner, owner_of(&syn));
	assert_handed(1, 0);
	assert_int_equal(tag->kind, HANDOFF_STEERED);
	assert_int_equal(tag->v6, v6);
	assert_int_equal(tag->dir, DIR_IN);
	assert_int_equal(tag->hash, hash_of(&syn));
	assert_int_equal(tag->hops, 1);
	spoil(m);
	round_of(owner);
	assert_int_equal(c->created, 1);
	assert_int_equal(c->ring_in, 1);
	round_of(0); /* sends what the owner has no queue for */
	m = harness_sent(&h, PRIVATE);
	assert_non_null(m);
	rte_pktmbuf_free(m);

	receive(&answer, PRIVATE);
	m = in_ring(&again);
	assert_non_null(m);
	assert_int_equal(again, owner);
	assert_handed(1, 1);
	assert_int_equal(pkt_tag(m)->kind, HANDOFF_STEERED);
	assert_int_equal(pkt_tag(m)->dir, DIR_OUT);
	assert_int_equal(pkt_tag(m)->hash, hash_of(&answer));
	spoil(m);
	round_of(owner);
	assert_int_equal(c->hits, 1);
	assert_int_equal(c->ring_in, 2);
	assert_int_equal(h.dp->workers[owner]->port_counters[PRIVATE].tx_handed_off, 1);
	assert_int_equal(h.dp->workers[owner]->port_counters[PUBLIC].tx_handed_off, 1);
	assert_int_equal(c->handed_off, 2);
	round_of(0);
	m = harness_sent(&h, PUBLIC);
	assert_non_null(m);
	rte_pktmbuf_free(m);
}

static void the_owner_goes_on_at_lookup_by_ipv4(void **state)
{
	(void)state;
	the_owner_goes_on_at_lookup(false);
}

static void the_owner_goes_on_at_lookup_by_ipv6(void **state)
{
	(void)state;
	the_owner_goes_on_at_lookup(true);
}

/* Between the two workers' rounds the router stops to be active. */
static void an_owner_that_is_not_active_steers_again(void **state)
{
	const struct worker_counters *c;
	uint16_t client_port;
	unsigned int owner;

	(void)state;
	assert_non_null(handed_syn(false, &client_port, &owner));
	c = &h.dp->workers[owner]->counters;
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	round_of(owner);
	h.dp->pub.vip_lease = VIP_LEASE_NONE;
	assert_int_equal(c->created, 0);
	assert_int_equal(c->lookups, 0);
	assert_int_equal(c->dropped[DROP_NOT_ACTIVE], 1);
}

static void a_round_takes_what_all_rings_have(void **state)
{
	struct worker *w = h.dp->workers[2];
	struct rte_mbuf *from[2];
	uint16_t port = 2000;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		for (void *m = NULL; !m; port++) {
			const struct packet syn = packet_of(false, port, TCP_SYN, false);

			receive(&syn, PUBLIC);
			round_of(1);
			rte_ring_dequeue(w->ring_from[0], &m);
			from[i] = m;
		}
	}
	assert_int_equal(rte_ring_enqueue(w->ring_from[0], from[0]), 0);
	assert_int_equal(rte_ring_enqueue(w->ring_from[1], from[1]), 0);
	round_of(2);
	assert_int_equal(w->counters.ring_in, 2);
	assert_int_equal(w->counters.created, 2);
	harness_run(&h);
	sent_free();
}

static uint64_t lost(void)
{
	return h.dp->workers[0]->ring_lost[1] + h.dp->workers[0]->ring_lost[2];
}

static void a_ring_that_overflows_is_counted_and_named(void **state)
{
	static struct traffic traffic;
	static struct ring_warning warning;
	char names[64];

	(void)state;
	traffic.dp = h.dp;
	memset(&warning, 0, sizeof(warning));
	warning.traffic = &traffic;
	ring_warning_look(&warning);
	assert_null(ring_warning_text(&warning));
	for (unsigned int i = 0; lost() == 0; i++) {
		const struct packet syn = packet_of(false, (uint16_t)(1024 + i), TCP_SYN, false);

		assert_true(i < 3 * HANDOFF_RING_SIZE);
		receive(&syn, PUBLIC);
		sent_free();
	}
	assert_int_equal(h.dp->workers[0]->counters.dropped[DROP_RING_FULL], lost());
	ring_warning_look(&warning);
	assert_non_null(ring_warning_text(&warning));
	snprintf(names, sizeof(names), "worker %u does not keep up",
		 h.dp->workers[0]->ring_lost[1] ? 1U : 2U);
	assert_non_null(strstr(ring_warning_text(&warning), names));
	assert_non_null(
		strstr(ring_warning_text(&warning),
		       "from worker 0 is full. Packets dropped by such rings (ring_full): 1."));
	for (unsigned int i = 1; i < RING_CALM_S; i++)
		ring_warning_look(&warning);
	assert_non_null(ring_warning_text(&warning));
	ring_warning_look(&warning);
	assert_null(ring_warning_text(&warning));
	for (unsigned int i = 0; i < 2 * HANDOFF_RING_SIZE / BURST_MAX; i++) {
		harness_round(&h);
		sent_free();
	}
}

static void sixty_four_workers_share_what_one_receives(void **state)
{
	unsigned int with_connections = 0;

	(void)state;
	for (unsigned int i = 0; i < 1024; i++) {
		const struct packet syn = packet_of(i & 1, (uint16_t)(2000 + i), TCP_SYN, false);

		receive(&syn, PUBLIC);
	}
	harness_run(&h);
	sent_free();
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		with_connections += h.dp->workers[i]->counters.created != 0;
	assert_int_equal(with_connections, MAX_WORKERS);
	assert_int_equal(lost(), 0);
}

#define HANDOFF_TEST(f) cmocka_unit_test_setup_teardown(f, router_start, router_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HANDOFF_TEST(the_owner_goes_on_at_lookup_by_ipv4),
		HANDOFF_TEST(the_owner_goes_on_at_lookup_by_ipv6),
		HANDOFF_TEST(an_owner_that_is_not_active_steers_again),
		HANDOFF_TEST(a_round_takes_what_all_rings_have),
		HANDOFF_TEST(a_ring_that_overflows_is_counted_and_named),
		{"sixty_four_workers_share_what_one_receives",
		 sixty_four_workers_share_what_one_receives, router_start, router_end,
		 (void *)(uintptr_t)MAX_WORKERS},
	};

	return eal_run(0, 768, tests);
}
