/* SPDX-License-Identifier: BSD-3-Clause */
/* The process as metrics show it. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member)                                                                                 \
	offsetof(struct shown_process, member), sizeof(((struct shown_process *)0)->member)

static const struct shown rows[] = {
	{"build", SHOWN_INFO, AT(build), 0, 0, .help = "versions", .metric = "build"},
	{"uptime", SHOWN_GAUGE, AT(uptime_us), 0, 0, .help = "since the start", .unit = "us",
	 .metric = "uptime_seconds"},
	{"generation", SHOWN_GAUGE, AT(generation), 0, 0,
	 .help = "of what workers read; grows with every change",
	 .metric = "configuration_generation"},
	{"applied", SHOWN_GAUGE, AT(applied_us), 0, 0,
	 .help = "since the configuration came as a whole", .unit = "us",
	 .metric = "configuration_age_seconds"},
	{"services", SHOWN_GAUGE, AT(services), 0, 0, .help = "virtual services",
	 .metric = "services"},
	{"servers", SHOWN_GAUGE, AT(servers), 0, 0, .help = "real servers of all services",
	 .metric = "servers"},
	{"connections", SHOWN_GAUGE, AT(connections), 0, 0, .help = "connections that are tracked",
	 .metric = "connections"},
	{"embryonic", SHOWN_GAUGE, AT(embryonic), 0, 0, .help = "of these: half open",
	 .metric = "connections_embryonic"},
	{"not_assured", SHOWN_GAUGE, AT(not_assured), 0, 0,
	 .help = "of these: established, but by no evidence; these give way",
	 .metric = "connections_not_assured"},
	{"ending", SHOWN_GAUGE, AT(ending), 0, 0,
	 .help = "of these: TIME_WAIT, CLOSE and the like; these give way first",
	 .metric = "connections_ending"},
	{"entries", SHOWN_LEVELS, AT(entries), 0, 0,
	 .help = "entries in use of the family's connection tables: connections and persistence "
		 "templates",
	 .metric = "connections_entries", .label = "family"},
	{"nearly_full", SHOWN_YES, AT(nearly_full), 0, 0,
	 .help = "1 from nine tenths of a worker's table of one family on, until all are below "
		 "eight tenths",
	 .metric = "connections_nearly_full"},
	{"ports_scarce", SHOWN_YES, AT(ports_scarce), 0, 0,
	 .help = "1 while 85 % or more of the local ports of full NAT towards a real server are in "
		 "use "
		 "or in quarantine",
	 .metric = "local_ports_scarce"},
	{"capacity", SHOWN_GAUGE, AT(capacity), 0, 0,
	 .help = "entries there is room for, of each family", .metric = "connections_capacity"},
	{"bytes", SHOWN_GAUGE, AT(bytes), 0, 0,
	 .help = "memory mapped for the connection tables, of both families", .unit = "bytes",
	 .metric = "connections_bytes"},
	{"kept", SHOWN_GAUGE, AT(kept), 0, 0,
	 .help = "connections of the process before that were taken up at the start",
	 .metric = "connections_kept"},
	{"kept_dropped", SHOWN_GAUGE, AT(kept_dropped), 0, 0,
	 .help = "others of it, which were not: half written, damaged, without server or room",
	 .metric = "connections_kept_dropped"},
	{"ledger", SHOWN_YES, AT(ledger), 0, 0,
	 .help = "1: all connections are in the ledger and outlive a kill", .metric = "ledger"},
	{"ledger_bytes", SHOWN_GAUGE, AT(ledger_bytes), 0, 0,
	 .help = "memory that rows of the ledger have", .unit = "bytes", .metric = "ledger_bytes"},
	{"ledger_missed", SHOWN_COUNTER, AT(ledger_missed), 0, 0,
	 .help = "rows of the ledger that had no memory when they were to be written",
	 .metric = "ledger_missed"},
	{"clients", SHOWN_GAUGE, AT(clients), 0, 0, .help = "clients of the control socket",
	 .metric = "control_clients"},
	{"spawner_restarts", SHOWN_COUNTER, AT(spawner_restarts), 0, 0,
	 .help = "times that the process that runs programs was started again",
	 .metric = "spawner_restarts"},
	{"late", SHOWN_LEVELS, AT(late), 0, 0,
	 .help = "lateness of the control loop's timers over the last 10 s", .unit = "us",
	 .metric = "control_late_seconds", .label = "quantile"},
	{"late_max", SHOWN_GAUGE, AT(late_max_us), 0, 0,
	 .help = "the worst lateness since the start", .unit = "us",
	 .metric = "control_late_max_seconds"},
#define X(name, help_)                                                                             \
	{#name, SHOWN_COUNTER, AT(scrape.name), 0, 0, .help = help_, .metric = "metrics_" #name},
	SCRAPE_COUNTERS(X)
#undef X
};

const struct shown_table shown_process = {
	.title = "The process",
	.prefix = "plvs_",
	.labels = "`family`: `ipv4` or `ipv6`; `quantile`: of the last 10 s: the median, the "
		  "99th percentile and the maximum",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0])};
