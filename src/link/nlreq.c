/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/nlreq.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#define REQ_MAX 1024 /* bytes of any request made here */

int nlreq_open(struct nlreq *r)
{
	struct timeval limit = {.tv_sec = 2};
	int one = 1, ret;

	memset(r, 0, sizeof(*r));
	r->buf = malloc(NLREQ_BUF + NLMSG_ALIGNTO);
	if (!r->buf)
		return -ENOMEM;
	r->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!r->sock || mnl_socket_bind(r->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		nlreq_close(r);
		return ret;
	}
	/* Never needed unless the kernel breaks its habit: then an error, not a hang. */
	setsockopt(mnl_socket_get_fd(r->sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	mnl_socket_setsockopt(r->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(r->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(r->sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	return 0;
}

void nlreq_close(struct nlreq *r)
{
	if (r->sock)
		mnl_socket_close(r->sock);
	free(r->buf);
	r->sock = NULL;
	r->buf = NULL;
}

static int remember_why(const struct nlattr *attr, void *data)
{
	struct nlreq *r = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(r->why, sizeof(r->why), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int error_of(struct nlreq *r, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	/* CAP_ACK: the request is not quoted, attributes follow at once. */
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(nlh, sizeof(*err), remember_why, r);
	return err->error > 0 ? -err->error : err->error;
}

/* Hands every answer that is an object to fn. Ends with the acknowledgement. */
static int answers(struct nlreq *r, void (*fn)(void *arg, const struct nl_event *ev), void *arg)
{
	bool interrupted = false;
	struct nl_event ev;

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(r->sock, r->buf, NLREQ_BUF);
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)r->buf;
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (; nl_message_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq != r->seq)
				continue; /* of a conversation given up before its end */
			interrupted |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return error_of(r, nlh);
			if (nlh->nlmsg_type == NLMSG_DONE)
				return interrupted ? -EINTR : 0;
			if (fn && nl_parse(nlh, &ev) > 0)
				fn(arg, &ev);
		}
	}
}

static int converse(struct nlreq *r, struct nlmsghdr *req,
		    void (*fn)(void *arg, const struct nl_event *ev), void *arg)
{
	int ret;

	if (r->busy)
		return -EDEADLK;
	r->why[0] = '\0';
	req->nlmsg_flags |= NLM_F_REQUEST;
	req->nlmsg_seq = ++r->seq;
	if (mnl_socket_sendto(r->sock, req, req->nlmsg_len) < 0)
		return -errno;
	r->busy = true;
	ret = answers(r, fn, arg);
	r->busy = false;
	return ret;
}

static struct nlmsghdr *request(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	return nlh;
}

/* The family is the first byte of each of these headers. */
static const struct {
	uint16_t type;
	size_t header;
} dumps[] = {
	[NL_LINK] = {RTM_GETLINK, sizeof(struct ifinfomsg)},
	[NL_ADDR] = {RTM_GETADDR, sizeof(struct ifaddrmsg)},
	[NL_ROUTE] = {RTM_GETROUTE, sizeof(struct rtmsg)},
	[NL_NEIGH] = {RTM_GETNEIGH, sizeof(struct ndmsg)},
};

static int dump_family(struct nlreq *r, enum nl_kind kind, uint8_t family,
		       void (*fn)(void *arg, const struct nl_event *ev), void *arg)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = request(buf, dumps[kind].type, NLM_F_DUMP);

	*(uint8_t *)mnl_nlmsg_put_extra_header(nlh, dumps[kind].header) = family;
	return converse(r, nlh, fn, arg);
}

int nlreq_dump(struct nlreq *r, enum nl_kind kind, void (*fn)(void *arg, const struct nl_event *ev),
	       void *arg)
{
	int ret;

	if (kind == NL_LINK)
		return dump_family(r, kind, AF_UNSPEC, fn, arg);
	ret = dump_family(r, kind, AF_INET, fn, arg);
	if (ret < 0)
		return ret;
	/* A kernel without IPv6 answers with nothing new, or refuses. */
	ret = dump_family(r, kind, AF_INET6, fn, arg);
	return ret == -EOPNOTSUPP || ret == -EAFNOSUPPORT ? 0 : ret;
}

static struct nlmsghdr *link_request(void *buf, uint16_t type, uint16_t flags, int ifindex)
{
	struct nlmsghdr *nlh = request(buf, type, flags);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_index = ifindex;
	return nlh;
}

static void copy_link(void *arg, const struct nl_event *ev)
{
	if (ev->kind == NL_LINK)
		*(struct nl_link *)arg = ev->link;
}

int nlreq_link_get(struct nlreq *r, const char *name, struct nl_link *out)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = link_request(buf, RTM_GETLINK, NLM_F_ACK, 0);
	struct nl_link l = {0};
	int ret;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	ret = converse(r, nlh, copy_link, &l);
	if (ret == 0 && l.ifindex == 0)
		ret = -ENODEV;
	if (ret == 0)
		*out = l;
	return ret;
}

int nlreq_link_set_up(struct nlreq *r, int ifindex)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = link_request(buf, RTM_NEWLINK, NLM_F_ACK, ifindex);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return converse(r, nlh, NULL, NULL);
}

int nlreq_link_set_mtu(struct nlreq *r, int ifindex, uint16_t mtu)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = link_request(buf, RTM_NEWLINK, NLM_F_ACK, ifindex);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return converse(r, nlh, NULL, NULL);
}

int nlreq_link_set_mac(struct nlreq *r, int ifindex, const struct mac *mac)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = link_request(buf, RTM_NEWLINK, NLM_F_ACK, ifindex);

	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(*mac), mac);
	return converse(r, nlh, NULL, NULL);
}

int nlreq_link_del(struct nlreq *r, int ifindex)
{
	uint8_t buf[REQ_MAX] = {0};

	return converse(r, link_request(buf, RTM_DELLINK, NLM_F_ACK, ifindex), NULL, NULL);
}

int nlreq_vlan_add(struct nlreq *r, int parent, uint16_t id, const char *name)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh =
		link_request(buf, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)parent);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_VLAN_ID, id);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return converse(r, nlh, NULL, NULL);
}

static uint8_t family_of(const struct addr *a)
{
	return a->family == ADDR_V6 ? AF_INET6 : AF_INET;
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct addr *a)
{
	if (a->family == ADDR_V6)
		mnl_attr_put(nlh, type, sizeof(a->v6), a->v6);
	else
		mnl_attr_put(nlh, type, sizeof(a->v4), &a->v4);
}

static struct nlmsghdr *addr_request(void *buf, uint16_t type, uint16_t flags, int ifindex,
				     const struct addr *a, uint8_t len)
{
	struct nlmsghdr *nlh = request(buf, type, flags);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = family_of(a);
	ifa->ifa_prefixlen = len;
	ifa->ifa_index = (uint32_t)ifindex;
	if (a->family == ADDR_V6)
		ifa->ifa_flags = IFA_F_NODAD;
	put_addr(nlh, IFA_LOCAL, a);
	put_addr(nlh, IFA_ADDRESS, a);
	return nlh;
}

int nlreq_addr_add(struct nlreq *r, int ifindex, const struct addr *a, uint8_t len, uint8_t proto)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = addr_request(buf, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
					    ifindex, a, len);
	int ret;

	if (a->family == ADDR_V4 && len < 31) {
		be32 broadcast = a->v4 | be32_from(len ? (1U << (32 - len)) - 1 : ~0U);

		mnl_attr_put_u32(nlh, IFA_BROADCAST, broadcast);
	}
	if (proto)
		mnl_attr_put_u8(nlh, IFA_PROTO, proto);
	/* An address that moves between routers must not be the source of packets that Linux
	 * originates: replies would go to the router that has the address then, or to a real server
	 * that has the address on its loopback. Linux does not choose an IPv4 /32 either, as long
	 * as there is another address. */
	if (proto && a->family == ADDR_V6) {
		const struct ifa_cacheinfo life = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};

		mnl_attr_put(nlh, IFA_CACHEINFO, sizeof(life), &life);
	}
	ret = converse(r, nlh, NULL, NULL);
	return ret == -EEXIST ? 0 : ret;
}

int nlreq_addr_del(struct nlreq *r, int ifindex, const struct addr *a, uint8_t len)
{
	uint8_t buf[REQ_MAX] = {0};
	int ret =
		converse(r, addr_request(buf, RTM_DELADDR, NLM_F_ACK, ifindex, a, len), NULL, NULL);

	return ret == -EADDRNOTAVAIL || ret == -ENODEV ? 0 : ret;
}

int nlreq_local_set(struct nlreq *r, int ifindex, const struct addr *a, uint8_t len, bool add)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = request(buf, add ? RTM_NEWROUTE : RTM_DELROUTE,
				       add ? NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE : NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	int ret;

	rtm->rtm_family = family_of(a);
	rtm->rtm_dst_len = len;
	rtm->rtm_table = RT_TABLE_LOCAL;
	rtm->rtm_protocol = NLREQ_PROTO;
	rtm->rtm_type = RTN_LOCAL;
	rtm->rtm_scope = RT_SCOPE_HOST;
	put_addr(nlh, RTA_DST, a);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)ifindex);
	ret = converse(r, nlh, NULL, NULL);
	return !add && (ret == -ESRCH || ret == -ENODEV) ? 0 : ret;
}

int nlreq_route_add(struct nlreq *r, int ifindex, const struct net_route *route)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = request(buf, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	rtm->rtm_family = family_of(&route->dest.addr);
	rtm->rtm_dst_len = route->dest.len;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = route->via.family == ADDR_NONE && rtm->rtm_family == AF_INET
				 ? RT_SCOPE_LINK
				 : RT_SCOPE_UNIVERSE;
	if (route->dest.len)
		put_addr(nlh, RTA_DST, &route->dest.addr);
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)ifindex);
	if (route->via.family != ADDR_NONE)
		put_addr(nlh, RTA_GATEWAY, &route->via);
	if (route->source.family != ADDR_NONE)
		put_addr(nlh, RTA_PREFSRC, &route->source);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	return converse(r, nlh, NULL, NULL);
}

static struct rtmsg *announced_request(void *buf, uint16_t type, uint16_t flags, uint8_t family,
				       uint32_t table, struct nlmsghdr **nlh)
{
	struct rtmsg *rtm;

	*nlh = request(buf, type, flags);
	rtm = mnl_nlmsg_put_extra_header(*nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_protocol = NLREQ_PROTO;
	rtm->rtm_type = RTN_BLACKHOLE;
	mnl_attr_put_u32(*nlh, RTA_TABLE, table);
	return rtm;
}

int nlreq_announced_set(struct nlreq *r, uint32_t table, const struct addr *a, uint32_t metric,
			bool add)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh;
	struct rtmsg *rtm =
		announced_request(buf, add ? RTM_NEWROUTE : RTM_DELROUTE,
				  add ? NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE : NLM_F_ACK,
				  family_of(a), table, &nlh);
	int ret;

	rtm->rtm_dst_len = a->family == ADDR_V6 ? 128 : 32;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	put_addr(nlh, RTA_DST, a);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, metric);
	ret = converse(r, nlh, NULL, NULL);
	return !add && (ret == -ESRCH || ret == -ENOENT) ? 0 : ret;
}

int nlreq_announced_dump(struct nlreq *r, uint32_t table,
			 void (*fn)(void *arg, const struct nl_event *ev), void *arg)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int ret = 0;

	for (size_t i = 0; i < sizeof(families) && ret == 0; i++) {
		uint8_t buf[REQ_MAX] = {0};
		struct nlmsghdr *nlh;

		announced_request(buf, RTM_GETROUTE, NLM_F_DUMP, families[i], table, &nlh);
		ret = converse(r, nlh, fn, arg);
		/* A table without routes is none; so is a family that Linux does not have. */
		if (ret == -ENOENT || ret == -EOPNOTSUPP || ret == -EAFNOSUPPORT)
			ret = 0;
	}
	return ret;
}

int nlreq_neigh_use(struct nlreq *r, int ifindex, const struct addr *a, bool managed)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = request(buf, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));

	ndm->ndm_family = family_of(a);
	ndm->ndm_ifindex = ifindex;
	ndm->ndm_state = NUD_NONE;
	ndm->ndm_flags = NTF_USE;
	put_addr(nlh, NDA_DST, a);
	if (managed)
		mnl_attr_put_u32(nlh, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return converse(r, nlh, NULL, NULL);
}

static void copy_neigh(void *arg, const struct nl_event *ev)
{
	if (ev->kind == NL_NEIGH)
		*(struct nl_neigh *)arg = ev->neigh;
}

int nlreq_neigh_get(struct nlreq *r, int ifindex, const struct addr *a, struct nl_neigh *out)
{
	uint8_t buf[REQ_MAX] = {0};
	struct nlmsghdr *nlh = request(buf, RTM_GETNEIGH, NLM_F_ACK);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	struct nl_neigh n = {0};
	int ret;

	ndm->ndm_family = family_of(a);
	ndm->ndm_ifindex = ifindex;
	put_addr(nlh, NDA_DST, a);
	ret = converse(r, nlh, copy_neigh, &n);
	if (ret == 0 && n.ifindex != ifindex)
		ret = -ENOENT;
	if (ret == 0)
		*out = n;
	return ret;
}
