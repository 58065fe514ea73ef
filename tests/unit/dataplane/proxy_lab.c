/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "unit/dataplane/proxy_lab.h"

#define WAYS_OF(version)                                                                           \
	{false, FWD_NAT, version}, {false, FWD_FULLNAT, version}, {true, FWD_NAT, version},        \
	{                                                                                          \
		true, FWD_FULLNAT, version                                                         \
	}

const struct way ways[] = {WAYS_OF(CLIENT_ADDRESS_PROXY_V2), WAYS_OF(CLIENT_ADDRESS_PROXY_V1)};
const unsigned int n_ways = sizeof(ways) / sizeof(ways[0]);
struct way way;

/* The client as the server sees it. */
static struct packet peer;

int way_open(void **state)
{
	const struct world_policy policy = {.client_address = way.version};
	const struct world_server v4 = {SERVER ":8080", 1, way.method};
	const struct world_server v6 = {"[" SERVER6 "]:8080", 1, way.method};

	if (lab_families_open(state, 0) < 0)
		return -1;
	world_policy(&h, &policy);
	world_service(&h, "tcp", VIP ":80", NULL, &v4, 1);
	world_service(&h, "udp", VIP ":53", NULL, &v4, 1);
	world_service(&h, "tcp", "[" VIP6 "]:80", NULL, &v6, 1);
	world_service(&h, "udp", "[" VIP6 "]:53", NULL, &v6, 1);
	return lab_families_pools(LOCAL, LOCAL6);
}

uint32_t way_header(uint16_t cport, uint8_t out[PROXY_HEADER_MAX])
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	const size_t n = way.v6 ? 16 : 4;

	if (way.version == CLIENT_ADDRESS_PROXY_V1)
		return (uint32_t)snprintf((char *)out, PROXY_HEADER_MAX,
					  "PROXY TCP%c %s %s %u 80\r\n", way.v6 ? '6' : '4',
					  way.v6 ? CLIENT6 : CLIENT, way.v6 ? VIP6 : VIP, cport);
	memcpy(out, signature, 12);
	out[12] = 0x21;
	out[13] = way.v6 ? 0x21 : 0x11;
	lab_put16(out + 14, (uint16_t)(2 * n + 4));
	if (way.v6) {
		const struct addr6 client = ipv6(CLIENT6), vip = ipv6(VIP6);

		memcpy(out + 16, &client, 16);
		memcpy(out + 32, &vip, 16);
	} else {
		const be32 client = ipv4(CLIENT), vip = ipv4(VIP);

		memcpy(out + 16, &client, 4);
		memcpy(out + 20, &vip, 4);
	}
	lab_put16(out + 16 + 2 * n, cport);
	lab_put16(out + 18 + 2 * n, 80);
	return (uint32_t)(20 + 2 * n);
}

struct seg seg_of(uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
	struct seg s = {
		.flags = flags, .seq = seq, .ack = ack, .n = (uint16_t)(text ? strlen(text) : 0)};

	if (text)
		memcpy(s.data, text, s.n);
	return s;
}

/* The builder of packets knows no options: they go as the first of its payload, and the header
 * becomes longer afterwards. */
static void put(unsigned int port, struct packet p, const struct seg *s)
{
	const struct mac server_mac = {{2, 1, 10, 10, 0, 1}}, server6_mac = {{2, 6, 0, 0, 0, 2}};
	uint8_t frame[FRAME_MAX], text[1700], *tcp;
	const struct mac from = port == 0 ? lab_station : way.v6 ? server6_mac : server_mac;
	uint64_t sum;
	size_t len;

	memcpy(text, s->options, s->n_options);
	memcpy(text + s->n_options, s->data, s->n);
	p.v6 = way.v6;
	p.proto = IPPROTO_TCP;
	p.tcp_flags = s->flags;
	p.seq = s->seq;
	p.ack = s->ack;
	p.data = text;
	p.payload = (uint16_t)(s->n_options + s->n);
	packet_to_port(&p, port, &from);
	len = packet_build(&p, frame);
	tcp = frame + 14 + (way.v6 ? 40 : 20);
	tcp[12] = (uint8_t)((5 + s->n_options / 4) << 4);
	lab_put16(tcp + 14, s->window ? s->window : 65535);
	lab_put16(tcp + 18, s->urgent);
	memset(tcp + 16, 0, 2);
	sum = csum_add(0, tcp - (way.v6 ? 32 : 8), way.v6 ? 32 : 8) +
	      be16_from((uint16_t)(len - (size_t)(tcp - frame))) + be16_from(IPPROTO_TCP);
	sum = (uint16_t)~csum_fold(csum_add(sum, tcp, len - (size_t)(tcp - frame)));
	memcpy(tcp + 16, &sum, 2);
	lab_put_frame(port, frame, len);
}

static bool got(unsigned int port, struct seg *s, struct packet *p)
{
	uint8_t frame[FRAME_MAX];
	const size_t len = lab_got_frame(port, frame);
	const uint8_t *tcp = frame + 14 + (way.v6 ? 40 : 20);
	size_t header;

	if (!len)
		return false;
	memset(p, 0, sizeof(*p));
	assert_int_equal(packet_describe(frame, len, p), 0);
	assert_false(p->bad_ip || p->bad_l4);
	assert_int_equal(p->proto, IPPROTO_TCP);
	header = (size_t)(tcp[12] >> 4) * 4;
	*s = (struct seg){.flags = p->tcp_flags,
			  .seq = p->seq,
			  .ack = p->ack,
			  .window = lab_get16(tcp + 14),
			  .urgent = lab_get16(tcp + 18),
			  .n_options = (uint8_t)(header - 20),
			  .n = (uint16_t)(p->payload - (header - 20)),
			  .sport = p->sport,
			  .dport = p->dport};
	memcpy(s->options, tcp + 20, s->n_options);
	memcpy(s->data, tcp + header, s->n);
	return true;
}

void client_puts(uint16_t cport, const struct seg *s)
{
	put(0,
	    (struct packet){.saddr = ipv4(CLIENT),
			    .daddr = ipv4(VIP),
			    .saddr6 = ipv6(CLIENT6),
			    .daddr6 = ipv6(VIP6),
			    .sport = be16_from(cport),
			    .dport = be16_from(80)},
	    s);
}

void server_puts(const struct seg *s)
{
	put(1,
	    (struct packet){.saddr = peer.daddr,
			    .daddr = peer.saddr,
			    .saddr6 = peer.daddr6,
			    .daddr6 = peer.saddr6,
			    .sport = peer.dport,
			    .dport = peer.sport},
	    s);
}

bool server_gets(struct seg *s)
{
	struct packet p;

	if (!got(1, s, &p))
		return false;
	peer = p;
	return true;
}

bool client_gets(struct seg *s)
{
	struct packet p;

	return got(0, s, &p);
}

struct seg at_server(void)
{
	struct seg s;

	assert_true(server_gets(&s));
	return s;
}

struct seg at_client(void)
{
	struct seg s;

	assert_true(client_gets(&s));
	return s;
}

struct seg server_says(uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
	const struct seg s = seg_of(flags, seq, ack, text);

	server_puts(&s);
	return at_client();
}
