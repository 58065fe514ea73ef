/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums are updated, never computed: what Linux or the server got wrong stays wrong. */
#include "dataplane/check_path/check_path.h"

#include <netinet/icmp6.h>

#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/csum.h"
#include "dataplane/exits/doors.h"
#include "dataplane/tunnel/outer.h"
#include "dataplane/stages/related.h"

#define OUTER_LEN sizeof(struct rte_ipv4_hdr)

/* What one of our ports says to another address, or hears from it. */
struct talk {
	uint16_t own_port; /* host order */
	be16 peer_port;
	uint8_t proto;
};

/*
 * A server that does not have the VIP may route the packet: back here, or to the router that is
 * active, which would answer an echo, or let another server answer. Neither lets 2 pass, nor
 * an echo with 1 reach it; a server that gives the packet to a container of its own does.
 */
static uint8_t via_ttl(const struct rte_ipv4_hdr *ip)
{
	return ip->next_proto_id == IPPROTO_ICMP ? 1 : 2;
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

/* Room for the checksum that is going to be changed, and for an identifier. */
static uint32_t l4_head(uint8_t proto)
{
	return proto == IPPROTO_TCP ? (uint32_t)sizeof(struct rte_tcp_hdr) : 8U;
}

/* Of an echo request that is sent, or of its reply. */
static bool is_echo(uint8_t proto, uint8_t type, bool sent)
{
	if (proto == IPPROTO_ICMPV6)
		return type == (sent ? ICMP6_ECHO_REQUEST : ICMP6_ECHO_REPLY);
	return proto == IPPROTO_ICMP &&
	       type == (sent ? RTE_IP_ICMP_ECHO_REQUEST : RTE_IP_ICMP_ECHO_REPLY);
}

/* ICMP: the identifier of an echo of this type is our port. */
static bool talk_parse(uint8_t proto, const uint8_t *l4, bool sent, struct talk *t)
{
	const struct rte_icmp_hdr *icmp = (const struct rte_icmp_hdr *)l4;
	be16 ports[2];

	memcpy(ports, l4, sizeof(ports));
	t->proto = proto;
	if (has_ports(proto)) {
		t->own_port = be16_to(ports[!sent]);
		t->peer_port = ports[sent];
		return true;
	}
	if (!is_echo(proto, icmp->icmp_type, sent))
		return false;
	t->own_port = be16_to(icmp->icmp_ident);
	t->peer_port = 0;
	return true;
}

/* Of an address in the IP header that becomes another; ICMP's checksum knows of none. */
static void csums_update(struct rte_ipv4_hdr *ip, uint8_t *l4, be32 from, be32 to)
{
	uint16_t delta = csum_delta32(from, to);

	ip->hdr_checksum = csum_apply(ip->hdr_checksum, delta);
	if (ip->next_proto_id == IPPROTO_TCP) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)l4;

		tcp->cksum = csum_apply(tcp->cksum, delta);
	} else if (ip->next_proto_id == IPPROTO_UDP) {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;

		if (udp->dgram_cksum == 0) /* none was computed */
			return;
		udp->dgram_cksum = csum_apply(udp->dgram_cksum, delta);
		if (udp->dgram_cksum == 0)
			udp->dgram_cksum = 0xffff;
	}
}

static void ttl_limit(struct rte_ipv4_hdr *ip)
{
	be16 from, to;

	memcpy(&from, &ip->time_to_live, sizeof(from));
	ip->time_to_live = via_ttl(ip);
	memcpy(&to, &ip->time_to_live, sizeof(to));
	ip->hdr_checksum = csum_apply(ip->hdr_checksum, csum_delta16(from, to));
}

/* The IPv4 header of a frame of Linux, with its L4 head in the first segment; or NULL. */
static struct rte_ipv4_hdr *frame_ipv4(struct rte_mbuf *m, link_id *link)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	uint32_t len = rte_pktmbuf_data_len(m), l2 = sizeof(*eth), ihl;
	struct rte_ipv4_hdr *ip;
	uint16_t vlan = 0;
	be16 type;

	if (len < l2 + sizeof(struct rte_vlan_hdr) + sizeof(*ip))
		return NULL;
	type = eth->ether_type;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(eth + 1);

		type = tag->eth_proto;
		vlan = rte_be_to_cpu_16(tag->vlan_tci) & 0xfff;
		l2 += (uint32_t)sizeof(*tag);
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return NULL;
	*link = link_id_of(m->port, vlan);
	ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, l2);
	ihl = (ip->version_ihl & 0xfU) * 4;
	if (ip->version_ihl >> 4 != 4 || ihl < sizeof(*ip) ||
	    len < l2 + ihl + l4_head(ip->next_proto_id))
		return NULL;
	return ip;
}

/* IPIP to the server, in the frame that was on its way there. Takes the frame. */
static void tunnel_send(struct worker *w, struct rte_mbuf *m, struct rte_ipv4_hdr *ip, link_id link,
			be32 server)
{
	const struct link_info *info = fib_link(w->env.fib, link);
	uint32_t l2 = (uint32_t)((uint8_t *)ip - rte_pktmbuf_mtod(m, uint8_t *));
	uint32_t len = rte_be_to_cpu_16(ip->total_length);
	const struct addr from = addr_from_v4(ip->src_addr), to = addr_from_v4(server);
	uint8_t *head;

	if (!info || len + OUTER_LEN > info->mtu) {
		door_drop(w, m, DROP_TOO_BIG);
		return;
	}
	head = (uint8_t *)rte_pktmbuf_prepend(m, OUTER_LEN);
	if (!head) {
		door_drop(w, m, DROP_NO_BUFFER);
		return;
	}
	memmove(head, head + OUTER_LEN, l2);
	outer_put(w, head + l2, &from, &to, (const uint8_t *)ip, (uint16_t)len);
	ttl_limit(ip);
	door_send(w, m, m->port);
}

/* It goes to the VIP: true; it has left. */
static bool vip_send(struct worker *w, struct rte_mbuf *m, struct rte_ipv4_hdr *ip, link_id link)
{
	uint8_t *l4 = (uint8_t *)ip + (ip->version_ihl & 0xfU) * 4;
	struct check_peer peer;
	struct talk t;

	if (!talk_parse(ip->next_proto_id, l4, true, &t) ||
	    !check_ports_has(w->pub->check_ports, t.own_port) ||
	    !check_ports4_sent(w->pub->check_ports, t.own_port, ip->dst_addr, t.peer_port, t.proto,
			       &peer) ||
	    peer.vip.family != ADDR_V4)
		return false;
	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG)) {
		/* The rest of it, which has no ports, would not follow. */
		door_drop(w, m, DROP_FRAGMENT);
		return true;
	}
	csums_update(ip, l4, peer.server.v4, peer.vip.v4);
	ip->dst_addr = peer.vip.v4;
	if (peer.tunnel) {
		tunnel_send(w, m, ip, link, peer.server.v4);
	} else {
		ttl_limit(ip);
		door_send(w, m, m->port);
	}
	return true;
}

bool check_path_is(const struct worker *w, struct rte_mbuf *m)
{
	link_id link;
	const struct rte_ipv4_hdr *ip = frame_ipv4(m, &link);
	struct talk t;

	return ip && !(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)) &&
	       talk_parse(ip->next_proto_id, (const uint8_t *)ip + (ip->version_ihl & 0xfU) * 4,
			  true, &t) &&
	       check_ports_has(w->pub->check_ports, t.own_port);
}

bool check_path_send(struct worker *w, struct rte_mbuf *m)
{
	link_id link;
	struct rte_ipv4_hdr *ip = frame_ipv4(m, &link);

	if (!ip || (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)))
		return false;
	return vip_send(w, m, ip, link);
}

static bool is_vip(const struct worker *w, be32 addr)
{
	const struct addr_entry4 *e = addr_table4_find(w->env.snap->addrs4, addr);

	return e && (e->kinds & ADDR_KIND_VIP);
}

/* Linux knows the check by the server's address. ICMP's checksum stays right: in the quoted
 * header address and checksum change by as much. */
static void error_rewrite(struct pkt4 *p, const struct check_peer *peer)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3, *quoted;
	uint16_t delta = csum_delta32(peer->vip.v4, peer->server.v4);

	quoted = (struct rte_ipv4_hdr *)(p->l3 + p->l4_off + sizeof(struct rte_icmp_hdr));
	quoted->dst_addr = peer->server.v4;
	quoted->hdr_checksum = csum_apply(quoted->hdr_checksum, delta);
	if (ip->src_addr != peer->vip.v4)
		return;
	ip->src_addr = peer->server.v4;
	ip->hdr_checksum = csum_apply(ip->hdr_checksum, delta);
}

/* An ICMP error that quotes a check. True: it has left. */
static bool error_take(struct worker *w, struct pkt4 *p)
{
	const struct key4 own = p->key;
	struct check_peer peer;

	if (!related4_parse(p))
		return false;
	/* The key is that of the reply that the error stands for. */
	if (p->key.daddr == own.daddr &&
	    check_ports_has(w->pub->check_ports, be16_to(p->key.dport)) &&
	    check_ports4_received(w->pub->check_ports, be16_to(p->key.dport), p->key.saddr,
				  p->key.sport, p->key.proto, &peer)) {
		if (peer.vip.family)
			error_rewrite(p, &peer);
		door_punt(w, p->m, PUNT_CHECK);
		return true;
	}
	p->key = own;
	p->flags &= (uint8_t)~PKT_RELATED;
	return false;
}

bool check_path4_take(struct worker *w, struct pkt4 *p)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	uint8_t *l4 = p->l3 + p->l4_off;
	struct check_peer peer;
	struct talk t;

	if (p->flags & (PKT_FRAGMENT | PKT_BAD_L4))
		return false;
	if (p->key.proto == IPPROTO_ICMP && error_take(w, p))
		return true;
	if (p->l3_len < p->l4_off + l4_head(p->key.proto) ||
	    !talk_parse(p->key.proto, l4, false, &t) ||
	    !check_ports_has(w->pub->check_ports, t.own_port))
		return false;
	if (!check_ports4_received(w->pub->check_ports, t.own_port, p->key.saddr, t.peer_port,
				   t.proto, &peer)) {
		if (!is_vip(w, p->key.saddr))
			return false;
		door_drop(w, p->m, DROP_BAD_SOURCE);
		return true;
	}
	if (peer.vip.family) {
		csums_update(ip, l4, peer.vip.v4, peer.server.v4);
		ip->src_addr = peer.server.v4;
	}
	door_punt(w, p->m, PUNT_CHECK);
	return true;
}

bool check_path6_take(struct worker *w, struct pkt6 *p)
{
	struct check_peer peer;
	struct talk t;

	if ((p->flags & (PKT_FRAGMENT | PKT_BAD_L4)) ||
	    p->l3_len < p->l4_off + l4_head(p->key.proto) ||
	    !talk_parse(p->key.proto, p->l3 + p->l4_off, false, &t) ||
	    !check_ports_has(w->pub->check_ports, t.own_port) ||
	    !check_ports6_received(w->pub->check_ports, t.own_port, p->key.saddr, t.peer_port,
				   t.proto, &peer))
		return false;
	door_punt(w, p->m, PUNT_CHECK);
	return true;
}
