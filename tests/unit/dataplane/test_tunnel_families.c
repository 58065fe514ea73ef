/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors about outer packets where one of both packets is of IPv6: IPv6 in IPv6, IPv4 in IPv6,
 * IPv6 in IPv4. IPv4 in IPv4 is the subject of test_tunnel.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/tunnel/tunnel.h"
#include "lib/lab_families.h"

#define VIP4	"10.1.0.100"
#define CLIENT4 "192.168.1.1"
#define SERVER4 "10.10.0.2"
#define BEYOND4 "10.10.0.99" /* on the way to the servers */
#define BEYOND6 "2001:db8:10::99"
#define ETH	14U
#define QUOTE	400U /* bytes of the outer packet in an error */

/* A kind of tunnel: the inner packet's family, the outer one's, and its service's port. */
struct kind {
	bool inner6, outer6;
	uint16_t port;
};

static const struct kind in6_6 = {true, true, 82}, in6_4 = {true, false, 83},
			 in4_6 = {false, true, 84};

static int bed_setup(void **state)
{
	static const struct world_server six[] = {{"[" SERVER6 "]:82", 1, FWD_TUNNEL}};
	static const struct world_server four[] = {{SERVER4 ":83", 1, FWD_TUNNEL}};
	static const struct world_server other[] = {{"[" SERVER6 "]:84", 1, FWD_TUNNEL}};

	if (lab_families_open(state, 0) < 0)
		return -1;
	world_service(&h, "udp", "[" VIP6 "]:82", NULL, six, 1);
	world_service(&h, "udp", "[" VIP6 "]:83", NULL, four, 1);
	return world_service(&h, "udp", VIP4 ":84", NULL, other, 1);
}

static size_t ip_len(bool v6)
{
	return v6 ? 40 : 20;
}

/* A datagram so long that its IP packet has `total` bytes; the outer packet from ETH on, or 0. */
static size_t ask(const struct kind *k, uint16_t total, uint8_t frame[FRAME_MAX])
{
	struct packet p = {.v6 = k->inner6,
			   .sport = be16_from(1001),
			   .dport = be16_from(k->port),
			   .proto = IPPROTO_UDP,
			   .df = 1,
			   .payload = (uint16_t)(total - ip_len(k->inner6) - 8)};

	if (k->inner6) {
		p.saddr6 = ipv6(CLIENT6);
		p.daddr6 = ipv6(VIP6);
	} else {
		p.saddr = ipv4(CLIENT4);
		p.daddr = ipv4(VIP4);
	}
	lab_put(0, p);
	return lab_got_frame(1, frame);
}

/* The router on the way says this of the outer packet to whoever sent it. */
static void tell(const struct kind *k, const uint8_t *outer, uint8_t type, uint8_t code,
		 uint16_t mtu)
{
	const size_t at = ETH + ip_len(k->outer6);
	struct packet p = {.v6 = k->outer6,
			   .sport = (be16)(type << 8 | code),
			   .proto = k->outer6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			   .src = lab_station,
			   .dst = lab_router[1],
			   .data = outer,
			   .payload = QUOTE};
	uint8_t frame[FRAME_MAX];
	be16 sum, word = be16_from(mtu);
	size_t len;

	if (k->outer6) {
		p.saddr6 = ipv6(BEYOND6);
		memcpy(&p.daddr6, outer + 8, 16);
	} else {
		p.saddr = ipv4(BEYOND4);
		memcpy(&p.daddr, outer + 12, 4);
	}
	len = packet_build(&p, frame);
	memcpy(frame + at + 6, &word, 2);
	memcpy(&sum, frame + at + 2, 2);
	sum = csum_apply(sum, csum_delta16(0, word));
	memcpy(frame + at + 2, &sum, 2);
	lab_put_frame(1, frame, len);
}

/* The client was told this by the VIP about its packet. */
static void client_was_told(const struct kind *k, uint8_t type, uint8_t code, uint16_t mtu)
{
	const size_t at = ETH + ip_len(k->inner6);
	uint8_t frame[FRAME_MAX];
	const size_t len = lab_got_frame(0, frame);
	struct packet p = {0};

	assert_int_not_equal(len, 0);
	assert_int_equal(packet_describe(frame, len, &p), 0);
	assert_int_equal(p.v6, k->inner6);
	assert_int_equal(p.sport, type << 8 | code);
	assert_false(p.bad_l4 || p.bad_ip);
	assert_int_equal(lab_get16(frame + at + 4), 0);
	assert_int_equal(lab_get16(frame + at + 6), mtu);
	if (k->inner6) {
		const struct addr6 vip = ipv6(VIP6), client = ipv6(CLIENT6);

		assert_memory_equal(&p.saddr6, &vip, 16);
		assert_memory_equal(&p.daddr6, &client, 16);
		assert_memory_equal(frame + at + 8 + 8, &client, 16); /* quotes its packet */
	} else {
		assert_int_equal(p.saddr, ipv4(VIP4));
		assert_int_equal(p.daddr, ipv4(CLIENT4));
	}
	assert_int_equal(lab_drain(0), 0);
}

static void a_path_mtu_is_learnt_and_told_less_the_ipv6_header(void **state)
{
	static const struct kind *const kinds[] = {&in6_6, &in4_6};
	uint8_t outer[FRAME_MAX];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const struct kind *k = kinds[i];

		assert_int_equal(ask(k, 1460, outer), ETH + 1500);
		tell(k, outer + ETH, 2, 0, 1400);
		client_was_told(k, k->inner6 ? 2 : 3, k->inner6 ? 0 : 4, 1360);
		/* From now on without the router's help. */
		assert_int_equal(ask(k, 1361, outer), 0);
		client_was_told(k, k->inner6 ? 2 : 3, k->inner6 ? 0 : 4, 1360);
		assert_int_equal(ask(k, 1360, outer), ETH + 1400);
	}
}

static void what_every_ipv6_link_has_still_passes(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	/* Less than 1280 bytes would be left: no client can make its packets fit. */
	assert_int_equal(ask(&in6_6, 1460, outer), ETH + 1500);
	tell(&in6_6, outer + ETH, 2, 0, 1280);
	client_was_told(&in6_6, 2, 0, 1280);
	assert_int_equal(ask(&in6_6, 1280, outer), ETH + 1320);
	assert_int_equal(ask(&in6_6, 100, outer), ETH + 140);
	assert_int_equal(ask(&in6_6, 1281, outer), 0);
	client_was_told(&in6_6, 2, 0, 1280);
}

static void an_error_that_contradicts_what_was_sent_is_dropped(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	assert_int_equal(ask(&in6_6, 1300, outer), ETH + 1340);
	tell(&in6_6, outer + ETH, 2, 0, 1400); /* smaller than that */
	assert_int_equal(lab_dropped(DROP_ICMP_UNRELATED), 1);
	outer[ETH + 39] ^= 1; /* another server */
	tell(&in6_6, outer + ETH, 1, 0, 0);
	assert_int_equal(lab_dropped(DROP_ICMP_UNRELATED), 2);
	/* Routers cut what they can: of IPv6 in IPv4 none says that a packet is too big. */
	assert_int_equal(ask(&in6_4, 1480, outer), ETH + 1500);
	tell(&in6_4, outer + ETH, 3, 4, 1400);
	assert_int_equal(lab_dropped(DROP_ICMP_UNRELATED), 3);
	assert_int_equal(lab_drain(0), 0);
	assert_int_equal(ask(&in6_4, 1480, outer), ETH + 1500);
}

static void unreachable_is_told_in_the_clients_family(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	/* The same family: type and code as they are. */
	assert_int_not_equal(ask(&in6_6, 600, outer), 0);
	tell(&in6_6, outer + ETH, 1, 3, 0);
	client_was_told(&in6_6, 1, 3, 0);
	tell(&in6_6, outer + ETH, 3, 0, 0);
	client_was_told(&in6_6, 3, 0, 0);
	/* Another family: no route, or the hop limit. */
	assert_int_not_equal(ask(&in6_4, 600, outer), 0);
	tell(&in6_4, outer + ETH, 3, 1, 0);
	client_was_told(&in6_4, 1, 0, 0);
	tell(&in6_4, outer + ETH, 11, 0, 0);
	client_was_told(&in6_4, 3, 0, 0);
	assert_int_not_equal(ask(&in4_6, 600, outer), 0);
	tell(&in4_6, outer + ETH, 1, 3, 0);
	client_was_told(&in4_6, 3, 0, 0);
	tell(&in4_6, outer + ETH, 3, 0, 0);
	client_was_told(&in4_6, 11, 0, 0);
}

static void the_link_of_a_tunnel_sets_the_mtu_too(void **state)
{
	uint8_t outer[FRAME_MAX];

	(void)state;
	assert_int_equal(ask(&in6_6, 1461, outer), 0);
	client_was_told(&in6_6, 2, 0, 1460);
	assert_int_equal(ask(&in6_4, 1481, outer), 0);
	client_was_told(&in6_4, 2, 0, 1480);
	assert_int_equal(ask(&in4_6, 1461, outer), 0);
	client_was_told(&in4_6, 3, 4, 1460);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_path_mtu_is_learnt_and_told_less_the_ipv6_header, bed_setup, 1),
		LAB_TEST(what_every_ipv6_link_has_still_passes, bed_setup, 1),
		LAB_TEST(an_error_that_contradicts_what_was_sent_is_dropped, bed_setup, 1),
		LAB_TEST(unreachable_is_told_in_the_clients_family, bed_setup, 1),
		LAB_TEST(the_link_of_a_tunnel_sets_the_mtu_too, bed_setup, 1),
	};

	return lab_run(64, tests);
}
