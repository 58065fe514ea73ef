/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of health checks: their ports, the VIP written into what they send, and the replies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/lab.h"
#include "model/check_ports.h"
#include "sched/sched.h"

#define VIP	"10.1.0.100"
#define OWN	"10.10.255.254" /* the router's, on port 1 */
#define SERVER	"10.10.0.1"
#define SERVER2 "10.10.0.2"

static const struct mac server_mac = {{2, 1, 10, 10, 0, 1}};

static int bed_setup(void **state)
{
	static const struct world_server dr[] = {{SERVER ":80", 1, FWD_DR}};

	if (lab_open(state, 0, false) < 0)
		return -1;
	return world_service(&h, "tcp", VIP ":80", sched_find("rr"), dr, 1);
}

static struct check_peer peer_of(const char *server, uint16_t port, uint8_t proto, const char *vip)
{
	return (struct check_peer){
		.server = addr_from_v4(ipv4(server)),
		.port = be16_from(port),
		.proto = proto,
		.vip = vip ? addr_from_v4(ipv4(vip)) : (struct addr){0},
	};
}

static uint16_t bound(struct check_peer peer)
{
	int port = check_port_bind(h.dp->check_ports, &peer, 0);

	assert_true(port >= CHECK_PORT_FIRST && port <= CHECK_PORT_LAST);
	return (uint16_t)port;
}

/* Linux sends this out of port 1; what left there. */
static struct packet sent_as(struct packet p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	p.src = lab_router[1];
	p.dst = server_mac;
	len = packet_build(&p, frame);
	assert_int_equal(harness_inject(&h, 1, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
	assert_true(lab_got(1, &p));
	return p;
}

static struct packet request(uint16_t port, uint16_t dport, uint8_t proto)
{
	return (struct packet){.saddr = ipv4(OWN),
			       .daddr = ipv4(SERVER),
			       .sport = be16_from(port),
			       .dport = be16_from(dport),
			       .proto = proto,
			       .tcp_flags = TCP_SYN,
			       .payload = proto == IPPROTO_UDP ? 9 : 0};
}

static struct packet reply(const char *from, uint16_t sport, uint16_t port, uint8_t proto)
{
	struct packet p = request(sport, port, proto);

	p.saddr = ipv4(from);
	p.daddr = ipv4(OWN);
	p.tcp_flags = TCP_SYN | TCP_ACK;
	return p;
}

static void arrive(struct packet p)
{
	lab_put_from(1, server_mac, p);
}

static void there_and_back(uint8_t proto)
{
	uint16_t port = bound(peer_of(SERVER, 80, proto, VIP));
	struct packet p = sent_as(request(port, 80, proto));

	assert_int_equal(p.daddr, ipv4(VIP));
	assert_int_equal(p.saddr, ipv4(OWN));
	assert_int_equal(p.sport, be16_from(port));
	assert_int_equal(p.dport, be16_from(80));
	assert_int_equal(p.ttl, 2); /* no router lets it pass */
	assert_memory_equal(&p.dst, &server_mac, 6);
	assert_false(p.bad_ip || p.bad_l4);
	arrive(reply(VIP, 80, port, proto));
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_int_equal(p.saddr, ipv4(SERVER));
	assert_int_equal(p.daddr, ipv4(OWN));
	assert_int_equal(p.sport, be16_from(80));
	assert_false(p.bad_ip || p.bad_l4);
}

static void a_check_by_vip_has_the_vip_written_in_and_out(void **state)
{
	(void)state;
	there_and_back(IPPROTO_TCP);
	there_and_back(IPPROTO_UDP);
}

static void udp_without_a_checksum_stays_without(void **state)
{
	uint16_t port = bound(peer_of(SERVER, 80, IPPROTO_UDP, VIP));
	struct packet p = request(port, 80, IPPROTO_UDP);

	(void)state;
	p.no_l4 = 1;
	p = sent_as(p);
	assert_int_equal(p.daddr, ipv4(VIP));
	assert_true(p.no_l4);
	assert_false(p.bad_ip);
}

static void a_wrong_checksum_stays_wrong(void **state)
{
	uint16_t port = bound(peer_of(SERVER, 80, IPPROTO_TCP, VIP));
	struct packet p = reply(VIP, 80, port, IPPROTO_TCP);

	(void)state;
	p.bad_l4 = 1;
	arrive(p);
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_true(p.bad_l4);
	assert_false(p.bad_ip);
}

static void an_echo_of_the_vip_goes_by_its_identifier(void **state)
{
	uint16_t port = bound(peer_of(SERVER, 0, IPPROTO_ICMP, VIP));
	uint8_t echo[FRAME_MAX], *ip = echo + 14, *icmp = ip + 20;
	struct packet p = {.src = lab_router[1],
			   .dst = server_mac,
			   .saddr = ipv4(OWN),
			   .daddr = ipv4(SERVER),
			   .sport = 8 << 8,
			   .proto = IPPROTO_ICMP,
			   .payload = 16};
	size_t len = packet_build(&p, echo);
	struct rte_mbuf *m;

	(void)state;
	/* Its own checksum knows of no address, so it may be anything here. */
	icmp[4] = (uint8_t)(port >> 8);
	icmp[5] = (uint8_t)port;
	assert_int_equal(harness_inject(&h, 1, harness_frame(&h, echo, (uint16_t)len)), 0);
	harness_run(&h);
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_memory_equal(rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 16), "\x0a\x01\x00\x64", 4);
	assert_int_equal(*rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 8), 1);
	assert_memory_equal(rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + 20), icmp, 8);
	rte_pktmbuf_free(m);
	p.saddr = ipv4(VIP);
	p.daddr = ipv4(OWN);
	p.src = server_mac;
	p.dst = lab_router[1];
	p.sport = 0;
	len = packet_build(&p, echo);
	icmp[4] = (uint8_t)(port >> 8);
	icmp[5] = (uint8_t)port;
	assert_int_equal(harness_receive(&h, 1, 0, harness_frame(&h, echo, (uint16_t)len)), 0);
	harness_run(&h);
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_int_equal(p.saddr, ipv4(SERVER));
	assert_false(p.bad_ip);
}

/* "from" could not deliver what was sent to "to" by a check's port. */
static void refuse(const char *from, const char *to, uint16_t port, uint16_t dport)
{
	struct packet sent = request(port, dport, IPPROTO_UDP), p;
	uint8_t quoted[FRAME_MAX];

	sent.daddr = ipv4(to);
	packet_build(&sent, quoted);
	p = (struct packet){.saddr = ipv4(from),
			    .daddr = ipv4(OWN),
			    .sport = 3 << 8 | 3,
			    .proto = IPPROTO_ICMP,
			    .payload = 28,
			    .data = quoted + 14};
	arrive(p);
}

static void an_error_about_a_check_comes_in_its_class(void **state)
{
	uint16_t direct = bound(peer_of(SERVER, 80, IPPROTO_UDP, NULL));
	uint16_t via = bound(peer_of(SERVER2, 80, IPPROTO_UDP, VIP));
	enum punt_class class;
	struct rte_mbuf *m;
	uint8_t *ip;

	(void)state;
	refuse(SERVER, SERVER, direct, 80);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_CHECK);
	rte_pktmbuf_free(m);
	/* By the VIP: as if the server had been asked by its own address. */
	refuse(VIP, VIP, via, 80);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_CHECK);
	ip = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
	assert_memory_equal(ip + 12, "\x0a\x0a\x00\x02", 4);
	assert_memory_equal(ip + 20 + 8 + 16, "\x0a\x0a\x00\x02", 4);
	assert_int_equal(csum_of(ip, 20), 0);
	assert_int_equal(csum_of(ip + 20, 8 + 28), 0);
	assert_int_equal(csum_of(ip + 28, 20), 0);
	rte_pktmbuf_free(m);
	/* Nobody asked this one. */
	refuse(SERVER, SERVER, direct, 81);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_ICMP);
	rte_pktmbuf_free(m);
}

static void a_tunnel_server_gets_the_check_in_ipip(void **state)
{
	struct check_peer peer = peer_of(SERVER, 80, IPPROTO_TCP, VIP);
	uint8_t frame[FRAME_MAX], inner[FRAME_MAX];
	struct packet p;
	struct rte_mbuf *m;
	uint16_t port;
	size_t len;

	(void)state;
	peer.tunnel = true;
	port = bound(peer);
	p = request(port, 80, IPPROTO_TCP);
	p.src = lab_router[1];
	p.dst = server_mac;
	len = packet_build(&p, frame);
	assert_int_equal(harness_inject(&h, 1, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_int_equal(rte_pktmbuf_pkt_len(m), len + 20);
	assert_int_equal(
		packet_describe(rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m), &p), 0);
	assert_int_equal(p.proto, IPPROTO_IPIP);
	assert_int_equal(p.ttl, 64);
	assert_int_equal(p.saddr, ipv4(OWN));
	assert_int_equal(p.daddr, ipv4(SERVER));
	assert_memory_equal(&p.dst, &server_mac, 6);
	assert_false(p.bad_ip);
	memcpy(inner, rte_pktmbuf_mtod(m, uint8_t *), 14);
	memcpy(inner + 14, rte_pktmbuf_mtod_offset(m, uint8_t *, 34), len - 14);
	rte_pktmbuf_free(m);
	assert_int_equal(packet_describe(inner, len, &p), 0);
	assert_int_equal(p.ttl, 2);
	assert_int_equal(p.saddr, ipv4(OWN));
	assert_int_equal(p.daddr, ipv4(VIP));
	assert_false(p.bad_ip || p.bad_l4);
}

static void what_no_longer_fits_into_a_tunnel_is_dropped(void **state)
{
	struct check_peer peer = peer_of(SERVER, 80, IPPROTO_TCP, VIP);
	uint8_t frame[FRAME_MAX];
	struct packet p;
	size_t len;

	(void)state;
	peer.tunnel = true;
	p = request(bound(peer), 80, IPPROTO_TCP);
	p.src = lab_router[1];
	p.dst = server_mac;
	p.payload = 1460;
	len = packet_build(&p, frame);
	assert_int_equal(harness_inject(&h, 1, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
	assert_null(harness_sent(&h, 1));
	assert_int_equal(bed_dropped(&h, DROP_TOO_BIG), 1);
}

static void an_ordinary_check_is_left_as_it_is_and_its_reply_known(void **state)
{
	uint16_t port = bound(peer_of(SERVER, 80, IPPROTO_TCP, NULL));
	struct packet p = sent_as(request(port, 80, IPPROTO_TCP));

	(void)state;
	assert_int_equal(p.daddr, ipv4(SERVER));
	arrive(reply(SERVER, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_int_equal(p.saddr, ipv4(SERVER));
}

static void strangers_find_no_way_in(void **state)
{
	uint16_t port = bound(peer_of(SERVER, 80, IPPROTO_TCP, VIP));
	uint16_t plain = bound(peer_of(SERVER2, 80, IPPROTO_TCP, NULL));
	struct packet p;

	(void)state;
	/* As the VIP, to a port that asks another, from a port that was not asked. */
	arrive(reply(VIP, 80, plain, IPPROTO_TCP));
	arrive(reply(VIP, 81, port, IPPROTO_TCP));
	arrive(reply(VIP, 80, port, IPPROTO_UDP));
	arrive(reply(VIP, 80, (uint16_t)(port + 100), IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_MAX);
	assert_int_equal(bed_dropped(&h, DROP_BAD_SOURCE), 4);
	/* Others, and the server as itself, do not use up the class of checks. */
	arrive(reply(SERVER2, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	arrive(reply(SERVER, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	arrive(reply(SERVER2, 81, plain, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	/* What Linux sends from an unbound port, or to another server, is left alone. */
	p = sent_as(request((uint16_t)(port + 100), 80, IPPROTO_TCP));
	assert_int_equal(p.daddr, ipv4(SERVER));
	p = request(port, 80, IPPROTO_TCP);
	p.daddr = ipv4(SERVER2);
	p = sent_as(p);
	assert_int_equal(p.daddr, ipv4(SERVER2));
}

static void checks_by_vip_work_where_vips_are_not_active(void **state)
{
	(void)state;
	__atomic_store_n(&h.dp->pub.vip_lease, VIP_LEASE_OFF, __ATOMIC_RELEASE);
	there_and_back(IPPROTO_TCP);
}

static void a_port_is_known_for_a_while_after_its_end(void **state)
{
	struct check_peer peer = peer_of(SERVER, 80, IPPROTO_TCP, VIP);
	uint16_t port = bound(peer);
	struct packet p;

	(void)state;
	check_port_release(h.dp->check_ports, port, &peer, 1000);
	assert_int_equal(check_ports_bound(h.dp->check_ports), 0);
	/* The RST of a check that has ended goes to the VIP, too. */
	p = sent_as(request(port, 80, IPPROTO_TCP));
	assert_int_equal(p.daddr, ipv4(VIP));
	peer.port = be16_from(81);
	check_port_bind(h.dp->check_ports, &peer, 1000 + CHECK_PORT_QUIET_MS);
	p = sent_as(request(port, 80, IPPROTO_TCP));
	assert_int_equal(p.daddr, ipv4(SERVER));
}

static void ports_are_shared_only_by_checks_that_can_be_told_apart(void **state)
{
	struct check_peer a = peer_of(SERVER, 80, IPPROTO_TCP, VIP);
	struct check_peer b = peer_of(SERVER2, 80, IPPROTO_TCP, VIP);
	struct check_peer c = peer_of(SERVER2, 80, IPPROTO_TCP, NULL), d = c;
	struct check_ports *t;

	(void)state;
	assert_int_equal(check_ports_create(61000, 60999, &t), -EINVAL);
	assert_int_equal(check_ports_create(61000, 61000, &t), 0);
	assert_int_equal(check_port_bind(t, &a, 0), 61000);
	/* The same server, and the same VIP, would be mixed up. */
	assert_int_equal(check_port_bind(t, &a, 0), -EADDRNOTAVAIL);
	assert_int_equal(check_port_bind(t, &b, 0), -EADDRNOTAVAIL);
	assert_int_equal(check_port_bind(t, &c, 0), 61000);
	assert_int_equal(check_port_bind(t, &c, 0), -EADDRNOTAVAIL);
	d.proto = IPPROTO_UDP;
	assert_int_equal(check_port_bind(t, &d, 0), 61000);
	d.port = be16_from(53);
	assert_int_equal(check_port_bind(t, &d, 0), 61000);
	d.port = be16_from(54);
	assert_int_equal(check_port_bind(t, &d, 0), -EADDRNOTAVAIL); /* all ways are taken */
	assert_int_equal(check_ports_bound(t), CHECK_PORT_WAYS);
	/* What is given back is free only after a while. */
	check_port_release(t, 61000, &a, 100);
	assert_int_equal(check_port_bind(t, &a, 100), -EADDRNOTAVAIL);
	assert_int_equal(check_port_bind(t, &a, 100 + CHECK_PORT_QUIET_MS), 61000);
	check_ports_destroy(t);
}

static int start(void **state)
{
	(void)state;
	return harness_eal_init(0, 64, NULL);
}

static int stop(void **state)
{
	(void)state;
	harness_eal_fini();
	return 0;
}

#define OWN6	"2001:db8:10::fe"
#define SERVER6 "2001:db8:10::1"

static struct packet reply6(const char *from, uint16_t sport, uint16_t port, uint8_t proto)
{
	struct packet p = reply(SERVER, sport, port, proto);

	p.v6 = true;
	p.saddr6 = ipv6(from);
	p.daddr6 = ipv6(OWN6);
	return p;
}

static void replies_of_ipv6_have_their_class(void **state)
{
	struct check_peer peer = {.port = be16_from(80), .proto = IPPROTO_TCP};
	struct packet p;
	uint16_t port;

	(void)state;
	assert_int_equal(world_own(&h, OWN6, link_id_of(1, 0)), 0);
	peer.server = addr_from_addr6(ipv6(SERVER6));
	port = bound(peer);
	arrive(reply6(SERVER6, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	/* Of another port, another server, another protocol: no check explains them. */
	arrive(reply6(SERVER6, 81, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	arrive(reply6("2001:db8:10::2", 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	arrive(reply6(SERVER6, 80, port, IPPROTO_UDP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
}

#define bed(test) cmocka_unit_test_setup_teardown(test, bed_setup, lab_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed(a_check_by_vip_has_the_vip_written_in_and_out),
		bed(udp_without_a_checksum_stays_without),
		bed(a_wrong_checksum_stays_wrong),
		bed(an_echo_of_the_vip_goes_by_its_identifier),
		bed(an_error_about_a_check_comes_in_its_class),
		bed(a_tunnel_server_gets_the_check_in_ipip),
		bed(what_no_longer_fits_into_a_tunnel_is_dropped),
		bed(an_ordinary_check_is_left_as_it_is_and_its_reply_known),
		bed(strangers_find_no_way_in),
		bed(checks_by_vip_work_where_vips_are_not_active),
		bed(a_port_is_known_for_a_while_after_its_end),
		bed(replies_of_ipv6_have_their_class),
		cmocka_unit_test(ports_are_shared_only_by_checks_that_can_be_told_apart),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
