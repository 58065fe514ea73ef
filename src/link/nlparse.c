/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/nlparse.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

/* Attributes by type; types beyond the table, of newer kernels, are skipped. */
struct attrs {
	const struct nlattr **tb;
	uint16_t max;
};

static int attr_collect(const struct nlattr *attr, void *data)
{
	struct attrs *a = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type <= a->max)
		a->tb[type] = attr;
	return MNL_CB_OK;
}

static const void *attr_data(const struct nlattr *attr, uint16_t len)
{
	return attr && mnl_attr_get_payload_len(attr) >= len ? mnl_attr_get_payload(attr) : NULL;
}

static bool attr_u32(const struct nlattr *attr, uint32_t *out)
{
	const void *p = attr_data(attr, sizeof(*out));

	if (p)
		memcpy(out, p, sizeof(*out));
	return p != NULL;
}

/* The family of a message, AF_INET or AF_INET6, as enum addr_family; ADDR_NONE: another. */
static enum addr_family family_of(uint8_t af)
{
	return af == AF_INET ? ADDR_V4 : af == AF_INET6 ? ADDR_V6 : ADDR_NONE;
}

static unsigned int family_bits(enum addr_family family)
{
	return family == ADDR_V6 ? 128 : 32;
}

static bool attr_addr(const struct nlattr *attr, enum addr_family family, struct addr *out)
{
	const void *p = attr_data(attr, (uint16_t)(family_bits(family) / 8));

	if (!p)
		return false;
	*out = (struct addr){.family = family};
	memcpy(out->v6, p, family_bits(family) / 8);
	return true;
}

static bool attr_mac(const struct nlattr *attr, struct mac *out)
{
	static const struct mac zero;

	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(*out))
		return false;
	memcpy(out, mnl_attr_get_payload(attr), sizeof(*out));
	return memcmp(out, &zero, sizeof(zero)) != 0;
}

static void parse_vlan_info(const struct nlattr *info, struct nl_link *l)
{
	const struct nlattr *tb[IFLA_INFO_MAX + 1] = {0};
	const struct nlattr *vl[IFLA_VLAN_MAX + 1] = {0};
	struct attrs a = {tb, IFLA_INFO_MAX}, v = {vl, IFLA_VLAN_MAX};
	const void *id, *proto;
	uint16_t vlan, ether = htobe16(ETH_P_8021Q);

	mnl_attr_parse_nested(info, attr_collect, &a);
	if (!attr_data(tb[IFLA_INFO_KIND], 5) ||
	    memcmp(mnl_attr_get_payload(tb[IFLA_INFO_KIND]), "vlan", 5) != 0 || !tb[IFLA_INFO_DATA])
		return;
	mnl_attr_parse_nested(tb[IFLA_INFO_DATA], attr_collect, &v);
	id = attr_data(vl[IFLA_VLAN_ID], sizeof(vlan));
	proto = attr_data(vl[IFLA_VLAN_PROTOCOL], sizeof(ether));
	if (proto)
		memcpy(&ether, proto, sizeof(ether));
	if (!id || ether != htobe16(ETH_P_8021Q))
		return;
	memcpy(&vlan, id, sizeof(vlan));
	if (vlan >= 1 && vlan <= 4094)
		l->vlan = vlan;
}

static int parse_link(const struct nlmsghdr *nlh, struct nl_event *out)
{
	const struct nlattr *tb[IFLA_MAX + 1] = {0};
	struct attrs a = {tb, IFLA_MAX};
	struct nl_link *l = &out->link;
	const struct ifinfomsg *ifi;
	uint32_t parent = 0;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return -EBADMSG;
	ifi = mnl_nlmsg_get_payload(nlh);
	if (ifi->ifi_family != AF_UNSPEC)
		return 0; /* a bridge port's own news */
	if (ifi->ifi_index <= 0)
		return -EBADMSG;
	mnl_attr_parse(nlh, sizeof(*ifi), attr_collect, &a);
	l->ifindex = ifi->ifi_index;
	l->flags = ifi->ifi_flags;
	attr_u32(tb[IFLA_MTU], &l->mtu);
	l->has_mac = attr_mac(tb[IFLA_ADDRESS], &l->mac);
	if (tb[IFLA_IFNAME]) {
		size_t n = mnl_attr_get_payload_len(tb[IFLA_IFNAME]);
		const char *name = mnl_attr_get_payload(tb[IFLA_IFNAME]);

		n = strnlen(name, n);
		if (n >= sizeof(l->name))
			return -EBADMSG;
		memcpy(l->name, name, n);
	}
	/* A parent in another namespace has an index that means something else there. */
	if (tb[IFLA_LINKINFO] && !tb[IFLA_LINK_NETNSID] && attr_u32(tb[IFLA_LINK], &parent)) {
		parse_vlan_info(tb[IFLA_LINKINFO], l);
		l->parent = l->vlan ? (int)parent : 0;
	}
	return 1;
}

static int parse_addr(const struct nlmsghdr *nlh, struct nl_event *out)
{
	const struct nlattr *tb[IFA_MAX + 1] = {0};
	struct attrs a = {tb, IFA_MAX};
	struct nl_addr *ad = &out->addr;
	const struct ifaddrmsg *ifa;
	enum addr_family family;
	const uint8_t *proto;
	uint32_t flags;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa))
		return -EBADMSG;
	ifa = mnl_nlmsg_get_payload(nlh);
	family = family_of(ifa->ifa_family);
	if (family == ADDR_NONE)
		return 0;
	mnl_attr_parse(nlh, sizeof(*ifa), attr_collect, &a);
	ad->ifindex = (int)ifa->ifa_index;
	ad->len = ifa->ifa_prefixlen;
	if (ad->len > family_bits(family) || (!attr_addr(tb[IFA_LOCAL], family, &ad->addr) &&
					      !attr_addr(tb[IFA_ADDRESS], family, &ad->addr)))
		return -EBADMSG;
	flags = ifa->ifa_flags;
	attr_u32(tb[IFA_FLAGS], &flags);
	proto = attr_data(tb[IFA_PROTO], 1);
	ad->proto = proto ? *proto : 0;
	/* Addresses of plvs are deprecated for Linux's own sake (nlreq_addr_add()). */
	ad->unusable = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED |
				(ad->proto == IFAPROT_PLVS ? 0 : IFA_F_DEPRECATED));
	return 1;
}

static void path_note(struct nl_route *r, int oif)
{
	uint8_t at = 0;

	while (at < r->n_oifs && r->oifs[at] < oif)
		at++;
	if (r->n_oifs == NL_PATHS_MAX || (at < r->n_oifs && r->oifs[at] == oif))
		return;
	memmove(&r->oifs[at + 1], &r->oifs[at], (size_t)(r->n_oifs - at) * sizeof(r->oifs[0]));
	r->oifs[at] = oif;
	r->n_oifs++;
}

/* Packets leave by the first path that is alive: plvs spreads nothing over paths. Packets may
 * come in by the interface of any path. */
static int parse_multipath(const struct nlattr *attr, enum addr_family family, struct nl_route *r)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr);
	bool found = false;

	r->multipath = true;
	while (left >= sizeof(struct rtnexthop)) {
		const struct nlattr *tb[RTA_MAX + 1] = {0};
		struct attrs a = {tb, RTA_MAX};
		struct rtnexthop hop;
		size_t size;

		memcpy(&hop, p, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return -EBADMSG;
		path_note(r, hop.rtnh_ifindex);
		if (!found && !(hop.rtnh_flags & RTNH_F_DEAD)) {
			mnl_attr_parse_payload(p + sizeof(hop), hop.rtnh_len - sizeof(hop),
					       attr_collect, &a);
			found = true;
			r->oif = hop.rtnh_ifindex;
			r->flags = hop.rtnh_flags;
			r->unsupported = tb[RTA_VIA] != NULL;
			if (tb[RTA_GATEWAY] && !attr_addr(tb[RTA_GATEWAY], family, &r->via))
				return -EBADMSG;
		}
		size = (hop.rtnh_len + RTNH_ALIGNTO - 1) & ~(size_t)(RTNH_ALIGNTO - 1);
		if (size >= left)
			break;
		left -= size;
		p += size;
	}
	if (!found)
		r->flags |= RTNH_F_DEAD;
	return 0;
}

static void parse_metrics(const struct nlattr *attr, struct nl_route *r)
{
	const struct nlattr *tb[RTAX_MAX + 1] = {0};
	struct attrs a = {tb, RTAX_MAX};

	mnl_attr_parse_nested(attr, attr_collect, &a);
	attr_u32(tb[RTAX_MTU], &r->mtu);
}

static int parse_route(const struct nlmsghdr *nlh, struct nl_event *out)
{
	const struct nlattr *tb[RTA_MAX + 1] = {0};
	struct attrs a = {tb, RTA_MAX};
	struct nl_route *r = &out->route;
	const struct rtmsg *rtm;
	enum addr_family family;
	uint32_t oif = 0;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return -EBADMSG;
	rtm = mnl_nlmsg_get_payload(nlh);
	family = family_of(rtm->rtm_family);
	/* Routes that depend on the source, which IPv6 has, are not asked for by workers. */
	if (family == ADDR_NONE || rtm->rtm_flags & RTM_F_CLONED || rtm->rtm_src_len)
		return 0;
	if (rtm->rtm_dst_len > family_bits(family))
		return -EBADMSG;
	mnl_attr_parse(nlh, sizeof(*rtm), attr_collect, &a);
	r->table = rtm->rtm_table;
	attr_u32(tb[RTA_TABLE], &r->table);
	r->type = rtm->rtm_type;
	r->proto = rtm->rtm_protocol;
	r->tos = rtm->rtm_tos;
	r->flags = rtm->rtm_flags & 0xffU; /* RTNH_F_*; above: RTM_F_* */
	r->dest.len = rtm->rtm_dst_len;
	r->dest.addr = (struct addr){.family = family};
	if (rtm->rtm_dst_len && !attr_addr(tb[RTA_DST], family, &r->dest.addr))
		return -EBADMSG;
	r->dest.addr = addr_masked(&r->dest.addr, r->dest.len);
	attr_u32(tb[RTA_PRIORITY], &r->metric);
	attr_u32(tb[RTA_OIF], &oif);
	r->oif = (int)oif;
	/* A next-hop object that Linux does not spell out: net.ipv4.nexthop_compat_mode is 0. */
	r->unsupported = tb[RTA_VIA] != NULL || (tb[RTA_NH_ID] && !oif && !tb[RTA_MULTIPATH]);
	if ((tb[RTA_GATEWAY] && !attr_addr(tb[RTA_GATEWAY], family, &r->via)) ||
	    (tb[RTA_PREFSRC] && !attr_addr(tb[RTA_PREFSRC], family, &r->source)))
		return -EBADMSG;
	if (tb[RTA_METRICS])
		parse_metrics(tb[RTA_METRICS], r);
	if (tb[RTA_MULTIPATH] && parse_multipath(tb[RTA_MULTIPATH], family, r) < 0)
		return -EBADMSG;
	return 1;
}

static int parse_neigh(const struct nlmsghdr *nlh, struct nl_event *out)
{
	const struct nlattr *tb[NDA_MAX + 1] = {0};
	struct attrs a = {tb, NDA_MAX};
	struct nl_neigh *n = &out->neigh;
	const struct ndmsg *ndm;
	enum addr_family family;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm))
		return -EBADMSG;
	ndm = mnl_nlmsg_get_payload(nlh);
	family = family_of(ndm->ndm_family);
	if (family == ADDR_NONE || ndm->ndm_flags & NTF_PROXY)
		return 0;
	mnl_attr_parse(nlh, sizeof(*ndm), attr_collect, &a);
	if (!attr_addr(tb[NDA_DST], family, &n->addr))
		return -EBADMSG;
	n->ifindex = ndm->ndm_ifindex;
	n->state = ndm->ndm_state;
	n->flags = ndm->ndm_flags;
	n->has_mac = attr_mac(tb[NDA_LLADDR], &n->mac);
	attr_u32(tb[NDA_FLAGS_EXT], &n->ext);
	return 1;
}

int nl_parse(const struct nlmsghdr *nlh, struct nl_event *out)
{
	memset(out, 0, sizeof(*out));
	out->replace = nlh->nlmsg_flags & NLM_F_REPLACE;
	out->by_user = nlh->nlmsg_pid != 0;
	switch (nlh->nlmsg_type) {
	case RTM_DELLINK:
		out->gone = true; /* fall through */
	case RTM_NEWLINK:
		out->kind = NL_LINK;
		return parse_link(nlh, out);
	case RTM_DELADDR:
		out->gone = true; /* fall through */
	case RTM_NEWADDR:
		out->kind = NL_ADDR;
		return parse_addr(nlh, out);
	case RTM_DELROUTE:
		out->gone = true; /* fall through */
	case RTM_NEWROUTE:
		out->kind = NL_ROUTE;
		return parse_route(nlh, out);
	case RTM_DELNEIGH:
		out->gone = true; /* fall through */
	case RTM_NEWNEIGH:
		out->kind = NL_NEIGH;
		return parse_neigh(nlh, out);
	case RTM_DELNEXTHOP:
		out->gone = true; /* fall through */
	case RTM_NEWNEXTHOP:
		out->kind = NL_NEXTHOP;
		return 1;
	default:
		return 0;
	}
}
