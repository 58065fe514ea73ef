/* SPDX-License-Identifier: BSD-3-Clause */
/* From objects of the configuration to those of run time, and back. */
#include <stdlib.h>
#include <string.h>

#include "control/control_internal.h"
#include "sched/sched.h"

struct service_rt *control_service_rt(const struct control *c, const struct config_service *svc)
{
	char key[CONFIG_KEY_STRLEN];

	return runtime_service_find(&c->pub->runtime, config_service_key(svc, key, sizeof(key)));
}

/* The run-time object of a server of svc. The node has servers in the reverse order. */
static const struct server_rt *server_rt_of(const struct control *c,
					    const struct config_service *svc,
					    const struct service_rt *rt,
					    const struct config_server *server)
{
	const struct service *node = rt ? publisher_service(&c->publisher, rt->id) : NULL;
	const uint32_t place = svc->n_servers - 1 - (uint32_t)(server - svc->servers);

	if (node && place < node->n_servers &&
	    endpoint_equal(&node->servers[place].rt->ep, &server->ep))
		return node->servers[place].rt;
	return rt ? runtime_server_find(&c->pub->runtime, rt, &server->ep) : NULL;
}

uint64_t control_server_connections(const struct control *c, const struct config_service *svc,
				    const struct service_rt *rt, const struct config_server *server)
{
	const struct server_rt *srv = server_rt_of(c, svc, rt, server);
	const uint64_t counts = srv ? server_rt_counts(srv) : 0;

	return (uint64_t)counts_active(counts) + counts_inactive(counts);
}

uint64_t control_service_connections(const struct control *c, const struct config_service *svc,
				     const struct service_rt *rt)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++)
		sum += control_server_connections(c, svc, rt, &svc->servers[i]);
	return sum;
}

struct config *control_node_of(const struct config *config)
{
	struct config_errors errors;
	struct config *node = NULL;
	json_t *json = config_to_json(config, CONFIG_NODE);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return NULL;
	config_errors_init(&errors);
	if (config_parse(text, strlen(text), NULL, sched_names(), &node, &errors) < 0)
		node = NULL;
	config_errors_fini(&errors);
	free(text);
	return node;
}
