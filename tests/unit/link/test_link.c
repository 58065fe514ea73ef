/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "link/hops.h"
#include "link/link.h"
#include "link/mirror.h"
#include "link/nlparse.h"
#include "link/silence.h"

/* --- Messages ------------------------------------------------------------------------------- */

static uint8_t buf[4096] __attribute__((aligned(8)));

static struct nlmsghdr *msg(uint16_t type, const void *header, size_t len)
{
	struct nlmsghdr *nlh;

	memset(buf, 0, sizeof(buf));
	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(nlh, len), header, len);
	return nlh;
}

/* Tests write addresses of IPv4. Run for IPv6, each means the one with these last four bytes in
 * 2001:db8::/96, and a prefix is 96 bits longer. */
static uint8_t family = ADDR_V4;

static const uint8_t prefix6[12] = {0x20, 0x01, 0x0d, 0xb8};

static struct addr ip(const char *text)
{
	struct addr a, a6 = {.family = ADDR_V6};

	assert_int_equal(addr_parse(text, &a), 0);
	if (family == ADDR_V4 || a.family == ADDR_V6)
		return a;
	memcpy(a6.v6, prefix6, sizeof(prefix6));
	memcpy(a6.v6 + 12, &a.v4, 4);
	return a6;
}

static uint8_t bits(const char *text, uint8_t len)
{
	return family == ADDR_V6 && len && !strchr(text, ':') ? (uint8_t)(len + 96) : len;
}

static uint8_t af(void)
{
	return family == ADDR_V6 ? AF_INET6 : AF_INET;
}

static void put_ip(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	const struct addr a = ip(text);

	mnl_attr_put(nlh, type, a.family == ADDR_V6 ? 16 : 4, a.v6);
}

#define assert_ip(a, text)                                                                         \
	do {                                                                                       \
		const struct addr want_ = ip(text);                                                \
		const struct addr is_ = (a);                                                       \
		assert_memory_equal(&is_, &want_, sizeof(want_));                                  \
	} while (0)

static struct nlmsghdr *route_msg(uint16_t type, const char *dest, uint8_t len, const char *via,
				  int oif, uint32_t metric)
{
	const struct rtmsg rtm = {.rtm_family = af(),
				  .rtm_dst_len = bits(dest, len),
				  .rtm_table = RT_TABLE_MAIN,
				  .rtm_type = RTN_UNICAST};
	struct nlmsghdr *nlh = msg(type, &rtm, sizeof(rtm));

	if (len)
		put_ip(nlh, RTA_DST, dest);
	if (via)
		put_ip(nlh, RTA_GATEWAY, via);
	if (oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)oif);
	if (metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, metric);
	return nlh;
}

static struct nlmsghdr *link_msg(int ifindex, const char *name, uint32_t flags, int parent,
				 uint16_t vlan)
{
	const struct ifinfomsg ifi = {.ifi_index = ifindex, .ifi_flags = flags};
	struct nlmsghdr *nlh = msg(RTM_NEWLINK, &ifi, sizeof(ifi));
	const struct mac mac = {{2, 0, 0, 0, 0, (uint8_t)ifindex}};
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, 1500);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(mac), &mac);
	if (!parent)
		return nlh;
	mnl_attr_put_u32(nlh, IFLA_LINK, (uint32_t)parent);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u16(nlh, IFLA_VLAN_ID, vlan);
	mnl_attr_put_u16(nlh, IFLA_VLAN_PROTOCOL, htobe16(0x8100));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return nlh;
}

static struct nlmsghdr *addr_msg(uint16_t type, int ifindex, const char *addr, uint8_t len)
{
	const struct ifaddrmsg ifa = {.ifa_family = af(),
				      .ifa_prefixlen = bits(addr, len),
				      .ifa_index = (uint32_t)ifindex};
	struct nlmsghdr *nlh = msg(type, &ifa, sizeof(ifa));

	put_ip(nlh, IFA_LOCAL, addr);
	return nlh;
}

static void a_route_with_everything_is_parsed(void **state)
{
	struct nlmsghdr *nlh = route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 7, 20);
	struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);
	struct nl_event ev;

	(void)state;
	mnl_attr_put_u32(nlh, RTAX_MTU, 1400);
	mnl_attr_nest_end(nlh, metrics);
	nlh->nlmsg_flags = NLM_F_REPLACE;
	assert_int_equal(nl_parse(nlh, &ev), 1);
	assert_int_equal(ev.kind, NL_ROUTE);
	assert_true(ev.replace);
	assert_ip(ev.route.dest.addr, "10.9.0.0");
	assert_int_equal(ev.route.dest.len, bits("10.9.0.0", 16));
	assert_ip(ev.route.via, "10.0.0.1");
	assert_int_equal(ev.route.oif, 7);
	assert_int_equal(ev.route.metric, 20);
	assert_int_equal(ev.route.mtu, 1400);
}

/* A path of a route over several, for RTA_MULTIPATH. The length of the path. */
static size_t path_put(uint8_t *at, uint8_t flags, int oif, const char *via)
{
	const struct addr a = ip(via);
	const size_t len = a.family == ADDR_V6 ? 16 : 4;
	const struct rtnexthop hop = {(uint16_t)(sizeof(hop) + 4 + len), flags, 0, oif};
	const struct nlattr attr = {(uint16_t)(4 + len), RTA_GATEWAY};

	memcpy(at, &hop, sizeof(hop));
	memcpy(at + sizeof(hop), &attr, sizeof(attr));
	memcpy(at + sizeof(hop) + sizeof(attr), a.v6, len);
	return hop.rtnh_len;
}

static void of_several_paths_the_first_live_one_is_taken(void **state)
{
	struct nlmsghdr *nlh = route_msg(RTM_NEWROUTE, "10.9.0.0", 16, NULL, 0, 0);
	uint8_t paths[64];
	size_t len = path_put(paths, RTNH_F_DEAD, 3, "10.0.0.3");
	struct rtnexthop first;
	struct nl_event ev;

	(void)state;
	len += path_put(paths + len, 0, 4, "10.0.0.4");
	mnl_attr_put(nlh, RTA_MULTIPATH, len, paths);
	assert_int_equal(nl_parse(nlh, &ev), 1);
	assert_true(ev.route.multipath);
	assert_int_equal(ev.route.oif, 4);
	assert_ip(ev.route.via, "10.0.0.4");
	/* A path that claims to be longer than the attribute. */
	nlh = route_msg(RTM_NEWROUTE, "10.9.0.0", 16, NULL, 0, 0);
	memcpy(&first, paths, sizeof(first));
	first.rtnh_len = 400;
	memcpy(paths, &first, sizeof(first));
	mnl_attr_put(nlh, RTA_MULTIPATH, len, paths);
	assert_int_equal(nl_parse(nlh, &ev), -EBADMSG);
	nlh = route_msg(RTM_NEWROUTE, "10.9.0.0", 16, NULL, 0, 0);
	first.rtnh_len = 0;
	memcpy(paths, &first, sizeof(first));
	mnl_attr_put(nlh, RTA_MULTIPATH, len, paths);
	assert_int_equal(nl_parse(nlh, &ev), -EBADMSG);
}

static void messages_that_contradict_themselves_are_refused(void **state)
{
	const struct rtmsg long_len = {.rtm_family = af(),
				       .rtm_dst_len = (unsigned char)(bits("", 32) + 1)};
	const struct ifaddrmsg no_addr = {.ifa_family = af(), .ifa_prefixlen = 24};
	const struct ndmsg no_dst = {.ndm_family = af()};
	const struct ifinfomsg no_index = {0};
	struct nl_event ev;

	(void)state;
	assert_int_equal(nl_parse(msg(RTM_NEWROUTE, &long_len, sizeof(long_len)), &ev), -EBADMSG);
	assert_int_equal(nl_parse(msg(RTM_NEWROUTE, &long_len, 4), &ev), -EBADMSG);
	assert_int_equal(nl_parse(msg(RTM_NEWADDR, &no_addr, sizeof(no_addr)), &ev), -EBADMSG);
	assert_int_equal(nl_parse(msg(RTM_NEWNEIGH, &no_dst, sizeof(no_dst)), &ev), -EBADMSG);
	assert_int_equal(nl_parse(msg(RTM_NEWLINK, &no_index, sizeof(no_index)), &ev), -EBADMSG);
	assert_int_equal(nl_parse(msg(NLMSG_NOOP, &no_index, 0), &ev), 0);
}

/* Every truncation, and every byte turned over, is survived. Sanitizers run along. */
static void no_message_however_broken_is_read_beyond_its_end(void **state)
{
	const struct nlmsghdr *whole[] = {NULL, NULL, NULL};
	uint8_t copy[3][4096];
	struct nl_event ev;

	(void)state;
	for (unsigned int k = 0; k < 3; k++) {
		whole[k] = k == 0   ? route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 7, 20)
			   : k == 1 ? link_msg(5, "public.10", IFF_UP, 4, 10)
				    : addr_msg(RTM_NEWADDR, 4, "10.0.0.2", 24);
		memcpy(copy[k], whole[k], sizeof(buf));
	}
	for (unsigned int k = 0; k < 3; k++) {
		uint32_t len = ((struct nlmsghdr *)copy[k])->nlmsg_len;

		for (uint32_t cut = NLMSG_HDRLEN; cut <= len; cut++) {
			struct nlmsghdr *nlh = malloc(NLMSG_ALIGN(cut));

			memcpy(nlh, copy[k], cut);
			nlh->nlmsg_len = cut;
			assert_true(nl_parse(nlh, &ev) <= 1);
			for (uint32_t i = NLMSG_HDRLEN; i < cut; i++) {
				((uint8_t *)nlh)[i] ^= 0xff;
				assert_true(nl_parse(nlh, &ev) <= 1);
				((uint8_t *)nlh)[i] ^= 0xff;
			}
			free(nlh);
		}
	}
}

/* --- Mirror --------------------------------------------------------------------------------- */

static struct mirror mirror;

static unsigned int feed(const struct nlmsghdr *nlh)
{
	struct nl_event ev;
	link_id link;

	assert_int_equal(nl_parse(nlh, &ev), 1);
	return mirror_apply(&mirror, &ev, &link);
}

static int mirror_start(void **state)
{
	(void)state;
	assert_int_equal(mirror_init(&mirror, 2), 0);
	mirror_set_tap(&mirror, link_id_of(0, 0), 4);
	mirror_set_tap(&mirror, link_id_of(1, 0), 5);
	feed(link_msg(4, "public", IFF_UP | IFF_LOWER_UP, 0, 0));
	feed(link_msg(5, "private", IFF_UP | IFF_LOWER_UP, 0, 0));
	return 0;
}

static int mirror_end(void **state)
{
	(void)state;
	mirror_fini(&mirror);
	return 0;
}

/* The route that workers find; kind 0xff: none. */
static struct link_fib_route best(const char *dest)
{
	const struct addr a = ip(dest);
	uint32_t n;
	struct fib *fib = mirror_build(&mirror, &n, NULL);
	struct link_fib_route out = {.kind = 0xff};

	if (a.family == ADDR_V6) {
		const struct route6 *r = fib6_find(fib->v6, addr6_of(&a));

		if (r)
			out = (struct link_fib_route){.via = addr_from_addr6(r->via),
						      .source = addr_from_addr6(r->source),
						      .link = r->link,
						      .kind = r->kind};
	} else {
		const struct route4 *r = fib4_find(fib->v4, a.v4);

		if (r)
			out = (struct link_fib_route){.via = addr_from_v4(r->via),
						      .source = addr_from_v4(r->source),
						      .link = r->link,
						      .kind = r->kind};
	}
	fib_destroy(fib);
	return out;
}

static void an_equal_route_changes_nothing_and_a_better_one_does(void **state)
{
	(void)state;
	assert_true(feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 4, 20)) & MIRROR_FIB);
	assert_int_equal(feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 4, 20)), 0);
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.2", 5, 10));
	assert_ip(best("10.9.1.1").via, "10.0.0.2");
	feed(route_msg(RTM_DELROUTE, "10.9.0.0", 16, "10.0.0.2", 5, 10));
	assert_ip(best("10.9.1.1").via, "10.0.0.1");
}

static void a_doubtful_event_asks_for_all_routes(void **state)
{
	struct nlmsghdr *nlh;

	(void)state;
	/* Without a router: of IPv6, routes with one would be paths of one route. */
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, NULL, 4, 0));
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, NULL, 5, 0));
	nlh = route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.3", 4, 0);
	nlh->nlmsg_flags = NLM_F_REPLACE;
	assert_true(feed(nlh) & MIRROR_REREAD); /* which of the two went? */
	assert_true(feed(route_msg(RTM_DELROUTE, "10.9.0.0", 16, "10.0.0.9", 4, 0)) &
		    MIRROR_REREAD);
	assert_true(feed(link_msg(4, "public", 0, 0, 0)) & MIRROR_REREAD);
	feed(addr_msg(RTM_NEWADDR, 5, "10.0.0.2", 24));
	assert_true(feed(addr_msg(RTM_DELADDR, 5, "10.0.0.2", 24)) & MIRROR_REREAD);
	/* VIPs by the thousand stay cheap. */
	feed(addr_msg(RTM_NEWADDR, 5, "10.0.0.80", 32));
	assert_int_equal(feed(addr_msg(RTM_DELADDR, 5, "10.0.0.80", 32)), MIRROR_FIB);
}

static void a_single_route_is_replaced_in_place(void **state)
{
	struct nlmsghdr *nlh;

	(void)state;
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 4, 0));
	nlh = route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.3", 4, 0);
	nlh->nlmsg_flags = NLM_F_REPLACE;
	assert_int_equal(feed(nlh), MIRROR_FIB);
	assert_ip(best("10.9.1.1").via, "10.0.0.3");
	assert_int_equal(mirror.routes.n, 1);
}

static struct nlmsghdr *multipath_msg(uint16_t type, const char *dest, uint8_t len, int first,
				      int second)
{
	struct nlmsghdr *nlh = route_msg(type, dest, len, NULL, 0, 0);
	uint8_t paths[64];
	size_t size = path_put(paths, 0, first, "10.0.0.3");

	size += path_put(paths + size, RTNH_F_DEAD, second, "10.0.0.4");
	mnl_attr_put(nlh, RTA_MULTIPATH, size, paths);
	return nlh;
}

/* Ports 0 and 1, and VLAN 20 of port 1, that lead to dest: bits. */
static unsigned int reached_by(const char *dest)
{
	const link_id links[] = {link_id_of(0, 0), link_id_of(1, 0), link_id_of(1, 20)};
	const struct addr a = ip(dest);
	unsigned int reached = 0;
	uint32_t n;
	struct fib *fib = mirror_build(&mirror, &n, NULL);

	for (unsigned int i = 0; i < 3; i++)
		if (a.family == ADDR_V6 ? fib_reaches6(fib, addr6_of(&a), links[i])
					: fib_reaches4(fib, a.v4, links[i]))
			reached |= 1U << i;
	fib_destroy(fib);
	return reached;
}

static void every_next_hop_of_the_longest_prefix_counts(void **state)
{
	(void)state;
	feed(link_msg(8, "v20", IFF_UP | IFF_LOWER_UP, 5, 20));
	feed(route_msg(RTM_NEWROUTE, "0.0.0.0", 0, "10.0.0.1", 4, 0));
	assert_int_equal(reached_by("10.9.1.1"), 1);
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 5, 0));
	assert_int_equal(reached_by("10.9.1.1"), 2);
	/* A worse metric, a second path, a dead path. */
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, "10.0.0.1", 8, 20));
	assert_int_equal(reached_by("10.9.1.1"), 6);
	feed(multipath_msg(RTM_NEWROUTE, "10.8.0.0", 16, 5, 8));
	feed(multipath_msg(RTM_NEWROUTE, "10.7.0.0", 16, 5, 4));
	assert_int_equal(reached_by("10.8.1.1"), 6);
	assert_int_equal(reached_by("10.7.1.1"), 3);
	assert_int_equal(best("10.8.1.1").link, link_id_of(1, 0));
	feed(multipath_msg(RTM_DELROUTE, "10.8.0.0", 16, 5, 8));
	assert_int_equal(reached_by("10.8.1.1"), 1);
	/* A route by a foreign interface leads nowhere; one that blocks, neither. */
	feed(route_msg(RTM_NEWROUTE, "10.6.0.0", 16, NULL, 77, 0));
	assert_int_equal(reached_by("10.6.1.1"), 0);
}

static void a_loose_port_makes_its_vlans_loose(void **state)
{
	const struct iface *vlan;

	(void)state;
	assert_int_equal(mirror_set_loose(&mirror, link_id_of(1, 0)), 0);
	feed(link_msg(8, "v20", IFF_UP | IFF_LOWER_UP, 5, 20));
	feed(link_msg(9, "p20", IFF_UP | IFF_LOWER_UP, 4, 20));
	vlan = mirror_iface_by_link(&mirror, link_id_of(1, 20));
	assert_true(vlan->info.loose);
	assert_false(mirror_iface_by_link(&mirror, link_id_of(0, 20))->info.loose);
}

static void a_vlan_interface_on_a_tap_is_a_link_and_others_are_not(void **state)
{
	(void)state;
	assert_true(feed(link_msg(8, "v20", IFF_UP | IFF_LOWER_UP, 5, 20)) & MIRROR_LINK_NEW);
	assert_non_null(mirror_iface_by_link(&mirror, link_id_of(1, 20)));
	assert_int_equal(feed(link_msg(9, "v20x", IFF_UP, 8, 30)), 0);	   /* on a VLAN */
	assert_int_equal(feed(link_msg(10, "eth9", IFF_UP, 0, 0)), 0);	   /* foreign */
	assert_int_equal(feed(link_msg(11, "v4095", IFF_UP, 5, 4095)), 0); /* no such VLAN */
	feed(addr_msg(RTM_NEWADDR, 8, "10.20.0.2", 24));
	feed(route_msg(RTM_NEWROUTE, "10.20.0.0", 24, NULL, 8, 0));
	feed(route_msg(RTM_NEWROUTE, "10.30.0.0", 24, NULL, 10, 0));
	assert_int_equal(best("10.20.0.9").link, link_id_of(1, 20));
	assert_ip(best("10.20.0.9").source, "10.20.0.2");
	assert_int_equal(best("10.30.0.9").kind, ROUTE_BLOCK);
}

static struct nlmsghdr *local_route_msg(uint16_t type, const char *dest, uint8_t len, int oif,
					uint8_t kind)
{
	struct nlmsghdr *nlh = route_msg(type, dest, len, NULL, oif, 0);
	struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	rtm->rtm_table = RT_TABLE_LOCAL;
	rtm->rtm_type = kind;
	return nlh;
}

static void routes_of_every_type_become_what_workers_do(void **state)
{
	struct nlmsghdr *blackhole;

	(void)state;
	feed(route_msg(RTM_NEWROUTE, "10.9.0.0", 16, NULL, 4, 0));
	feed(local_route_msg(RTM_NEWROUTE, "10.9.0.1", 32, 4, RTN_LOCAL));
	feed(local_route_msg(RTM_NEWROUTE, "10.9.0.2", 32, 4, RTN_ANYCAST));
	blackhole = route_msg(RTM_NEWROUTE, "10.9.8.0", 24, NULL, 4, 0);
	((struct rtmsg *)mnl_nlmsg_get_payload(blackhole))->rtm_type = RTN_BLACKHOLE;
	feed(blackhole);
	assert_int_equal(best("10.9.0.1").kind, ROUTE_LOCAL);
	assert_int_equal(best("10.9.0.2").kind, ROUTE_LOCAL);
	assert_int_equal(best("10.9.0.3").kind, ROUTE_ONLINK);
	assert_int_equal(best("10.9.8.3").kind, ROUTE_BLOCK);
}

/* Linux tells the whole route when it gets a path, without a word of replacement. */
static void a_path_added_to_an_ipv6_route_makes_no_second_route(void **state)
{
	(void)state;
	feed(route_msg(RTM_NEWROUTE, "10.8.0.0", 16, "10.0.0.3", 5, 0));
	assert_int_equal(feed(multipath_msg(RTM_NEWROUTE, "10.8.0.0", 16, 5, 4)), MIRROR_FIB);
	assert_int_equal(mirror.routes.n, 1);
	assert_int_equal(reached_by("10.8.1.1"), 3);
	/* A path that goes is told alone. */
	assert_true(feed(route_msg(RTM_DELROUTE, "10.8.0.0", 16, "10.0.0.4", 4, 0)) &
		    MIRROR_REREAD);
}

static void link_local_addresses_lead_nowhere_and_are_no_sources(void **state)
{
	struct link_fib_route route;

	(void)state;
	feed(addr_msg(RTM_NEWADDR, 4, "fe80::4", 64));
	feed(route_msg(RTM_NEWROUTE, "0.0.0.0", 0, "fe80::1", 4, 0));
	feed(route_msg(RTM_NEWROUTE, "fe80::", 64, NULL, 4, 256));
	assert_ip(best("10.9.0.1").via, "fe80::1");
	route = best("10.9.0.1");
	assert_true(addr_is_zero(&route.source));
	assert_int_equal(best("fe80::9").kind, ROUTE_BLOCK);
	/* No address of the link itself is one of the router's: one of another link is. */
	feed(addr_msg(RTM_NEWADDR, 5, "10.1.0.2", 16));
	assert_ip(best("10.9.0.1").source, "10.1.0.2");
}

static void a_tentative_address_is_no_source(void **state)
{
	const struct addr near = ip("10.1.0.9");
	struct link_fib_route route;
	struct nlmsghdr *nlh;

	(void)state;
	feed(route_msg(RTM_NEWROUTE, "10.1.0.0", 16, NULL, 5, 0));
	nlh = addr_msg(RTM_NEWADDR, 5, "10.1.0.2", 16);
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(nlh))->ifa_flags = IFA_F_TENTATIVE;
	assert_true(feed(nlh) & MIRROR_FIB);
	route = best("10.1.0.9");
	assert_true(addr_is_zero(&route.source));
	/* Its prefix is on the link all the same. */
	assert_int_equal(mirror_link_around(&mirror, &near), link_id_of(1, 0));
	assert_int_equal(feed(addr_msg(RTM_NEWADDR, 5, "10.1.0.2", 16)), MIRROR_FIB);
	assert_ip(best("10.1.0.9").source, "10.1.0.2");
}

/* --- Next hops ------------------------------------------------------------------------------- */

static struct published pub;
static struct retire_list retired;
static struct link_counters counters;
static struct hops hops;
static unsigned int uses, managed_uses;
static struct nl_neigh answer; /* of Linux; ifindex 0: no entry */
static bool grace_over;

static int stub_use(void *arg, int ifindex, const struct addr *a, bool managed)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	uses++;
	managed_uses += managed;
	return 0;
}

static int stub_get(void *arg, int ifindex, const struct addr *a, struct nl_neigh *out)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	*out = answer;
	return answer.ifindex ? 0 : -ENOENT;
}

static uint64_t stub_start(void *arg)
{
	(void)arg;
	return 1;
}

static bool stub_passed(void *arg, uint64_t token)
{
	(void)arg;
	(void)token;
	return grace_over;
}

static int hops_start(void **state)
{
	const struct hops_ops ops = {stub_use, stub_get, NULL};

	mirror_start(state);
	memset(&pub, 0, sizeof(pub));
	memset(&answer, 0, sizeof(answer));
	memset(&counters, 0, sizeof(counters));
	uses = managed_uses = 0;
	grace_over = true;
	pub.grace = (struct grace){stub_start, stub_passed, NULL};
	assert_int_equal(nexthop_table_init(&pub.nexthops, 8192), 0);
	retire_list_init(&retired, &pub.grace);
	return hops_init(&hops, &pub, &retired, &mirror, &counters, &ops);
}

static int hops_end(void **state)
{
	hops_fini(&hops);
	retire_list_fini(&retired);
	nexthop_table_fini(&pub.nexthops);
	return mirror_end(state);
}

static struct nl_neigh neigh(const char *text, uint16_t nud, uint8_t mac)
{
	return (struct nl_neigh){.ifindex = 5,
				 .addr = ip(text),
				 .mac = {{2, 0xaa, 0, 0, 0, mac}},
				 .has_mac = mac != 0,
				 .state = nud};
}

static void ask_for(const char *text, uint32_t now)
{
	const struct resolve_request req = {link_id_of(1, 0), ip(text)};

	hops_request(&hops, &req, now);
	while (hops_work(&hops, 16, now))
		;
}

static uint32_t id_of(const char *text)
{
	const struct addr a = ip(text);

	return a.family == ADDR_V6 ? nexthop_find6(&pub.nexthops, link_id_of(1, 0), addr6_of(&a))
				   : nexthop_find4(&pub.nexthops, link_id_of(1, 0), a.v4);
}

static const struct nexthop *hop_to(const char *text)
{
	uint32_t id = id_of(text);

	return id ? nexthop_by_id(&pub.nexthops, id) : NULL;
}

/* Each row: what Linux says, what the next hop is then. In order. */
static void states_of_neighbours_become_states_of_next_hops(void **state)
{
	static const struct {
		uint16_t nud;
		uint8_t mac;
		bool forgotten;
		enum nexthop_state expected;
		uint8_t expected_mac;
	} rows[] = {
		{NUD_INCOMPLETE, 0, false, NEXTHOP_INCOMPLETE, 0},
		{NUD_FAILED, 0, false, NEXTHOP_FAILED, 0},
		{NUD_INCOMPLETE, 0, false, NEXTHOP_FAILED, 0}, /* a further attempt */
		{NUD_REACHABLE, 1, false, NEXTHOP_REACHABLE, 1},
		{NUD_STALE, 2, false, NEXTHOP_REACHABLE, 2}, /* a new MAC */
		{NUD_DELAY, 2, false, NEXTHOP_REACHABLE, 2},
		{NUD_PROBE, 2, false, NEXTHOP_REACHABLE, 2},
		{NUD_FAILED, 2, true, NEXTHOP_REACHABLE, 2}, /* flushed by somebody */
		{NUD_INCOMPLETE, 0, false, NEXTHOP_REACHABLE, 2},
		{NUD_FAILED, 2, false, NEXTHOP_FAILED, 2},
		{NUD_PERMANENT, 3, false, NEXTHOP_REACHABLE, 3},
	};

	(void)state;
	ask_for("10.0.0.9", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct nl_neigh n = neigh("10.0.0.9", rows[i].nud, rows[i].mac);

		hops_neigh(&hops, &n, rows[i].forgotten, 1);
		assert_int_equal(hop_to("10.0.0.9")->state, rows[i].expected);
		assert_int_equal(hop_to("10.0.0.9")->l2[5], rows[i].expected_mac);
	}
	retire_poll(&retired);
}

static void what_strangers_ask_for_is_managed_only_once_it_answered(void **state)
{
	struct nl_neigh n = neigh("10.0.0.9", NUD_REACHABLE, 1);

	(void)state;
	ask_for("10.0.0.9", 1);
	assert_int_equal(uses, 1);
	assert_int_equal(managed_uses, 0);
	hops_neigh(&hops, &n, false, 1);
	hops_work(&hops, 16, 1);
	assert_int_equal(managed_uses, 1);
	/* A scan of a prefix does not fill the table. */
	for (uint32_t i = 0; i < 2 * HOPS_UNPROVEN_MAX; i++) {
		struct resolve_request req = {link_id_of(1, 0), ip("10.1.0.0")};

		req.addr.v6[family == ADDR_V6 ? 14 : 2] = (uint8_t)(i >> 8);
		req.addr.v6[family == ADDR_V6 ? 15 : 3] = (uint8_t)i;
		hops_request(&hops, &req, 1);
	}
	assert_int_equal(pub.nexthops.n, HOPS_UNPROVEN_MAX + 1);
	assert_int_equal(counters.resolve_refused, HOPS_UNPROVEN_MAX);
}

static void a_permanent_entry_is_not_touched(void **state)
{
	(void)state;
	answer = neigh("10.0.0.9", NUD_PERMANENT, 7);
	ask_for("10.0.0.9", 1);
	assert_int_equal(uses, 0);
	assert_int_equal(hop_to("10.0.0.9")->state, NEXTHOP_REACHABLE);
	assert_int_equal(hop_to("10.0.0.9")->l2[5], 7);
}

static void an_unused_next_hop_is_given_up_after_a_grace_period(void **state)
{
	struct nl_neigh n = neigh("10.0.0.9", NUD_REACHABLE, 1);
	uint32_t id, gen;

	(void)state;
	ask_for("10.0.0.9", 1);
	hops_neigh(&hops, &n, false, 1);
	id = id_of("10.0.0.9");
	hops_sweep(&hops, HOPS_IDLE_S);
	pub.nexthops.used_tick[id] = 77; /* a worker used it */
	hops_sweep(&hops, HOPS_IDLE_S + 1);
	hops_sweep(&hops, 2 * HOPS_IDLE_S);
	assert_non_null(hop_to("10.0.0.9"));
	gen = pub.resolve_gen;
	grace_over = false;
	hops_sweep(&hops, 2 * HOPS_IDLE_S + 1);
	assert_null(hop_to("10.0.0.9"));
	assert_int_equal(pub.resolve_gen, gen + 1);
	hops_sweep(&hops, 2 * HOPS_IDLE_S + 2);
	assert_non_null(nexthop_by_id(&pub.nexthops, id)); /* a worker may still read it */
	grace_over = true;
	hops_sweep(&hops, 2 * HOPS_IDLE_S + 3);
	assert_null(nexthop_by_id(&pub.nexthops, id));
	assert_int_equal(pub.nexthops.n, 0);
}

static void a_wanted_next_hop_stays_and_one_that_no_longer_is_goes(void **state)
{
	struct link_want *wants = malloc(sizeof(*wants));

	(void)state;
	*wants = (struct link_want){link_id_of(1, 0), ip("10.0.0.9")};
	hops_set_wants(&hops, wants, 1, 1);
	hops_work(&hops, 16, 1);
	assert_int_equal(managed_uses, 1);
	hops_sweep(&hops, 10 * HOPS_IDLE_S);
	assert_non_null(hop_to("10.0.0.9"));
	hops_set_wants(&hops, NULL, 0, 10 * HOPS_IDLE_S);
	hops_sweep(&hops, 10 * HOPS_IDLE_S + HOPS_DEAD_S);
	assert_null(hop_to("10.0.0.9"));
}

/* No next hop is lost, and a next hop that is wanted twice is wanted once. */
static void next_hops_are_wanted_one_by_one(void **state)
{
	const struct link_want nine = {link_id_of(1, 0), ip("10.0.0.9")},
			       eight = {link_id_of(1, 0), ip("10.0.0.8")};

	(void)state;
	assert_int_equal(hops_want_more(&hops, &nine, 1), 0);
	assert_int_equal(hops_want_more(&hops, &eight, 1), 0);
	assert_int_equal(hops_want_more(&hops, &nine, 1), 0);
	assert_int_equal(hops.n_wants, 2);
	hops_work(&hops, 16, 1);
	assert_int_equal(managed_uses, 2);
	hops_want_less(&hops, &nine);
	hops_want_less(&hops, &nine);
	hops_wants_sweep(&hops, 10 * HOPS_IDLE_S);
	hops_sweep(&hops, 10 * HOPS_IDLE_S);
	assert_non_null(hop_to("10.0.0.9")); /* unwanted from this sweep on */
	hops_sweep(&hops, 10 * HOPS_IDLE_S + HOPS_DEAD_S);
	assert_null(hop_to("10.0.0.9"));
	assert_non_null(hop_to("10.0.0.8"));
}

/* --- Silence -------------------------------------------------------------------------------- */

static void a_port_is_silent_when_questions_are_answered_by_no_frame_at_all(void **state)
{
	struct silence s = {0};
	uint32_t t;

	(void)state;
	for (t = 1; t < 20; t++)
		assert_false(silence_lasts(&s, true, 100 + t, 10, t));
	/* Nothing comes any more, and Linux asks every 5 s. */
	for (; t < 19 + SILENCE_S; t++)
		assert_false(silence_lasts(&s, true, 119, 10 + (t - 19) / 5, t));
	assert_true(silence_lasts(&s, true, 119, 16, t));
	assert_true(silence_lasts(&s, true, 119, 17, t + 5));
	/* A single frame is enough, and the time starts over. */
	assert_false(silence_lasts(&s, true, 120, 17, t + 6));
	assert_false(silence_lasts(&s, true, 120, 27, t + 5 + SILENCE_S));
	assert_true(silence_lasts(&s, true, 120, 27, t + 6 + SILENCE_S));
}

static void a_quiet_port_and_one_without_a_link_are_not_silent(void **state)
{
	struct silence s = {0};

	(void)state;
	assert_false(silence_lasts(&s, true, 5, 10, 100));
	assert_false(silence_lasts(&s, true, 5, 10 + SILENCE_FRAMES - 1, 1000));
	assert_false(silence_lasts(&s, false, 5, 50, 2000));
	/* The link is back: what Linux sent meanwhile went nowhere. */
	assert_false(silence_lasts(&s, true, 5, 99, 2001));
	assert_false(silence_lasts(&s, true, 5, 120, 2000 + SILENCE_S));
	assert_true(silence_lasts(&s, true, 5, 120, 2001 + SILENCE_S));
}

/* The same tests with addresses of IPv6. */
static int mirror_start6(void **state)
{
	family = ADDR_V6;
	return mirror_start(state);
}

static int hops_start6(void **state)
{
	family = ADDR_V6;
	return hops_start(state);
}

static int family_start6(void **state)
{
	(void)state;
	family = ADDR_V6;
	return 0;
}

static int family_end6(void **state)
{
	(void)state;
	family = ADDR_V4;
	return 0;
}

static int mirror_end6(void **state)
{
	family = ADDR_V4;
	return mirror_end(state);
}

static int hops_end6(void **state)
{
	family = ADDR_V4;
	return hops_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define P6(f) {#f " (IPv6)", f, family_start6, family_end6, NULL}
#define P(f)  cmocka_unit_test(f), P6(f)
		P(a_route_with_everything_is_parsed),
		P(of_several_paths_the_first_live_one_is_taken),
		P(messages_that_contradict_themselves_are_refused),
		P(no_message_however_broken_is_read_beyond_its_end),
		cmocka_unit_test(a_port_is_silent_when_questions_are_answered_by_no_frame_at_all),
		cmocka_unit_test(a_quiet_port_and_one_without_a_link_are_not_silent),
#define M6(f) {#f " (IPv6)", f, mirror_start6, mirror_end6, NULL}
#define M(f)  cmocka_unit_test_setup_teardown(f, mirror_start, mirror_end), M6(f)
		M(an_equal_route_changes_nothing_and_a_better_one_does),
		M(a_doubtful_event_asks_for_all_routes),
		M(a_single_route_is_replaced_in_place),
		M(every_next_hop_of_the_longest_prefix_counts),
		M(a_loose_port_makes_its_vlans_loose),
		M(a_vlan_interface_on_a_tap_is_a_link_and_others_are_not),
		M(routes_of_every_type_become_what_workers_do),
		M(a_tentative_address_is_no_source),
		M6(a_path_added_to_an_ipv6_route_makes_no_second_route),
		M6(link_local_addresses_lead_nowhere_and_are_no_sources),
#define H6(f) {#f " (IPv6)", f, hops_start6, hops_end6, NULL}
#define H(f)  cmocka_unit_test_setup_teardown(f, hops_start, hops_end), H6(f)
		H(states_of_neighbours_become_states_of_next_hops),
		H(what_strangers_ask_for_is_managed_only_once_it_answered),
		H(a_permanent_entry_is_not_touched),
		H(an_unused_next_hop_is_given_up_after_a_grace_period),
		H(next_hops_are_wanted_one_by_one),
		H(a_wanted_next_hop_stays_and_one_that_no_longer_is_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
