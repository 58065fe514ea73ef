/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From a configuration to JSON and text. */

/* ---- the parts that inherit ---- */

json_t *config_server_render(const struct config *config, const struct config_service *svc,
			     const struct config_server *server, enum config_style style)
{
	struct config_server model;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_server, config->schedulers, &model);
	model.forward = svc->policy.service.forward;
	model.check = svc->policy.check;
	return config_object_to_json(&config_object_server, server, &model, style);
}

json_t *config_service_render(const struct config *config, const struct config_service *svc,
			      enum config_style style, bool servers)
{
	struct config_service model, alone = *svc;
	json_t *out, *list;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_service, config->schedulers, &model);
	model.policy = config->shared.defaults;
	model.policy.service.netmask_len = config_netmask_inherited(
		model.policy.service.netmask_len, config_service_family(svc));
	alone.n_servers = 0;
	out = config_object_to_json(&config_object_service, &alone, &model, style);
	if (!out || !servers || svc->n_servers == 0)
		return out;
	list = json_array();
	if (!list || json_object_set_new(out, "servers", list) < 0)
		goto err;
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (json_array_append_new(
			    list, config_server_render(config, svc, &svc->servers[i], style)) < 0)
			goto err;
	return out;
err:
	json_decref(out);
	return NULL;
}

json_t *config_shared_render(const struct config *config, enum config_style style, bool services)
{
	struct config_shared model;
	json_t *out, *list;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_shared, config->schedulers, &model);
	config_policy_compat(&model.defaults, config->shared.compat);
	out = config_object_to_json(&config_object_shared, &config->shared, &model, style);
	if (!out || !services || config->shared.n_services == 0)
		return out;
	list = json_array();
	if (!list || json_object_set_new(out, "services", list) < 0)
		goto err;
	for (uint32_t i = 0; i < config->shared.n_services; i++)
		if (json_array_append_new(list,
					  config_service_render(config, config->shared.services[i],
								style, true)) < 0)
			goto err;
	return out;
err:
	json_decref(out);
	return NULL;
}

json_t *config_node_render(const struct config *config, enum config_style style)
{
	struct config_node model;
	json_t *out, *port;
	size_t i;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_node, config->schedulers, &model);
	out = config_object_to_json(&config_object_node, &config->node, &model, style);
	if (!out || style == STYLE_FULL)
		return out;
	/* A TAP that is named after its port: a default that no model can hold. */
	json_array_foreach (json_object_get(out, "ports"), i, port)
		if (strcmp(config->node.ports[i].tap, config->node.ports[i].name) == 0)
			json_object_del(port, "tap");
	return out;
}

json_t *config_to_json(const struct config *config, enum config_part part)
{
	json_t *out = json_object();

	if (!out)
		return NULL;
	if (part != CONFIG_SHARED &&
	    json_object_set_new(out, "node", config_node_render(config, STYLE_FILE)) < 0)
		goto err;
	if (part != CONFIG_NODE &&
	    json_object_set_new(out, "shared", config_shared_render(config, STYLE_FILE, true)) < 0)
		goto err;
	return out;
err:
	json_decref(out);
	return NULL;
}

json_t *config_service_to_json(const struct config *config, const struct config_service *svc)
{
	return config_service_render(config, svc, STYLE_FILE, true);
}

json_t *config_server_to_json(const struct config *config, const struct config_service *svc,
			      const struct config_server *server)
{
	return config_server_render(config, svc, server, STYLE_FILE);
}

json_t *config_address_to_json(const struct config_address *address)
{
	struct config_address model;
	static const char *const none[] = {NULL};

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_address, none, &model);
	return config_object_to_json(&config_object_address, address, &model, STYLE_FILE);
}

/* ---- text ---- */

char *config_to_text(const struct config *config)
{
	json_t *json = config_to_json(config, CONFIG_ALL);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL, *out;
	size_t n;

	json_decref(json);
	if (!text)
		return NULL;
	/* jansson indents by blanks; a string cannot hold a line end. */
	for (char *p = text; p; p = strchr(p, '\n')) {
		for (p += *p == '\n'; *p == ' '; p++)
			*p = '\t';
	}
	n = strlen(text);
	out = realloc(text, n + 2);
	if (!out) {
		free(text);
		return NULL;
	}
	memcpy(out + n, "\n", 2);
	return out;
}
