/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/arp.h"

#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "dataplane/exits/doors.h"
#include "dataplane/stages/answer_frame.h"
#include "dataplane/stages/ip.h"
#include "dataplane/stages/nd.h"

static bool vip_on_link(const struct addr_entry4 *e, link_id link)
{
	return e->link == LINK_ANY || e->link == link;
}

/* ARP for Linux: requests for its own addresses, answers, and announcements, by which Linux learns
 * new MACs of neighbours. */
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

/* The sender claims an address that is active here: the ha thread must see the frame (its socket at
 * the TAP receives punted frames). An announcement of this router that returns is no claim. */
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
	    (e->kinds & (ADDR_KIND_ROUTED | ADDR_KIND_SILENT))) {
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
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		return nd_may_leave(w, m);
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

/* The kinds of an address of a frame of Linux, of either family; 0: none, or no IP. */
static uint32_t kinds_of(const struct worker *w, const struct rte_mbuf *m, enum ip_address which)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct addr_entry4 *e;
	uint16_t l2_len = sizeof(*eth);
	be16 type = eth->ether_type;

	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		type = ((const struct rte_vlan_hdr *)(eth + 1))->eth_proto;
		l2_len += sizeof(struct rte_vlan_hdr);
	}
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
	    rte_pktmbuf_data_len(m) >= l2_len + sizeof(struct rte_ipv6_hdr)) {
		const struct addr_entry6 *e6 = addr_table6_find(
			w->env.snap->addrs6,
			ip6_addr(rte_pktmbuf_mtod_offset(m, const uint8_t *, l2_len), which));

		return e6 ? e6->kinds : 0;
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
	    rte_pktmbuf_data_len(m) < l2_len + sizeof(struct rte_ipv4_hdr))
		return 0;
	e = addr_table4_find(w->env.snap->addrs4,
			     ip4_addr(rte_pktmbuf_mtod_offset(m, const uint8_t *, l2_len), which));
	return e ? e->kinds : 0;
}

bool speaks_as_vip(const struct worker *w, const struct rte_mbuf *m)
{
	return kinds_of(w, m, IP_SOURCE) & ADDR_KIND_VIP;
}

bool speaks_to_vip(const struct worker *w, const struct rte_mbuf *m)
{
	const uint32_t mask = ADDR_KIND_VIP | ADDR_KIND_ACTIVE | ADDR_KIND_POOL;

	return (kinds_of(w, m, IP_DEST) & mask) == (ADDR_KIND_VIP | ADDR_KIND_ACTIVE);
}
