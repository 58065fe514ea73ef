/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/answer.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/exits/doors.h"
#include "dataplane/conn/tcp_state.h"

#define ICMP_HDR	   8
#define ICMP_QUOTE_MAX	   (576 - 20 - ICMP_HDR) /* RFC 1812, 4.3.2.3 */
#define ANSWER_TTL	   64
#define IP_TOS_NET_CONTROL 0xc0 /* as Linux marks its errors */

/* Turns a received frame round: to the station it came from, from the link's MAC, with its
 * VLAN tag in the frame. False when there is no room for the tag. */
static bool frame_turn(const struct worker *w, struct rte_mbuf **m, link_id link)
{
	struct rte_ether_hdr *eth;
	const struct link_info *info = fib_link(w->env.fib, link);

	if (((*m)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(m) != 0)
		return false;
	(*m)->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	eth = rte_pktmbuf_mtod(*m, struct rte_ether_hdr *);
	eth->dst_addr = eth->src_addr;
	memcpy(&eth->src_addr, &info->mac, 6);
	return true;
}

/* The received packet ends here; the frame goes back as a packet of ours. */
static void answer_with(struct worker *w, struct rte_mbuf *m, link_id link)
{
	if (!frame_turn(w, &m, link)) {
		door_drop(w, m, DROP_LINEARISE);
		return;
	}
	w->counters.answered++;
	w->counters.generated++;
	door_send(w, m, link_port(link));
}

static bool vip_on_link(const struct addr_entry4 *e, link_id link)
{
	return e->link == LINK_ANY || e->link == link;
}

/* ARP worth Linux's while: for its own addresses, answers, and announcements by which it
 * learns that a neighbour has moved. */
static bool arp_for_linux(const struct worker *w, const struct rte_arp_ipv4 *a, be16 opcode)
{
	return opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) || a->arp_sip == a->arp_tip ||
	       fib4_find_local(w->env.fib->v4, a->arp_tip);
}

static bool mac_is_ours(const struct fib *fib, const struct rte_ether_addr *mac)
{
	for (unsigned int port = 0; port < MAX_PORTS; port++) {
		const struct link_info *info = fib_link(fib, link_id_of(port, 0));

		if (info && memcmp(mac, &info->mac, 6) == 0)
			return true;
	}
	return false;
}

/* The sender says that an address is its own that is active here: the ha thread is to know
 * (its socket at the TAP sees what is punted). Our own announcement that comes back is none. */
static bool arp_is_claim(const struct worker *w, const struct addr_entry4 *e,
			 const struct rte_arp_ipv4 *a)
{
	bool active = false;

	if (e->kinds & ADDR_KIND_VIP)
		active = e->kinds & ADDR_KIND_ACTIVE;
	else if (e->kinds & ADDR_KIND_GATEWAY)
		active = fib4_find_local(w->env.fib->v4, e->addr);
	return active && !w->env.lease_off && !mac_is_ours(w->env.fib, &a->arp_sha);
}

void arp_receive(struct worker *w, struct rte_mbuf *m, uint16_t l2_len, link_id link)
{
	const struct link_info *info = fib_link(w->env.fib, link);
	const struct addr_entry4 *e;
	struct rte_arp_hdr *arp;

	if (rte_pktmbuf_data_len(m) < l2_len + sizeof(*arp)) {
		door_drop(w, m, DROP_MALFORMED);
		return;
	}
	arp = rte_pktmbuf_mtod_offset(m, struct rte_arp_hdr *, l2_len);
	if (arp->arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
	    arp->arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || arp->arp_hlen != 6 ||
	    arp->arp_plen != 4) {
		door_drop(w, m, DROP_MALFORMED);
		return;
	}
	e = addr_table4_find(w->env.snap->addrs4, arp->arp_data.arp_sip);
	if (e && arp_is_claim(w, e, &arp->arp_data) && rate_take(&w->claim_rate, w->env.now_tick)) {
		door_punt(w, m, PUNT_ARP);
		return;
	}
	if (e && (e->kinds & ADDR_KIND_VIP)) { /* a stranger, or our own echo */
		door_drop(w, m, DROP_ARP_OTHER);
		return;
	}
	e = addr_table4_find(w->env.snap->addrs4, arp->arp_data.arp_tip);
	/* An address that no service claims is Linux's where an administrator gave Linux the
	 * address. */
	if (!e || !(e->kinds & ADDR_KIND_VIP) ||
	    ((e->kinds & ADDR_KIND_UNCLAIMED) && fib4_find_local(w->env.fib->v4, e->addr))) {
		if (arp_for_linux(w, &arp->arp_data, arp->arp_opcode))
			door_punt(w, m, PUNT_ARP);
		else
			door_drop(w, m, DROP_ARP_OTHER);
		return;
	}
	if (!(e->kinds & ADDR_KIND_ACTIVE) || w->env.lease_off) {
		door_drop(w, m, DROP_NOT_ACTIVE);
		return;
	}
	if (arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) || !vip_on_link(e, link) ||
	    (e->kinds & ADDR_KIND_ROUTED)) {
		door_drop(w, m, DROP_ARP_OTHER);
		return;
	}
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	memcpy(&arp->arp_data.arp_sha, &info->mac, 6);
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sip = e->addr;
	answer_with(w, m, link);
}

bool arp_may_leave(const struct worker *w, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct addr_entry4 *e;
	const struct rte_arp_hdr *arp;
	uint16_t l2_len = sizeof(*eth);
	be16 type;

	if (rte_pktmbuf_data_len(m) < l2_len)
		return false;
	type = eth->ether_type;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		if (rte_pktmbuf_data_len(m) < l2_len + sizeof(struct rte_vlan_hdr))
			return false;
		type = ((const struct rte_vlan_hdr *)(eth + 1))->eth_proto;
		l2_len += sizeof(struct rte_vlan_hdr);
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return true;
	if (rte_pktmbuf_data_len(m) < l2_len + sizeof(*arp))
		return false;
	arp = rte_pktmbuf_mtod_offset(m, const struct rte_arp_hdr *, l2_len);
	e = addr_table4_find(w->env.snap->addrs4, arp->arp_data.arp_sip);
	if (!e || !(e->kinds & (ADDR_KIND_VIP | ADDR_KIND_GATEWAY)))
		return true;
	return !w->env.lease_off && (e->kinds & (ADDR_KIND_ACTIVE | ADDR_KIND_GATEWAY));
}

bool speaks_as_vip(const struct worker *w, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct addr_entry4 *e;
	const struct rte_ipv4_hdr *ip;
	uint16_t l2_len = sizeof(*eth);
	be16 type = eth->ether_type;

	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		type = ((const struct rte_vlan_hdr *)(eth + 1))->eth_proto;
		l2_len += sizeof(struct rte_vlan_hdr);
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
	    rte_pktmbuf_data_len(m) < l2_len + sizeof(*ip))
		return false;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, l2_len);
	e = addr_table4_find(w->env.snap->addrs4, ip->src_addr);
	return e && (e->kinds & ADDR_KIND_VIP);
}

/* Sum of the ICMP message over all segments; it must be all ones. */
static bool icmp_csum_good(const struct pkt4 *p)
{
	uint32_t off = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *)) + p->l4_off;
	uint16_t sum;

	if (rte_raw_cksum_mbuf(p->m, off, (uint32_t)(p->l3_len - p->l4_off), &sum) != 0)
		return false;
	return sum == 0xffff;
}

void echo_receive(struct worker *w, struct pkt4 *p)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	struct rte_icmp_hdr *icmp = (struct rte_icmp_hdr *)(p->l3 + p->l4_off);
	be32 vip = ip->dst_addr;
	uint8_t ttl = ip->time_to_live;
	uint16_t delta;

	if (p->l3_len < p->l4_off + ICMP_HDR) {
		door_drop(w, p->m, DROP_MALFORMED);
		return;
	}
	if (icmp->icmp_type != RTE_IP_ICMP_ECHO_REQUEST || icmp->icmp_code != 0) {
		door_drop(w, p->m, DROP_UNSUPPORTED);
		return;
	}
	if (!icmp_csum_good(p)) {
		door_drop(w, p->m, DROP_BAD_ECHO);
		return;
	}
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	icmp->icmp_cksum = csum_apply(icmp->icmp_cksum,
				      csum_delta16(be16_from(RTE_IP_ICMP_ECHO_REQUEST << 8), 0));
	/* Swapped addresses leave the sum as it is; only the TTL changes it. */
	ip->dst_addr = ip->src_addr;
	ip->src_addr = vip;
	ip->time_to_live = ANSWER_TTL;
	delta = csum_delta16(be16_from((uint16_t)(ttl << 8)), be16_from(ANSWER_TTL << 8));
	ip->hdr_checksum = csum_apply(ip->hdr_checksum, delta);
	answer_with(w, p->m, p->link);
}

void icmp_put(struct worker *w, uint8_t *l3, be32 from, be32 to, uint8_t type, uint8_t code,
	      uint16_t mtu, uint16_t quote)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;
	uint8_t *icmp = l3 + sizeof(*ip);
	be16 sum;

	memset(l3, 0, sizeof(*ip) + ICMP_HDR);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = IP_TOS_NET_CONTROL;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + ICMP_HDR + quote));
	ip->packet_id = rte_cpu_to_be_16(w->ip_id++);
	ip->time_to_live = ANSWER_TTL;
	ip->next_proto_id = IPPROTO_ICMP;
	ip->src_addr = from;
	ip->dst_addr = to;
	ip->hdr_checksum = csum_of(ip, sizeof(*ip));
	icmp[0] = type;
	icmp[1] = code;
	if (type == 3 && code == 4) {
		icmp[6] = (uint8_t)(mtu >> 8);
		icmp[7] = (uint8_t)mtu;
	}
	sum = csum_of(icmp, (size_t)ICMP_HDR + quote);
	memcpy(icmp + 2, &sum, 2);
}

/* A packet of len bytes from IPv4 on, towards p's source; the headers before are p's own.
 * NULL: no buffer. */
static struct rte_mbuf *answer_alloc(struct worker *w, const struct pkt4 *p, uint16_t len,
				     uint8_t **l3)
{
	const uint8_t *l2 = rte_pktmbuf_mtod(p->m, const uint8_t *);
	uint16_t l2_len = (uint16_t)(p->l3 - l2);
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->pool);
	uint8_t *data;

	if (!m)
		return NULL;
	data = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(l2_len + len));
	if (!data) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	m->port = p->m->port;
	m->vlan_tci = p->m->vlan_tci;
	m->ol_flags |= p->m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
	memcpy(data, l2, l2_len);
	*l3 = data + l2_len;
	return m;
}

static bool answer_send(struct worker *w, struct rte_mbuf *m, link_id link)
{
	if (!frame_turn(w, &m, link)) {
		rte_pktmbuf_free(m);
		return false;
	}
	w->counters.generated++;
	door_send(w, m, link_port(link));
	return true;
}

void icmp_error(struct worker *w, const struct pkt4 *p, be32 from, uint8_t type, uint8_t code,
		uint16_t mtu)
{
	uint32_t here = rte_pktmbuf_data_len(p->m) -
			(uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, const uint8_t *));
	uint16_t quote = p->l3_len < ICMP_QUOTE_MAX ? p->l3_len : ICMP_QUOTE_MAX;
	struct rte_mbuf *m;
	uint8_t *l3;

	if (from == 0)
		return;
	if (quote > here) /* what the first segment has: at least the headers */
		quote = (uint16_t)here;
	if (!rate_take(&w->icmp_rate, w->env.now_tick)) {
		w->counters.icmp_suppressed++;
		return;
	}
	m = answer_alloc(w, p, (uint16_t)(sizeof(struct rte_ipv4_hdr) + ICMP_HDR + quote), &l3);
	if (!m) {
		w->counters.icmp_suppressed++;
		return;
	}
	memcpy(l3 + sizeof(struct rte_ipv4_hdr) + ICMP_HDR, p->l3, quote);
	icmp_put(w, l3, from, p->key.saddr, type, code, mtu, quote);
	answer_send(w, m, p->link);
}

be32 own_address4(const struct worker *w, const struct pkt4 *p)
{
	const struct route4 *r = fib4_find(w->env.fib->v4, p->key.saddr);

	return r ? r->source : 0;
}

#define RESET_LEN (sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_tcp_hdr))

/* Sequence numbers that the packet takes up, flags included. */
static uint32_t tcp_length(const struct pkt4 *p)
{
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	uint32_t headers = p->l4_off + (uint32_t)(tcp->data_off >> 4) * 4;

	return (p->l3_len > headers ? p->l3_len - headers : 0) + ((p->tcp_flags & TCP_SYN) != 0) +
	       ((p->tcp_flags & TCP_FIN) != 0);
}

static void reset_fill(struct worker *w, uint8_t *l3, const struct pkt4 *p)
{
	const struct rte_tcp_hdr *of = (const struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);

	memset(l3, 0, RESET_LEN);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(RESET_LEN);
	ip->packet_id = rte_cpu_to_be_16(w->ip_id++);
	ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
	ip->time_to_live = ANSWER_TTL;
	ip->next_proto_id = IPPROTO_TCP;
	ip->src_addr = p->key.daddr;
	ip->dst_addr = p->key.saddr;
	ip->hdr_checksum = csum_of(ip, sizeof(*ip));
	tcp->src_port = p->key.dport;
	tcp->dst_port = p->key.sport;
	tcp->data_off = sizeof(*tcp) / 4 << 4;
	tcp->tcp_flags = TCP_RST;
	if (p->tcp_flags & TCP_ACK) {
		tcp->sent_seq = of->recv_ack;
	} else {
		tcp->tcp_flags |= TCP_ACK;
		tcp->recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(of->sent_seq) + tcp_length(p));
	}
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
}

void tcp_reset(struct worker *w, const struct pkt4 *p)
{
	struct rte_mbuf *m;
	uint8_t *l3;

	if (p->tcp_flags & TCP_RST)
		return;
	m = rate_take(&w->reset_rate, w->env.now_tick) ? answer_alloc(w, p, RESET_LEN, &l3) : NULL;
	if (!m) {
		w->counters.resets_suppressed++;
		return;
	}
	reset_fill(w, l3, p);
	w->counters.resets += answer_send(w, m, p->link);
}

void tcp_become_reset(struct pkt4 *p)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	struct rte_mbuf *m = p->m;
	uint16_t l2_len = (uint16_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));

	p->l3_len = (uint16_t)(p->l4_off + sizeof(*tcp));
	p->tcp_flags = TCP_RST | (p->tcp_flags & TCP_ACK);
	ip->total_length = rte_cpu_to_be_16(p->l3_len);
	ip->fragment_offset &= rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG); /* was perhaps a first one */
	ip->hdr_checksum = 0;
	ip->hdr_checksum = csum_of(ip, p->l4_off);
	tcp->data_off = sizeof(*tcp) / 4 << 4;
	tcp->tcp_flags = p->tcp_flags;
	tcp->rx_win = 0;
	tcp->tcp_urp = 0;
	tcp->cksum = 0;
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	rte_pktmbuf_free(m->next); /* headers are in the first segment */
	m->next = NULL;
	m->nb_segs = 1;
	m->data_len = (uint16_t)(l2_len + p->l3_len);
	m->pkt_len = m->data_len;
}
