/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops, and routes as mirrored from Linux. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member)                                                                                 \
	offsetof(struct shown_nexthop, member), sizeof(((struct shown_nexthop *)0)->member)

static const struct shown nexthop_rows[] = {
	{"id", SHOWN_ID, AT(id), SHOWN_LIST, 0, .help = "its number"},
	{"link", SHOWN_TEXT, AT(link), SHOWN_LIST, 0, .help = "the link of the neighbour"},
	{"address", SHOWN_TEXT, AT(address), SHOWN_LIST, 0, .help = "the neighbour's address"},
	{"mac", SHOWN_TEXT, AT(mac), SHOWN_LIST, 0, .help = "the neighbour's MAC, or null"},
	{"state", SHOWN_TEXT, AT(state), SHOWN_LIST, 0,
	 .help = "`incomplete`, `reachable` or `failed`"},
	{"mtu", SHOWN_ID, AT(mtu), SHOWN_LIST, 0, .help = "of IP packets"},
	{"used_s", SHOWN_GAUGE, AT(used_s), SHOWN_LIST, 0,
	 .help = "since a worker used the next hop, to about 10 s", .unit = "s"},
	{"wanted", SHOWN_YES, AT(wanted), SHOWN_LIST, 0,
	 .help = "a real server is reached by the next hop, which is kept resolved"},
};

static const struct shown_column nexthop_columns[] = {
	{"id", NULL, 0},
	{"link", NULL, 0},
	{"address", NULL, 0},
	{"mac", NULL, 0},
	{"state", NULL, SHOWN_COLOURED},
	{"mtu", NULL, 0},
	{"used_s", "USED", 0},
	{NULL, NULL, 0},
};

const struct shown_table shown_nexthop = {
	.title = "Next hops",
	.rows = nexthop_rows,
	.n = sizeof(nexthop_rows) / sizeof(nexthop_rows[0]),
	.columns = nexthop_columns,
};

#define ROUTE_AT(member)                                                                           \
	offsetof(struct shown_route, member), sizeof(((struct shown_route *)0)->member)

static const struct shown route_rows[] = {
	{"prefix", SHOWN_TEXT, ROUTE_AT(prefix), SHOWN_LIST, 0, .help = "the destination"},
	{"kind", SHOWN_TEXT, ROUTE_AT(kind), SHOWN_LIST, 0,
	 .help = "`onlink`, `gateway`, `local` or `block`"},
	{"via", SHOWN_TEXT, ROUTE_AT(via), SHOWN_LIST, 0, .help = "the gateway, or null"},
	{"link", SHOWN_TEXT, ROUTE_AT(link), SHOWN_LIST, 0, .help = "the link that it leads to"},
	{"mtu", SHOWN_ID, ROUTE_AT(mtu), SHOWN_LIST, 0, .help = "of IP packets"},
	{"source", SHOWN_TEXT, ROUTE_AT(source), SHOWN_LIST, 0,
	 .help = "the router's own address towards the destination, or null"},
	{"metric", SHOWN_ID, ROUTE_AT(metric), SHOWN_LIST, 0, .help = "as Linux has it"},
};

static const struct shown_column route_columns[] = {
	{"prefix", NULL, 0}, {"kind", NULL, 0},	  {"via", NULL, 0}, {"link", NULL, 0},
	{"mtu", NULL, 0},    {"source", NULL, 0}, {NULL, NULL, 0},
};

const struct shown_table shown_route = {
	.title = "Routes",
	.rows = route_rows,
	.n = sizeof(route_rows) / sizeof(route_rows[0]),
	.columns = route_columns,
};
