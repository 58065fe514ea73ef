/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers: their counters are those of model/counters.h. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member) offsetof(struct shown_worker, member), sizeof(((struct shown_worker *)0)->member)
#define BOTH	   (SHOWN_LIST | SHOWN_COUNTS)

/* Cycles are shown in seconds, as `busy`. */
#define METRIC(name)                                                                               \
	(offsetof(struct worker_counters, name) == offsetof(struct worker_counters, busy_tsc)      \
		 ? NULL                                                                            \
		 : #name)

static const struct shown rows[] = {
	{"worker", SHOWN_ID, AT(worker), BOTH, 0, .help = "its number, from 0"},
	{"lcore", SHOWN_ID, AT(lcore), SHOWN_LIST, 0, .help = "the lcore of DPDK"},
	{"cpu", SHOWN_ID, AT(cpu), SHOWN_LIST, 0, .help = "the CPU that the lcore is bound to"},
	{"socket", SHOWN_ID, AT(socket), SHOWN_LIST, 0, .help = "its NUMA node"},
	{"connections", SHOWN_GAUGE, AT(counters.connections), SHOWN_LIST, 0,
	 .help = "connections that the worker owns"},
	{"embryonic", SHOWN_GAUGE, AT(counters.embryonic), SHOWN_LIST, 0,
	 .help = "of these: half open"},
	{"load", SHOWN_SHARE, AT(load), SHOWN_LIST, 0,
	 .help = "share of time in rounds with work, 0 to 1, over the last 2 s", .metric = "load"},
	{"queues", SHOWN_MADE, 0, 0, SHOWN_LIST, 0, .help = "the receive queues that it polls",
	 .of = &shown_queue},
#define X(name, help_)                                                                             \
	{#name,	       SHOWN_COUNTER, AT(counters.name),   BOTH,                                   \
	 SHOWN_COUNTS, .help = help_, .group = "counters", .metric = METRIC(name)},
	WORKER_COUNTERS(X)
#undef X
#define X(name, help_)                                                                             \
	{#name,	       SHOWN_GAUGE,   AT(counters.name),   BOTH,                                   \
	 SHOWN_COUNTS, .help = help_, .group = "counters", .metric = #name},
		WORKER_GAUGES(X)
#undef X
			{"dropped", SHOWN_COUNTER, AT(dropped), BOTH, SHOWN_COUNTS,
			 .help = "packets dropped, for any reason", .group = "counters"},
	{"punted", SHOWN_COUNTER, AT(punted), BOTH, SHOWN_COUNTS, .help = "packets given to Linux",
	 .group = "counters"},
	{"busy", SHOWN_REAL, AT(busy_s), 0, 0, .help = "time in polling rounds with work",
	 .unit = "s", .metric = "busy_seconds"},
	{"drops", SHOWN_VECTOR, AT(drops), 0, 0, .help = "packets dropped, by reason",
	 .metric = "drops", .label = "reason"},
	{"punts", SHOWN_VECTOR, AT(punts), 0, 0, .help = "packets given to Linux, by class",
	 .metric = "punts", .label = "class"},
};

static const struct shown_column columns[] = {
	{"worker", NULL, 0},
	{"lcore", NULL, 0},
	{"cpu", NULL, 0},
	{"socket", "NUMA", 0},
	{"load", NULL, 0},
	{"connections", "CONNS", 0},
	{"embryonic", NULL, 0},
	{"counters.received", NULL, 0},
	{"counters.ring_in", NULL, 0},
	{"counters.sent", NULL, 0},
	{"counters.handed_off", NULL, 0},
	{"queues", NULL, 0},
	{NULL, NULL, 0},
};

/* The counters that say most; all of them would not fit on a line. */
static const struct shown_column of_counters[] = {
	{"worker", NULL, 0},
	{"counters.received", NULL, 0},
	{"counters.ring_in", NULL, 0},
	{"counters.injected", NULL, 0},
	{"counters.sent", NULL, 0},
	{"counters.handed_off", NULL, 0},
	{"counters.answered", NULL, 0},
	{"counters.created", NULL, 0},
	{"counters.expired", NULL, 0},
	{"counters.lookups", NULL, 0},
	{"counters.hits", NULL, 0},
	{NULL, NULL, 0},
};

const struct shown_table shown_worker = {
	.title = "Workers",
	.prefix = "plvs_worker_",
	.labels = "`worker`; `reason` and `class`: the names of `plvsctl counters drops` and "
		  "`punts`. A worker is busy for the growth of `plvs_worker_busy_seconds_total` "
		  "per second",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
	.counters_at = offsetof(struct shown_worker, counters),
	.rates_at = offsetof(struct shown_worker, rate),
	.columns = columns,
	.of_counters = of_counters,
};

#define QUEUE_AT(member)                                                                           \
	offsetof(struct shown_queue, member), sizeof(((struct shown_queue *)0)->member)

static const struct shown queue_rows[] = {
	{"port", SHOWN_TEXT, QUEUE_AT(port), SHOWN_LIST, 0, .help = "the port's name"},
	{"queue", SHOWN_ID, QUEUE_AT(queue), SHOWN_LIST, 0, .help = "its number, from 0"},
};

const struct shown_table shown_queue = {
	.title = "Receive queues",
	.rows = queue_rows,
	.n = sizeof(queue_rows) / sizeof(queue_rows[0]),
};

#define REASON_AT(member)                                                                          \
	offsetof(struct shown_reason, member), sizeof(((struct shown_reason *)0)->member)

static const struct shown reason_rows[] = {
	{"port", SHOWN_TEXT, REASON_AT(port), SHOWN_COUNTS, 0, .help = "of `devices`: the port",
	 .if_at = offsetof(struct shown_reason, device)},
	{"name", SHOWN_TEXT, REASON_AT(name), SHOWN_COUNTS, 0,
	 .help = "a reason for drops, a class of punted packets, a counter of a device"},
	{"help", SHOWN_TEXT, REASON_AT(help), SHOWN_COUNTS, 0, .help = "its meaning"},
	{"count", SHOWN_COUNTER, REASON_AT(count), SHOWN_COUNTS, 0,
	 .help = "packets since the start"},
	{"rate", SHOWN_REAL, REASON_AT(rate), SHOWN_COUNTS, 0, .help = "the change per second"},
};

const struct shown_table shown_reason = {
	.title = "Reasons for drops, classes of punted packets",
	.rows = reason_rows,
	.n = sizeof(reason_rows) / sizeof(reason_rows[0]),
};
