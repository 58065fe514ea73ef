/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Orders of the ha thread to workers about VIPs: lease, grace, freeze, relay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_ether.h>
#include <string.h>

#include "dataplane/stages/pipeline.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define GATEWAY "10.10.0.254"
#define CLIENT	"192.168.1.1"
#define SERVER	"10.10.0.1"

static const struct relay peer = {
	.peer = {[0] = {true, {{2, 7, 7, 7, 7, 1}}}, [1] = {true, {{2, 7, 7, 7, 7, 2}}}}};

static int bed_setup(void **state)
{
	static const struct world_server nat[] = {{SERVER ":8080", 1, FWD_NAT}};

	if (lab_open(state, 0, false) < 0)
		return -1;
	world_service(&h, "tcp", VIP ":80", sched_find("rr"), nat, 1);
	world_service(&h, "udp", VIP ":53", sched_find("rr"), nat, 1);
	return 0;
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

static struct packet from_server(uint16_t sport, uint16_t dport, uint8_t flags)
{
	return (struct packet){.saddr = ipv4(SERVER),
			       .daddr = ipv4(CLIENT),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = flags};
}

static void connection_opens(uint16_t sport)
{
	struct packet p;

	lab_put(0, from_client(sport, 80, TCP_SYN));
	assert_true(lab_got(1, &p));
	lab_put(1, from_server(8080, sport, TCP_SYN | TCP_ACK));
	assert_true(lab_got(0, &p));
	lab_put(0, from_client(sport, 80, TCP_ACK));
	assert_true(lab_got(1, &p));
}

static void now(uint64_t tsc)
{
	h.dp->workers[0]->now_tsc = tsc;
}

static void a_lease_that_has_lapsed_silences_vips_and_a_new_one_lets_them_speak(void **state)
{
	struct packet p;

	(void)state;
	h.dp->pub.vip_lease = 1000;
	now(999);
	connection_opens(2000);
	now(1000);
	lab_put(0, from_client(2000, 80, TCP_ACK));
	lab_put(1, from_server(8080, 2000, TCP_ACK));
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_NOT_ACTIVE), 2);
	h.dp->pub.vip_lease = 2000;
	lab_put(0, from_client(2000, 80, TCP_ACK));
	assert_true(lab_got(1, &p));
}

/* The end of the lease falls between the round's begin and its end. */
static void packets_under_way_when_the_lease_lapses_do_not_leave(void **state)
{
	struct worker *w = h.dp->workers[0];
	struct rte_mbuf *m;
	uint8_t frame[FRAME_MAX];
	struct packet p = from_client(2001, 80, TCP_SYN);

	(void)state;
	h.dp->pub.vip_lease = 1000;
	now(999);
	p.dst = lab_router[0];
	p.src = lab_station;
	m = harness_frame(&h, frame, (uint16_t)packet_build(&p, frame));
	m->port = 0;
	pkt_tag_fresh(m);
	worker_env_update(w, h.now_tick, h.now_s);
	w->counters.received++;
	pipeline_run(w, &m, 1);
	now(1000);
	pipeline_flush(w);
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_NOT_ACTIVE), 1);
}

static void what_linux_sends_leaves_without_a_lease_unless_it_speaks_as_a_vip(void **state)
{
	struct packet p = {.dst = lab_station,
			   .src = lab_router[0],
			   .saddr = ipv4("192.168.1.254"),
			   .daddr = ipv4(CLIENT),
			   .sport = be16_from(694),
			   .dport = be16_from(694),
			   .proto = IPPROTO_UDP};
	uint8_t frame[FRAME_MAX];

	(void)state;
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	harness_inject(&h, 0, harness_frame(&h, frame, (uint16_t)packet_build(&p, frame)));
	harness_run(&h);
	assert_true(lab_got(0, &p));
	p.saddr = ipv4(VIP);
	harness_inject(&h, 0, harness_frame(&h, frame, (uint16_t)packet_build(&p, frame)));
	harness_run(&h);
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_NOT_ACTIVE), 1);
}

static void nothing_is_reset_or_routed_untranslated_in_grace(void **state)
{
	struct packet p;
	enum punt_class class;
	struct rte_mbuf *m;

	(void)state;
	h.dp->pub.vip_flags = VIP_GRACE;
	lab_put(0, from_client(2002, 80, TCP_ACK));   /* a service's, unknown */
	lab_put(0, from_client(2002, 99, TCP_ACK));   /* nobody's: Linux would reset it */
	lab_put(1, from_server(8080, 2002, TCP_ACK)); /* a reply */
	lab_put(1, from_server(8080, 2002, TCP_SYN | TCP_ACK));
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_NO_ENTRY_GRACE), 4);
	connection_opens(2003);			      /* new ones are welcome */
	lab_put(1, from_server(40000, 443, TCP_SYN)); /* its own */
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_TRANSIT);
	rte_pktmbuf_free(m);
	p = from_server(53, 2002, 0);
	p.proto = IPPROTO_UDP;
	lab_put(1, p); /* a reply, as far as one can tell */
	lab_nothing();
	p = from_server(40000, 53, 0);
	p.proto = IPPROTO_UDP;
	lab_put(1, p); /* a question */
	m = harness_punted(&h, &class);
	assert_non_null(m);
	rte_pktmbuf_free(m);
}

static void connections_go_on_and_none_begins_while_frozen(void **state)
{
	struct packet p;

	(void)state;
	connection_opens(2004);
	h.dp->pub.vip_flags = VIP_FREEZE;
	lab_put(0, from_client(2005, 80, TCP_SYN));
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_FROZEN), 1);
	lab_put(0, from_client(2004, 80, TCP_ACK));
	assert_true(lab_got(1, &p));
	lab_put(1, from_server(8080, 2004, TCP_ACK));
	assert_true(lab_got(0, &p));
}

static void frames_for_vips_and_through_the_gateway_are_passed_on_as_they_came(void **state)
{
	struct packet p;

	(void)state;
	connection_opens(2006);
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	h.dp->pub.relay = &peer;
	lab_put(0, from_client(2006, 80, TCP_ACK));
	assert_true(lab_got(0, &p));
	assert_memory_equal(&p.dst, &peer.peer[0].mac, 6);
	assert_memory_equal(&p.src, &lab_router[0], 6);
	assert_int_equal(p.ttl, 64);
	assert_int_equal(p.daddr, ipv4(VIP));
	assert_false(p.bad_l4 || p.bad_ip);
	lab_put(1, from_server(8080, 2006, TCP_ACK));
	assert_true(lab_got(1, &p));
	assert_memory_equal(&p.dst, &peer.peer[1].mac, 6);
	assert_int_equal(p.daddr, ipv4(CLIENT));
	assert_int_equal(p.ttl, 64);
	assert_int_equal(h.dp->workers[0]->counters.relayed, 2);
	lab_nothing();
}

static void a_frame_that_came_from_the_peer_is_never_relayed(void **state)
{
	(void)state;
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	h.dp->pub.relay = &peer;
	lab_put_from(0, peer.peer[0].mac, from_client(2007, 80, TCP_SYN));
	lab_nothing();
	assert_int_equal(bed_dropped(&h, DROP_NOT_ACTIVE), 1);
	assert_int_equal(h.dp->workers[0]->counters.relayed, 0);
}

/* ARP as Linux would send it, for the address of from. */
static void claim(unsigned int port, be32 addr)
{
	struct {
		struct rte_ether_hdr eth;
		struct rte_arp_hdr arp;
	} __attribute__((packed, aligned(2))) f = {
		.eth.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP),
		.arp.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER),
		.arp.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
		.arp.arp_hlen = 6,
		.arp.arp_plen = 4,
		.arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REQUEST),
		.arp.arp_data.arp_sip = addr,
		.arp.arp_data.arp_tip = addr,
	};

	memcpy(&f.eth.src_addr, &lab_router[port], 6);
	memset(&f.eth.dst_addr, 0xff, 6);
	harness_inject(&h, (uint16_t)port, harness_frame(&h, &f, sizeof(f)));
	harness_run(&h);
}

static void a_gateway_address_is_claimed_only_while_active(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	world_gateway(&h, GATEWAY);
	claim(1, ipv4(GATEWAY));
	m = harness_sent(&h, 1);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	h.dp->pub.vip_lease = VIP_LEASE_OFF;
	claim(1, ipv4(GATEWAY));
	assert_null(harness_sent(&h, 1));
	assert_int_equal(bed_dropped(&h, DROP_VIP_ARP), 1);
}

#define TEST(f) LAB_TEST(f, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lease_that_has_lapsed_silences_vips_and_a_new_one_lets_them_speak),
		TEST(packets_under_way_when_the_lease_lapses_do_not_leave),
		TEST(what_linux_sends_leaves_without_a_lease_unless_it_speaks_as_a_vip),
		TEST(nothing_is_reset_or_routed_untranslated_in_grace),
		TEST(connections_go_on_and_none_begins_while_frozen),
		TEST(frames_for_vips_and_through_the_gateway_are_passed_on_as_they_came),
		TEST(a_frame_that_came_from_the_peer_is_never_relayed),
		TEST(a_gateway_address_is_claimed_only_while_active),
	};

	return lab_run(256, tests);
}
