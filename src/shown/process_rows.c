/* SPDX-License-Identifier: BSD-3-Clause */
/* The process, and its ledger. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member)                                                                                 \
	offsetof(struct shown_process, member), sizeof(((struct shown_process *)0)->member)

#define CONFIGURATION "configuration"
#define CONNECTIONS   "connections"
#define KEPT	      "kept"
#define CLOCK	      "clock"
#define IF_KEPT	      .group = KEPT, .if_at = offsetof(struct shown_process, has_kept)
#define IF_JUMPED     .group = CLOCK, .if_at = offsetof(struct shown_process, jumped)
#define DOOR(name_, at, help_)                                                                     \
	{                                                                                          \
		name_, SHOWN_COUNTER, AT(at), SHOWN_LIST, 0, .help = help_, .group = "doors"       \
	}

static const struct shown rows[] = {
	{"build", SHOWN_INFO, AT(build), 0, 0, .help = "versions", .metric = "build"},
	{"name", SHOWN_TEXT, AT(name), SHOWN_LIST, 0, .help = "of the router"},
	{"state", SHOWN_TEXT, AT(state), SHOWN_LIST, 0, .help = "as of `ha.status`",
	 .if_at = offsetof(struct shown_process, has_state)},
	{"version", SHOWN_TEXT, AT(version), SHOWN_LIST, 0, .help = "of plvs"},
	{"pid", SHOWN_ID, AT(pid), SHOWN_LIST, 0, .help = "of the process"},
	{"uptime_s", SHOWN_GAUGE, AT(uptime_s), SHOWN_LIST, 0, .help = "since the start",
	 .unit = "s"},
	{"uptime", SHOWN_GAUGE, AT(uptime_us), 0, 0, .help = "since the start", .unit = "us",
	 .metric = "uptime_seconds"},
	{"generation", SHOWN_GAUGE, AT(generation), SHOWN_LIST, 0,
	 .help = "of what workers read; grows with every change",
	 .metric = "configuration_generation"},
	{"file", SHOWN_TEXT, AT(file), SHOWN_LIST, 0,
	 .help = "the file given at the start, or null", .group = CONFIGURATION},
	{"digest", SHOWN_TEXT, AT(digest), SHOWN_LIST, 0, .help = "of the shared part",
	 .group = CONFIGURATION},
	{"applied_s", SHOWN_GAUGE, AT(applied_s), SHOWN_LIST, 0,
	 .help = "since the configuration came as a whole", .unit = "s", .group = CONFIGURATION},
	{"unsaved", SHOWN_YES, AT(unsaved), SHOWN_LIST, 0,
	 .help = "the shared part is another one than that of the file, as last read or saved",
	 .group = CONFIGURATION},
	{"applied", SHOWN_GAUGE, AT(applied_us), 0, 0,
	 .help = "since the configuration came as a whole", .unit = "us",
	 .metric = "configuration_age_seconds"},
	{"trial", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
	 .help = "a configuration that waits for `config.confirm`, or null", .of = &shown_trial},
	{"workers", SHOWN_GAUGE, AT(workers), SHOWN_LIST, 0, .help = "workers"},
	{"ports", SHOWN_GAUGE, AT(ports), SHOWN_LIST, 0, .help = "ports"},
	{"services", SHOWN_GAUGE, AT(services), SHOWN_LIST, 0, .help = "virtual services",
	 .metric = "services"},
	{"servers", SHOWN_GAUGE, AT(servers), SHOWN_LIST, 0, .help = "real servers of all services",
	 .metric = "servers"},
	{"live", SHOWN_GAUGE, AT(sum.connections), SHOWN_LIST, 0,
	 .help = "connections that are tracked", .group = CONNECTIONS, .metric = "connections"},
	{"embryonic", SHOWN_GAUGE, AT(sum.embryonic), SHOWN_LIST, 0, .help = "of these: half open",
	 .group = CONNECTIONS, .metric = "connections_embryonic"},
	{"not_assured", SHOWN_GAUGE, AT(sum.not_assured), SHOWN_LIST, 0,
	 .help = "of these: established, but by no evidence; these give way", .group = CONNECTIONS,
	 .metric = "connections_not_assured"},
	{"ending", SHOWN_GAUGE, AT(sum.ending), SHOWN_LIST, 0,
	 .help = "of these: TIME_WAIT, CLOSE and the like; these give way first",
	 .group = CONNECTIONS, .metric = "connections_ending"},
	{"entries", SHOWN_LEVELS, AT(entries), SHOWN_LIST, 0,
	 .help = "entries in use of the family's connection tables: connections and persistence "
		 "templates",
	 .group = CONNECTIONS, .metric = "connections_entries", .label = "family"},
	{"capacity", SHOWN_GAUGE, AT(capacity), SHOWN_LIST, 0,
	 .help = "entries there is room for, of each family", .group = CONNECTIONS,
	 .metric = "connections_capacity"},
	{"bytes", SHOWN_GAUGE, AT(bytes), SHOWN_LIST, 0,
	 .help = "memory mapped for the connection tables, of both families", .unit = "bytes",
	 .group = CONNECTIONS, .metric = "connections_bytes"},
	{"nearly_full", SHOWN_YES, AT(nearly_full), 0, 0,
	 .help = "1 from nine tenths of a worker's table of one family on, until all are below "
		 "eight tenths",
	 .metric = "connections_nearly_full"},
	{"ports_scarce", SHOWN_YES, AT(ports_scarce), 0, 0,
	 .help = "1 while 85 % or more of the local ports of full NAT towards a real server are in "
		 "use or in quarantine",
	 .metric = "local_ports_scarce"},
	{"from", SHOWN_TEXT, AT(kept_from), SHOWN_LIST, 0,
	 .help = "connections were taken up from the `file` of an orderly end, the `ledger` of a "
		 "killed process, or null",
	 IF_KEPT},
	{"connections", SHOWN_GAUGE, AT(kept.taken), SHOWN_LIST, 0,
	 .help = "connections of the process before that were taken up at the start",
	 .metric = "connections_kept", IF_KEPT},
	{"dropped", SHOWN_LEVELS, AT(kept_dropped_as), SHOWN_LIST, 0,
	 .help = "others of it, which were not, by reason", IF_KEPT},
	{"kept_dropped", SHOWN_GAUGE, AT(kept_dropped), 0, 0,
	 .help = "others of it, which were not: half written, damaged, without server or room",
	 .metric = "connections_kept_dropped"},
	{"age_ms", SHOWN_GAUGE, AT(kept.age_ms), SHOWN_LIST, 0,
	 .help = "from the last sign of life of that process to the start", .unit = "ms", IF_KEPT},
	{"took_ms", SHOWN_GAUGE, AT(kept.took_ms), SHOWN_LIST, 0, .help = "time that it took",
	 .unit = "ms", IF_KEPT},
	{"fault", SHOWN_TEXT, AT(kept_fault), SHOWN_LIST, 0,
	 .help = "why nothing was taken up, or null", IF_KEPT},
	{"ledger", SHOWN_MADE, 0, 0, SHOWN_LIST, 0, .help = "the ledger of this process",
	 .of = &shown_ledger, IF_KEPT},
	{"rates", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
	 .help = "the change per second of all services together, as `rates` of a service"},
	DOOR("received", sum.received, "packets from ports"),
	DOOR("ring_in", sum.ring_in, "packets from other workers"),
	DOOR("injected", sum.injected, "packets from Linux"),
	DOOR("generated", sum.generated, "packets that workers made"),
	DOOR("sent", sum.sent, "packets given to a port"),
	DOOR("handed_off", sum.handed_off, "packets given to another worker"),
	DOOR("punted", punted, "packets given to Linux"),
	DOOR("answered", sum.answered, "packets answered by a worker"),
	DOOR("dropped", dropped, "packets dropped, for any reason"),
	DOOR("parked", sum.parked, "packets that wait for a next hop or a first fragment"),
	{"jumps", SHOWN_COUNTER, AT(jumps), SHOWN_LIST, 0,
	 .help = "times that the wall clock was set by 0.5 s or more", .group = CLOCK},
	{"last_ms", SHOWN_ID, AT(jump_last_ms), SHOWN_LIST, 0,
	 .help = "the last time by so much, forwards", .unit = "ms", IF_JUMPED},
	{"ago_s", SHOWN_GAUGE, AT(jump_ago_s), SHOWN_LIST, 0, .help = "since then", .unit = "s",
	 IF_JUMPED},
	{"warnings", SHOWN_MADE, 0, 0, SHOWN_LIST, 0, .help = "texts"},
	{"clients", SHOWN_GAUGE, AT(clients), SHOWN_LIST, 0,
	 .help = "clients of the control socket", .metric = "control_clients"},
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

#define LEDGER_AT(member)                                                                          \
	offsetof(struct shown_ledger, member), sizeof(((struct shown_ledger *)0)->member)

static const struct shown ledger_rows[] = {
	{"path", SHOWN_TEXT, LEDGER_AT(path), SHOWN_LIST, 0, .help = "its file, or null"},
	{"sound", SHOWN_YES, LEDGER_AT(sound), 0, 0,
	 .help = "1: all connections are in the ledger and outlive a kill", .metric = ""},
	{"bytes", SHOWN_GAUGE, LEDGER_AT(bytes), SHOWN_LIST, 0,
	 .help = "memory that rows of the ledger have", .unit = "bytes", .metric = "bytes"},
	{"missed", SHOWN_COUNTER, LEDGER_AT(missed), SHOWN_LIST, 0,
	 .help = "rows of the ledger that had no memory when they were to be written",
	 .metric = "missed"},
	{"fault", SHOWN_TEXT, LEDGER_AT(fault), SHOWN_LIST, 0,
	 .help = "why not all connections outlive a kill, or null"},
};

const struct shown_table shown_ledger = {.title = "The ledger",
					 .prefix = "plvs_ledger_",
					 .rows = ledger_rows,
					 .n = sizeof(ledger_rows) / sizeof(ledger_rows[0])};
