/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/connection_filter.h"

#include <netinet/in.h>
#include <strings.h>

#include "control/control_internal.h"
#include "control/method.h"

static bool bad(struct rpc_request *req, const char *name, const char *expected)
{
	rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s, s:s}", "path", name, "expected", expected),
		 "%s: expected %s", name, expected);
	return false;
}

static bool protocol_parse(const char *text, uint8_t *proto)
{
	if (strcasecmp(text, "tcp") == 0)
		*proto = IPPROTO_TCP;
	else if (strcasecmp(text, "udp") == 0)
		*proto = IPPROTO_UDP;
	else
		return false;
	return true;
}

static bool state_parse(const char *text, int8_t *state)
{
	for (int8_t i = 0; i < CONN_STATE_MAX; i++) {
		if (strcasecmp(text, conn_state_names[i]) == 0) {
			*state = i;
			return true;
		}
	}
	return false;
}

/* Service and server. False: req has ended. */
static bool objects_parse(struct control *c, struct rpc_request *req, const json_t *params,
			  struct conn_filter *f)
{
	const char *service = param_string(params, "service");
	const char *server = param_string(params, "server");
	const struct config_service *svc;
	const struct service_rt *rt;

	/* Without a port: a server that keeps packets' ports. */
	if (server && endpoint_parse(server, &f->server) < 0 &&
	    addr_parse(server, &f->server.addr) < 0)
		return bad(req, "server", "address:port, or an address");
	if (!service)
		return true;
	svc = config_service_find(c->config, service);
	/* A deleted service may have connections left. */
	rt = svc ? control_service_rt(c, svc) : runtime_service_find(&c->pub->runtime, service);
	if (!rt) {
		fail_no_service(c, req, service);
		return false;
	}
	f->service_id = rt->id;
	return true;
}

bool connection_filter_parse(struct control *c, struct rpc_request *req, const json_t *params,
			     struct conn_filter *f, uint16_t *worker)
{
	const char *client = param_string(params, "client");
	const char *protocol = param_string(params, "protocol");
	const char *state = param_string(params, "state");
	const json_t *number = json_object_get(params, "worker");

	f->state = -1;
	if (client && prefix_parse(client, &f->client) < 0)
		return bad(req, "client", "an address or a prefix");
	if (protocol && !protocol_parse(protocol, &f->proto))
		return bad(req, "protocol", "\"tcp\" or \"udp\"");
	if (state && !state_parse(state, &f->state))
		return bad(req, "state", "a state such as ESTABLISHED");
	if (number) {
		if (!c->dp || json_integer_value(number) >= (json_int_t)c->dp->n_workers)
			return bad(req, "worker", "the number of a worker");
		*worker = (uint16_t)json_integer_value(number);
	}
	return objects_parse(c, req, params, f);
}

bool connection_key_parse(struct rpc_request *req, const json_t *params,
			  struct worker_command *command)
{
	struct endpoint client, virtual;
	uint8_t proto;

	if (!protocol_parse(param_string(params, "protocol"), &proto))
		return bad(req, "protocol", "\"tcp\" or \"udp\"");
	if (endpoint_parse(param_string(params, "client"), &client) < 0)
		return bad(req, "client", "address:port");
	if (endpoint_parse(param_string(params, "virtual"), &virtual) < 0 ||
	    virtual.addr.family != client.addr.family)
		return bad(req, "virtual", "address:port, of the client's family");
	command->family = client.addr.family;
	if (client.addr.family == ADDR_V6)
		command->key6 = (struct key6){.saddr = addr6_of(&client.addr),
					      .sport = client.port,
					      .daddr = addr6_of(&virtual.addr),
					      .dport = virtual.port,
					      .proto = proto};
	else
		command->key4 = (struct key4){.saddr = addr4_of(&client.addr),
					      .sport = client.port,
					      .daddr = addr4_of(&virtual.addr),
					      .dport = virtual.port,
					      .proto = proto};
	return true;
}
