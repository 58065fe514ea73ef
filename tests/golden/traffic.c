/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "base/family.h"
#include "golden/scenario.h"

#define UDP_PAYLOAD 18 /* bytes, as recorded: 46 of IP */

static struct addr seen6[256]; /* IPv6 addresses that have a MAC */
static uint32_t n_seen6;

struct mac traffic_mac(const struct addr *addr)
{
	struct mac m = {{2, 1}};
	be32 number = addr->v4;

	if (addr->family == ADDR_V6) {
		uint32_t i = 0;

		while (i < n_seen6 && !addr_equal(&seen6[i], addr))
			i++;
		if (i == n_seen6 && n_seen6 < sizeof(seen6) / sizeof(seen6[0]))
			seen6[n_seen6++] = *addr;
		number = be32_from(i);
		m.byte[1] = 6;
	}
	memcpy(m.byte + 2, &number, 4);
	return m;
}

bool traffic_mac_addr(const struct mac *mac, struct addr *addr)
{
	be32 number;

	memcpy(&number, mac->byte + 2, 4);
	if (mac->byte[1] != 6) {
		*addr = addr_from_v4(number);
		return true;
	}
	if (be32_to(number) >= n_seen6)
		return false;
	*addr = seen6[be32_to(number)];
	return true;
}

static struct addr source_of(const struct packet *p)
{
	return p->v6 ? addr_from_addr6(p->saddr6) : addr_from_v4(p->saddr);
}

static struct addr dest_of(const struct packet *p)
{
	return p->v6 ? addr_from_addr6(p->daddr6) : addr_from_v4(p->daddr);
}

static void source_put(struct packet *p, const struct addr *a)
{
	p->v6 = a->family == ADDR_V6;
	if (p->v6)
		p->saddr6 = addr6_of(a);
	else
		p->saddr = a->v4;
}

static void dest_put(struct packet *p, const struct addr *a)
{
	if (a->family == ADDR_V6)
		p->daddr6 = addr6_of(a);
	else
		p->daddr = a->v4;
}

/* Neighbour discovery of a real kernel, as ARP would be. */
static bool is_discovery(const struct packet *p)
{
	return p->v6 && p->proto == IPPROTO_ICMPV6 && p->sport >> 8 >= 130;
}

/* Takes a tunnel's outer header off; *outer: where it went. */
static bool untunnel(uint8_t *frame, size_t *len, struct addr *outer)
{
	const bool v6 = frame[12] == 0x86;
	const uint8_t *ip = frame + 14;
	const size_t header = v6 ? 40 : 20;
	const uint8_t proto = *len > 14 + header ? ip[v6 ? 6 : 9] : 0;

	if (proto != IPPROTO_IPIP && proto != IPPROTO_IPV6)
		return false;
	*outer = (struct addr){.family = v6 ? ADDR_V6 : ADDR_V4};
	if (v6)
		memcpy(outer->v6, ip + 24, 16);
	else
		memcpy(&outer->v4, ip + 16, 4);
	frame[12] = proto == IPPROTO_IPV6 ? 0x86 : 0x08;
	frame[13] = proto == IPPROTO_IPV6 ? 0xdd : 0;
	memmove(frame + 14, frame + 14 + header, *len - 14 - header);
	*len -= header;
	return true;
}

/* False: none. What is neither IPv4 nor IPv6 does not count. outer: family ADDR_NONE without a
 * tunnel; may be NULL. */
static bool take_from(struct scenario *s, unsigned int port, struct packet *p, struct addr *outer)
{
	uint8_t frame[FRAME_MAX];
	struct addr none;
	size_t len;

	while ((len = s->router->take(s, port, frame)) != 0) {
		struct addr *to = outer ? outer : &none;

		*to = (struct addr){0};
		untunnel(frame, &len, to);
		if (packet_describe(frame, len, p) == 0 && !is_discovery(p)) {
			p->data = NULL;
			return true;
		}
	}
	return false;
}

static bool take(struct scenario *s, unsigned int port, struct packet *p)
{
	return take_from(s, port, p, NULL);
}

/* Packets that came out unasked: a packet too many is an error as well. */
static void drain(struct scenario *s, const char *what)
{
	struct packet p;

	s->router->left_to_linux(s);
	for (unsigned int port = 0; port < PORTS; port++) {
		while (take(s, port, &p)) {
			if (s->wrong++ == 0)
				fprintf(stderr, "%s: a packet too many after %s, protocol %u\n",
					s->name, what, p.proto);
		}
	}
}

static void send_packet(struct scenario *s, unsigned int port, struct packet *p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	const struct addr from = source_of(p);

	p->src = traffic_mac(&from);
	p->dst = s->router_mac[port];
	len = packet_build(p, frame);
	s->router->send(s, port, frame, len);
}

static struct packet packet_between(const struct addr *from, be16 sport, const struct addr *to,
				    be16 dport, uint8_t proto, uint8_t flags)
{
	struct packet p = {
		.sport = sport,
		.dport = dport,
		.proto = proto,
		.tcp_flags = flags,
		.payload = proto == IPPROTO_UDP ? UDP_PAYLOAD : 0,
	};

	source_put(&p, from);
	dest_put(&p, to);
	return p;
}

static struct packet client_packet(const struct played *c, uint8_t proto, uint8_t flags)
{
	return packet_between(&c->client, c->cport, &c->dest, c->dport, proto, flags);
}

static struct packet server_packet(const struct played *c, uint8_t proto, uint8_t flags)
{
	return packet_between(&c->server.addr, c->server.port, &c->client, c->cport, proto, flags);
}

/* Fields of a forwarded packet that stay and fields that change: got is want, one hop on. */
static bool is_next(const struct scenario *s, unsigned int port, const struct packet *want,
		    const struct packet *got)
{
	const struct addr from[2] = {source_of(want), source_of(got)};
	const struct addr to[2] = {dest_of(want), dest_of(got)};

	return addr_equal(&from[0], &from[1]) && addr_equal(&to[0], &to[1]) &&
	       got->sport == want->sport && got->dport == want->dport &&
	       got->proto == want->proto && got->ttl == 63 && got->tcp_flags == want->tcp_flags &&
	       got->payload == want->payload && !got->bad_ip && !got->bad_l4 &&
	       memcmp(&got->src, &s->router_mac[port], sizeof(got->src)) == 0;
}

static void check(struct scenario *s, unsigned int port, const struct packet *want,
		  const struct packet *got)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];
	const struct addr src = source_of(got), dst = dest_of(got);

	if (is_next(s, port, want, got))
		return;
	if (s->wrong++ == 0)
		fprintf(stderr,
			"%s: a packet came out wrong: protocol %u %s:%u > %s:%u flags %#x ttl %u, "
			"%u bytes%s%s\n",
			s->name, got->proto, addr_format(&src, a, sizeof(a)), be16_to(got->sport),
			addr_format(&dst, b, sizeof(b)), be16_to(got->dport), got->tcp_flags,
			got->ttl, got->payload, got->bad_ip ? ", IP checksum" : "",
			got->bad_l4 ? ", checksum" : "");
}

static bool is_icmp(const struct packet *p)
{
	return p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6;
}

static void client_sends(struct scenario *s, const struct played *c, uint8_t proto, uint8_t flags,
			 const char *what)
{
	struct packet p = client_packet(c, proto, flags), got;

	send_packet(s, PORT_CLIENT, &p);
	/* Refused late: its server is gone, or Linux knows no such connection. */
	if (take(s, PORT_CLIENT, &got) && !is_icmp(&got) && !(got.tcp_flags & TCP_RST) &&
	    s->wrong++ == 0)
		fprintf(stderr, "%s: %s came back to the client\n", s->name, what);
	if (c->nat) {
		dest_put(&p, &c->server.addr);
		p.dport = c->server.port;
	}
	if (take(s, PORT_SERVER, &got))
		check(s, PORT_SERVER, &p, &got);
	drain(s, what);
}

static void server_sends(struct scenario *s, const struct played *c, uint8_t proto, uint8_t flags,
			 const char *what)
{
	struct packet p = server_packet(c, proto, flags), reply = p, got;

	send_packet(s, PORT_SERVER, &p);
	source_put(&reply, &c->dest);
	reply.sport = c->dport;
	/* Of a connection that has ended, and of one-packet scheduling, which leaves none: it
	 * is routed as any packet. */
	if (take(s, PORT_CLIENT, &got) &&
	    (!is_next(s, PORT_CLIENT, &p, &got) || s->router->has(s, proto, c)))
		check(s, PORT_CLIENT, &reply, &got);
	drain(s, what);
}

static void verdict_refused(struct verdict *v, const struct packet *p)
{
	if (is_icmp(p))
		snprintf(v->reply, sizeof(v->reply), "icmp%s %u/%u", p->v6 ? "6" : "",
			 p->sport >> 8, p->sport & 0xff);
	else if (p->proto == IPPROTO_TCP && p->tcp_flags & TCP_RST)
		snprintf(v->reply, sizeof(v->reply), "rst");
}

struct verdict traffic_first(struct scenario *s, uint8_t proto, const struct played *c)
{
	const uint8_t flags = proto == IPPROTO_TCP ? TCP_SYN : 0;
	struct packet p = client_packet(c, proto, flags), got;
	struct verdict v = {0};
	struct addr outer;
	bool linux_asked;

	send_packet(s, PORT_CLIENT, &p);
	linux_asked = s->router->left_to_linux(s);
	if (take_from(s, PORT_SERVER, &got, &outer)) {
		v.forwarded = true;
		v.server.addr = dest_of(&got);
		v.server.port = got.dport;
		v.tunnel = outer.family != ADDR_NONE;
		v.nat = !v.tunnel && !addr_equal(&v.server.addr, &c->dest);
		if (v.tunnel)
			v.server.addr = outer;
		else if (!v.nat) /* direct routing: the MAC says who */
			traffic_mac_addr(&got.dst, &v.server.addr);
		if (v.nat) {
			dest_put(&p, &v.server.addr);
			p.dport = got.dport;
		}
		check(s, PORT_SERVER, &p, &got);
	} else if (take(s, PORT_CLIENT, &got)) {
		verdict_refused(&v, &got);
	} else if (linux_asked) {
		/* Linux answers packets for a VIP that go to it. */
		snprintf(v.reply, sizeof(v.reply),
			 proto == IPPROTO_TCP ? "rst"
			 : p.v6		      ? "icmp6 1/4"
					      : "icmp 3/3");
	}
	drain(s, "the first packet");
	return v;
}

void traffic_establish(struct scenario *s, const struct played *c)
{
	if (c->nat)
		server_sends(s, c, IPPROTO_TCP, TCP_SYN | TCP_ACK, "a SYN+ACK");
	client_sends(s, c, IPPROTO_TCP, TCP_ACK, "an ACK");
}

void traffic_close(struct scenario *s, const struct played *c)
{
	client_sends(s, c, IPPROTO_TCP, TCP_FIN | TCP_ACK, "a FIN");
	if (c->nat)
		server_sends(s, c, IPPROTO_TCP, TCP_FIN | TCP_ACK, "a server's FIN");
	client_sends(s, c, IPPROTO_TCP, TCP_ACK, "the last ACK");
}

void traffic_reset(struct scenario *s, const struct played *c)
{
	client_sends(s, c, IPPROTO_TCP, TCP_RST, "a RST");
}

void traffic_reply(struct scenario *s, const struct played *c)
{
	server_sends(s, c, IPPROTO_UDP, 0, "an answer");
}
