/* SPDX-License-Identifier: BSD-3-Clause */
/* The columns of plain lists. */
#include "cli/view.h"

#define LIST(name, rows_key, empty_text, ...)                                                      \
	static const struct view_column name##_columns[] = {__VA_ARGS__, {NULL, NULL, 0}};         \
	const struct list_view list_##name = {rows_key, empty_text, name##_columns}

LIST(addresses, "addresses", "no addresses", {"ADDRESS", "address", FORMAT_TEXT},
     {"KIND", "kind", FORMAT_TEXT}, {"LINK", "link", FORMAT_TEXT}, {"ACTIVE", "active", FORMAT_YES},
     {"IMPLIED", "implied", FORMAT_YES});

LIST(connections, NULL, "no connections", {"PROTO", "protocol", FORMAT_TEXT},
     {"CLIENT", "client", FORMAT_TEXT}, {"VIRTUAL", "virtual", FORMAT_TEXT},
     {"SERVER", "server", FORMAT_TEXT}, {"STATE", "state", FORMAT_TEXT},
     {"EXPIRES", "expires_s", FORMAT_SECONDS}, {"METHOD", "method", FORMAT_TEXT},
     {"WORKER", "worker", FORMAT_ID}, {"ACTIVE", "active", FORMAT_YES});

LIST(nexthops, "nexthops", "no next hops in use", {"ID", "id", FORMAT_ID},
     {"LINK", "link", FORMAT_TEXT}, {"ADDRESS", "address", FORMAT_TEXT},
     {"MAC", "mac", FORMAT_TEXT}, {"STATE", "state", FORMAT_STATE}, {"MTU", "mtu", FORMAT_ID},
     {"USED", "used_s", FORMAT_SECONDS});

LIST(marks, NULL, "no mark rules", {"#", "position", FORMAT_ID}, {"MARK", "mark", FORMAT_ID},
     {"PROTO", "protocol", FORMAT_TEXT}, {"SOURCE", "source", FORMAT_TEXT},
     {"SPORT", "source_port", FORMAT_TEXT}, {"DESTINATION", "destination", FORMAT_TEXT},
     {"DPORT", "destination_port", FORMAT_TEXT}, {"LINK", "link", FORMAT_TEXT},
     {"CONNS", "connections", FORMAT_COUNT}, {"COMMENT", "comment", FORMAT_TEXT});

LIST(routes, "routes", "no routes", {"PREFIX", "prefix", FORMAT_TEXT},
     {"KIND", "kind", FORMAT_TEXT}, {"VIA", "via", FORMAT_TEXT}, {"LINK", "link", FORMAT_TEXT},
     {"MTU", "mtu", FORMAT_ID}, {"SOURCE", "source", FORMAT_TEXT});

LIST(ports, "ports", "no ports", {"PORT", "port", FORMAT_ID}, {"NAME", "name", FORMAT_TEXT},
     {"DEVICE", "device", FORMAT_TEXT}, {"DRIVER", "driver", FORMAT_TEXT},
     {"MAC", "mac", FORMAT_TEXT}, {"LINK", "link_up", FORMAT_YES},
     {"MBIT/S", "speed_mbps", FORMAT_ID}, {"MTU", "mtu", FORMAT_ID}, {"NUMA", "socket", FORMAT_ID},
     {"Q ASKED", "queues_asked", FORMAT_ID}, {"RXQ", "rx_queues", FORMAT_ID},
     {"TXQ", "tx_queues", FORMAT_ID}, {"RSS ASKED", "rss_asked", FORMAT_TEXT},
     {"RSS", "rss", FORMAT_TEXT}, {"TAP", "tap", FORMAT_TEXT});

LIST(workers, "workers", "no workers", {"WORKER", "worker", FORMAT_ID},
     {"LCORE", "lcore", FORMAT_ID}, {"CPU", "cpu", FORMAT_ID}, {"NUMA", "socket", FORMAT_ID},
     {"LOAD", "load", FORMAT_SHARE}, {"CONNS", "connections", FORMAT_COUNT},
     {"EMBRYONIC", "embryonic", FORMAT_COUNT}, {"RECEIVED", "counters.received", FORMAT_COUNT},
     {"RING IN", "counters.ring_in", FORMAT_COUNT}, {"SENT", "counters.sent", FORMAT_COUNT},
     {"HANDED OFF", "counters.handed_off", FORMAT_COUNT}, {"QUEUES", "queues", FORMAT_QUEUES});
