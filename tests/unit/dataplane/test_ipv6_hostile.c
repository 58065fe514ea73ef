/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 packets that nobody should send. Each leaves by a door with a name, and is counted there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_mbuf.h>

#include "dataplane/conn/tcp_state.h"
#include "dataplane/stages/ext6.h"
#include "lib/lab.h"

#define VIP    "2001:db8:1::100"
#define CLIENT "2001:db8:c::1"
#define SERVER "2001:db8:10::1"
#define OWN    "2001:db8:c::fe" /* the router's, on port 0 */
#define ETH    14U
#define IP     40U

/* Drops so far. */
static uint64_t before[DROP_MAX];

static int bed_setup(void **state)
{
	static const struct world_server nat[] = {{"[" SERVER "]:8080", 1, FWD_NAT}};
	const link_id client_side = link_id_of(0, 0), server_side = link_id_of(1, 0);

	memset(before, 0, sizeof(before));
	if (lab_open(state, 0, false) < 0)
		return -1;
	world_route(&h, "::/0", client_side, NULL);
	world_route(&h, "2001:db8:10::/48", server_side, NULL);
	world_own(&h, OWN, client_side);
	world_neighbour(&h, client_side, CLIENT, "02:06:00:00:00:01");
	world_neighbour(&h, server_side, SERVER, "02:06:00:00:00:02");
	world_service(&h, "tcp", "[" VIP "]:80", NULL, nat, 1);
	return world_service(&h, "udp", "[" VIP "]:53", NULL, nat, 1);
}

static struct packet packet_of(const char *from, const char *to)
{
	return (struct packet){.v6 = true,
			       .src = lab_station,
			       .dst = lab_router[0],
			       .saddr6 = ipv6(from),
			       .daddr6 = ipv6(to),
			       .sport = be16_from(1001),
			       .dport = be16_from(80),
			       .proto = IPPROTO_TCP,
			       .tcp_flags = TCP_SYN};
}

/* A SYN behind these bytes of extension headers, of which the first is of kind `first`. */
static size_t with_ext(uint8_t first, const uint8_t *ext, uint16_t len, uint16_t last,
		       uint8_t frame[FRAME_MAX])
{
	struct packet p = packet_of(CLIENT, VIP);

	p.ext_first = first;
	p.ext = ext;
	p.ext_len = len;
	p.ext_last = last;
	return packet_build(&p, frame);
}

/* The frame arrived, and left by this door alone. */
static void dropped_one(enum drop_reason reason)
{
	uint64_t now[DROP_MAX];

	for (unsigned int r = 0; r < DROP_MAX; r++) {
		now[r] = lab_dropped(r);
		assert_int_equal(now[r] - before[r], r == (unsigned int)reason);
	}
	memcpy(before, now, sizeof(before));
	lab_nothing();
}

static void put_dropped(const uint8_t *frame, size_t len, enum drop_reason reason)
{
	lab_put_frame(0, frame, len);
	dropped_one(reason);
}

static void set_length(uint8_t *frame, size_t payload)
{
	lab_put16(frame + ETH + 4, (uint16_t)payload);
}

/* ---- lengths that lie ---- */

static void a_length_that_lies_is_malformed(void **state)
{
	struct packet p = packet_of(CLIENT, VIP);
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	p.payload = 100;
	len = packet_build(&p, frame);
	set_length(frame, len - ETH - IP + 1); /* more than there is */
	put_dropped(frame, len, DROP_MALFORMED);
	set_length(frame, 65535);
	put_dropped(frame, len, DROP_MALFORMED);
	set_length(frame, 0); /* a jumbogram without its option */
	put_dropped(frame, len, DROP_MALFORMED);
	set_length(frame, 19); /* no TCP header fits */
	put_dropped(frame, len, DROP_MALFORMED);
	set_length(frame, len - ETH - IP);
	frame[ETH + IP + 12] = 15 << 4; /* a TCP header of 60 bytes, */
	lab_put_frame(0, frame, len);	/* which fit */
	assert_int_equal(lab_drain(1), 1);
	set_length(frame, 59);
	put_dropped(frame, len, DROP_MALFORMED);
	put_dropped(frame, ETH + IP - 1, DROP_MALFORMED);
	frame[ETH] = 0x50;
	put_dropped(frame, len, DROP_BAD_VERSION);
	p.proto = IPPROTO_UDP;
	p.dport = be16_from(53);
	len = packet_build(&p, frame);
	lab_put16(frame + ETH + IP + 4, 109); /* UDP's own length */
	put_dropped(frame, len, DROP_MALFORMED);
	lab_put16(frame + ETH + IP + 4, 7);
	put_dropped(frame, len, DROP_MALFORMED);
}

/* ---- extension headers ---- */

static void headers_that_are_cut_short_are_malformed(void **state)
{
	uint8_t ext[16] = {EXT6_DEST, 0, 1, 4, 0, 0, 0, 0, 0, 0, 1, 4}, frame[FRAME_MAX];
	size_t len = with_ext(EXT6_DEST, ext, 16, 8, frame);

	(void)state;
	set_length(frame, 12); /* in the second one */
	put_dropped(frame, ETH + IP + 12, DROP_MALFORMED);
	set_length(frame, 4);
	put_dropped(frame, ETH + IP + 4, DROP_MALFORMED);
	set_length(frame, len - ETH - IP);
	frame[ETH + IP + 8 + 1] = 200; /* longer than the packet, and than headers may be */
	put_dropped(frame, len, DROP_EXT_HEADER);
	frame[ETH + IP + 8 + 1] = 40;
	put_dropped(frame, len, DROP_MALFORMED);
}

static void headers_in_the_wrong_place_are_dropped(void **state)
{
	uint8_t hop_second[16] = {EXT6_HOP, 0, 1, 4, 0, 0, 0, 0, 0, 0, 1, 4};
	uint8_t twice[16] = {EXT6_FRAGMENT, 0, 0, 1, 1, 2, 3, 4};
	uint8_t frame[FRAME_MAX];

	(void)state;
	put_dropped(frame, with_ext(EXT6_DEST, hop_second, 16, 8, frame), DROP_EXT_HEADER);
	twice[3] = 0;
	put_dropped(frame, with_ext(EXT6_FRAGMENT, twice, 16, 8, frame), DROP_EXT_HEADER);
}

static void jumbograms_are_dropped(void **state)
{
	static const uint8_t jumbo[8] = {0, 0, 0xc2, 4, 0, 1, 0, 0};
	uint8_t frame[FRAME_MAX];
	size_t len = with_ext(EXT6_HOP, jumbo, 8, 0, frame);

	(void)state;
	put_dropped(frame, len, DROP_EXT_HEADER);
	set_length(frame, 0);
	put_dropped(frame, len, DROP_MALFORMED);
}

static void an_option_whose_sender_is_to_be_told_goes_to_linux(void **state)
{
	uint8_t option[8] = {0, 0, 0x9e, 4}, frame[FRAME_MAX];

	(void)state;
	lab_put_frame(0, frame, with_ext(EXT6_HOP, option, 8, 0, frame));
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	option[2] = 0xde; /* told unless the destination is multicast */
	lab_put_frame(0, frame, with_ext(EXT6_HOP, option, 8, 0, frame));
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	option[2] = 0x5e; /* dropped in silence */
	put_dropped(frame, with_ext(EXT6_HOP, option, 8, 0, frame), DROP_EXT_HEADER);
	assert_int_equal(h.dp->workers[0]->v6.table.n, 0);
}

/* Linux answers what it does not know (ICMPv6 4/1), as in IPVS; nothing follows a header 59. */
static void unknown_kinds_are_for_linux_to_answer(void **state)
{
	uint8_t ext[8] = {0, 0, 1, 4}, frame[FRAME_MAX];
	size_t len = with_ext(EXT6_DEST, ext, 8, 0, frame);

	(void)state;
	frame[ETH + IP] = 253;
	lab_put_frame(0, frame, len);
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	frame[ETH + IP] = EXT6_ESP;
	lab_put_frame(0, frame, len);
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
	frame[ETH + IP] = EXT6_NONE;
	put_dropped(frame, len, DROP_UNSUPPORTED);
	frame[ETH + 6] = 253;
	lab_put_frame(0, frame, len);
	assert_int_equal(lab_punted(NULL), PUNT_OWN);
}

/* The same frame in two segments, the first one of `cut` bytes. */
static void put_segments(const uint8_t *frame, size_t len, size_t cut)
{
	struct rte_mbuf *first = harness_frame(&h, frame, (uint16_t)cut);
	struct rte_mbuf *second = harness_frame(&h, frame + cut, (uint16_t)(len - cut));

	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(rte_pktmbuf_chain(first, second), 0);
	assert_int_equal(harness_receive(&h, 0, 0, first), 0);
	harness_run(&h);
}

static void headers_may_go_beyond_the_first_segment(void **state)
{
	uint8_t ext[64] = {0, 7, 1, 60}, frame[FRAME_MAX];
	size_t len = with_ext(EXT6_DEST, ext, 64, 0, frame);
	struct packet p;

	(void)state;
	/* In the Ethernet header, the IPv6 header, the extension header, the TCP header. */
	for (size_t cut = ETH + 1; cut < len; cut += 7) {
		put_segments(frame, len, cut);
		if (cut < ETH + IP) {
			lab_drain(1);
			continue;
		}
		assert_true(lab_got(1, &p));
		assert_int_equal(p.dport, be16_from(8080));
	}
	/* Cut short there, too. */
	frame[ETH + IP + 1] = 40;
	put_segments(frame, len, ETH + IP + 20);
	assert_int_equal(lab_drain(1), 0);
	assert_int_equal(lab_dropped(DROP_MALFORMED) + lab_dropped(DROP_LINEARISE), 1);
}

/* ---- fragments ---- */

/* A fragment of a datagram of 8 + n bytes to the VIP: `len` bytes from `at` on. */
static size_t fragment(uint8_t proto, uint32_t id, uint16_t at, uint16_t len, bool more,
		       uint8_t frame[FRAME_MAX])
{
	struct packet p = packet_of(CLIENT, VIP);
	uint8_t whole[FRAME_MAX];

	p.proto = proto;
	p.dport = be16_from(proto == IPPROTO_TCP ? 80 : 53);
	p.payload = 400;
	packet_build(&p, whole);
	memcpy(frame, whole, ETH + IP);
	frame[ETH + 6] = EXT6_FRAGMENT;
	set_length(frame, 8U + len);
	memset(frame + ETH + IP, 0, 8);
	frame[ETH + IP] = proto;
	lab_put16(frame + ETH + IP + 2, (uint16_t)(at | more));
	lab_put16(frame + ETH + IP + 6, (uint16_t)id);
	memcpy(frame + ETH + IP + 8, whole + ETH + IP + at, len);
	return ETH + IP + 8U + len;
}

static void an_atomic_fragment_is_a_whole_packet(void **state)
{
	uint8_t frame[FRAME_MAX], out[FRAME_MAX];

	(void)state;
	lab_put_frame(0, frame, fragment(IPPROTO_TCP, 1, 0, 420, false, frame));
	assert_int_not_equal(lab_got_frame(1, out), 0);
	assert_int_equal(out[ETH + 6], EXT6_FRAGMENT);
	assert_int_equal(lab_get16(out + ETH + IP + 8 + 2), 8080);
	/* Twice the same identification means nothing (RFC 6946). */
	lab_put_frame(0, frame, fragment(IPPROTO_TCP, 1, 0, 420, false, frame));
	assert_int_equal(lab_drain(1), 1);
}

static void tiny_and_overlapping_fragments_are_dropped(void **state)
{
	uint8_t frame[FRAME_MAX];

	(void)state;
	/* A first one that ends inside the TCP header. */
	put_dropped(frame, fragment(IPPROTO_TCP, 2, 0, 16, true, frame), DROP_FRAGMENT_BAD);
	lab_put_frame(0, frame, fragment(IPPROTO_UDP, 3, 0, 104, true, frame));
	assert_int_equal(lab_drain(1), 1);
	/* The first one once more, and one that reaches back into it. */
	put_dropped(frame, fragment(IPPROTO_UDP, 3, 0, 104, true, frame), DROP_FRAGMENT_BAD);
	put_dropped(frame, fragment(IPPROTO_UDP, 3, 96, 104, true, frame), DROP_FRAGMENT_BAD);
	/* At offset 8: it would rewrite a TCP header's flags. */
	put_dropped(frame, fragment(IPPROTO_TCP, 4, 8, 104, true, frame), DROP_FRAGMENT_BAD);
	/* Beyond 65535. */
	fragment(IPPROTO_UDP, 5, 104, 104, false, frame);
	lab_put16(frame + ETH + IP + 2, 0xfff8);
	put_dropped(frame, ETH + IP + 8 + 104, DROP_FRAGMENT_BAD);
}

/* ---- neighbour discovery ---- */

/* An advertisement for `target`, or a solicitation, as whoever sent it filled it in. */
static size_t discovery(uint8_t type, const char *from, const char *to, const char *target,
			uint8_t hops, uint8_t frame[FRAME_MAX])
{
	const struct addr6 of = ipv6(target);
	struct packet p = packet_of(from, to);
	uint8_t body[24] = {0};

	memcpy(body, &of, 16);
	body[16] = type == 136 ? 2 : 1;
	body[17] = 1;
	memcpy(body + 18, &lab_station, 6);
	p.proto = IPPROTO_ICMPV6;
	p.sport = (be16)(type << 8);
	p.dport = be16_from(0x2000); /* override */
	p.ttl = hops;
	p.data = body;
	p.payload = 24;
	p.dst = (struct mac){{0x33, 0x33, 0, 0, 0, 1}};
	return packet_build(&p, frame);
}

static void an_override_by_a_stranger_reaches_nobody_often(void **state)
{
	uint8_t frame[FRAME_MAX];
	size_t len = discovery(136, CLIENT, "ff02::1", VIP, 255, frame);
	unsigned int told = 0;

	(void)state;
	for (unsigned int i = 0; i < 200; i++) {
		lab_put_frame(0, frame, len);
		told += lab_punted(NULL) == PUNT_ARP;
	}
	/* The ha thread hears a few of them. */
	assert_int_not_equal(told, 0);
	assert_true(told < 100);
	assert_int_equal(lab_dropped(DROP_ND_BAD), 200 - told);
	/* Of another address Linux learns. */
	lab_put_frame(0, frame, discovery(136, CLIENT, "ff02::1", CLIENT, 255, frame));
	assert_int_equal(lab_punted(NULL), PUNT_ARP);
}

static void discovery_from_afar_or_as_the_vip_is_dropped(void **state)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	(void)state;
	put_dropped(frame, discovery(136, CLIENT, "ff02::1", CLIENT, 254, frame), DROP_ND_BAD);
	put_dropped(frame, discovery(135, VIP, "ff02::1", CLIENT, 255, frame), DROP_ND_BAD);
	/* Redirects and router advertisements are Linux's, if they come from the link. */
	put_dropped(frame, discovery(137, CLIENT, OWN, CLIENT, 64, frame), DROP_ND_BAD);
	put_dropped(frame, discovery(134, CLIENT, "ff02::1", CLIENT, 254, frame), DROP_ND_BAD);
	len = discovery(136, CLIENT, "ff02::1", CLIENT, 255, frame);
	frame[ETH + IP + 2] ^= 1;
	put_dropped(frame, len, DROP_ND_BAD);
	len = discovery(136, CLIENT, "ff02::1", CLIENT, 255, frame);
	put_dropped(frame, len - 4, DROP_MALFORMED);
	/* An option of length 0. */
	len = discovery(136, CLIENT, "ff02::1", CLIENT, 255, frame);
	frame[ETH + IP + 24 + 1] = 0;
	frame[ETH + IP + 2] = frame[ETH + IP + 3] = 0;
	put_dropped(frame, len, DROP_ND_BAD);
}

/* As of MLD; duplicate address detection: test_ipv6.c. */
static void what_may_come_from_no_address_goes_to_linux(void **state)
{
	static const uint8_t alert[8] = {0, 0, 5, 2, 0, 0, 1, 0};
	struct packet p = packet_of("::", "ff02::16");
	uint8_t frame[FRAME_MAX];

	(void)state;
	p.proto = IPPROTO_ICMPV6;
	p.sport = 143 << 8;
	p.ttl = 1;
	p.ext_first = EXT6_HOP;
	p.ext = alert;
	p.ext_len = 8;
	p.dst = (struct mac){{0x33, 0x33, 0, 0, 0, 0x16}};
	lab_put_frame(0, frame, packet_build(&p, frame));
	assert_int_not_equal(lab_punted(NULL), PUNT_MAX);
	p.saddr6 = ipv6("ff02::1");
	put_dropped(frame, packet_build(&p, frame), DROP_BAD_SOURCE);
	p.saddr6 = ipv6("::");
	p.proto = IPPROTO_UDP; /* nothing else does */
	put_dropped(frame, packet_build(&p, frame), DROP_BAD_SOURCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_length_that_lies_is_malformed, bed_setup, 1),
		LAB_TEST(headers_that_are_cut_short_are_malformed, bed_setup, 1),
		LAB_TEST(headers_in_the_wrong_place_are_dropped, bed_setup, 1),
		LAB_TEST(jumbograms_are_dropped, bed_setup, 1),
		LAB_TEST(an_option_whose_sender_is_to_be_told_goes_to_linux, bed_setup, 1),
		LAB_TEST(unknown_kinds_are_for_linux_to_answer, bed_setup, 1),
		LAB_TEST(headers_may_go_beyond_the_first_segment, bed_setup, 1),
		LAB_TEST(an_atomic_fragment_is_a_whole_packet, bed_setup, 1),
		LAB_TEST(tiny_and_overlapping_fragments_are_dropped, bed_setup, 1),
		LAB_TEST(an_override_by_a_stranger_reaches_nobody_often, bed_setup, 1),
		LAB_TEST(discovery_from_afar_or_as_the_vip_is_dropped, bed_setup, 1),
		LAB_TEST(what_may_come_from_no_address_goes_to_linux, bed_setup, 1),
	};

	return lab_run(64, tests);
}
