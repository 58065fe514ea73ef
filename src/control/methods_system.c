/* SPDX-License-Identifier: BSD-3-Clause */
/* The process, its workers and ports, and what Linux says of next hops and routes. */
#include <errno.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/control_internal.h"
#include "metrics/port_view.h"

static void version(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	rpc_answer(req, json_pack("{s:s, s:s, s:i, s:I}", "version", PLVS_VERSION, "dpdk",
				  c->dpdk_version ? c->dpdk_version : rte_version(), "pid",
				  (int)getpid(), "uptime_s",
				  (json_int_t)((clock_us() - c->started_us) / 1000000)));
}

static void log_level(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *text = param_string(params, "level");
	enum log_level level;

	(void)c;
	if (text && log_level_parse(text, &level) < 0) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "level"),
			 "log.level: level: expected \"error\", \"warning\", \"notice\", \"info\" "
			 "or \"debug\"");
		return;
	}
	if (text)
		log_set_level(level);
	rpc_answer(req, json_pack("{s:s}", "level", log_level_name(log_get_level())));
}

/* --- workers --- */

static json_t *worker_json(const struct router_parts *p, uint16_t id)
{
	const struct worker *w = p->dp->workers[id];
	struct shown_worker v;
	json_t *queues = json_array(), *o;

	worker_view(p, id, &v);
	o = shown_object(&shown_worker, &v, SHOWN_LIST);
	for (uint16_t i = 0; i < w->n_rx; i++) {
		const struct shown_queue q = {p->dp->ports[w->rx[i].port].config.name,
					      w->rx[i].queue};

		json_array_append_new(queues, shown_object(&shown_queue, &q, SHOWN_LIST));
	}
	json_object_set_new(o, "queues", queues);
	return o;
}

static void worker_list(struct control *c, struct rpc_request *req, json_t *params)
{
	json_t *list = json_array();
	struct router_parts p;

	(void)params;
	control_parts(c, &p);
	for (uint16_t i = 0; c->dp && i < c->dp->n_workers; i++)
		json_array_append_new(list, worker_json(&p, i));
	rpc_answer(req, json_pack("{s:o}", "workers", list));
}

/* --- ports --- */

static json_t *port_json(const struct router_parts *p, uint16_t port)
{
	struct port_texts texts;
	struct shown_port v;
	json_t *o;

	port_view(p, port, &texts, &v);
	o = shown_object(&shown_port, &v, SHOWN_LIST);
	json_object_set_new(o, "warnings", port_warnings_json(p, port));
	return o;
}

static void port_list(struct control *c, struct rpc_request *req, json_t *params)
{
	json_t *list = json_array();
	struct router_parts p;

	(void)params;
	control_parts(c, &p);
	for (uint16_t i = 0; c->dp && i < c->dp->n_ports; i++)
		json_array_append_new(list, port_json(&p, i));
	rpc_answer(req, json_pack("{s:o}", "ports", list));
}

/* --- the Linux side --- */

static const char *link_text(const struct control *c, link_id link, char *buf, size_t len)
{
	return config_link_format(&c->boot->node, link, buf, len);
}

/* True when the link thread has answered; else req has ended. */
static bool link_answered(struct rpc_request *req, int ret)
{
	if (ret == 0)
		return true;
	rpc_fail(req, RPC_INTERNAL, NULL, "the link thread: %s", strerror(-ret));
	return false;
}

static json_t *nexthop_json(const struct control *c, const struct link_nexthop *n)
{
	static const char *const states[] = {[NEXTHOP_INCOMPLETE] = "incomplete",
					     [NEXTHOP_REACHABLE] = "reachable",
					     [NEXTHOP_FAILED] = "failed"};
	char link[MAX_NAME + 8], addr[ADDR_STRLEN], text[MAC_STRLEN];
	const struct nexthop *nh = &n->nh;
	struct shown_nexthop v = {
		.id = nh->id,
		.link = link_text(c, nh->link, link, sizeof(link)),
		.address = addr_format(&nh->addr, addr, sizeof(addr)),
		.state = nh->state <= NEXTHOP_FAILED ? states[nh->state] : "?",
		.mtu = nh->mtu,
		.used_s = n->idle_s,
		.wanted = n->wanted,
	};
	struct mac mac;

	memcpy(mac.byte, nh->l2, sizeof(mac.byte));
	if (nh->state == NEXTHOP_REACHABLE)
		v.mac = mac_format(&mac, text, sizeof(text));
	return shown_object(&shown_nexthop, &v, SHOWN_LIST);
}

static void nexthop_list(struct control *c, struct rpc_request *req, json_t *params)
{
	struct link_nexthop *v = NULL;
	json_t *list = json_array();
	uint32_t n = 0;

	(void)params;
	if (c->link && !link_answered(req, link_list_nexthops(c->link, &v, &n))) {
		json_decref(list);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, nexthop_json(c, &v[i]));
	free(v);
	rpc_answer(req, json_pack("{s:o}", "nexthops", list));
}

static const char *address_or_null(const struct addr *a, char text[ADDR_STRLEN])
{
	return a->family != ADDR_NONE ? addr_format(a, text, ADDR_STRLEN) : NULL;
}

static json_t *route_json(const struct control *c, const struct link_fib_route *r)
{
	static const char *const kinds[] = {[ROUTE_ONLINK] = "onlink",
					    [ROUTE_GATEWAY] = "gateway",
					    [ROUTE_LOCAL] = "local",
					    [ROUTE_BLOCK] = "block"};
	char link[MAX_NAME + 8], text[PREFIX_STRLEN], via[ADDR_STRLEN], source[ADDR_STRLEN];
	const struct shown_route v = {
		.prefix = prefix_format(&r->dest, text, sizeof(text)),
		.kind = r->kind <= ROUTE_BLOCK ? kinds[r->kind] : "?",
		.via = address_or_null(&r->via, via),
		.link = link_text(c, r->link, link, sizeof(link)),
		.mtu = r->mtu,
		.source = address_or_null(&r->source, source),
		.metric = r->metric,
	};

	return shown_object(&shown_route, &v, SHOWN_LIST);
}

static void route_list(struct control *c, struct rpc_request *req, json_t *params)
{
	struct link_fib_route *v = NULL;
	json_t *list = json_array();
	uint32_t n = 0;

	(void)params;
	if (c->link && !link_answered(req, link_list_routes(c->link, &v, &n))) {
		json_decref(list);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		json_array_append_new(list, route_json(c, &v[i]));
	free(v);
	rpc_answer(req, json_pack("{s:o}", "routes", list));
}

const struct method system_methods[] = {
	{.name = "version",
	 .run = version,
	 .help = "versions and run time of the process",
	 .result = "`version`, `dpdk`, `pid`, `uptime_s`"},
	{.name = "log.level",
	 .level = METHOD_CHANGE,
	 .run = log_level,
	 .help = "sets or shows the least severe level that is logged",
	 .params = {{"level", PARAM_STRING, false,
		     "`error`, `warning`, `notice`, `info` or `debug` (default: nothing changes)"}},
	 .result = "`level`"},
	{.name = "worker.list",
	 .run = worker_list,
	 .help = "workers and their queues",
	 .result = "`workers`",
	 .list = "workers",
	 .rows = &shown_worker},
	{.name = "port.list",
	 .run = port_list,
	 .help = "ports and their state",
	 .result = "`ports`",
	 .list = "ports",
	 .rows = &shown_port},
	{.name = "nexthop.list",
	 .run = nexthop_list,
	 .help = "next hops and their MACs",
	 .result = "`nexthops`",
	 .list = "nexthops",
	 .rows = &shown_nexthop},
	{.name = "route.list",
	 .run = route_list,
	 .help = "routes as mirrored from Linux",
	 .result = "`routes`",
	 .list = "routes",
	 .rows = &shown_route},
	{.name = NULL},
};
