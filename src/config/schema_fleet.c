/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>

/* The rows of announcing: routes that tell the network which VIPs are served here. */

#define DRAIN_MAX_MS 60000 /* within the time that a service manager gives the end of plvs */

/* Tables that Linux or its administrator uses for itself. */
static int table_check(struct config_context *ctx, const void *value)
{
	const uint32_t table = *(const uint32_t *)value;

	if (table < 253 || table > 255)
		return 0;
	config_report(
		ctx, -EINVAL, NULL,
		"%u is Linux's table \"%s\": expected a table that nothing else uses, as 7690",
		table,
		table == 253   ? "default"
		: table == 254 ? "main"
			       : "local");
	return -EINVAL;
}

static const struct config_field vip_fields[] = {
	{.name = "address",
	 .type = TYPE_HOST,
	 AT(struct config_announced, address),
	 .flags = FIELD_REQUIRED | FIELD_LIVE,
	 .noun = "an address",
	 .help = "the VIP"},
	{.name = "metric",
	 .type = TYPE_UINT,
	 AT(struct config_announced, metric),
	 .flags = FIELD_LIVE,
	 .min = 1,
	 .max = INT32_MAX,
	 .def = CONFIG_ANNOUNCE_METRIC,
	 .help = "of its route"},
};
static const struct config_object vip_object = {
	.noun = "a VIP", FIELDS(vip_fields), .size = sizeof(struct config_announced)};

static const struct config_field announce_fields[] = {
	{.name = "table",
	 .type = TYPE_UINT,
	 AT(struct config_announce, table),
	 .max = UINT32_MAX,
	 .check = table_check,
	 .help = "number of a routing table of Linux, for plvs alone: has a route for each VIP "
		 "that is served here, which BIRD or FRR exports; 0 = no VIP is announced"},
	{.name = "metric",
	 .type = TYPE_UINT,
	 AT(struct config_announce, metric),
	 .flags = FIELD_LIVE,
	 .min = 1,
	 .max = INT32_MAX,
	 .def = CONFIG_ANNOUNCE_METRIC,
	 .help = "of these routes: the routing daemon makes a preference of the number"},
	{.name = "vips",
	 .type = TYPE_OBJECT,
	 LIST_AT(struct config_announce, vips, n_vips),
	 .flags = FIELD_LIVE,
	 .object = &vip_object,
	 .max = MAX_VIPS,
	 .max_name = "MAX_VIPS",
	 .help = "VIPs with another metric: for a warm standby, or for weights"},
	{.name = "stuck",
	 .type = TYPE_MS,
	 AT(struct config_announce, stuck_ms),
	 .max = 60000,
	 .def = 150,
	 .noun = "a time",
	 .help = "with `table`: when a worker makes no progress for so long, all VIPs are "
		 "withdrawn and the process ends; 0 = never"},
	{.name = "drain",
	 .type = TYPE_MS,
	 AT(struct config_announce, drain_ms),
	 .max = DRAIN_MAX_MS,
	 .def = 10000,
	 .noun = "a time",
	 .help = "at its end plvs withdraws VIPs first, and forwards packets that still come for "
		 "so long at most"},
	{.name = "bgp_port",
	 .type = TYPE_UINT,
	 AT(struct config_announce, bgp_port),
	 .flags = FIELD_LIVE,
	 .max = UINT16_MAX,
	 .def = CONFIG_BGP_PORT,
	 .help = "with `table`: TCP port of the routing daemon, in the namespace of the TAPs; plvs "
		 "warns while no program has the port; 0 = another protocol than BGP, without a "
		 "warning"},
};
const struct config_object config_object_announce = {.check = config_check_announce,
						     .noun = "announcing",
						     FIELDS(announce_fields),
						     .size = sizeof(struct config_announce)};

/* The kind is that of a pool: config.c. */
static const struct config_field pool_fields[] = {
	{.name = "address",
	 .type = TYPE_ADDRESS,
	 AT(struct config_address, address),
	 .flags = FIELD_REQUIRED | FIELD_LIVE,
	 .noun = "an address",
	 .help = "an address that no other router has, and that the network routes here: of the "
		 "link's network, or by its route in `announce.table`"},
	{.name = "link",
	 .type = TYPE_STRING,
	 AT(struct config_address, link),
	 .flags = FIELD_LIVE,
	 .rule = RULE_LABEL,
	 .max = MAX_NAME,
	 .noun = "a link",
	 .help = "port, or port.VLAN, by which the real servers are reached"},
};
const struct config_object config_object_pool = {
	.noun = "an address of the pool",
	.check = config_check_pool_entry,
	FIELDS(pool_fields),
	.size = sizeof(struct config_address),
};
