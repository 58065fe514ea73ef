/* SPDX-License-Identifier: BSD-3-Clause */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "golden/scenario.h"

#define UDP_PAYLOAD 18 /* bytes, as recorded: 46 of IP */

struct mac traffic_mac(be32 addr)
{
	struct mac m = {{2, 1}};

	memcpy(m.byte + 2, &addr, 4);
	return m;
}

/* False: none. What is not IPv4 does not count. */
static bool take(struct scenario *s, unsigned int port, struct packet *p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	while ((len = s->place->take(s, port, frame)) != 0) {
		if (packet_describe(frame, len, p) == 0) {
			p->data = NULL;
			return true;
		}
	}
	return false;
}

/* What came out and nobody asked for: a packet too many is an error as well. */
static void drain(struct scenario *s, const char *what)
{
	struct packet p;

	s->place->left_to_linux(s);
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

	p->src = traffic_mac(p->saddr);
	p->dst = s->router_mac[port];
	len = packet_build(p, frame);
	s->place->send(s, port, frame, len);
}

static struct packet client_packet(const struct played *c, uint8_t proto, uint8_t flags)
{
	return (struct packet){
		.saddr = c->client,
		.daddr = c->dest,
		.sport = c->cport,
		.dport = c->dport,
		.proto = proto,
		.tcp_flags = flags,
		.payload = proto == IPPROTO_UDP ? UDP_PAYLOAD : 0,
	};
}

static struct packet server_packet(const struct played *c, uint8_t proto, uint8_t flags)
{
	return (struct packet){
		.saddr = c->server.addr.v4,
		.daddr = c->client,
		.sport = c->server.port,
		.dport = c->cport,
		.proto = proto,
		.tcp_flags = flags,
		.payload = proto == IPPROTO_UDP ? UDP_PAYLOAD : 0,
	};
}

/* What a forwarded packet keeps and what it must become: got is want, one hop on. */
static bool is_next(const struct scenario *s, unsigned int port, const struct packet *want,
		    const struct packet *got)
{
	return got->saddr == want->saddr && got->daddr == want->daddr &&
	       got->sport == want->sport && got->dport == want->dport &&
	       got->proto == want->proto && got->ttl == 63 && got->tcp_flags == want->tcp_flags &&
	       got->payload == want->payload && !got->bad_ip && !got->bad_l4 &&
	       memcmp(&got->src, &s->router_mac[port], sizeof(got->src)) == 0;
}

static void check(struct scenario *s, unsigned int port, const struct packet *want,
		  const struct packet *got)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];
	const struct addr src = addr_from_v4(got->saddr), dst = addr_from_v4(got->daddr);

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

static void client_sends(struct scenario *s, const struct played *c, uint8_t proto, uint8_t flags,
			 const char *what)
{
	struct packet p = client_packet(c, proto, flags), got;

	send_packet(s, PORT_CLIENT, &p);
	/* Refused late: its server is gone, or Linux knows no such connection. */
	if (take(s, PORT_CLIENT, &got) && got.proto != IPPROTO_ICMP && !(got.tcp_flags & TCP_RST) &&
	    s->wrong++ == 0)
		fprintf(stderr, "%s: %s came back to the client\n", s->name, what);
	if (c->nat) {
		p.daddr = c->server.addr.v4;
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
	reply.saddr = c->dest;
	reply.sport = c->dport;
	/* Of a connection that has ended, and of one-packet scheduling, which leaves none: it
	 * is routed as any packet. */
	if (take(s, PORT_CLIENT, &got) &&
	    (!is_next(s, PORT_CLIENT, &p, &got) || s->place->has(s, proto, c)))
		check(s, PORT_CLIENT, &reply, &got);
	drain(s, what);
}

static void verdict_refused(struct verdict *v, const struct packet *p)
{
	if (p->proto == IPPROTO_ICMP)
		snprintf(v->reply, sizeof(v->reply), "icmp %u/%u", p->sport >> 8, p->sport & 0xff);
	else if (p->proto == IPPROTO_TCP && p->tcp_flags & TCP_RST)
		snprintf(v->reply, sizeof(v->reply), "rst");
}

struct verdict traffic_first(struct scenario *s, uint8_t proto, const struct played *c)
{
	const uint8_t flags = proto == IPPROTO_TCP ? TCP_SYN : 0;
	struct packet p = client_packet(c, proto, flags), got;
	struct verdict v = {0};
	bool linux_asked;

	send_packet(s, PORT_CLIENT, &p);
	linux_asked = s->place->left_to_linux(s);
	if (take(s, PORT_SERVER, &got)) {
		v.forwarded = true;
		v.server.addr = addr_from_v4(got.daddr);
		v.server.port = got.dport;
		v.nat = got.daddr != c->dest;
		if (!v.nat) /* direct routing: the MAC says who */
			memcpy(&v.server.addr.v4, got.dst.byte + 2, 4);
		p.daddr = got.daddr;
		p.dport = got.dport;
		check(s, PORT_SERVER, &p, &got);
	} else if (take(s, PORT_CLIENT, &got)) {
		verdict_refused(&v, &got);
	} else if (linux_asked) {
		/* What goes to Linux for a VIP is answered there. */
		snprintf(v.reply, sizeof(v.reply), proto == IPPROTO_TCP ? "rst" : "icmp 3/3");
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
