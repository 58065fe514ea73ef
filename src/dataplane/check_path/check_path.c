/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each address family. Checksums are updated, never computed: a wrong checksum of
 * Linux or of the server stays wrong. */
#include "dataplane/check_path/check_path.h"

#include <netinet/icmp6.h>

#include <rte_icmp.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/csum.h"
#include "dataplane/exits/doors.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/related.h"
#include "dataplane/tunnel/outer.h"

/* A packet between one of our ports and another address. */
struct talk {
	uint16_t own_port; /* host order */
	be16 peer_port;
	uint8_t proto;
};

/* A packet of Linux, with its L4 head in the first segment. */
struct own_packet {
	uint8_t *l3, *l4;
	uint8_t proto;
	bool more; /* the first fragment of several */
};

/*
 * A server that does not have the VIP may route the packet: back here, or to the router that is
 * active, which would answer an echo, or let another server answer. Neither lets 2 pass, nor
 * an echo with 1 reach it; a server that gives the packet to a container of its own does.
 */
static uint8_t via_hops(uint8_t proto)
{
	return proto == ICMP_PROTO ? 1 : 2;
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
	const uint8_t request = FAMILY == 4 ? RTE_IP_ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
	const uint8_t answer = FAMILY == 4 ? RTE_IP_ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY;

	return proto == ICMP_PROTO && type == (sent ? request : answer);
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

/* The checksum of a message that a pseudo header is part of. */
static void l4_csum_change(uint8_t proto, uint8_t *l4, uint16_t delta)
{
	if (proto == IPPROTO_TCP) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)l4;

		tcp->cksum = csum_apply(tcp->cksum, delta);
	} else if (proto == IPPROTO_UDP) {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;

		if (udp->dgram_cksum == 0) /* none was computed */
			return;
		udp->dgram_cksum = csum_apply(udp->dgram_cksum, delta);
		if (udp->dgram_cksum == 0)
			udp->dgram_cksum = 0xffff;
	} else if (FAMILY == 6 && proto == IPPROTO_ICMPV6) {
		struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)l4;

		icmp->icmp_cksum = csum_apply(icmp->icmp_cksum, delta);
	}
}

/* Another address in the IP header; returns the delta of what covers it. */
static uint16_t address_put(uint8_t *l3, enum ip_address which, FAM_ADDR to)
{
	const uint16_t delta = FAM(csum_delta_addr)(FAM_FN(ip, addr)(l3, which), to);

	FAM_FN(ip, addr_put)(l3, which, to);
	FAM_FN(ip, csum_change)(l3, delta);
	return delta;
}

static void hops_limit(uint8_t *l3, uint8_t proto)
{
	uint8_t *hops = FAM_FN(ip, hop_limit)(l3);
	be16 from, to;

	/* IPv4: with the protocol, the word that the header's checksum covers. */
	memcpy(&from, hops, sizeof(from));
	*hops = via_hops(proto);
	memcpy(&to, hops, sizeof(to));
	FAM_FN(ip, csum_change)(l3, csum_delta16(from, to));
}

#if FAMILY == 4
static bool own_parse(uint8_t *l3, uint32_t here, struct own_packet *out)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)l3;
	uint32_t ihl;

	if (here < sizeof(*ip))
		return false;
	ihl = (ip->version_ihl & 0xfU) * 4;
	if (ip->version_ihl >> 4 != 4 || ihl < sizeof(*ip) ||
	    here < ihl + l4_head(ip->next_proto_id) ||
	    (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)))
		return false;
	*out = (struct own_packet){.l3 = l3,
				   .l4 = l3 + ihl,
				   .proto = ip->next_proto_id,
				   .more = ip->fragment_offset &
					   rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG)};
	return true;
}
#else
static bool own_parse(uint8_t *l3, uint32_t here, struct own_packet *out)
{
	const struct ext6_fragment *f;
	struct ext6 ext;
	be16 field = 0;

	if (here < IP_HDR || l3[0] >> 4 != 6 || ext6_walk(l3, here, here, &ext) != EXT6_OK ||
	    here < ext.l4_off + l4_head(ext.proto))
		return false;
	if (ext.fragment) {
		f = (const struct ext6_fragment *)(const void *)(l3 + ext.fragment);
		field = f->field;
	}
	if (be16_to(field) & EXT6_OFFSET)
		return false;
	*out = (struct own_packet){.l3 = l3,
				   .l4 = l3 + ext.l4_off,
				   .proto = ext.proto,
				   .more = be16_to(field) & EXT6_MORE};
	return true;
}
#endif

static uint32_t l3_length(const uint8_t *l3)
{
	return FAMILY == 4 ? be16_to(((const struct rte_ipv4_hdr *)l3)->total_length)
			   : IP_HDR + be16_to(((const struct rte_ipv6_hdr *)l3)->payload_len);
}

/* In an outer header to the server, in the frame that was on its way there. Takes the frame. */
static void tunnel_send(struct worker *w, struct rte_mbuf *m, const struct own_packet *o,
			link_id link, const struct addr *server)
{
	/* The configuration lets no server by another encapsulation be asked by the VIP. */
	const struct outer outer = {.from = FAM(addr_from_addr)(FAM_FN(ip, addr)(o->l3, IP_SOURCE)),
				    .to = *server};
	const struct link_info *info = fib_link(w->env.fib, link);
	const uint32_t l2 = (uint32_t)(o->l3 - rte_pktmbuf_mtod(m, uint8_t *));
	const uint32_t len = l3_length(o->l3);
	uint8_t *head;

	if (!info || len + IP_HDR > info->mtu) {
		door_drop(w, m, DROP_TOO_BIG);
		return;
	}
	head = (uint8_t *)rte_pktmbuf_prepend(m, IP_HDR);
	if (!head) {
		door_drop(w, m, DROP_NO_BUFFER);
		return;
	}
	memmove(head, head + IP_HDR, l2);
	outer_put(w, m, head + l2, &outer, (uint16_t)len);
	hops_limit(o->l3, o->proto);
	door_send(w, m, m->port);
}

bool FAM_FN(check_path, is)(const struct worker *w, uint8_t *l3, uint32_t here)
{
	struct own_packet o;
	struct talk t;

	return own_parse(l3, here, &o) && talk_parse(o.proto, o.l4, true, &t) &&
	       check_ports_has(w->pub->check_ports, t.own_port);
}

bool FAM_FN(check_path, send)(struct worker *w, struct rte_mbuf *m, uint8_t *l3, uint32_t here,
			      link_id link)
{
	struct own_packet o;
	struct check_peer peer;
	struct talk t;

	if (!own_parse(l3, here, &o) || !talk_parse(o.proto, o.l4, true, &t) ||
	    !check_ports_has(w->pub->check_ports, t.own_port) ||
	    !FAM_FN(check_ports, sent)(w->pub->check_ports, t.own_port,
				       FAM_FN(ip, addr)(l3, IP_DEST), t.peer_port, t.proto,
				       &peer) ||
	    peer.vip.family != FAM_FAMILY)
		return false;
	if (o.more) {
		/* The rest of it, which has no ports, would not follow. */
		door_drop(w, m, DROP_FRAGMENT);
		return true;
	}
	l4_csum_change(o.proto, o.l4, address_put(l3, IP_DEST, FAM_FN(addr, of)(&peer.vip)));
	if (peer.tunnel) {
		tunnel_send(w, m, &o, link, &peer.server);
	} else {
		hops_limit(l3, o.proto);
		door_send(w, m, m->port);
	}
	return true;
}

static bool is_vip(const struct worker *w, FAM_ADDR addr)
{
	const struct FAM(addr_entry) *e = FAM_FN(addr_table, find)(w->env.snap->FAM(addrs), addr);

	return e && (e->kinds & ADDR_KIND_VIP);
}

/* Linux knows the check by the server's address. IPv4: ICMP's checksum stays right, since in the
 * quoted header address and checksum change by as much. */
static void error_rewrite(struct FAM(pkt) *p, const struct check_peer *peer)
{
	const FAM_ADDR server = FAM_FN(addr, of)(&peer->server), vip = FAM_FN(addr, of)(&peer->vip);
	uint8_t *icmp = p->l3 + p->l4_off;
	uint16_t delta = address_put(icmp + ICMP_HDR, IP_DEST, server);

	if (FAM_FN(addr, equal)(FAM_FN(ip, addr)(p->l3, IP_SOURCE), vip))
		delta = csum_delta_sum(delta, address_put(p->l3, IP_SOURCE, server));
	if (FAMILY == 6)
		l4_csum_change(IPPROTO_ICMPV6, icmp, delta);
}

/* Kinds of packets to the router's own address, to checks. */
enum check_look {
	CHECK_NOT,
	CHECK_REPLY,
	CHECK_ERROR,  /* an ICMP error that quotes a packet of a check */
	CHECK_FORGED, /* from a VIP to a port of checks, and no reply */
};

static enum check_look look_at_error(struct worker *w, struct FAM(pkt) *p, struct check_peer *peer)
{
	const struct FAM(key) own = p->key;
	bool found;

	if (!FAM_FN(related, parse)(p))
		return CHECK_NOT;
	/* The key is that of the reply that the error stands for. */
	found = FAM_FN(addr, equal)(p->key.daddr, own.daddr) &&
		check_ports_has(w->pub->check_ports, be16_to(p->key.dport)) &&
		FAM_FN(check_ports, received)(w->pub->check_ports, be16_to(p->key.dport),
					      p->key.saddr, p->key.sport, p->key.proto, peer);
	p->key = own;
	p->flags &= (uint8_t)~PKT_RELATED;
	return found ? CHECK_ERROR : CHECK_NOT;
}

static enum check_look look(struct worker *w, struct FAM(pkt) *p, struct check_peer *peer)
{
	struct talk t;

	if (p->flags & (PKT_FRAGMENT | PKT_BAD_L4))
		return CHECK_NOT;
	if (p->key.proto == ICMP_PROTO && look_at_error(w, p, peer) == CHECK_ERROR)
		return CHECK_ERROR;
	if (p->l3_len < p->l4_off + l4_head(p->key.proto) ||
	    !talk_parse(p->key.proto, p->l3 + p->l4_off, false, &t) ||
	    !check_ports_has(w->pub->check_ports, t.own_port))
		return CHECK_NOT;
	if (FAM_FN(check_ports, received)(w->pub->check_ports, t.own_port, p->key.saddr,
					  t.peer_port, t.proto, peer))
		return CHECK_REPLY;
	return is_vip(w, p->key.saddr) ? CHECK_FORGED : CHECK_NOT;
}

bool FAM_FN(check_path, wants)(struct worker *w, struct FAM(pkt) *p)
{
	struct check_peer peer;

	return look(w, p, &peer) != CHECK_NOT;
}

bool FAM_FN(check_path, take)(struct worker *w, struct FAM(pkt) *p)
{
	struct check_peer peer;
	const enum check_look is = look(w, p, &peer);

	if (is == CHECK_NOT)
		return false;
	if (is == CHECK_FORGED) {
		door_drop(w, p->m, DROP_BAD_SOURCE);
		return true;
	}
	if (peer.vip.family && is == CHECK_ERROR)
		error_rewrite(p, &peer);
	else if (peer.vip.family)
		l4_csum_change(p->key.proto, p->l3 + p->l4_off,
			       address_put(p->l3, IP_SOURCE, FAM_FN(addr, of)(&peer.server)));
	door_punt(w, p->m, PUNT_CHECK);
	return true;
}
