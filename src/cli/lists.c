/* SPDX-License-Identifier: BSD-3-Clause */
/* Plain lists of objects: their columns are those of the objects' tables. */
#include "cli/view.h"

const struct list_view list_addresses = {"addresses", "no addresses", NULL, &shown_address};
const struct list_view list_connections = {NULL, "no connections", NULL, &shown_connection};
const struct list_view list_marks = {NULL, "no mark rules", NULL, &shown_mark};
const struct list_view list_nexthops = {"nexthops", "no next hops in use", NULL, &shown_nexthop};
const struct list_view list_ports = {"ports", "no ports", NULL, &shown_port};
const struct list_view list_routes = {"routes", "no routes", NULL, &shown_route};
const struct list_view list_workers = {"workers", "no workers", NULL, &shown_worker};
