/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control_internal.h"
#include "control/checking.h"

void control_parts(void *arg, struct router_parts *out)
{
	const struct control *c = arg;

	*out = (struct router_parts){
		.config = c->config,
		.boot = c->boot,
		.pub = c->pub,
		.publisher = &c->publisher,
		.traffic = &c->traffic,
		.dp = c->dp,
		.link = c->link,
		.ha = c->ha,
		.routes = c->fleet.routes,
		.bgp = c->fleet.bgp,
		.drained = c->fleet.drained,
		.health = checking_health(c),
		.table_warning = &c->table_warning,
		.local_port_warning = &c->local_port_warning,
		.metrics = c->metrics,
		.dpdk_version = c->dpdk_version,
		.started_us = c->started_us,
		.applied_us = c->applied_us,
		.clients = c->server ? rpc_server_clients(c->server) : 0,
	};
	checking_counters(c, &out->verdicts);
	programs_status(c, &out->spawner);
}
