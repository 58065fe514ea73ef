/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way of health checks: their ports, the VIP written into what they send, and the replies.
 * Each test runs for both address families: addresses are written in IPv4, and inet() turns them
 * into those of the family at hand.
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

static bool v6; /* the family at hand */

static const struct mac server_mac = {{2, 1, 10, 10, 0, 1}};

/* An address of the test, as text of the family at hand. */
static const char *inet(const char *text)
{
	static const char *const both[][2] = {{VIP, "2001:db8:1::100"},
					      {OWN, "2001:db8:10::fe"},
					      {SERVER, "2001:db8:10::1"},
					      {SERVER2, "2001:db8:10::2"}};

	for (unsigned int i = 0; v6 && i < sizeof(both) / sizeof(both[0]); i++)
		if (strcmp(text, both[i][0]) == 0)
			return both[i][1];
	assert_false(v6);
	return text;
}

static struct addr address(const char *text)
{
	return v6 ? addr_from_addr6(ipv6(inet(text))) : addr_from_v4(ipv4(text));
}

static void from_to(struct packet *p, const char *from, const char *to)
{
	p->v6 = v6;
	p->saddr = v6 ? 0 : ipv4(from);
	p->daddr = v6 ? 0 : ipv4(to);
	if (v6) {
		p->saddr6 = ipv6(inet(from));
		p->daddr6 = ipv6(inet(to));
	}
}

static void assert_from_to(const struct packet *p, const char *from, const char *to)
{
	struct packet want = {0};

	from_to(&want, from, to);
	assert_int_equal(p->v6, v6);
	assert_int_equal(p->saddr, want.saddr);
	assert_int_equal(p->daddr, want.daddr);
	assert_memory_equal(&p->saddr6, &want.saddr6, sizeof(want.saddr6));
	assert_memory_equal(&p->daddr6, &want.daddr6, sizeof(want.daddr6));
}

/* Where the address lies in a frame at the IP header ip. */
static const uint8_t *source_in(const uint8_t *ip)
{
	return ip + (v6 ? 8 : 12);
}

static const uint8_t *dest_in(const uint8_t *ip)
{
	return ip + (v6 ? 24 : 16);
}

static void assert_address(const uint8_t *at, const char *text)
{
	const struct addr a = address(text);

	assert_memory_equal(at, a.v6, v6 ? 16 : 4);
}

static size_t ip_len(void)
{
	return v6 ? 40 : 20;
}

static int bed_setup_family(void **state, bool of_v6)
{
	static const struct world_server dr[] = {{SERVER ":80", 1, FWD_DR}};
	static const struct world_server dr6[] = {{"[2001:db8:10::1]:80", 1, FWD_DR}};
	const link_id side = link_id_of(1, 0);

	v6 = of_v6;
	if (lab_open(state, 0, false) < 0)
		return -1;
	if (!v6)
		return world_service(&h, "tcp", VIP ":80", sched_find("rr"), dr, 1);
	return world_route(&h, "2001:db8:10::/64", side, NULL) || world_own(&h, inet(OWN), side) ||
			       world_neighbour(&h, side, inet(SERVER), "02:01:0a:0a:00:01") ||
			       world_neighbour(&h, side, inet(SERVER2), "02:01:0a:0a:00:02")
		       ? -1
		       : world_service(&h, "tcp", "[2001:db8:1::100]:80", sched_find("rr"), dr6, 1);
}

static int bed_setup(void **state)
{
	return bed_setup_family(state, false);
}

static int bed_setup6(void **state)
{
	return bed_setup_family(state, true);
}

static struct check_peer peer_of(const char *server, uint16_t port, uint8_t proto, const char *vip)
{
	return (struct check_peer){
		.server = address(server),
		.port = be16_from(port),
		.proto = proto,
		.vip = vip ? address(vip) : (struct addr){0},
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
	struct packet p = {.sport = be16_from(port),
			   .dport = be16_from(dport),
			   .proto = proto,
			   .tcp_flags = TCP_SYN,
			   .payload = proto == IPPROTO_UDP ? 9 : 0};

	from_to(&p, OWN, SERVER);
	return p;
}

static struct packet reply(const char *from, uint16_t sport, uint16_t port, uint8_t proto)
{
	struct packet p = request(sport, port, proto);

	from_to(&p, from, OWN);
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

	assert_from_to(&p, OWN, VIP);
	assert_int_equal(p.sport, be16_from(port));
	assert_int_equal(p.dport, be16_from(80));
	assert_int_equal(p.ttl, 2); /* no router lets it pass */
	assert_memory_equal(&p.dst, &server_mac, 6);
	assert_false(p.bad_ip || p.bad_l4);
	arrive(reply(VIP, 80, port, proto));
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_from_to(&p, SERVER, OWN);
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
	assert_from_to(&p, OWN, VIP);
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

/* Another identifier, as a message with a right checksum has it. */
static void ident_put(uint8_t *icmp, uint16_t ident)
{
	be16 from, to = be16_from(ident), sum;

	memcpy(&from, icmp + 4, 2);
	memcpy(icmp + 4, &to, 2);
	memcpy(&sum, icmp + 2, 2);
	sum = csum_apply(sum, csum_delta16(from, to));
	memcpy(icmp + 2, &sum, 2);
}

static void an_echo_of_the_vip_goes_by_its_identifier(void **state)
{
	const uint8_t proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	uint16_t port = bound(peer_of(SERVER, 0, proto, VIP));
	uint8_t echo[FRAME_MAX], *ip = echo + 14, *icmp = ip + ip_len();
	struct packet q, p = {.src = lab_router[1],
			      .dst = server_mac,
			      .sport = (v6 ? 128 : 8) << 8,
			      .proto = proto,
			      .payload = 16};
	struct rte_mbuf *m;
	size_t len;

	(void)state;
	from_to(&p, OWN, SERVER);
	len = packet_build(&p, echo);
	ident_put(icmp, port);
	assert_int_equal(harness_inject(&h, 1, harness_frame(&h, echo, (uint16_t)len)), 0);
	harness_run(&h);
	m = harness_sent(&h, 1);
	assert_non_null(m);
	assert_int_equal(
		packet_describe(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), &q),
		0);
	assert_from_to(&q, OWN, VIP);
	assert_int_equal(q.ttl, 1);
	assert_false(q.bad_ip || q.bad_l4);
	rte_pktmbuf_free(m);
	from_to(&p, VIP, OWN);
	p.src = server_mac;
	p.dst = lab_router[1];
	p.sport = v6 ? 129 << 8 : 0;
	len = packet_build(&p, echo);
	ident_put(icmp, port);
	assert_int_equal(harness_receive(&h, 1, 0, harness_frame(&h, echo, (uint16_t)len)), 0);
	harness_run(&h);
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_from_to(&p, SERVER, OWN);
	assert_false(p.bad_ip || p.bad_l4);
}

/* "from" could not deliver what was sent to "to" by a check's port. */
static void refuse(const char *from, const char *to, uint16_t port, uint16_t dport)
{
	struct packet sent = request(port, dport, IPPROTO_UDP), p;
	uint8_t quoted[FRAME_MAX];

	from_to(&sent, OWN, to);
	packet_build(&sent, quoted);
	p = (struct packet){.sport = v6 ? 1 << 8 | 4 : 3 << 8 | 3,
			    .proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			    .payload = (uint16_t)(ip_len() + 8),
			    .data = quoted + 14};
	from_to(&p, from, OWN);
	arrive(p);
}

static void an_error_about_a_check_comes_in_its_class(void **state)
{
	uint16_t direct = bound(peer_of(SERVER, 80, IPPROTO_UDP, NULL));
	uint16_t via = bound(peer_of(SERVER2, 80, IPPROTO_UDP, VIP));
	enum punt_class class;
	struct rte_mbuf *m;
	struct packet p;
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
	assert_address(source_in(ip), SERVER2);
	assert_address(dest_in(ip + ip_len() + 8), SERVER2);
	assert_int_equal(packet_describe(ip - 14, rte_pktmbuf_data_len(m), &p), 0);
	assert_false(p.bad_ip || p.bad_l4);
	if (!v6)
		assert_int_equal(csum_of(ip + 28, 20), 0);
	rte_pktmbuf_free(m);
	/* No probe waits for this packet. */
	refuse(SERVER, SERVER, direct, 81);
	m = harness_punted(&h, &class);
	assert_non_null(m);
	assert_int_equal(class, PUNT_ICMP);
	rte_pktmbuf_free(m);
}

static void a_tunnel_server_gets_the_check_in_an_outer_header(void **state)
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
	assert_int_equal(rte_pktmbuf_pkt_len(m), len + ip_len());
	assert_int_equal(
		packet_describe(rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_data_len(m), &p), 0);
	assert_int_equal(p.proto, v6 ? IPPROTO_IPV6 : IPPROTO_IPIP);
	assert_int_equal(p.ttl, 64);
	assert_from_to(&p, OWN, SERVER);
	assert_memory_equal(&p.dst, &server_mac, 6);
	assert_false(p.bad_ip);
	memcpy(inner, rte_pktmbuf_mtod(m, uint8_t *), 14);
	memcpy(inner + 14, rte_pktmbuf_mtod_offset(m, uint8_t *, 14 + ip_len()), len - 14);
	rte_pktmbuf_free(m);
	assert_int_equal(packet_describe(inner, len, &p), 0);
	assert_int_equal(p.ttl, 2);
	assert_from_to(&p, OWN, VIP);
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
	p.payload = (uint16_t)(1500 - ip_len() - 20);
	len = packet_build(&p, frame);
	assert_int_equal(harness_inject(&h, 1, harness_frame(&h, frame, (uint16_t)len)), 0);
	harness_run(&h);
	assert_null(harness_sent(&h, 1));
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 1);
}

static void an_ordinary_check_is_left_as_it_is_and_its_reply_known(void **state)
{
	uint16_t port = bound(peer_of(SERVER, 80, IPPROTO_TCP, NULL));
	struct packet p = sent_as(request(port, 80, IPPROTO_TCP));

	(void)state;
	assert_from_to(&p, OWN, SERVER);
	arrive(reply(SERVER, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_CHECK);
	assert_from_to(&p, SERVER, OWN);
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
	assert_int_equal(lab_dropped(DROP_BAD_SOURCE), 4);
	/* Others, and the server as itself, do not use up the class of checks. */
	arrive(reply(SERVER2, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	arrive(reply(SERVER, 80, port, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	arrive(reply(SERVER2, 81, plain, IPPROTO_TCP));
	assert_int_equal(lab_punted(&p), PUNT_OWN);
	/* Packets of Linux from an unbound port, or to another server, are left alone. */
	p = sent_as(request((uint16_t)(port + 100), 80, IPPROTO_TCP));
	assert_from_to(&p, OWN, SERVER);
	p = request(port, 80, IPPROTO_TCP);
	from_to(&p, OWN, SERVER2);
	p = sent_as(p);
	assert_from_to(&p, OWN, SERVER2);
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
	assert_from_to(&p, OWN, VIP);
	peer.port = be16_from(81);
	check_port_bind(h.dp->check_ports, &peer, 1000 + CHECK_PORT_QUIET_MS);
	p = sent_as(request(port, 80, IPPROTO_TCP));
	assert_from_to(&p, OWN, SERVER);
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
	/* A port that is given back is free only after a while. */
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

/* For each family. */
#define bed(test)                                                                                  \
	{#test, test, bed_setup, lab_close, NULL},                                                 \
	{                                                                                          \
#test "_by_ipv6", test, bed_setup6, lab_close, NULL                                \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bed(a_check_by_vip_has_the_vip_written_in_and_out),
		cmocka_unit_test_setup_teardown(udp_without_a_checksum_stays_without, bed_setup,
						lab_close), /* IPv6 always has one */
		bed(a_wrong_checksum_stays_wrong),
		bed(an_echo_of_the_vip_goes_by_its_identifier),
		bed(an_error_about_a_check_comes_in_its_class),
		bed(a_tunnel_server_gets_the_check_in_an_outer_header),
		bed(what_no_longer_fits_into_a_tunnel_is_dropped),
		bed(an_ordinary_check_is_left_as_it_is_and_its_reply_known),
		bed(strangers_find_no_way_in),
		bed(checks_by_vip_work_where_vips_are_not_active),
		bed(a_port_is_known_for_a_while_after_its_end),
		cmocka_unit_test(ports_are_shared_only_by_checks_that_can_be_told_apart),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
