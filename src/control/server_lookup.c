/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/server_lookup.h"

#include "control/control_internal.h"

const struct config_service *server_lookup(struct control *c, struct rpc_request *req,
					   const json_t *params, const struct config_server **found)
{
	const char *name = param_string(params, "service"),
		   *server = param_string(params, "server");
	const struct config_service *svc = config_service_find(c->config, name);
	struct endpoint ep = {0};
	int at;

	if (!svc) {
		fail_no_service(c, req, name);
		return NULL;
	}
	if ((endpoint_parse(server, &ep) == 0 || addr_parse(server, &ep.addr) == 0) &&
	    (at = config_server_find(svc, &ep)) >= 0) {
		*found = &svc->servers[at];
		return svc;
	}
	rpc_fail(req, RPC_NO_OBJECT, NULL, "service %s has no real server \"%.100s\"", name,
		 server);
	return NULL;
}
