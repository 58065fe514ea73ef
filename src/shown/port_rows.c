/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports, their devices and their TAPs. */
#include <stddef.h>

#include "shown/objects.h"

#define OFF(member) offsetof(struct shown_port, member)
#define AT(member)  OFF(member), sizeof(((struct shown_port *)0)->member)
#define BOTH	    (SHOWN_LIST | SHOWN_COUNTS)

static const struct shown rows[] = {
	{"port", SHOWN_ID, AT(port), SHOWN_LIST, 0, .help = "its number, from 0"},
	{"name", SHOWN_TEXT, AT(name), BOTH, 0, .help = "its name in the configuration"},
	{"device", SHOWN_TEXT, AT(device), SHOWN_LIST, 0, .help = "DPDK's name"},
	{"driver", SHOWN_TEXT, AT(driver), SHOWN_LIST, 0, .help = "DPDK's driver"},
	{"mac", SHOWN_TEXT, AT(mac), SHOWN_LIST, 0, .help = "its MAC"},
	{"link_up", SHOWN_YES, AT(link_up), SHOWN_LIST, 0, .help = "1: the link is up",
	 .metric = "carrier"},
	{"speed_mbps", SHOWN_ID, AT(speed_mbps), SHOWN_LIST, 0, .help = "Mbit/s"},
	{"mtu", SHOWN_ID, AT(mtu), SHOWN_LIST, 0, .help = "bytes of an IP packet"},
	{"socket", SHOWN_ID, AT(socket), SHOWN_LIST, 0, .help = "its NUMA node"},
	{"queues_asked", SHOWN_ID, AT(queues_asked), SHOWN_LIST, 0,
	 .help = "queues that workers and the configuration want each way"},
	{"rx_queues", SHOWN_ID, AT(rx_queues), SHOWN_LIST, 0,
	 .help = "receive queues that the driver gave"},
	{"tx_queues", SHOWN_ID, AT(tx_queues), SHOWN_LIST, 0,
	 .help = "transmit queues that the driver gave"},
	{"rss_asked", SHOWN_TEXT, AT(rss_asked), SHOWN_LIST, 0,
	 .help = "how the NIC is to spread packets over queues"},
	{"rss", SHOWN_TEXT, AT(rss), SHOWN_LIST, 0, .help = "how the NIC does"},
	{"rx_wake", SHOWN_TEXT, AT(rx_wake), SHOWN_LIST, 0,
	 .help = "how a worker that sleeps hears of frames: `descriptor`, `interrupt`, `clock`"},
	{"big_frames", SHOWN_TEXT, AT(big_frames), SHOWN_LIST, 0,
	 .help = "whether frames of up to 64 KiB pass whole ([ports.md](ports.md#big-frames))"},
	{"state", SHOWN_TEXT, AT(state), SHOWN_LIST, 0,
	 .help = "of the device ([ports.md](ports.md))"},
	{"state_s", SHOWN_GAUGE, AT(state_s), SHOWN_LIST, 0, .help = "since when", .unit = "s"},
	{"silent", SHOWN_YES, AT(silent), 0, 0,
	 .help = "1: nothing is received, though the link is up and Linux asks for neighbours",
	 .metric = "silent"},
	{"works", SHOWN_YES, AT(works), 0, 0, .help = "0: the device is lost, or carries nothing",
	 .metric = "works"},
	{"stalls", SHOWN_COUNTER, AT(stalls), SHOWN_LIST, 0,
	 .help = "times that a port carried nothing while its device counted drops",
	 .metric = "stalls"},
	{"restarts", SHOWN_COUNTER, AT(restarts), SHOWN_LIST, 0,
	 .help = "times that a device was opened again", .metric = "restarts"},
	{"tap", SHOWN_TEXT, AT(tap), SHOWN_LIST, 0, .help = "its TAP, or null"},
#define X(name, metric_, unit_, help_)                                                             \
	{#name,                                                                                    \
	 SHOWN_COUNTER,                                                                            \
	 AT(counters.name),                                                                        \
	 BOTH,                                                                                     \
	 SHOWN_COUNTS,                                                                             \
	 .help = help_,                                                                            \
	 .group = "counters",                                                                      \
	 .unit = unit_,                                                                            \
	 .metric = metric_},
	PORT_COUNTERS(X)
#undef X
		{"warnings", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
		 .help = "texts: what an operator should know of it"},
#define X(name, loss, help_)                                                                       \
	{#name, SHOWN_COUNTER, AT(device_counters.name),   BOTH,                                   \
	 BOTH,	.help = help_, .group = "device_counters", .metric = "device_" #name},
	DEVICE_COUNTERS(X)
#undef X
#define X(name, unit_, help_)                                                                      \
	{#name,                                                                                    \
	 SHOWN_COUNTER,                                                                            \
	 AT(tap_counters.name),                                                                    \
	 SHOWN_LIST,                                                                               \
	 0,                                                                                        \
	 .help = help_,                                                                            \
	 .group = "tap_counters",                                                                  \
	 .unit = unit_,                                                                            \
	 .metric = #name,                                                                          \
	 .if_at = OFF(has_tap),                                                                    \
	 .metric_if = OFF(has_tap)},
		LINK_PORT_COUNTERS(X)
#undef X
};

static const struct shown_column columns[] = {
	{"port", NULL, 0},
	{"name", NULL, 0},
	{"device", NULL, 0},
	{"driver", NULL, 0},
	{"mac", NULL, 0},
	{"link_up", "LINK", 0},
	{"speed_mbps", "MBIT/S", 0},
	{"mtu", NULL, 0},
	{"socket", "NUMA", 0},
	{"queues_asked", "Q ASKED", 0},
	{"rx_queues", "RXQ", 0},
	{"tx_queues", "TXQ", 0},
	{"rss_asked", NULL, 0},
	{"rss", NULL, 0},
	{"big_frames", "BIG FRAMES", 0},
	{"tap", NULL, 0},
	{NULL, NULL, 0},
};

static const struct shown_column of_counters[] = {{"name", NULL, 0},
#define X(name, metric, unit, help_) {"counters." #name, NULL, 0},
						  PORT_COUNTERS(X)
#undef X
							  {NULL, NULL, 0}};

const struct shown_table shown_port = {
	.title = "Ports and TAPs",
	.prefix = "plvs_port_",
	.labels = "`port`: its name. `rx` and `tx` are DPDK's side, `tap` is Linux's, `device` is "
		  "what the device, its driver and the kernel count ([ports.md](ports.md))",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
	.counters_at = OFF(counters),
	.rates_at = OFF(rate),
	.columns = columns,
	.of_counters = of_counters,
};
