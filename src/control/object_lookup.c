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

const struct config_service *control_service_by_id(const struct control *c, uint32_t id)
{
	const struct service_rt *rt =
		id && id <= MAX_SERVICES ? c->pub->runtime.services[id] : NULL;

	return rt ? config_service_find(c->config, rt->key) : NULL;
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
