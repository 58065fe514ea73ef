/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz/frame_program.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "lib/bed.h"
#include "lib/packet.h"
#include "lib/world.h"
#include "sched/sched.h"

#define VIP	    "10.1.0.100"
#define CONNECTIONS 200 /* few, so that the table is full soon */
#define STEPS_MAX   600

struct program {
	const uint8_t *p, *end;
	struct harness h;
	struct packet last; /* the frame before, which an ICMP error quotes */
};

static uint8_t take(struct program *g)
{
	return g->p < g->end ? *g->p++ : 0;
}

static uint16_t take16(struct program *g)
{
	const uint8_t high = take(g);

	return (uint16_t)(high << 8 | take(g));
}

/* The last one is not resolved at the start: its packets are parked. */
static const char *const servers[] = {"10.10.0.1", "10.10.0.2", "10.10.0.3", NULL};
static const char *const resolved[] = {"10.10.0.1", "10.10.0.2", NULL};

static const struct service_row {
	const char *proto, *listen;
	uint16_t port; /* of the servers */
	uint8_t method;
	struct world_policy policy;
} services[] = {
	{"tcp", VIP ":80", 8080, FWD_NAT, {0}},
	{"tcp", VIP ":21", 21, FWD_NAT, {.ftp = true}},
	{"tcp",
	 VIP ":443",
	 443,
	 FWD_NAT,
	 {.persist_s = 3,
	  .extension_s = 5,
	  .netmask = 28,
	  .client_address = CLIENT_ADDRESS_PROXY_V1}},
	{"tcp", VIP ":81", 81, FWD_DR, {.on_removed = ON_REMOVED_RESET, .reuse = 3}},
	{"tcp", VIP ":82", 82, FWD_TUNNEL, {.sloppy_tcp = true}},
	{"tcp", VIP ":83", 83, FWD_LOCAL, {.unknown = UNKNOWN_RST}},
	{"udp", VIP ":53", 53, FWD_NAT, {.one_packet = true}},
	{"udp",
	 VIP ":54",
	 5454,
	 FWD_NAT,
	 {.nat_icmp_send = true,
	  .on_removed = ON_REMOVED_KEEP,
	  .client_address = CLIENT_ADDRESS_PROXY_V2}},
	{"udp", VIP ":55", 55, FWD_TUNNEL, {.persist_s = 2}},
	{"mark", "7", 0, FWD_DR, {.persist_s = 2, .on_removed = ON_REMOVED_DRAIN, .drain_s = 3}},
};
#define N_SERVICES (sizeof(services) / sizeof(services[0]))

#define VIP6 "2001:db8:1::100"

/* Of IPv6; the last one tunnels an IPv6 client to an IPv4 server, the one before the other way
 * round. */
static const struct {
	const char *proto, *listen, *server;
	uint8_t method;
	struct world_policy policy;
} services6[] = {
	{"tcp",
	 "[" VIP6 "]:80",
	 "[2001:db8:10::1]:8080",
	 FWD_NAT,
	 {.client_address = CLIENT_ADDRESS_PROXY_V2}},
	{"tcp", "[" VIP6 "]:21", "[2001:db8:10::1]:21", FWD_NAT, {.ftp = true}},
	{"tcp", "[" VIP6 "]:443", "[2001:db8:10::1]:443", FWD_NAT, {.persist_s = 3, .netmask = 64}},
	{"tcp", "[" VIP6 "]:81", "[2001:db8:10::1]:81", FWD_DR, {.on_removed = ON_REMOVED_RESET}},
	{"tcp", "[" VIP6 "]:82", "[2001:db8:10::1]:82", FWD_TUNNEL, {.sloppy_tcp = true}},
	{"udp", "[" VIP6 "]:53", "[2001:db8:10::1]:53", FWD_NAT, {.one_packet = true}},
	{"udp",
	 "[" VIP6 "]:54",
	 "[2001:db8:10::1]:54",
	 FWD_NAT,
	 {.client_address = CLIENT_ADDRESS_PROXY_V2}},
	{"udp", VIP ":56", "[2001:db8:10::1]:56", FWD_TUNNEL, {0}},
	{"udp", "[" VIP6 "]:55", "10.10.0.1:55", FWD_TUNNEL, {0}},
};
#define N_SERVICES6 (sizeof(services6) / sizeof(services6[0]))

static void world6_start(struct program *g)
{
	world_route(&g->h, "::/0", link_id_of(0, 0), NULL);
	world_route(&g->h, "2001:db8:10::/48", link_id_of(1, 0), NULL);
	world_own(&g->h, "2001:db8:c::fe", link_id_of(0, 0));
	world_own(&g->h, "2001:db8:10::fe", link_id_of(1, 0));
	world_neighbour(&g->h, link_id_of(0, 0), "2001:db8:c::1", "02:06:00:00:00:01");
	world_neighbour(&g->h, link_id_of(0, 0), "2001:db8:c::2", "02:06:00:00:00:02");
	world_neighbour(&g->h, link_id_of(1, 0), "2001:db8:10::1", "02:06:00:00:00:03");
	for (unsigned int i = 0; i < N_SERVICES6; i++) {
		const struct world_server srv = {services6[i].server, 1, services6[i].method};

		world_policy(&g->h, &services6[i].policy);
		world_service(&g->h, services6[i].proto, services6[i].listen, sched_find("rr"),
			      &srv, 1);
	}
}

/* The first n servers of a service, with a weight for each; n 0: the service goes. */
static void pool_put(struct program *g, unsigned int i, unsigned int n, uint8_t weights)
{
	const struct service_row *s = &services[i];
	struct world_server list[3];
	char endpoint[3][32];

	if (n == 0) {
		world_service_del(&g->h, s->proto, s->listen);
		return;
	}
	for (unsigned int k = 0; k < n; k++) {
		snprintf(endpoint[k], sizeof(endpoint[k]), "%s:%u", servers[k], s->port);
		list[k] = (struct world_server){endpoint[k], weights >> (2 * k) & 3, s->method};
	}
	world_policy(&g->h, &s->policy);
	world_service(&g->h, s->proto, s->listen, sched_find(weights & 0x40 ? "rr" : "wlc"), list,
		      n);
}

static int world_start(struct program *g)
{
	struct mark_rule rule = {.link = LINK_ANY, .mark = 7};

	if (bed_open(&g->h, 1U + take(g) % 4, CONNECTIONS, true) < 0)
		return -1;
	bed_neighbours(&g->h, link_id_of(1, 0), resolved);
	rule.dest = (struct mark_prefix){.addr = addr_from_v4(ipv4("10.2.0.0")), .len = 16};
	world_marks(&g->h, &rule, 1);
	for (unsigned int i = 0; i < N_SERVICES; i++)
		pool_put(g, i, 3, 0x15);
	world6_start(g);
	return 0;
}

/* ---- frames ---- */

static const char *const texts[] = {
	"",
	"PASV\r\n",
	"227 Entering Passive Mode (10,10,0,1,200,13).\r\n",
	"EPSV\r\n",
	"229 Extended (|||6446|)\r\n",
	"PORT 192,168,1,1,100,200\r\n",
	"227 Enter",
	"500 no\r\n227 (10,10,0,2,12,234)\r\n",
};

/* A client's packet to a service or to nobody, or a server's answer to it. */
static struct packet described(struct program *g, uint8_t kind)
{
	static const uint16_t ports[] = {80, 21, 443, 81, 82, 83, 53, 54, 55, 51213, 20, 6446};
	const uint8_t who = take(g), what = take(g);
	const char *text = texts[what >> 5];
	const unsigned int i = what % (sizeof(ports) / sizeof(ports[0]));
	struct packet p = {
		.saddr = be32_from(0xc0a80101U + (who & 3)),
		.daddr = ipv4(kind & 8 ? "10.2.3.4" : VIP),
		.sport = be16_from((uint16_t)(4000 + (who >> 2 & 15))),
		.dport = be16_from(ports[i]),
		.proto = i >= 6 && i <= 8 ? IPPROTO_UDP : IPPROTO_TCP,
		.tcp_flags = take(g),
		.seq = 1000U + take(g),
		.ack = 5000U + take(g),
		.ttl = (uint8_t)(64 - (who >> 6)),
		.df = kind >> 4 & 1,
		.data = text,
		.payload = (uint16_t)strlen(text),
	};

	if (kind & 1) { /* of the server */
		const struct service_row *s = &services[i < N_SERVICES - 1 ? i : 0];

		p.daddr = p.saddr;
		p.saddr = ipv4(servers[who >> 6 & 1]);
		p.dport = p.sport;
		p.sport = be16_from(i < N_SERVICES - 1 ? s->port : ports[i]);
		p.src = (struct mac){{2, 1}};
		memcpy(p.src.byte + 2, &p.saddr, 4);
	}
	return p;
}

/* An ICMP error of anybody about the packet before, as it was or as it went on. */
static struct packet icmp_error(struct program *g, uint8_t quoted[FRAME_MAX])
{
	static const uint16_t types[] = {0x0303, 0x0304, 0x0b00, 0x0800, 0x0301, 0x0c00};
	struct packet p = {.saddr = ipv4(servers[take(g) % 3]),
			   .daddr = g->last.saddr,
			   .proto = IPPROTO_ICMP,
			   .sport = types[take(g) % 6],
			   .data = quoted + 14};
	const size_t len = packet_build(&g->last, quoted);

	if (take(g) & 1)
		p.daddr = ipv4(VIP);
	p.payload = (uint16_t)(len > 14 + 60 ? 60 : len - 14);
	return p;
}

/* Changes bytes; the checksum of the IPv4 header is made right again unless told otherwise. */
static void mutate(struct program *g, uint8_t *frame, size_t len)
{
	const uint8_t n = take(g);

	for (unsigned int i = 0; i < (n & 7U); i++) {
		const uint8_t at = take(g);

		if (at < len)
			frame[at] = take(g);
	}
	if (len >= 34 && !(n & 0x80)) {
		const size_t ihl = (frame[14] & 15U) * 4U;
		uint16_t sum;

		memset(frame + 24, 0, 2);
		if (ihl < 20 || 14 + ihl > len)
			return;
		sum = (uint16_t)~csum_fold(csum_add(0, frame + 14, (uint32_t)ihl));
		memcpy(frame + 24, &sum, 2);
	}
}

static void arrive(struct program *g, unsigned int port, const uint8_t *frame, size_t len)
{
	struct rte_mbuf *m = harness_frame(&g->h, frame, (uint16_t)len);

	if (m)
		harness_receive(&g->h, (uint16_t)port, 0, m);
}

static void step_frame(struct program *g, uint8_t kind)
{
	uint8_t frame[FRAME_MAX], quoted[FRAME_MAX];
	struct packet p;
	size_t len;

	if ((kind & 6) == 6)
		p = icmp_error(g, quoted);
	else
		g->last = p = described(g, kind);
	p.dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)((kind & 1) + 1)}};
	len = packet_build(&p, frame);
	if (kind & 2)
		mutate(g, frame, len);
	if (kind & 0x20 && len > 20) /* cut */
		len -= take(g) % 20U;
	arrive(g, kind & 1, frame, len);
}

/* A chain of extension headers of any kinds, lengths now and then wrong. */
static uint16_t extensions(struct program *g, uint8_t ext[64], uint8_t *first, uint16_t *last)
{
	static const uint8_t kinds[] = {0, 43, 44, 51, 60, 60, 135, 59};
	const unsigned int n = take(g) % 5;
	uint16_t len = 0;

	memset(ext, 0, 64);
	*last = 0;
	for (unsigned int i = 0; i < n; i++) {
		const uint8_t kind = kinds[take(g) % 8], what = take(g);

		if (i == 0)
			*first = kind;
		else
			ext[*last] = kind;
		*last = len;
		if (kind == 44) {
			ext[len + 2] = what >> 4 & 1;
			ext[len + 3] = what & 0x69;
			ext[len + 7] = what >> 6;
		} else {
			ext[len + 1] = what & 0x80 ? what & 3 : 0;
			ext[len + 2] = what & 0x40 ? what : 1;
			ext[len + 3] = what & 0x40 ? take(g) & 7 : 4;
		}
		len = (uint16_t)(len + 8);
	}
	return len;
}

/* An IPv6 packet of a client or a server, with or without extension headers; neighbour discovery;
 * an ICMPv6 error about the packet before. */
static void step_frame6(struct program *g)
{
	static const uint16_t ports[] = {80, 21, 443, 81, 82, 53, 54, 55, 6446};
	static const uint16_t types[] = {0x0104, 0x0200, 0x0300, 0x0401,
					 0x6400, 0x8000, 0x8700, 0x8800};
	const uint8_t kind = take(g), who = take(g), i = take(g) % 9;
	const char *text = texts[kind >> 5];
	uint8_t frame[FRAME_MAX], ext[64], body[96] = {0};
	const struct addr6 vip = ipv6(VIP6);
	struct packet p = {
		.v6 = true,
		.saddr6 = ipv6(who & 1 ? "2001:db8:c::1" : "2001:db8:c::2"),
		.daddr6 = vip,
		.sport = be16_from((uint16_t)(4000 + (who >> 4))),
		.dport = be16_from(ports[i]),
		.proto = i >= 5 && i <= 7 ? IPPROTO_UDP : IPPROTO_TCP,
		.tcp_flags = take(g),
		.seq = 1000U + take(g),
		.ack = 5000U + take(g),
		.ttl = (uint8_t)(64 - (who >> 1 & 3) * 21),
		.data = text,
		.payload = (uint16_t)strlen(text),
	};
	size_t len;

	if (kind & 1) { /* of the server */
		p.daddr6 = p.saddr6;
		p.saddr6 = ipv6("2001:db8:10::1");
		p.dport = p.sport;
		p.sport = be16_from(i == 0 ? 8080 : ports[i]);
	}
	if ((kind & 6) == 6) {
		const struct packet quoted = g->last.v6 ? g->last : p;

		p.proto = IPPROTO_ICMPV6;
		p.sport = types[take(g) % 8];
		p.ttl = 255;
		if (p.sport >> 8 == 0x87 || p.sport >> 8 == 0x88) {
			memcpy(body, &vip, 16);
			body[16] = take(g) & 3;
			body[17] = take(g) & 3;
			p.payload = (uint16_t)(16 + (take(g) & 0x18));
		} else {
			len = packet_build(&quoted, frame);
			p.payload = (uint16_t)(len - 14 > sizeof(body) ? sizeof(body) : len - 14);
			memcpy(body, frame + 14, p.payload);
		}
		p.data = body;
	} else {
		g->last = p;
	}
	if (kind & 8) {
		p.ext = ext;
		p.ext_len = extensions(g, ext, &p.ext_first, &p.ext_last);
	}
	p.dst = (struct mac){{2, 0, 0, 0, 0, (uint8_t)((kind & 1) + 1)}};
	len = packet_build(&p, frame);
	if (kind & 16) {
		const uint8_t n = take(g) & 7;

		for (unsigned int k = 0; k < n; k++) {
			const uint8_t at = take(g);

			if (at < len)
				frame[at] = take(g);
		}
	}
	arrive(g, kind & 1, frame, len);
}

static void step_raw(struct program *g)
{
	const uint8_t port = take(g) & 1;
	size_t len = take16(g) % 600U;

	if (len > (size_t)(g->end - g->p))
		len = (size_t)(g->end - g->p);
	arrive(g, port, g->p, len);
	g->p += len;
}

/* ---- the rest of the world ---- */

static void step_world(struct program *g)
{
	const uint8_t what = take(g), how = take(g);
	const char *server = servers[how % 3];

	switch (what % 6) {
	case 0:
		world_neighbour(&g->h, link_id_of(1, 0), server, NULL);
		break;
	case 1:
		bed_neighbours(&g->h, link_id_of(1, 0), servers);
		break;
	case 2:
		pool_put(g, how % N_SERVICES, what >> 4 & 3, 0x15);
		break;
	case 3:
		pool_put(g, how % N_SERVICES, 3, what);
		break;
	case 4:
		world_gateway(&g->h, how & 1 ? "10.10.255.1" : "10.10.255.2");
		break;
	default:
		harness_advance_ms(&g->h, (what & 0x80 ? 1000U : 30U) * (how & 15U));
		break;
	}
}

static void outputs_free(struct harness *h)
{
	enum punt_class class;
	struct resolve_request want;
	struct rte_mbuf *m;

	for (uint16_t port = 0; port < 2; port++)
		while ((m = harness_sent(h, port)) != NULL)
			rte_pktmbuf_free(m);
	while ((m = harness_punted(h, &class)) != NULL)
		rte_pktmbuf_free(m);
	while (harness_resolve_wanted(h, &want))
		;
}

const char *frame_program_run(const uint8_t *data, size_t size)
{
	static char error[256];
	struct program g = {.p = data, .end = data + size};
	bool held = true;

	if (world_start(&g) < 0)
		return "no world";
	for (unsigned int i = 0; i < STEPS_MAX && g.p < g.end && held; i++) {
		const uint8_t kind = take(&g);

		if (kind < 0xc0)
			step_frame(&g, kind);
		else if (kind < 0xd0)
			step_raw(&g);
		else if (kind < 0xe8)
			step_world(&g);
		else if (kind < 0xf4)
			step_frame6(&g);
		/* Else nothing: what has arrived is one burst with what comes. */
		if (kind & 0x40 || kind >= 0xd0) {
			harness_run(&g.h);
			outputs_free(&g.h);
			held = harness_doors_add_up(&g.h, error);
		}
	}
	if (held) {
		harness_run(&g.h);
		outputs_free(&g.h);
		held = harness_doors_add_up(&g.h, error);
	}
	if (harness_destroy(&g.h) != 0)
		return "packet buffers were lost";
	return held ? NULL : error;
}
