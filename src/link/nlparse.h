/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_NLPARSE_H
#define PLVS_LINK_NLPARSE_H

/*
 * Parses rtnetlink messages into values. Pure: checks every length and type, and keeps no state.
 */

#include <stdbool.h>
#include <stdint.h>
#include <linux/netlink.h>

#include "base/addr.h"

#define NL_PATHS_MAX 32 /* the most interfaces of a multipath route */

enum nl_kind {
	NL_LINK,
	NL_ADDR,
	NL_ROUTE,
	NL_NEIGH,
	NL_NEXTHOP, /* a next-hop object: routes that use it may have changed */
};

struct nl_link {
	int ifindex;
	int parent;	/* of a VLAN interface; else 0 */
	uint16_t vlan;	/* 802.1Q id; 0: not a VLAN interface */
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	struct mac mac;
	bool has_mac;
	char name[16];
};

/* Marks what plvs adds: "ip addr" shows "proto 0x70". */
#define IFAPROT_PLVS 0x70

struct nl_addr {
	int ifindex;
	struct addr addr;
	uint8_t len;
	uint8_t proto; /* IFA_PROTO: the program that added it */
	bool unusable; /* as a source: tentative, a duplicate, or deprecated by others */
};

struct nl_route {
	struct prefix dest;
	struct addr via; /* ADDR_NONE: on link */
	struct addr source;
	uint32_t table;
	uint32_t metric;
	uint32_t mtu;	/* 0: the link's */
	uint32_t flags; /* RTNH_F_* */
	int oif;	/* 0: none */
	uint8_t tos;
	uint8_t type;	  /* RTN_* */
	uint8_t proto;	  /* RTPROT_*: the program that added it */
	bool multipath;	  /* oif and via are those of the first live path */
	bool unsupported; /* an unknown kind of gateway */
	/* With multipath: the interfaces of all paths, dead ones included, each once and in
	 * ascending order. A route over more than NL_PATHS_MAX interfaces names the first ones. */
	uint8_t n_oifs;
	int oifs[NL_PATHS_MAX];
};

struct nl_neigh {
	int ifindex;
	struct addr addr;
	struct mac mac;
	bool has_mac;
	uint16_t state; /* NUD_* */
	uint8_t flags;	/* NTF_* */
	uint32_t ext;	/* NTF_EXT_* */
};

struct nl_event {
	enum nl_kind kind;
	bool gone;    /* a DEL message */
	bool replace; /* NLM_F_REPLACE */
	bool by_user; /* by a request of a program, not by the kernel itself */
	union {
		struct nl_link link;
		struct nl_addr addr;
		struct nl_route route;
		struct nl_neigh neigh;
	};
};

/* 1: *out is filled. 0: a message without meaning for plvs (bridge, cloned route). -EBADMSG:
 * malformed. nlh has been checked by nl_message_ok() and may be read to its aligned length. */
int nl_parse(const struct nlmsghdr *nlh, struct nl_event *out);

/* True: a whole message lies in the next `left` bytes. mnl_nlmsg_ok() compares lengths as signed
 * numbers and accepts lengths from 2^31 on. */
static inline bool nl_message_ok(const struct nlmsghdr *nlh, int left)
{
	return left >= (int)sizeof(*nlh) && nlh->nlmsg_len >= sizeof(*nlh) &&
	       nlh->nlmsg_len <= (uint32_t)left;
}

#endif
