/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden/scenario.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/tcp_state.h"
#include "lib/packet.h"
#include "lib/world.h"

#define PORT_CLIENT 0
#define PORT_SERVER 1
#define UDP_PAYLOAD 18 /* bytes, as recorded: 46 of IP */

/* Whoever sits behind an address: the recordings name DR servers by this MAC. */
static struct mac mac_of(be32 addr)
{
	struct mac m = {{2, 1}};

	memcpy(m.byte + 2, &addr, 4);
	return m;
}

static struct mac router_mac(unsigned int port)
{
	return (struct mac){{2, 0, 0, 0, 0, (uint8_t)(port + 1)}};
}

void traffic_settle(struct scenario *s)
{
	struct resolve_request want;

	for (;;) {
		char addr[ADDR_STRLEN], mac[MAC_STRLEN];
		struct mac m;

		harness_run(&s->harness);
		if (!harness_resolve_wanted(&s->harness, &want))
			return;
		m = mac_of(want.addr.v4);
		world_neighbour(&s->harness, want.link, addr_format(&want.addr, addr, sizeof(addr)),
				mac_format(&m, mac, sizeof(mac)));
	}
}

static void send_packet(struct scenario *s, unsigned int port, struct packet *p)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	p->src = mac_of(p->saddr);
	p->dst = router_mac(port);
	len = packet_build(p, frame);
	harness_receive(&s->harness, (uint16_t)port, 0,
			harness_frame(&s->harness, frame, (uint16_t)len));
	traffic_settle(s);
}

static bool take(struct scenario *s, unsigned int port, struct packet *p)
{
	struct rte_mbuf *m = harness_sent(&s->harness, (uint16_t)port);
	int ret;

	if (!m)
		return false;
	ret = packet_describe(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), p);
	p->data = NULL;
	rte_pktmbuf_free(m);
	return ret == 0;
}

/* What came out and what Linux got, thrown away. */
static void drain(struct scenario *s)
{
	struct packet p;
	enum punt_class class;
	struct rte_mbuf *m;

	while (take(s, PORT_CLIENT, &p) || take(s, PORT_SERVER, &p))
		;
	while ((m = harness_punted(&s->harness, &class)))
		rte_pktmbuf_free(m);
}

static void client_sends(struct scenario *s, const struct played *c, uint8_t proto, uint8_t flags)
{
	struct packet p = {
		.saddr = c->client,
		.daddr = c->dest,
		.sport = c->cport,
		.dport = c->dport,
		.proto = proto,
		.tcp_flags = flags,
		.payload = proto == IPPROTO_UDP ? UDP_PAYLOAD : 0,
	};

	send_packet(s, PORT_CLIENT, &p);
}

static void server_sends(struct scenario *s, const struct played *c, uint8_t proto, uint8_t flags)
{
	struct packet p = {
		.saddr = c->server.addr.v4,
		.daddr = c->client,
		.sport = c->server.port,
		.dport = c->cport,
		.proto = proto,
		.tcp_flags = flags,
		.payload = proto == IPPROTO_UDP ? UDP_PAYLOAD : 0,
	};

	send_packet(s, PORT_SERVER, &p);
	drain(s);
}

struct verdict traffic_first(struct scenario *s, uint8_t proto, const struct played *c)
{
	struct verdict v = {0};
	struct packet p;
	enum punt_class class;
	struct rte_mbuf *m;

	client_sends(s, c, proto, TCP_SYN);
	if (take(s, PORT_SERVER, &p)) {
		v.forwarded = true;
		v.server.addr = addr_from_v4(p.daddr);
		v.server.port = p.dport;
		if (p.daddr == c->dest) /* direct routing: the MAC says who */
			memcpy(&v.server.addr.v4, p.dst.byte + 2, 4);
	} else if (take(s, PORT_CLIENT, &p) && p.proto == IPPROTO_ICMP) {
		snprintf(v.reply, sizeof(v.reply), "icmp %u/%u", p.sport >> 8, p.sport & 0xff);
	}
	/* What goes to Linux for a VIP is answered there. */
	m = harness_punted(&s->harness, &class);
	if (m && !v.forwarded)
		snprintf(v.reply, sizeof(v.reply), proto == IPPROTO_TCP ? "rst" : "icmp 3/3");
	rte_pktmbuf_free(m);
	drain(s);
	return v;
}

void traffic_establish(struct scenario *s, const struct played *c, bool nat)
{
	if (nat)
		server_sends(s, c, IPPROTO_TCP, TCP_SYN | TCP_ACK);
	client_sends(s, c, IPPROTO_TCP, TCP_ACK);
	drain(s);
}

void traffic_close(struct scenario *s, const struct played *c, bool nat)
{
	client_sends(s, c, IPPROTO_TCP, TCP_FIN | TCP_ACK);
	if (nat)
		server_sends(s, c, IPPROTO_TCP, TCP_FIN | TCP_ACK);
	client_sends(s, c, IPPROTO_TCP, TCP_ACK);
	drain(s);
}

void traffic_reset(struct scenario *s, const struct played *c)
{
	client_sends(s, c, IPPROTO_TCP, TCP_RST);
	drain(s);
}

void traffic_reply(struct scenario *s, const struct played *c)
{
	server_sends(s, c, IPPROTO_UDP, 0);
}
