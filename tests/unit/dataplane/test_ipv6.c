/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parts of IPv6 that IPv4 has not, or has otherwise: ICMPv6 errors, extension headers, neighbour
 * discovery, checksums that IPv6 demands, tunnels between the families.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/conn/bucket.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/stages/ext6.h"
#include "lib/lab_families.h"
#include "sched/sched.h"

#define VIP	VIP6
#define CLIENT	CLIENT6
#define SERVER	SERVER6
#define SERVER4 "10.10.0.2"
#define OWN	ROUTER6
#define ETH	14U
#define IP	40U

static int bed_setup(void **state)
{
	static const struct world_server nat[] = {{"[" SERVER "]:8080", 1, FWD_NAT}};
	static const struct world_server dr[] = {{"[" SERVER "]:81", 1, FWD_DR}};
	static const struct world_server tunnel[] = {{"[" SERVER "]:82", 1, FWD_TUNNEL}};
	static const struct world_server in4[] = {{SERVER4 ":83", 1, FWD_TUNNEL}};
	static const struct world_server in6[] = {{"[" SERVER "]:84", 1, FWD_TUNNEL}};

	if (lab_families_open(state, 0) < 0)
		return -1;
	world_service(&h, "tcp", "[" VIP "]:80", NULL, nat, 1);
	world_service(&h, "udp", "[" VIP "]:53", NULL, nat, 1);
	world_service(&h, "tcp", "[" VIP "]:81", NULL, dr, 1);
	world_service(&h, "tcp", "[" VIP "]:82", NULL, tunnel, 1);
	world_service(&h, "tcp", "[" VIP "]:83", NULL, in4, 1);
	world_service(&h, "udp", "10.1.0.100:84", NULL, in6, 1);
	return 0;
}

/* ---- frames ---- */

static struct packet packet_of(const char *from, uint16_t sport, const char *to, uint16_t dport)
{
	return (struct packet){.v6 = true,
			       .src = lab_station,
			       .saddr6 = ipv6(from),
			       .daddr6 = ipv6(to),
			       .sport = be16_from(sport),
			       .dport = be16_from(dport),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = TCP_SYN};
}

static struct packet take(unsigned int port)
{
	struct packet p = {0};

	assert_true(lab_got(port, &p));
	return p;
}

static void same(struct addr6 a, const char *text)
{
	const struct addr6 b = ipv6(text);

	assert_memory_equal(&a, &b, sizeof(a));
}

/* ---- NAT, DR ---- */

static void nat_rewrites_both_directions(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 80), q;

	(void)state;
	p.traffic_class = 0x2e;
	p.flow_label = 0x12345;
	lab_put(0, p);
	q = take(1);
	same(q.saddr6, CLIENT);
	same(q.daddr6, SERVER);
	assert_int_equal(be16_to(q.dport), 8080);
	assert_int_equal(q.ttl, 63);
	assert_int_equal(q.traffic_class, 0x2e);
	assert_int_equal(q.flow_label, 0x12345);
	assert_false(q.bad_l4);
	p = packet_of(SERVER, 8080, CLIENT, 1001);
	p.tcp_flags = TCP_SYN | TCP_ACK;
	lab_put(1, p);
	q = take(0);
	same(q.saddr6, VIP);
	same(q.daddr6, CLIENT);
	assert_int_equal(be16_to(q.sport), 80);
	assert_false(q.bad_l4);
}

static void dr_changes_the_hop_limit_alone(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 81), q;

	(void)state;
	lab_put(0, p);
	q = take(1);
	same(q.daddr6, VIP);
	assert_int_equal(q.ttl, 63);
	assert_int_equal(q.dst.byte[5], 2);
	assert_false(q.bad_l4);
}

static void a_datagram_without_a_checksum_gets_one(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 53), q;

	(void)state;
	p.proto = IPPROTO_UDP;
	p.payload = 31;
	p.no_l4 = 1;
	lab_put(0, p);
	q = take(1);
	assert_false(q.no_l4);
	assert_false(q.bad_l4);
}

/* ---- errors ---- */

/* quoted: the hop limit of the packet that the error quotes. */
static void check_error(uint8_t type, uint8_t code, uint32_t info, uint8_t quoted)
{
	uint8_t frame[FRAME_MAX];
	const size_t len = lab_got_frame(0, frame);
	const uint8_t *icmp = frame + ETH + IP;
	struct packet p;

	assert_true(len > ETH + IP + 8);
	assert_int_equal(packet_describe(frame, len, &p), 0);
	assert_int_equal(p.proto, IPPROTO_ICMPV6);
	assert_int_equal(p.sport, type << 8 | code);
	assert_int_equal(
		(uint32_t)icmp[4] << 24 | (uint32_t)(icmp[5] << 16 | icmp[6] << 8 | icmp[7]), info);
	same(p.saddr6, VIP);
	same(p.daddr6, CLIENT);
	assert_int_equal(p.ttl, 64);
	assert_int_equal(icmp[8 + 7], quoted);
	assert_false(p.bad_l4);
}

static void what_cannot_be_served_is_refused(void **state)
{
	static const struct world_server none[] = {{"[" SERVER "]:8080", 0, FWD_NAT}};
	struct packet p = packet_of(CLIENT, 1001, VIP, 85);

	(void)state;
	world_service(&h, "tcp", "[" VIP "]:85", NULL, none, 1);
	lab_put(0, p);
	check_error(1, 4, 0, 64);
	assert_int_equal(bed_dropped(&h, DROP_NO_SERVER), 1);
}

static void a_hop_limit_that_runs_out_is_told(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 80);

	(void)state;
	p.ttl = 1;
	lab_put(0, p);
	check_error(3, 0, 0, 1);
	assert_int_equal(lab_drain(1), 0);
}

static void too_big_is_told_always(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 80);

	(void)state;
	world_link(&h, link_id_of(1, 0), 1400);
	world_neighbour(&h, link_id_of(1, 0), SERVER, "02:06:00:00:00:02");
	p.payload = 1400;
	lab_put(0, p);
	check_error(2, 0, 1400, 63);
	assert_int_equal(lab_drain(1), 0);
}

/* An error about what the server got, quoting CLIENT -> SERVER:8080. */
static void errors_of_servers_become_the_vips(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 80),
		      e = packet_of("2001:db8:10::99", 0, CLIENT, 0);
	struct packet q = packet_of(CLIENT, 1001, SERVER, 8080);
	uint8_t quoted[FRAME_MAX], frame[FRAME_MAX];
	size_t len;

	(void)state;
	lab_put(0, p);
	take(1);
	len = packet_build(&q, quoted) - ETH;
	e.proto = IPPROTO_ICMPV6;
	e.sport = 1 << 8 | 3;
	e.data = quoted + ETH;
	e.payload = (uint16_t)len;
	lab_put(1, e);
	len = lab_got_frame(0, frame);
	assert_int_equal(packet_describe(frame, len, &p), 0);
	assert_int_equal(p.sport, 1 << 8 | 3);
	same(p.saddr6, VIP);
	assert_false(p.bad_l4);
	memcpy(&q.daddr6, frame + ETH + IP + 8 + 24, 16);
	same(q.daddr6, VIP);
	assert_int_equal(frame[ETH + IP + 8 + IP + 3], 80);
	/* With a wrong checksum it is nobody's. */
	e.bad_l4 = 1;
	lab_put(1, e);
	assert_int_equal(lab_drain(0), 0);
}

static void echo_requests_are_answered(void **state)
{
	struct packet p = packet_of(CLIENT, 0, VIP, 0), q;

	(void)state;
	p.proto = IPPROTO_ICMPV6;
	p.sport = 128 << 8;
	p.payload = 56;
	lab_put(0, p);
	q = take(0);
	assert_int_equal(q.sport, 129 << 8);
	same(q.saddr6, VIP);
	same(q.daddr6, CLIENT);
	assert_int_equal(q.ttl, 64);
	assert_false(q.bad_l4);
	p.bad_l4 = 1;
	lab_put(0, p);
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(bed_dropped(&h, DROP_BAD_ECHO), 1);
}

/* ---- extension headers ---- */

static struct packet with_ext(const uint8_t *ext, uint16_t len, uint16_t last, uint8_t first)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 80);

	p.ext = ext;
	p.ext_len = len;
	p.ext_last = last;
	p.ext_first = first;
	return p;
}

static void extension_headers_travel_on(void **state)
{
	/* Hop-by-hop, routing without segments left, destination options. */
	static const uint8_t ext[24] = {EXT6_ROUTING,
					0,
					1,
					4,
					0,
					0,
					0,
					0,
					EXT6_DEST,
					0,
					2,
					0,
					0,
					0,
					0,
					0,
					0,
					0,
					1,
					4,
					0,
					0,
					0,
					0};
	struct packet p = with_ext(ext, sizeof(ext), 16, EXT6_HOP), q;

	(void)state;
	lab_put(0, p);
	q = take(1);
	same(q.daddr6, SERVER);
	assert_int_equal(q.ext_len, sizeof(ext));
	assert_int_equal(q.tcp_flags, TCP_SYN);
	assert_false(q.bad_l4);
	/* The state is that of a SYN: the answer finds the connection half-open. */
	assert_int_equal(h.dp->workers[0]->v6.table.conns[1].c.state, CONN_SYN_RECV);
}

static void a_source_route_is_dropped(void **state)
{
	static const uint8_t ext[24] = {0, 2, 0, 1, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8};
	const struct world_policy ipvs = {.ipvs = true};
	struct packet p = with_ext(ext, sizeof(ext), 0, EXT6_ROUTING);

	(void)state;
	lab_put(0, p);
	assert_int_equal(lab_drain(1), 0);
	assert_int_equal(bed_dropped(&h, DROP_EXT_HEADER), 1);
	world_policy(&h, &ipvs);
	world_gateway(&h, "10.10.255.253"); /* publishes */
	lab_put(0, p);
	same(take(1).daddr6, SERVER);
}

static void chains_have_an_end(void **state)
{
	static uint8_t ext[8 * (EXT6_MAX + 1)];
	struct packet p;

	(void)state;
	for (unsigned int i = 0; i < EXT6_MAX + 1; i++) {
		ext[i * 8] = EXT6_DEST;
		ext[i * 8 + 2] = 1;
		ext[i * 8 + 3] = 4;
	}
	p = with_ext(ext, 8 * EXT6_MAX, 8 * (EXT6_MAX - 1), EXT6_DEST);
	lab_put(0, p);
	take(1);
	p = with_ext(ext, 8 * (EXT6_MAX + 1), 8 * EXT6_MAX, EXT6_DEST);
	lab_put(0, p);
	assert_int_equal(lab_drain(1), 0);
	assert_int_equal(bed_dropped(&h, DROP_EXT_HEADER), 1);
}

static void strange_options_are_dropped(void **state)
{
	static const uint8_t jumbo[8] = {0, 0, 0xc2, 4, 0, 1, 0, 0};
	static const uint8_t passed[8] = {0, 0, 0x1e, 4, 0, 1, 0, 0};
	static const uint8_t cut[8] = {0, 0, 1, 9};
	struct packet p = with_ext(jumbo, 8, 0, EXT6_HOP);

	(void)state;
	lab_put(0, p);
	assert_int_equal(lab_drain(1), 0);
	p = with_ext(cut, 8, 0, EXT6_HOP);
	lab_put(0, p);
	assert_int_equal(lab_drain(1), 0);
	assert_int_equal(bed_dropped(&h, DROP_EXT_HEADER), 2);
	p = with_ext(passed, 8, 0, EXT6_HOP);
	lab_put(0, p);
	take(1);
}

static void a_walk_stays_within_its_bytes(void **state)
{
	uint8_t l3[48] = {0x60, [6] = EXT6_DEST, [40] = EXT6_DEST, [41] = 3};
	struct ext6 ext;

	(void)state;
	assert_int_equal(ext6_walk(l3, 48, 48, &ext), EXT6_CUT);
	l3[40] = IPPROTO_TCP;
	l3[41] = 0;
	assert_int_equal(ext6_walk(l3, 48, 48, &ext), EXT6_OK);
	assert_int_equal(ext.l4_off, 48);
	assert_int_equal(ext.proto, IPPROTO_TCP);
	assert_int_equal(ext6_walk(l3, 48, 47, &ext), EXT6_CUT);
}

static void strange_sources_are_dropped(void **state)
{
	static const char *const bad[] = {"::", "::1", "ff02::1", "::ffff:10.0.0.1", VIP};
	struct packet p;

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		p = packet_of(bad[i], 1001, VIP, 80);
		lab_put(0, p);
		assert_int_equal(lab_drain(1), 0);
		assert_int_equal(bed_dropped(&h, DROP_BAD_SOURCE), i + 1);
	}
	p = packet_of("fe80::1", 1001, VIP, 80);
	lab_put(0, p);
	same(take(1).saddr6, "fe80::1");
}

/* ---- fragments ---- */

static void fragments_follow_their_first(void **state)
{
	uint8_t whole[FRAME_MAX], frame[FRAME_MAX], out[FRAME_MAX];
	struct packet p = packet_of(CLIENT, 1001, VIP, 53);
	static const uint8_t header[8] = {IPPROTO_UDP, 0, 0, 1, 1, 2, 3, 4};
	const unsigned int first = 104;
	size_t len, l4;

	(void)state;
	p.proto = IPPROTO_UDP;
	p.payload = 192;
	p.dst = lab_router[0];
	len = packet_build(&p, whole);
	l4 = len - ETH - IP;
	/* The second one first: it waits. */
	memcpy(frame, whole, ETH + IP);
	frame[ETH + 6] = EXT6_FRAGMENT;
	frame[ETH + 4] = 0;
	frame[ETH + 5] = (uint8_t)(8 + l4 - first);
	memcpy(frame + ETH + IP, header, 8);
	frame[ETH + IP + 3] = (uint8_t)first;
	memcpy(frame + ETH + IP + 8, whole + ETH + IP + first, l4 - first);
	lab_put_frame(0, frame, ETH + IP + 8 + l4 - first);
	assert_int_equal(lab_drain(1), 0);
	frame[ETH + 5] = (uint8_t)(8 + first);
	memcpy(frame + ETH + IP, header, 8);
	memcpy(frame + ETH + IP + 8, whole + ETH + IP, first);
	lab_put_frame(0, frame, ETH + IP + 8 + first);
	for (unsigned int i = 0; i < 2; i++) {
		struct addr6 to;

		assert_int_not_equal(lab_got_frame(1, out), 0);
		memcpy(&to, out + ETH + 24, 16);
		same(to, SERVER);
		assert_int_equal(out[ETH + 6], EXT6_FRAGMENT);
	}
	assert_int_equal(lab_drain(1), 0);
}

/* ---- neighbour discovery ---- */

struct solicit {
	const char *from, *to, *target;
	uint8_t type, flags, hops, option_len;
	bool option;
};

static void discovery(unsigned int port, const struct solicit *s)
{
	uint8_t body[28] = {s->flags}, frame[FRAME_MAX];
	const struct addr6 target = ipv6(s->target);
	struct packet p = packet_of(s->from, 0, s->to, 0);

	memcpy(body, &target, 16);
	body[16] = 1;
	body[17] = s->option_len;
	memcpy(body + 18, &lab_station, 6);
	p.proto = IPPROTO_ICMPV6;
	p.sport = (be16)(s->type << 8);
	p.dport = be16_from((uint16_t)(s->flags << 8));
	p.ttl = s->hops;
	p.data = body;
	p.payload = s->option ? 24 : 16;
	p.dst = (struct mac){{0x33, 0x33, 0xff, 0, 1, 0}};
	lab_put_frame(port, frame, packet_build(&p, frame));
}

static void check_advertised(const char *to, uint8_t flags)
{
	uint8_t frame[FRAME_MAX];
	const size_t len = lab_got_frame(0, frame);
	const uint8_t *nd = frame + ETH + IP;
	struct packet p;
	struct addr6 target;

	assert_int_equal(len, ETH + IP + 32);
	assert_int_equal(packet_describe(frame, len, &p), 0);
	assert_int_equal(p.sport, 136 << 8);
	assert_int_equal(p.ttl, 255);
	assert_false(p.bad_l4);
	same(p.saddr6, VIP);
	same(p.daddr6, to);
	assert_int_equal(nd[4], flags);
	memcpy(&target, nd + 8, 16);
	same(target, VIP);
	assert_int_equal(nd[24], 2);
	assert_int_equal(nd[25], 1);
	assert_memory_equal(nd + 26, &lab_router[0], 6);
}

static void solicitations_of_a_vip_are_answered(void **state)
{
	const struct solicit ask = {.from = CLIENT,
				    .to = "ff02::1:ff00:100",
				    .target = VIP,
				    .type = 135,
				    .hops = 255,
				    .option = true,
				    .option_len = 1};
	struct solicit dad = ask;

	(void)state;
	discovery(0, &ask);
	check_advertised(CLIENT, 0xe0);
	/* Somebody wants the address for itself. */
	dad.from = "::";
	dad.option = false;
	discovery(0, &dad);
	check_advertised("ff02::1", 0xa0);
}

static void bad_discovery_is_dropped(void **state)
{
	const struct solicit ask = {.from = CLIENT,
				    .to = "ff02::1:ff00:100",
				    .target = VIP,
				    .type = 135,
				    .hops = 255,
				    .option = true,
				    .option_len = 1};
	struct solicit bad[5] = {ask, ask, ask, ask, ask};

	(void)state;
	bad[0].hops = 254;
	bad[1].option_len = 0;
	bad[2].option_len = 2; /* beyond the end */
	bad[3].from = "::";    /* with its link-layer address */
	bad[4].target = "ff02::1";
	for (unsigned int i = 0; i < 5; i++) {
		discovery(0, &bad[i]);
		assert_int_equal(lab_drain(0), 0);
		assert_int_equal(bed_dropped(&h, DROP_ND_BAD), i + 1);
	}
}

/* ---- tunnels ---- */

static void tunnels_go_between_families(void **state)
{
	struct packet p = packet_of(CLIENT, 1001, VIP, 82);
	uint8_t frame[FRAME_MAX];
	struct packet in;
	struct addr6 to;
	size_t len;

	(void)state;
	p.traffic_class = 0x40;
	p.flow_label = 0x777;
	lab_put(0, p);
	len = lab_got_frame(1, frame);
	assert_int_equal(frame[ETH] >> 4, 6);
	assert_int_equal(frame[ETH + 6], IPPROTO_IPV6);
	assert_int_equal(frame[ETH] << 4 | frame[ETH + 1] >> 4, 0x640);
	assert_int_equal(frame[ETH + 2] | frame[ETH + 3] | (frame[ETH + 1] & 0xf), 0);
	assert_int_equal(frame[ETH + 7], 63);
	memcpy(&to, frame + ETH + 24, 16);
	same(to, SERVER);
	memcpy(&to, frame + ETH + 8, 16);
	same(to, OWN);
	memmove(frame + ETH, frame + ETH + IP, len - ETH - IP);
	assert_int_equal(packet_describe(frame, len - IP, &in), 0);
	same(in.daddr6, VIP);
	assert_int_equal(in.ttl, 63);
	/* IPv6 in IPv4 */
	p = packet_of(CLIENT, 1001, VIP, 83);
	lab_put(0, p);
	len = lab_got_frame(1, frame);
	assert_int_equal(frame[12] << 8 | frame[13], 0x0800);
	assert_int_equal(frame[ETH], 0x45);
	assert_int_equal(frame[ETH + 9], IPPROTO_IPV6);
	assert_int_equal(frame[ETH + 6] & 0x40, 0);
	assert_int_equal(frame[ETH + 8], 63);
	assert_int_equal(csum_fold(csum_add(0, frame + ETH, 20)), 0xffff);
	assert_int_equal(frame[ETH + 19], 2);
	/* IPv4 in IPv6; without DF, what is too big leaves as fragments of the outer packet. */
	p = (struct packet){.src = lab_station,
			    .saddr = ipv4("192.168.1.1"),
			    .daddr = ipv4("10.1.0.100"),
			    .sport = be16_from(1),
			    .dport = be16_from(84),
			    .proto = IPPROTO_UDP,
			    .payload = 100};
	lab_put(0, p);
	len = lab_got_frame(1, frame);
	assert_int_equal(len, ETH + IP + 128);
	assert_int_equal(frame[ETH + 6], IPPROTO_IPIP);
	p.payload = 1460;
	lab_put(0, p);
	for (unsigned int i = 0; i < 2; i++) {
		len = lab_got_frame(1, frame);
		assert_true(len > ETH + IP + 8 && len <= ETH + 1500);
		assert_int_equal(frame[ETH + 6], EXT6_FRAGMENT);
		assert_int_equal(frame[ETH + IP], IPPROTO_IPIP);
		assert_int_equal(frame[ETH + IP + 3] & 1, i == 0);
		assert_int_equal(frame[ETH + 4] << 8 | frame[ETH + 5], len - ETH - IP);
	}
}

/* ---- pieces ---- */

static void tags_match_as_the_scalar_reference_says(void **state)
{
	struct bucket b __attribute__((aligned(64)));
	uint32_t seed = 1;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		for (unsigned int i = 0; i < TABLE_WAYS; i++) {
			seed = seed * 1664525 + 1013904223;
			b.tag[i] = (uint16_t)(seed >> 16 & 0x8003); /* often the same */
		}
		for (unsigned int tag = 0; tag < 4; tag++) {
			const uint16_t t = (uint16_t)(tag | (round & 1) << 15);

			const unsigned int ways = bucket_match_scalar(&b, t);

			assert_int_equal(bucket_match(&b, t), ways);
			assert_ptr_equal(bucket_first(&b, t),
					 ways ? &b.ref[__builtin_ctz(ways)] : NULL);
		}
	}
}

#define TEST(name) LAB_TEST(name, bed_setup, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nat_rewrites_both_directions),
		TEST(dr_changes_the_hop_limit_alone),
		TEST(a_datagram_without_a_checksum_gets_one),
		TEST(what_cannot_be_served_is_refused),
		TEST(a_hop_limit_that_runs_out_is_told),
		TEST(too_big_is_told_always),
		TEST(errors_of_servers_become_the_vips),
		TEST(echo_requests_are_answered),
		TEST(extension_headers_travel_on),
		TEST(a_source_route_is_dropped),
		TEST(chains_have_an_end),
		TEST(strange_options_are_dropped),
		TEST(a_walk_stays_within_its_bytes),
		TEST(strange_sources_are_dropped),
		TEST(fragments_follow_their_first),
		TEST(solicitations_of_a_vip_are_answered),
		TEST(bad_discovery_is_dropped),
		TEST(tunnels_go_between_families),
		cmocka_unit_test(tags_match_as_the_scalar_reference_says),
	};

	return lab_run(256, tests);
}
