/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of ipvsadm that concern no service: zeroed counters, synchronisation daemons. */
#include <string.h>

#include "control/control_internal.h"

static void counter_zero(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *name = param_string(params, "service");
	const struct config_service *svc = name ? config_service_find(c->config, name) : NULL;
	struct service_rt *rt = svc ? control_service_rt(c, svc) : NULL;

	if (name && !svc) {
		fail_no_service(c, req, name);
		return;
	}
	if (rt)
		traffic_restart(&c->traffic, rt);
	for (uint32_t i = 0; !name && i < c->config->shared.n_services; i++) {
		rt = control_service_rt(c, c->config->shared.services[i]);
		if (rt)
			traffic_restart(&c->traffic, rt);
	}
	rpc_answer(req, json_object());
}

/* The keys of a daemon as `ipvsadm -L --daemon` prints them, and nothing else. */
static bool daemon_is_good(const json_t *o)
{
	static const char *const numbers[] = {"syncid", "maxlen", "port", "ttl"};
	const char *interface = json_string_value(json_object_get(o, "interface"));
	const char *group = json_string_value(json_object_get(o, "group"));

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!json_is_integer(json_object_get(o, numbers[i])))
			return false;
	return interface && strlen(interface) < 16 && group && strlen(group) < 64 &&
	       json_object_size(o) == 6;
}

/* The pair's own heartbeats and copies of connections do what these daemons do for IPVS: what
 * ipvsadm started is remembered for its listing and has no effect. */
static void ipvsadm_daemon(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *state = param_string(params, "state");
	json_t *daemon = json_object_get(params, "daemon");

	if (!c->daemons)
		c->daemons = json_object();
	if (state && strcmp(state, "master") != 0 && strcmp(state, "backup") != 0) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "state"),
			 "ipvsadm.daemon: state: expected \"master\" or \"backup\"");
		return;
	}
	if (state && daemon && !daemon_is_good(daemon)) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "daemon"),
			 "ipvsadm.daemon: daemon: expected interface, syncid, maxlen, group, port, "
			 "ttl");
		return;
	}
	if (state && daemon)
		json_object_set(c->daemons, state, daemon);
	else if (state)
		json_object_del(c->daemons, state);
	rpc_answer(req, json_deep_copy(c->daemons));
}

const struct method ipvsadm_methods[] = {
	{.name = "counter.zero",
	 .level = METHOD_CHANGE,
	 .in_turn = true,
	 .run = counter_zero,
	 .help = "lets the counters of virtual services and of their servers begin at 0",
	 .params = {{"service", PARAM_STRING, false, "a virtual service (default: all)"}},
	 .result = "empty"},
	{.name = "ipvsadm.daemon",
	 .level = METHOD_CHANGE,
	 .in_turn = true,
	 .run = ipvsadm_daemon,
	 .help = "remembers a synchronisation daemon that `ipvsadm --start-daemon` asked for; the "
		 "daemon has no effect and is only listed",
	 .params = {{"state", PARAM_STRING, false,
		     "`master` or `backup` (default: nothing changes)"},
		    {"daemon", PARAM_OBJECT, false,
		     "`interface`, `syncid`, `maxlen`, `group`, `port`, `ttl`; without: the daemon "
		     "is "
		     "forgotten"}},
	 .result = "the daemons by state"},
	{.name = NULL},
};
