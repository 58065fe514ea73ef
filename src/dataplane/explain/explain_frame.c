/* SPDX-License-Identifier: BSD-3-Clause */
/* The frame that explain asks about: as it was given, or made from a description. */
#include <netinet/in.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/explain/shadow.h"
#include "dataplane/stages/route.h"

#define ETHERNET_MAX 18 /* Ethernet with a VLAN tag */

/* "in" is the word of plvsctl explain for the link. */
#define EXPLAIN_NO_ROUTE                                                                           \
	"no route leads to the source: add \"in LINK\", the link that the packet arrives by"

/* The port with this MAC; or EXPLAIN_ANY_PORT. */
static uint16_t port_of_mac(const struct worker *w, const uint8_t *mac)
{
	for (uint16_t p = 0; p < w->dp->n_ports; p++) {
		const struct link_info *info = fib_link(w->env.fib, link_id_of(p, 0));

		if (info && memcmp(&info->mac, mac, 6) == 0)
			return p;
	}
	return EXPLAIN_ANY_PORT;
}

/* The link that a packet of this source arrives by. False: no route says. */
static bool link_guess(const struct worker *w, const struct explain *x, const struct addr *source,
		       link_id *link)
{
	struct addr neighbour;

	if (x->port != EXPLAIN_ANY_PORT) {
		*link = link_id_of(x->port, x->vlan);
		return true;
	}
	return route_next(w->env.fib, source, link, &neighbour);
}

/* Writes the Ethernet header: to the router, from the neighbour where that is known. */
static uint16_t ethernet_fill(const struct worker *w, link_id link, const struct addr *source,
			      uint8_t *l2)
{
	static const uint8_t someone[6] = {0x02, 0, 0, 0, 0xff, 0xfe};
	const struct link_info *info = fib_link(w->env.fib, link);
	struct addr neighbour = *source;
	link_id out = link;
	uint32_t id = 0;
	uint16_t len = 12;

	if (route_next(w->env.fib, source, &out, &neighbour) && out == link)
		id = nexthop_find(w->nexthops, link, &neighbour);
	memcpy(l2, info ? &info->mac : (const struct mac *)someone, 6);
	memcpy(l2 + 6, id ? nexthop_by_id(w->nexthops, id)->l2 : someone, 6);
	if (link_vlan(link)) {
		l2[len++] = 0x81;
		l2[len++] = 0;
		l2[len++] = (uint8_t)(link_vlan(link) >> 8);
		l2[len++] = (uint8_t)link_vlan(link);
	}
	l2[len++] = source->family == ADDR_V6 ? 0x86 : 0x08;
	l2[len++] = source->family == ADDR_V6 ? 0xdd : 0x00;
	return len;
}

static uint16_t ip_fill(const struct explain_packet *p, uint16_t payload, uint8_t *l3)
{
	if (p->source.addr.family == ADDR_V6) {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)l3;

		*ip = (struct rte_ipv6_hdr){.vtc_flow = rte_cpu_to_be_32(6U << 28),
					    .payload_len = rte_cpu_to_be_16(payload),
					    .proto = p->proto,
					    .hop_limits = p->hops};
		memcpy(ip->src_addr, p->source.addr.v6, 16);
		memcpy(ip->dst_addr, p->dest.addr.v6, 16);
		return sizeof(*ip);
	}
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .total_length =
					    rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + payload)),
				    .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
				    .time_to_live = p->hops,
				    .next_proto_id = p->proto,
				    .src_addr = p->source.addr.v4,
				    .dst_addr = p->dest.addr.v4};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return sizeof(*ip);
}

static void l4_fill(const struct explain_packet *p, uint8_t *l3, uint16_t ip_len, uint16_t payload)
{
	uint8_t *l4 = l3 + ip_len;
	uint16_t at, sum;

	memset(l4, 0, payload);
	if (p->proto == IPPROTO_TCP) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)l4;

		tcp->src_port = p->source.port;
		tcp->dst_port = p->dest.port;
		tcp->data_off = sizeof(*tcp) / 4 << 4;
		tcp->tcp_flags = p->tcp_flags;
		tcp->rx_win = 0xffff;
		at = offsetof(struct rte_tcp_hdr, cksum);
	} else {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;

		udp->src_port = p->source.port;
		udp->dst_port = p->dest.port;
		udp->dgram_len = rte_cpu_to_be_16(payload);
		at = offsetof(struct rte_udp_hdr, dgram_cksum);
	}
	sum = p->source.addr.family == ADDR_V6
		      ? rte_ipv6_udptcp_cksum((const struct rte_ipv6_hdr *)l3, l4)
		      : rte_ipv4_udptcp_cksum((const struct rte_ipv4_hdr *)l3, l4);
	memcpy(l4 + at, &sum, sizeof(sum));
}

/* Returns the frame's length, or 0 with x->fault. */
static uint16_t described(const struct worker *w, struct explain *x, uint8_t *to, uint16_t room,
			  link_id *link)
{
	const struct explain_packet *p = &x->packet;
	const uint16_t head =
		p->proto == IPPROTO_TCP ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
	const uint16_t ip = p->source.addr.family == ADDR_V6 ? sizeof(struct rte_ipv6_hdr)
							     : sizeof(struct rte_ipv4_hdr);
	const uint16_t len = RTE_MAX(p->len, (uint16_t)(ip + head));
	uint16_t l2;

	if (!link_guess(w, x, &p->source.addr, link)) {
		x->fault = EXPLAIN_NO_ROUTE;
		return 0;
	}
	if (len > room - ETHERNET_MAX) {
		x->fault = "the packet does not fit into one buffer of this router";
		return 0;
	}
	l2 = ethernet_fill(w, *link, &p->source.addr, to);
	ip_fill(p, (uint16_t)(len - ip), to + l2);
	l4_fill(p, to + l2, ip, (uint16_t)(len - ip));
	return (uint16_t)(l2 + len);
}

/* The source of an IP packet; family ADDR_NONE: it is none. */
static struct addr source_of(const uint8_t *l3, uint16_t len)
{
	struct addr a = {0};

	if (len >= sizeof(struct rte_ipv4_hdr) && l3[0] >> 4 == 4) {
		a.family = ADDR_V4;
		memcpy(&a.v4, l3 + 12, 4);
	} else if (len >= sizeof(struct rte_ipv6_hdr) && l3[0] >> 4 == 6) {
		a.family = ADDR_V6;
		memcpy(a.v6, l3 + 8, 16);
	}
	return a;
}

static uint16_t given(const struct worker *w, struct explain *x, uint8_t *to, uint16_t room,
		      link_id *link)
{
	struct addr source;
	uint16_t l2;

	if (x->frame_len > room - ETHERNET_MAX) {
		x->fault = "the packet does not fit into one buffer of this router";
		return 0;
	}
	if (x->whole) {
		*link = link_id_of(x->port != EXPLAIN_ANY_PORT ? x->port : port_of_mac(w, x->frame),
				   0);
		if (x->port == EXPLAIN_ANY_PORT && port_of_mac(w, x->frame) == EXPLAIN_ANY_PORT) {
			x->fault = "the frame's MAC address is of no port: say by which port the "
				   "frame arrives";
			return 0;
		}
		memcpy(to, x->frame, x->frame_len);
		return x->frame_len;
	}
	source = source_of(x->frame, x->frame_len);
	if (source.family == ADDR_NONE || !link_guess(w, x, &source, link)) {
		x->fault = source.family == ADDR_NONE ? "neither IPv4 nor IPv6" : EXPLAIN_NO_ROUTE;
		return 0;
	}
	l2 = ethernet_fill(w, *link, &source, to);
	memcpy(to + l2, x->frame, x->frame_len);
	return (uint16_t)(l2 + x->frame_len);
}

struct rte_mbuf *explain_frame(struct worker *w, struct explain *x)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	link_id link = 0;
	uint16_t len;

	if (!m) {
		x->fault = "no packet buffer is free";
		return NULL;
	}
	if (x->frame_len)
		len = given(w, x, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_tailroom(m), &link);
	else
		len = described(w, x, rte_pktmbuf_mtod(m, uint8_t *), rte_pktmbuf_tailroom(m),
				&link);
	if (!len) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	rte_pktmbuf_append(m, len);
	m->port = link_port(link);
	return m;
}
