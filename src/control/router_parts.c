/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/control_internal.h"
#include "control/health_watch.h"

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
		.drained = c->fleet.drained,
		.health = watching_health(c),
		.table_watch = &c->table_watch,
		.local_port_watch = &c->local_port_watch,
		.metrics = c->metrics,
		.dpdk_version = c->dpdk_version,
		.started_us = c->started_us,
		.applied_us = c->applied_us,
		.clients = c->server ? rpc_server_clients(c->server) : 0,
	};
	watching_counters(c, &out->watching);
	programs_status(c, &out->spawner);
}
