/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames that must not wait: heartbeats and replies to checks on their way to Linux, urgent frames
 * on their way out, and the news that a stranger has an address of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/lab.h"
#include "sched/sched.h"

#define VIP  "10.1.0.100"
#define OWN  "192.168.1.254"
#define PEER "192.168.1.253"

static int setup(void **state)
{
	static const struct world_server nat[] = {{"10.10.0.1:8080", 1, FWD_NAT}};
	static struct punt_rules rules;

	if (lab_open(state, 0, false) < 0)
		return -1;
	rules = (struct punt_rules){
		.n = 2,
		.rule = {{addr_from_v4(ipv4(OWN)), addr_from_v4(ipv4(PEER)), 694, 695, IPPROTO_UDP,
			  PUNT_HA},
			 {addr_from_v4(0), addr_from_v4(0), 50000, 50999, IPPROTO_TCP, PUNT_CHECK}},
	};
	h.dp->pub.punt_rules = &rules;
	return world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
}

/* The class that a packet of 10 bytes is punted by. */
static enum punt_class class_of(const char *from, const char *to, uint8_t proto, uint16_t dport)
{
	const struct packet p = {.dst = lab_router[0],
				 .src = lab_station,
				 .saddr = ipv4(from),
				 .daddr = ipv4(to),
				 .sport = be16_from(694),
				 .dport = be16_from(dport),
				 .proto = proto,
				 .tcp_flags = 0x10,
				 .payload = 10};
	uint8_t frame[FRAME_MAX];
	enum punt_class class = PUNT_MAX;
	struct rte_mbuf *m;

	lab_put_frame(0, frame, packet_build(&p, frame));
	m = harness_punted(&h, &class);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	return class;
}

static void heartbeats_and_replies_to_checks_have_classes_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(class_of(PEER, OWN, IPPROTO_UDP, 694), PUNT_HA);
	assert_int_equal(class_of(PEER, OWN, IPPROTO_UDP, 695), PUNT_HA);
	assert_int_equal(class_of(PEER, OWN, IPPROTO_UDP, 696), PUNT_OWN);
	assert_int_equal(class_of(PEER, OWN, IPPROTO_TCP, 694), PUNT_OWN);
	assert_int_equal(class_of(PEER, "10.10.255.254", IPPROTO_UDP, 694), PUNT_OWN);
	assert_int_equal(class_of("192.168.1.7", OWN, IPPROTO_UDP, 694), PUNT_OWN);
	assert_int_equal(class_of("192.168.1.7", OWN, IPPROTO_TCP, 50123), PUNT_CHECK);
	assert_int_equal(class_of("192.168.1.7", "10.10.255.254", IPPROTO_TCP, 50999), PUNT_CHECK);
	assert_int_equal(class_of("192.168.1.7", OWN, IPPROTO_TCP, 51000), PUNT_OWN);
	h.dp->pub.punt_rules = NULL;
	assert_int_equal(class_of(PEER, OWN, IPPROTO_UDP, 694), PUNT_OWN);
}

/* --- frames of Linux ------------------------------------------------------------------- */

static void inject(struct rte_ring *ring, uint8_t mark)
{
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x00};
	struct rte_mbuf *m;

	frame[59] = mark;
	m = harness_frame(&h, frame, sizeof(frame));
	assert_non_null(m);
	m->port = 0;
	assert_int_equal(rte_ring_enqueue(ring, m), 0);
}

static uint8_t sent_mark(void)
{
	struct rte_mbuf *m = harness_sent(&h, 0);
	uint8_t mark = 0;

	if (m)
		mark = *rte_pktmbuf_mtod_offset(m, uint8_t *, 59);
	rte_pktmbuf_free(m);
	return mark;
}

static void an_urgent_frame_overtakes_all_that_linux_sends(void **state)
{
	const struct worker_exchange *x = &h.dp->exchange.worker[0];

	(void)state;
	for (unsigned int i = 0; i < 600; i++)
		inject(x->inject, 1);
	harness_round(&h);
	inject(x->inject_first, 2);
	harness_round(&h);
	harness_run(&h);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 2);
	for (unsigned int i = 0; i < 568; i++)
		assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 0);
}

static void a_port_that_is_full_gets_an_urgent_frame_later(void **state)
{
	const struct worker_counters *c = &h.dp->workers[0]->counters;
	const struct worker_exchange *x = &h.dp->exchange.worker[0];
	unsigned int n = 0;

	(void)state;
	while (!rte_ring_full(h.out[0][0])) {
		inject(h.out[0][0], 1);
		n++;
	}
	inject(x->inject_first, 2);
	inject(x->inject, 3);
	harness_round(&h);
	assert_int_equal(c->parked, 1);
	assert_int_equal(bed_dropped(&h, DROP_TX_FULL), 1); /* the other one */
	assert_int_equal(sent_mark(), 1);
	harness_round(&h);
	assert_int_equal(c->parked, 0);
	while (--n)
		assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 2);
	assert_int_equal(sent_mark(), 0);
}

static void an_urgent_frame_does_not_wait_for_ever(void **state)
{
	const struct worker_exchange *x = &h.dp->exchange.worker[0];

	(void)state;
	while (!rte_ring_full(h.out[0][0]))
		inject(h.out[0][0], 1);
	inject(x->inject_first, 2);
	harness_round(&h);
	h.now_tick += 2;
	harness_round(&h);
	assert_int_equal(h.dp->workers[0]->counters.parked, 0);
	assert_int_equal(bed_dropped(&h, DROP_TX_FULL), 1);
	while (sent_mark())
		;
}

/* --- claims ---------------------------------------------------------------------------- */

/* True when Linux gets to see it. */
static bool seen(uint8_t opcode, const struct mac *mac, const char *sender, const char *target)
{
	uint8_t f[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0,
			 0,    8,    6,	   0,	 1,    8,    0, 6, 4, 0, opcode};
	be32 ip = ipv4(sender);
	enum punt_class class;
	struct rte_mbuf *m;

	memcpy(f + 6, mac, 6);
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, &ip, 4);
	ip = ipv4(target);
	memcpy(f + 38, &ip, 4);
	lab_put_frame(0, f, sizeof(f));
	m = harness_punted(&h, &class);
	if (m)
		assert_int_equal(class, PUNT_ARP);
	rte_pktmbuf_free(m);
	return m != NULL;
}

static void a_strangers_claim_of_an_active_vip_is_seen(void **state)
{
	(void)state;
	assert_true(seen(1, &lab_station, VIP, VIP));
	assert_true(seen(2, &lab_station, VIP, "192.168.1.9"));
	assert_true(seen(1, &lab_station, VIP, "192.168.1.9"));
	assert_false(seen(1, &lab_router[0], VIP, VIP)); /* our own, come back */
	assert_false(seen(1, &lab_router[1], VIP, VIP)); /* from the other port on the same wire */
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	assert_false(seen(1, &lab_station, VIP, VIP)); /* whoever is active now says so */
}

static void a_flood_of_claims_is_not_passed_on(void **state)
{
	unsigned int n = 0;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		n += seen(1, &lab_station, VIP, VIP);
	assert_in_range(n, 1, 64);
	assert_int_equal(bed_dropped(&h, DROP_ARP_OTHER), 1000 - n);
}

int main(void)
{
#define T(f) LAB_TEST(f, setup, 1)
	const struct CMUnitTest tests[] = {
		T(heartbeats_and_replies_to_checks_have_classes_of_their_own),
		T(an_urgent_frame_overtakes_all_that_linux_sends),
		T(a_port_that_is_full_gets_an_urgent_frame_later),
		T(an_urgent_frame_does_not_wait_for_ever),
		T(a_strangers_claim_of_an_active_vip_is_seen),
		T(a_flood_of_claims_is_not_passed_on),
	};

	return lab_run(128, tests);
}
