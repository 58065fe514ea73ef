/* SPDX-License-Identifier: BSD-3-Clause */
/* A router as a member of a fleet, and what it announces. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member_)                                                                                \
	offsetof(struct shown_fleet, member_), sizeof(((struct shown_fleet *)0)->member_)
#define IF_ON	 .metric_if = offsetof(struct shown_fleet, on)
#define IF_KNOWN .metric_if = offsetof(struct shown_fleet, daemon_known)

static const struct shown rows[] = {
	{"member", SHOWN_TEXT, AT(member), SHOWN_LIST, 0, .help = "the router's name"},
	{"fleet", SHOWN_YES, AT(fleet), SHOWN_LIST, 0,
	 .help = "1: the router is a member of a fleet (`shared.ha.mode`)", .metric = "member"},
	{"state", SHOWN_TEXT, AT(state), SHOWN_LIST, 0,
	 .help = "`announcing`, or the first reason why nothing is announced; `none`: no table is "
		 "configured"},
	{"reason", SHOWN_TEXT, AT(reason), SHOWN_LIST, 0, .help = "the state in words, or null"},
	{"drained", SHOWN_YES, AT(drained), SHOWN_LIST, 0,
	 .help = "1: an operator withdrew all VIPs", .metric = "drained", IF_ON},
	{"standby", SHOWN_YES, AT(standby), SHOWN_LIST, 0,
	 .help = "1: the other router of a pair is active and announces", .metric = "standby",
	 IF_ON},
	{"wanted", SHOWN_GAUGE, AT(s.wanted), SHOWN_LIST, 0,
	 .help = "VIPs whose services have their quorum", .metric = "vips_wanted", IF_ON},
	{"announced", SHOWN_GAUGE, AT(s.announced), SHOWN_LIST, 0,
	 .help = "VIPs that are announced to the network", .metric = "vips_announced", IF_ON},
	{"homes", SHOWN_GAUGE, AT(s.homes), SHOWN_LIST, 0,
	 .help = "addresses of the pool (`node.pool`) that are announced",
	 .metric = "pool_announced", IF_ON},
	{"added", SHOWN_COUNTER, AT(s.added), SHOWN_LIST, 0, .help = "routes of VIPs added",
	 .metric = "routes_added", IF_ON},
	{"removed", SHOWN_COUNTER, AT(s.removed), SHOWN_LIST, 0, .help = "routes of VIPs removed",
	 .metric = "routes_removed", IF_ON},
	{"errors", SHOWN_COUNTER, AT(s.errors), SHOWN_LIST, 0,
	 .help = "changes of these routes that Linux refused", .metric = "route_errors", IF_ON},
	{"repaired", SHOWN_COUNTER, AT(s.repaired), SHOWN_LIST, 0,
	 .help = "times that somebody else had changed these routes", .metric = "route_repairs",
	 IF_ON},
	{"fault", SHOWN_TEXT, AT(fault), SHOWN_LIST, 0,
	 .help = "why Linux refused the last change, while one is refused; or null"},
	{"daemon", SHOWN_TEXT, AT(daemon), SHOWN_LIST, 0,
	 .help = "the routing daemon that exports the routes: `connected`, `idle` (it runs, and "
		 "has "
		 "no BGP connection), `missing`, or `unknown` (`node.announce.bgp_port`)"},
	{"daemon_reason", SHOWN_TEXT, AT(daemon_reason), SHOWN_LIST, 0,
	 .help = "the same in words, or null"},
	{"daemon_missing", SHOWN_YES, AT(daemon_missing), SHOWN_LIST, 0,
	 .help = "1: no routing daemon runs, and the network does not hear of the routes",
	 .metric = "daemon_missing", IF_KNOWN},
	{"sessions", SHOWN_GAUGE, AT(sessions), SHOWN_LIST, 0,
	 .help = "TCP connections of the routing daemon by BGP's port", .metric = "bgp_sessions",
	 IF_KNOWN},
	{"digest_number", SHOWN_GAUGE, AT(digest), 0, 0,
	 .help = "the first 32 bits of the digest of the shared configuration, as a number",
	 .metric = "configuration_digest"},
	{"digest", SHOWN_TEXT, AT(digest_text), SHOWN_LIST, 0,
	 .help = "of the shared configuration"},
	{"undecided", SHOWN_GAUGE, AT(undecided), SHOWN_LIST, 0,
	 .help = "real servers, one of whose checks has not said anything yet"},
	{"routes", SHOWN_MADE, 0, 0, SHOWN_LIST, 0, .help = "the VIPs that are announced",
	 .of = &shown_vip_route},
};

const struct shown_table shown_fleet = {
	.title = "The member of a fleet",
	.prefix = "plvs_fleet_",
	.labels = "`member`: the router's name",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};

#define ROUTE_AT(member)                                                                           \
	offsetof(struct shown_vip_route, member), sizeof(((struct shown_vip_route *)0)->member)

static const struct shown route_rows[] = {
	{"vip", SHOWN_TEXT, ROUTE_AT(vip), SHOWN_LIST, 0, .help = "the address"},
	{"metric", SHOWN_ID, ROUTE_AT(metric), SHOWN_LIST, 0, .help = "of the route in Linux"},
	{"pool", SHOWN_YES, ROUTE_AT(pool), SHOWN_LIST, 0,
	 .help = "the address is one of the pool (`node.pool`), and no VIP"},
};

static const struct shown_column route_columns[] = {
	{"vip", "ADDRESS", 0}, {"metric", NULL, 0}, {"pool", NULL, 0}, {NULL, NULL, 0}};

const struct shown_table shown_vip_route = {
	.title = "Announced addresses",
	.rows = route_rows,
	.n = sizeof(route_rows) / sizeof(route_rows[0]),
	.columns = route_columns,
};
