/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The translation between the families beside that of tayga, packet by packet. The program sends
 * each packet through the stages of plvs and, with the ports that plvs gave it, through tayga, and
 * compares the bytes that come out. tayga runs on a TUN device, whose name is in TAYGA_DEVICE, with
 * these static maps:
 *
 *	LOCAL4 - CLIENT6, SERVER4 - VIP6	IPv6 service with an IPv4 server
 *	CLIENT4 - LOCAL6, VIP4 - SERVER6	IPv4 service with an IPv6 server
 *
 * Known differences are named where they are allowed: packets_compare.h, tayga_lacks().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/csum.h"
#include "dataplane/conn/tcp_state.h"
#include "lib/lab_families.h"
#include "packets_compare.h"

#define VIP4	"10.1.0.100"
#define CLIENT4 "192.168.1.1"
#define SERVER4 "10.10.0.1"
#define LOCAL4	"10.10.0.200"
#define ETH	14U
#define CPORT	5000
#define SPORT	8080
#define WAIT_MS 5000

static int tun = -1;
static unsigned int tun_index;
static struct comparison counts;
static bool lacks; /* tayga drops the packet at hand by a rule of its own */

/* A way of packets through the translation. */
struct way {
	bool v6;    /* as they come */
	bool reply; /* from the server */
	bool six_client;
};

static const struct way ways[] = {
	{true, false, true},   /* IPv6 client to IPv4 server */
	{false, true, true},   /* and back */
	{false, false, false}, /* IPv4 client to IPv6 server */
	{true, true, false},   /* and back */
};
#define N_WAYS (sizeof(ways) / sizeof(*ways))

static uint16_t lport[2][2]; /* by six_client, and whether UDP */

static uint16_t vport(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 80 : 53;
}

static int setup(void **state)
{
	static const struct world_server v4[] = {{SERVER4 ":8080", 1, FWD_FULLNAT}};
	static const struct world_server v6[] = {{"[" SERVER6 "]:8080", 1, FWD_FULLNAT}};

	if (lab_families_open(state, 0) < 0)
		return -1;
	world_service(&h, "tcp", VIP4 ":80", NULL, v6, 1);
	world_service(&h, "udp", VIP4 ":53", NULL, v6, 1);
	world_service(&h, "tcp", "[" VIP6 "]:80", NULL, v4, 1);
	world_service(&h, "udp", "[" VIP6 "]:53", NULL, v4, 1);
	return lab_families_pools(LOCAL4, LOCAL6);
}

/* A packet of a way. translated: with the ports that the packet leaves plvs with. */
static struct packet packet_of(const struct way *way, uint8_t proto, bool translated)
{
	const uint16_t local = lport[way->six_client][proto == IPPROTO_UDP];
	const bool client_side = way->reply == translated;
	const uint16_t near = client_side ? CPORT : local;
	const uint16_t far = client_side ? vport(proto) : SPORT;
	struct packet p = {.v6 = way->v6, .proto = proto, .df = 1};

	p.sport = be16_from(way->reply ? far : near);
	p.dport = be16_from(way->reply ? near : far);
	p.tcp_flags = proto == IPPROTO_TCP ? TCP_ACK : 0;
	if (way->v6) {
		p.saddr6 = ipv6(way->reply ? SERVER6 : CLIENT6);
		p.daddr6 = ipv6(way->reply ? LOCAL6 : VIP6);
	} else {
		p.saddr = ipv4(way->reply ? SERVER4 : CLIENT4);
		p.daddr = ipv4(way->reply ? LOCAL4 : VIP4);
	}
	return p;
}

/* --- tayga ----------------------------------------------------------------------------- */

static void tayga_put(const uint8_t *l3, size_t len)
{
	const struct sockaddr_ll to = {.sll_family = AF_PACKET,
				       .sll_ifindex = (int)tun_index,
				       .sll_protocol =
					       be16_from(l3[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP)};

	assert_int_equal(sendto(tun, l3, len, 0, (const struct sockaddr *)&to, sizeof(to)), len);
}

/* The next packet that tayga wrote. 0: none came in time. */
static size_t tayga_take(uint8_t *l3)
{
	struct pollfd p = {.fd = tun, .events = POLLIN};

	while (poll(&p, 1, WAIT_MS) > 0) {
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		const ssize_t n =
			recvfrom(tun, l3, FRAME_MAX, 0, (struct sockaddr *)&from, &from_len);

		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING)
			return (size_t)n;
	}
	return 0;
}

/* A packet that tayga translates in any case: its answer ends those of the packet before. */
#define MARK 0x4d41524bU

static bool is_mark(const uint8_t *l3, size_t len)
{
	const uint32_t mark = MARK;

	return len >= 4 && memcmp(l3 + len - 4, &mark, 4) == 0;
}

static void mark_put(const struct way *way)
{
	struct packet p = packet_of(way, IPPROTO_UDP, true);
	uint8_t frame[FRAME_MAX];
	const uint32_t mark = MARK;

	p.payload = 4;
	p.data = &mark;
	tayga_put(frame + ETH, packet_build(&p, frame) - ETH);
}

/* Frames of plvs and of tayga, which are the same packet but for its ports. */
static void both(const char *what, const struct way *way, const uint8_t *ours, size_t n,
		 const uint8_t *theirs, size_t m)
{
	uint8_t out[FRAME_MAX], frame[FRAME_MAX], other[FRAME_MAX];
	const size_t got = (lab_put_frame(way->reply, ours, n), lab_got_frame(!way->reply, frame));
	size_t their;

	assert_int_equal(lab_got_frame(!way->reply, other), 0);
	lab_drain(way->reply);
	lab_drain_punted();
	tayga_put(theirs + ETH, m - ETH);
	mark_put(way);
	their = tayga_take(out);
	if (their == 0)
		fail_msg("%s: tayga is silent", what);
	if (is_mark(out, their)) {
		packets_compare(&counts, what, frame + ETH, got ? got - ETH : 0, out, 0, lacks);
		return;
	}
	packets_compare(&counts, what, frame + ETH, got ? got - ETH : 0, out, their, lacks);
	their = tayga_take(out);
	assert_true(is_mark(out, their));
}

/* A change of an IP packet after it was built. */
typedef void (*shape_fn)(uint8_t *l3, size_t *len, uint32_t arg);

static void sum_again(uint8_t *l3)
{
	be16 sum;

	if (l3[0] >> 4 != 4)
		return;
	memset(l3 + 10, 0, 2);
	sum = csum_of(l3, (l3[0] & 0xfU) * 4);
	memcpy(l3 + 10, &sum, 2);
}

static void later_fragment(uint8_t *l3, size_t *len, uint32_t arg);

static void cross(const struct way *way, struct packet p, shape_fn shape, uint32_t arg,
		  const char *what)
{
	const struct packet with = packet_of(way, p.proto, false),
			    as = packet_of(way, p.proto, true);
	uint8_t ours[FRAME_MAX], theirs[FRAME_MAX];
	char text[160];
	size_t n, m;

	snprintf(text, sizeof(text), "IPv%c %s, %s %s, %u", way->v6 ? '6' : '4',
		 way->reply ? "reply" : "request", p.proto == IPPROTO_TCP ? "TCP" : "UDP", what,
		 arg);
	packet_to_port(&p, way->reply, NULL);
	p.sport = with.sport;
	p.dport = with.dport;
	n = packet_build(&p, ours) - ETH;
	/* Bytes of a later fragment are not looked at; tayga drops a datagram without a checksum,
	 * so that it gets one that the datagram's checksum has to become. */
	if (shape != later_fragment) {
		p.sport = as.sport;
		p.dport = as.dport;
	}
	p.no_l4 = 0;
	m = packet_build(&p, theirs) - ETH;
	if (shape) {
		shape(ours + ETH, &n, arg);
		shape(theirs + ETH, &m, arg);
	}
	both(text, way, ours, n + ETH, theirs, m + ETH);
}

/* --- packets --------------------------------------------------------------------------- */

static void class_set(uint8_t *l3, size_t *len, uint32_t arg)
{
	(void)len;
	if (l3[0] >> 4 == 4) {
		l3[1] = (uint8_t)arg;
		sum_again(l3);
	} else {
		l3[0] = (uint8_t)(0x60 | arg >> 4);
		l3[1] = (uint8_t)((l3[1] & 0xf) | arg << 4);
	}
}

static void ends_learn(void)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	for (unsigned int w = 0; w < N_WAYS; w += 2)
		for (unsigned int i = 0; i < 2; i++) {
			struct packet p = packet_of(&ways[w], protos[i], false), got;

			p.sport = be16_from(CPORT);
			p.dport = be16_from(vport(protos[i]));
			p.tcp_flags = i ? 0 : TCP_SYN;
			lab_put(0, p);
			assert_true(lab_got(1, &got));
			lport[ways[w].six_client][i] = be16_to(got.sport);
		}
}

static void headers_and_checksums_are_those_of_tayga(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	static const uint16_t sizes[] = {0, 1, 2, 3, 21, 536, 1000, 1200, 1211, 1212, 1213, 1232};
	static const uint8_t classes[] = {0, 1, 2, 0x2e, 0xb8, 0xff};
	static const uint8_t hops[] = {2, 3, 63, 64, 128, 255};

	(void)state;
	ends_learn();
	for (unsigned int w = 0; w < N_WAYS; w++)
		for (unsigned int i = 0; i < 2; i++) {
			struct packet p = packet_of(&ways[w], protos[i], false);

			for (unsigned int k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
				p.payload = sizes[k];
				p.seq = 0x12345678 + k;
				cross(&ways[w], p, NULL, sizes[k], "of bytes");
			}
			p.payload = 40;
			for (unsigned int k = 0; k < sizeof(classes); k++)
				cross(&ways[w], p, class_set, classes[k], "with class");
			for (unsigned int k = 0; k < sizeof(hops); k++) {
				p.ttl = hops[k];
				cross(&ways[w], p, NULL, hops[k], "with hop limit");
			}
			p.ttl = 0;
			/* Each value of a checksum's byte, those that become 0 among them. */
			for (uint32_t k = 0; k < 600; k++) {
				const be16 word[2] = {be16_from((uint16_t)(k * 109)),
						      be16_from((uint16_t)(k * 7))};

				p.data = word;
				p.payload = 4;
				cross(&ways[w], p, NULL, k, "with checksum");
			}
		}
}

static void a_datagram_without_a_checksum_gets_that_of_tayga(void **state)
{
	(void)state;
	ends_learn();
	for (unsigned int w = 0; w < N_WAYS; w++) {
		struct packet p = packet_of(&ways[w], IPPROTO_UDP, false);

		if (ways[w].v6)
			continue;
		p.no_l4 = 1;
		for (uint16_t k = 0; k < 64; k++) {
			p.payload = k;
			cross(&ways[w], p, NULL, k, "without a checksum, of bytes");
		}
	}
}

/* arg: identification << 16 | offset in units of 8 bytes << 1 | more. */
static void fragment_make(uint8_t *l3, size_t *len, uint32_t arg)
{
	const uint16_t id = (uint16_t)(arg >> 16), at = (arg & 0xffff) >> 1, more = arg & 1;

	if (l3[0] >> 4 == 4) {
		lab_put16(l3 + 4, id);
		lab_put16(l3 + 6, (uint16_t)(at | (more ? 0x2000 : 0)));
		sum_again(l3);
		return;
	}
	memmove(l3 + 48, l3 + 40, *len - 40);
	l3[40] = l3[6];
	l3[41] = 0;
	lab_put16(l3 + 42, (uint16_t)(at << 3 | more));
	lab_put16(l3 + 44, 0);
	lab_put16(l3 + 46, id);
	l3[6] = 44;
	*len += 8;
	lab_put16(l3 + 4, (uint16_t)(*len - 40));
}

static void later_fragment(uint8_t *l3, size_t *len, uint32_t arg)
{
	fragment_make(l3, len, arg);
}

static void fragments_keep_place_and_identification(void **state)
{
	static const uint16_t sizes[] = {16, 512, 1000, 1200};

	(void)state;
	ends_learn();
	for (unsigned int w = 0; w < N_WAYS; w++)
		for (unsigned int i = 0; i < 4; i++) {
			const uint32_t id = (0x1000U + w * 16 + i) << 16, n = sizes[i] / 8U + 1;
			struct packet p = packet_of(&ways[w], IPPROTO_UDP, false);

			p.df = 0;
			p.payload = sizes[i];
			cross(&ways[w], p, fragment_make, id | 1, "first fragment");
			cross(&ways[w], p, later_fragment, id | n << 1 | 1, "second fragment");
			cross(&ways[w], p, later_fragment, id | n << 2, "last fragment");
		}
}

/* --- ICMP errors ----------------------------------------------------------------------- */

/* The packet that an error quotes, which went the other way than the error goes. */
static struct packet quoted_of(const struct way *way, bool translated)
{
	const struct packet back = packet_of(way, IPPROTO_UDP, translated);

	return (struct packet){.v6 = back.v6,
			       .saddr = back.daddr,
			       .daddr = back.saddr,
			       .saddr6 = back.daddr6,
			       .daddr6 = back.saddr6,
			       .sport = back.dport,
			       .dport = back.sport,
			       .proto = IPPROTO_UDP,
			       .payload = 30,
			       .ttl = 7,
			       .df = 1};
}

static size_t error_build(const struct way *way, uint8_t type, uint8_t code, uint32_t info,
			  bool translated, uint8_t frame[FRAME_MAX])
{
	const struct packet quoted = quoted_of(way, translated);
	const size_t head = way->v6 ? 40 : 20;
	struct packet p = packet_of(way, IPPROTO_UDP, false);
	const be16 words[2] = {be16_from((uint16_t)(info >> 16)), be16_from((uint16_t)info)};
	uint8_t quote[FRAME_MAX];
	size_t len;
	be16 sum;

	p.proto = way->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	p.sport = (be16)(type << 8 | code);
	p.dport = 0;
	p.payload = (uint16_t)(packet_build(&quoted, quote) - ETH);
	p.data = quote + ETH;
	packet_to_port(&p, way->reply, NULL);
	len = packet_build(&p, frame);
	memcpy(frame + ETH + head + 4, words, 4);
	memcpy(&sum, frame + ETH + head + 2, 2);
	sum = csum_apply(sum, csum_delta_sum(csum_delta16(0, words[0]), csum_delta16(0, words[1])));
	memcpy(frame + ETH + head + 2, &sum, 2);
	return len;
}

/* Errors that tayga drops: parameter problems, unreachable addresses (ICMPv6 1/3), MTUs below 68.
 * test_translate.c has the tables of RFC 7915 for these. */
static bool tayga_lacks(bool v6, uint8_t type, uint8_t code, uint32_t info)
{
	if (v6)
		return (type == 1 && code == 3) || (type == 4 && code == 0) ||
		       (type == 2 && info < 68);
	return type == 12;
}

static void error_cross(const struct way *way, uint8_t type, uint8_t code, uint32_t info)
{
	uint8_t ours[FRAME_MAX], theirs[FRAME_MAX];
	char text[160];
	const size_t n = error_build(way, type, code, info, false, ours);
	const size_t m = error_build(way, type, code, info, true, theirs);

	snprintf(text, sizeof(text), "ICMPv%c %u/%u %#x about a %s", way->v6 ? '6' : '4', type,
		 code, info, way->reply ? "request" : "reply");
	lacks = tayga_lacks(way->v6, type, code, info);
	both(text, way, ours, n, theirs, m);
	lacks = false;
}

static void errors_of(const struct way *way)
{
	static const uint16_t mtus[] = {0, 88, 576, 1260, 1261, 1280, 1300, 1480, 1481, 1500, 9000};
	const uint8_t unreachable = way->v6 ? 1 : 3, time = way->v6 ? 3 : 11;
	const uint8_t parameter = way->v6 ? 4 : 12;

	for (uint8_t code = 0; code < 18; code++)
		if (way->v6 || code != 4)
			error_cross(way, unreachable, code, 0);
	for (uint8_t code = 0; code < 2; code++)
		error_cross(way, time, code, 0);
	for (uint32_t at = 0; at < (way->v6 ? 44 : 24); at++)
		error_cross(way, parameter, 0, way->v6 ? at : at << 24);
	for (uint8_t code = 1; code < 4; code++)
		error_cross(way, parameter, code, way->v6 ? 6 : 0);
	for (unsigned int i = 0; i < sizeof(mtus) / sizeof(*mtus); i++)
		error_cross(way, way->v6 ? 2 : 3, way->v6 ? 0 : 4, mtus[i]);
}

static void errors_have_type_code_mtu_and_pointer_of_tayga(void **state)
{
	(void)state;
	ends_learn();
	for (unsigned int w = 0; w < N_WAYS; w++)
		errors_of(&ways[w]);
}

static void something_was_compared(void **state)
{
	(void)state;
	printf("%u packets compared, %u of them dropped by both, %u by tayga alone, as it does\n",
	       counts.n_compared, counts.n_dropped, counts.n_lacking);
	assert_int_equal(counts.n_differ, 0);
	assert_true(counts.n_compared > 5000);
	assert_true(counts.n_dropped > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(headers_and_checksums_are_those_of_tayga, setup, 1),
		LAB_TEST(a_datagram_without_a_checksum_gets_that_of_tayga, setup, 1),
		LAB_TEST(fragments_keep_place_and_identification, setup, 1),
		LAB_TEST(errors_have_type_code_mtu_and_pointer_of_tayga, setup, 1),
		cmocka_unit_test(something_was_compared),
	};
	const char *device = getenv("TAYGA_DEVICE");
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = be16_from(ETH_P_ALL)};

	tun_index = device ? if_nametoindex(device) : 0;
	tun = socket(AF_PACKET, SOCK_DGRAM, be16_from(ETH_P_ALL));
	at.sll_ifindex = (int)tun_index;
	if (!tun_index || tun < 0 || bind(tun, (const struct sockaddr *)&at, sizeof(at)) != 0) {
		fprintf(stderr, "TAYGA_DEVICE: no such device, or no right to open it\n");
		return 1;
	}
	return lab_run(256, tests);
}
