/* SPDX-License-Identifier: BSD-3-Clause */
/* The columns of plain lists. */
#include "cli/view.h"

#define LIST(name, rows_key, empty_text, ...)                                                      \
	static const struct view_column name##_columns[] = {__VA_ARGS__, {NULL, NULL, 0}};         \
	const struct list_view list_##name = {rows_key, empty_text, name##_columns, NULL}

LIST(addresses, "addresses", "no addresses", {"ADDRESS", "address", FORMAT_TEXT},
     {"KIND", "kind", FORMAT_TEXT}, {"LINK", "link", FORMAT_TEXT}, {"ACTIVE", "active", FORMAT_YES},
     {"IMPLIED", "implied", FORMAT_YES});

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

/* Objects with a table of their own. */
const struct list_view list_connections = {NULL, "no connections", NULL, &shown_connection};
const struct list_view list_ports = {"ports", "no ports", NULL, &shown_port};
const struct list_view list_workers = {"workers", "no workers", NULL, &shown_worker};
