/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/nd.h"

#include <rte_ether.h>

#include "dataplane/exits/doors.h"
#include "dataplane/stages/answer_frame.h"
#include "dataplane/stages/ip.h"

#define ND_FIRST     133 /* router solicitation */
#define ND_SOLICIT   135
#define ND_ADVERTISE 136
#define ND_LAST	     137 /* redirect */
#define ND_HOPS	     255 /* a packet that crossed a router has less */

#define NA_ROUTER    0x80U
#define NA_SOLICITED 0x40U
#define NA_OVERRIDE  0x20U

#define OPTION_SOURCE 1
#define OPTION_TARGET 2

/* A solicitation or an advertisement, before its options. */
struct nd_message {
	uint8_t type, code;
	be16 sum;
	uint8_t flags;
	uint8_t reserved[3];
	struct addr6 target;
} __attribute__((packed));
_Static_assert(sizeof(struct nd_message) == 24, "RFC 4861, 4.3");

struct nd_link_option {
	uint8_t type, len; /* in units of 8 bytes */
	struct mac mac;
};

#define NA_LEN (uint16_t)(sizeof(struct nd_message) + sizeof(struct nd_link_option))

static struct addr6 all_nodes_address(void)
{
	static const uint8_t bytes[16] = {0xff, 0x02, [15] = 1};
	struct addr6 a;

	memcpy(&a, bytes, sizeof(a));
	return a;
}

/* Whether options fit, none is empty, and no link-layer source stands in a message from ::. */
static bool options_good(const uint8_t *at, uint32_t len, bool from_none)
{
	while (len) {
		uint32_t size;

		if (len < 2)
			return false;
		size = at[1] * 8U;
		if (size == 0 || size > len || (from_none && at[0] == OPTION_SOURCE))
			return false;
		at += size;
		len -= size;
	}
	return true;
}

/* RFC 4861, 7.1.1 and 7.1.2. All of the message lies in the first segment. */
static bool message_good(const struct pkt6 *p)
{
	const struct nd_message *nd = (const struct nd_message *)(p->l3 + p->l4_off);
	const uint8_t *end = rte_pktmbuf_mtod(p->m, uint8_t *) + rte_pktmbuf_data_len(p->m);
	const uint32_t len = (uint32_t)p->l3_len - p->l4_off;
	const bool from_none = addr6_is_zero(p->key.saddr);

	if (*ip6_hop_limit(p->l3) != ND_HOPS || p->l4_off != sizeof(struct rte_ipv6_hdr) ||
	    p->l3 + p->l3_len > end || len < sizeof(*nd) || nd->code != 0 ||
	    addr6_is_multicast(nd->target) || !icmp6_sum_good(p))
		return false;
	if (from_none && (nd->type != ND_SOLICIT || !addr6_is_multicast(p->key.daddr)))
		return false;
	if (nd->type == ND_ADVERTISE && (nd->flags & NA_SOLICITED) &&
	    addr6_is_multicast(p->key.daddr))
		return false;
	return options_good((const uint8_t *)(nd + 1), len - (uint32_t)sizeof(*nd), from_none);
}

static bool is_active(const struct worker *w, const struct addr_entry6 *e)
{
	if (w->env.lease_off)
		return false;
	if (e->kinds & ADDR_KIND_VIP)
		return e->kinds & ADDR_KIND_ACTIVE;
	return fib6_find_local(w->env.fib->v6, e->addr) != NULL;
}

static bool mac_is_ours(const struct fib *fib, const uint8_t *mac)
{
	for (unsigned int port = 0; port < MAX_PORTS; port++) {
		const struct link_info *info = fib_link(fib, link_id_of(port, 0));

		if (info && memcmp(mac, &info->mac, sizeof(info->mac)) == 0)
			return true;
	}
	return false;
}

/* A solicitation is answered to its sender; one from :: asks whether the address is taken, and is
 * answered to all nodes. */
static void advertise(struct worker *w, struct pkt6 *p, const struct addr_entry6 *e)
{
	const struct link_info *info = fib_link(w->env.fib, p->link);
	const bool dad = addr6_is_zero(p->key.saddr);
	const struct addr6 to = dad ? all_nodes_address() : p->key.saddr;
	const struct nd_link_option option = {OPTION_TARGET, 1, info->mac};
	struct nd_message nd = {
		.type = ND_ADVERTISE,
		.flags = NA_ROUTER | NA_OVERRIDE | (dad ? 0 : NA_SOLICITED),
		.target = e->addr,
	};
	uint8_t *l3, *l4;
	struct rte_mbuf *m =
		answer_alloc(w, p->m, p->l3, (uint16_t)(sizeof(struct rte_ipv6_hdr) + NA_LEN), &l3);

	if (!m) {
		door_drop(w, p->m, DROP_NO_BUFFER);
		return;
	}
	l4 = l3 + sizeof(struct rte_ipv6_hdr);
	ip6_put(l3, e->addr, to, IPPROTO_ICMPV6, NA_LEN, 0, 0, false);
	*ip6_hop_limit(l3) = ND_HOPS;
	memcpy(l4, &nd, sizeof(nd));
	memcpy(l4 + sizeof(nd), &option, sizeof(option));
	nd.sum = ip6_icmp_csum(l3, l4, NA_LEN);
	memcpy(l4, &nd, sizeof(nd));
	if (dad) {
		static const uint8_t mac[6] = {0x33, 0x33, 0, 0, 0, 1};

		/* The frame is turned round on its way out. */
		memcpy(&rte_pktmbuf_mtod(m, struct rte_ether_hdr *)->src_addr, mac, sizeof(mac));
	}
	if (answer_send(w, m, p->link))
		door_answered(w, p->m);
	else
		door_drop(w, p->m, DROP_LINEARISE);
}

static void solicited(struct worker *w, struct pkt6 *p, struct addr6 target)
{
	const struct addr_entry6 *e = addr_table6_find(w->env.snap->addrs6, target);
	const bool local = fib6_find_local(w->env.fib->v6, target) != NULL;

	/* An address that no service claims is Linux's where an administrator gave Linux the
	 * address. */
	if (!e || !(e->kinds & (ADDR_KIND_VIP | ADDR_KIND_GATEWAY)) ||
	    ((e->kinds & ADDR_KIND_UNCLAIMED) && local)) {
		if (local)
			door_punt(w, p->m, PUNT_ARP);
		else
			door_drop(w, p->m, DROP_ARP_OTHER);
	} else if (!is_active(w, e)) {
		door_drop(w, p->m, DROP_NOT_ACTIVE);
	} else if ((e->link != LINK_ANY && e->link != p->link) ||
		   (e->kinds & (ADDR_KIND_ROUTED | ADDR_KIND_SILENT))) {
		door_drop(w, p->m, DROP_ARP_OTHER);
	} else {
		advertise(w, p, e);
	}
}

/* Another station claims an address that is active here: the ha thread must see the frame (its
 * socket at the TAP receives punted frames). From all other messages Linux learns. */
static void advertised(struct worker *w, struct pkt6 *p, struct addr6 target)
{
	const struct addr_entry6 *e = addr_table6_find(w->env.snap->addrs6, target);
	const uint8_t *sender = rte_pktmbuf_mtod_offset(p->m, uint8_t *, sizeof(struct mac));

	if (!e || !(e->kinds & (ADDR_KIND_VIP | ADDR_KIND_GATEWAY))) {
		door_punt(w, p->m, PUNT_ARP);
	} else if (is_active(w, e) && !mac_is_ours(w->env.fib, sender) &&
		   rate_take(&w->claim_rate, w->env.now_tick)) {
		door_punt(w, p->m, PUNT_ARP);
	} else if ((e->kinds & ADDR_KIND_VIP) || is_active(w, e)) {
		door_drop(w, p->m, DROP_ND_BAD);
	} else {
		door_punt(w, p->m, PUNT_ARP);
	}
}

bool nd_is(const struct pkt6 *p)
{
	const uint8_t *type = p->l3 + p->l4_off;

	return !(p->flags & PKT_FRAGMENT) && p->l3_len >= p->l4_off + ICMP_HDR &&
	       *type >= ND_FIRST && *type <= ND_LAST;
}

void nd_receive(struct worker *w, struct pkt6 *p)
{
	const struct nd_message *nd = (const struct nd_message *)(p->l3 + p->l4_off);
	const struct addr_entry6 *e;

	if (nd->type != ND_SOLICIT && nd->type != ND_ADVERTISE) {
		if (*ip6_hop_limit(p->l3) == ND_HOPS)
			door_punt(w, p->m, PUNT_ARP);
		else
			door_drop(w, p->m, DROP_ND_BAD);
		return;
	}
	if (!message_good(p)) {
		door_drop(w, p->m, DROP_ND_BAD);
		return;
	}
	if (nd->type == ND_ADVERTISE) {
		advertised(w, p, nd->target);
		return;
	}
	e = addr_table6_find(w->env.snap->addrs6, p->key.saddr);
	if (e && (e->kinds & ADDR_KIND_VIP)) /* a stranger, or our own echo */
		door_drop(w, p->m, DROP_ND_BAD);
	else
		solicited(w, p, nd->target);
}

bool nd_may_leave(const struct worker *w, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv6_hdr *ip;
	const struct nd_message *nd;
	const struct addr_entry6 *e;
	uint32_t l2_len = sizeof(*eth);
	be16 type;

	if (rte_pktmbuf_data_len(m) < l2_len)
		return true;
	type = eth->ether_type;
	if (type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		if (rte_pktmbuf_data_len(m) < l2_len + sizeof(struct rte_vlan_hdr))
			return true;
		type = ((const struct rte_vlan_hdr *)(eth + 1))->eth_proto;
		l2_len += (uint32_t)sizeof(struct rte_vlan_hdr);
	}
	if (type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) ||
	    rte_pktmbuf_data_len(m) < l2_len + sizeof(*ip) + sizeof(*nd))
		return true;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, l2_len);
	nd = (const struct nd_message *)(ip + 1);
	if (ip->proto != IPPROTO_ICMPV6 || nd->type != ND_ADVERTISE)
		return true;
	e = addr_table6_find(w->env.snap->addrs6, nd->target);
	if (!e || !(e->kinds & (ADDR_KIND_VIP | ADDR_KIND_GATEWAY)))
		return true;
	return !w->env.lease_off && (e->kinds & (ADDR_KIND_ACTIVE | ADDR_KIND_GATEWAY));
}
