/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual services. The keys of their configuration stand beside these. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member)                                                                                 \
	offsetof(struct shown_service, member), sizeof(((struct shown_service *)0)->member)
#define BOTH (SHOWN_LIST | SHOWN_COUNTS)

static const struct shown rows[] = {
	{"service", SHOWN_INFO, AT(labels), 0, 0,
	 .help = "virtual services, with their labels of the configuration", .metric = ""},
	{"id", SHOWN_ID, AT(id), SHOWN_LIST, 0, .help = "its run-time number",
	 .if_at = offsetof(struct shown_service, running)},
	{"key", SHOWN_TEXT, AT(key), BOTH, 0, .help = "its name in requests"},
	{"name", SHOWN_TEXT, AT(name), SHOWN_COUNTS, 0,
	 .help = "its name in the configuration, or null"},
	{"scheduler", SHOWN_KEY, 0, 0, SHOWN_LIST, 0, .help = "also where it is the default"},
	{"forward", SHOWN_KEY, 0, 0, SHOWN_LIST, 0, .help = "also where it is the default"},
	{"active", SHOWN_GAUGE, AT(active), SHOWN_LIST, 0,
	 .help = "active connections of its real servers"},
	{"inactive", SHOWN_GAUGE, AT(inactive), SHOWN_LIST, 0,
	 .help = "inactive connections of its real servers"},
	{"quorum_lost", SHOWN_YES, AT(lost), SHOWN_LIST, 0,
	 .help = "true: too few servers are up; else not there",
	 .if_at = offsetof(struct shown_service, lost)},
#define X(name, metric_, unit_, help_)                                                             \
	{#name,                                                                                    \
	 SHOWN_COUNTER,                                                                            \
	 AT(counters.name),                                                                        \
	 BOTH,                                                                                     \
	 BOTH,                                                                                     \
	 .help = help_,                                                                            \
	 .group = "counters",                                                                      \
	 .unit = unit_,                                                                            \
	 .metric = metric_},
	SERVER_COUNTERS(X)
#undef X
		{"servers", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
		 .help = "its real servers, the one that was added last first",
		 .of = &shown_server},
	{"removed_servers", SHOWN_MADE, 0, 0, SHOWN_ONE, 0,
	 .help = "servers that left the configuration while connections name them",
	 .of = &shown_removed_server},
	{"servers", SHOWN_GAUGE, AT(servers), 0, 0, .help = "real servers, sorry servers included",
	 .metric = "servers"},
	{"up", SHOWN_GAUGE, AT(up), 0, 0,
	 .help = "real servers that are up, sorry servers not counted", .metric = "servers_up"},
	{"unknown", SHOWN_GAUGE, AT(unknown), 0, 0,
	 .help = "real servers that have not answered yet", .metric = "servers_unknown"},
	{"chosen", SHOWN_GAUGE, AT(chosen), 0, 0, .help = "real servers that get new connections",
	 .metric = "servers_chosen"},
	{"held", SHOWN_YES, AT(held), 0, 0,
	 .help = "1: enough real servers are up; 0: they are not", .metric = "quorum_held"},
};

static const struct shown_column of_counters[] = {{"key", "SERVICE", 0},
						  {"name", NULL, 0},
#define X(name, metric, unit, help_) {"counters." #name, NULL, 0},
						  SERVER_COUNTERS(X)
#undef X
							  {NULL, NULL, 0}};

/* A service has a scheduler where a server has a forwarding method: one column, as in ipvsadm. */
static const struct shown_column columns[] = {
	{"key", "SERVICE / SERVER", SHOWN_NAMED, "name"},
	{"scheduler", "METHOD", 0},
	{"", "WEIGHT", 0},
	{"active", NULL, 0},
	{"inactive", NULL, 0},
	{"counters.conns", "CONN/S", SHOWN_RATE},
	{"counters.in_pkts", "IN PKT/S", SHOWN_RATE, .width = 125},
	{"counters.out_pkts", "OUT PKT/S", SHOWN_RATE, .width = 125},
	{"counters.in_bytes", "IN BIT/S", SHOWN_BITS, .width = 100},
	{"counters.out_bytes", "OUT BIT/S", SHOWN_BITS, .width = 100},
	{"quorum_lost", "STATE", SHOWN_CONDITION},
	{NULL, NULL, 0},
};

const struct shown_table shown_service = {
	.title = "Virtual services",
	.configured = true,
	.prefix = "plvs_service_",
	.labels = "`service`: its key",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
	.counters_at = offsetof(struct shown_service, counters),
	.rates_at = offsetof(struct shown_service, rate),
	.columns = columns,
	.of_counters = of_counters,
};
