/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/render.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From a configuration to JSON and text. */

/* ---- the parts that inherit ---- */

/* A server with default keys only. */
static void server_model(const struct config *config, const struct config_service *svc,
			 struct config_server *model)
{
	memset(model, 0, sizeof(*model));
	config_object_init(&config_object_server, config->schedulers, model);
	model->forward = svc->policy.service.forward;
	model->consequence = svc->policy.health.consequence;
	model->check = svc->policy.check;
}

/* model: of its service. The closing bracket is left out. */
static int server_begin(struct config_sink *s, const struct config_server *model,
			const struct config_server *server, enum config_style style)
{
	int ret = s->open(s, NULL, false);

	return ret == 0
		       ? config_members_render(s, &config_object_server, server, NULL, model, style)
		       : ret;
}

static int server_put(struct config_sink *s, const struct config_server *model,
		      const struct config_server *server, enum config_style style)
{
	int ret = server_begin(s, model, server, style);

	return ret == 0 ? s->close(s, true) : ret;
}

static int servers_put(struct config_sink *s, const struct config *config,
		       const struct config_service *svc, enum config_style style)
{
	struct config_server model;
	int ret = s->open(s, "servers", true);

	server_model(config, svc, &model);
	for (uint32_t i = 0; ret == 0 && i < svc->n_servers; i++)
		ret = server_put(s, &model, &svc->servers[i], style);
	return ret == 0 ? s->close(s, false) : ret;
}

/* Without servers and closing bracket. */
static int service_begin(struct config_sink *s, const struct config *config,
			 const struct config_service *svc, enum config_style style)
{
	struct config_service model, alone = config_service_seen(svc);
	int ret;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_service, config->schedulers, &model);
	model.policy = config->shared.defaults;
	model.policy.service.netmask =
		config_netmask_inherited(model.policy.service.netmask, config_service_family(svc));
	alone.n_servers = 0;
	ret = s->open(s, NULL, false);
	if (ret == 0)
		ret = config_members_render(s, &config_object_service, &alone, NULL, &model, style);
	return ret;
}

int config_service_put(struct config_sink *s, const struct config *config,
		       const struct config_service *svc, enum config_style style, bool servers)
{
	int ret = service_begin(s, config, svc, style);

	if (ret == 0 && servers)
		ret = servers_put(s, config, svc, style);
	return ret == 0 ? s->close(s, true) : ret;
}

static int services_put(struct config_sink *s, const struct config *config, enum config_style style)
{
	int ret = s->open(s, "services", true);

	for (uint32_t i = 0; ret == 0 && i < config->shared.n_services; i++)
		ret = config_service_put(s, config, config->shared.services[i], style, true);
	return ret == 0 ? s->close(s, false) : ret;
}

int config_shared_put(struct config_sink *s, const char *key, const struct config *config,
		      enum config_style style, bool services)
{
	struct config_shared model;
	int ret;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_shared, config->schedulers, &model);
	config_policy_compat(&model.defaults, config->shared.compat);
	ret = s->open(s, key, false);
	if (ret == 0)
		ret = config_members_render(s, &config_object_shared, &config->shared, NULL, &model,
					    style);
	if (ret == 0 && services)
		ret = services_put(s, config, style);
	return ret == 0 ? s->close(s, true) : ret;
}

/* ---- as JSON objects ---- */

json_t *config_server_render(const struct config *config, const struct config_service *svc,
			     const struct config_server *server, enum config_style style)
{
	struct config_server model;
	struct config_json_sink s;

	server_model(config, svc, &model);
	config_json_sink_init(&s);
	return config_json_sink_end(&s, server_put(&s.sink, &model, server, style));
}

json_t *config_service_render(const struct config *config, const struct config_service *svc,
			      enum config_style style, bool servers)
{
	struct config_json_sink s;

	config_json_sink_init(&s);
	return config_json_sink_end(&s, config_service_put(&s.sink, config, svc, style, servers));
}

static json_t *shared_render(const struct config *config, enum config_style style)
{
	struct config_json_sink s;

	config_json_sink_init(&s);
	return config_json_sink_end(&s, config_shared_put(&s.sink, NULL, config, style, true));
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
	    json_object_set_new(out, "shared", shared_render(config, STYLE_FILE)) < 0)
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

json_t *config_address_to_json(const struct config_address *address)
{
	struct config_address model;
	static const char *const none[] = {NULL};

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_address, none, &model);
	return config_object_to_json(&config_object_address, address, &model, STYLE_FILE);
}

/* ---- text ---- */

static void sink_from(struct config_text_sink *s, const struct text_buffer *out)
{
	config_text_sink_init(s);
	s->text = (struct text_buffer){.v = out->v, .max = out->max};
}

static int sink_to(const struct config_text_sink *s, struct text_buffer *out, int ret)
{
	*out = s->text;
	return ret;
}

int config_server_listed(const struct config *config, const struct config_service *svc,
			 const struct config_server *server, struct text_buffer *out)
{
	struct config_server model;
	struct config_text_sink s;

	server_model(config, svc, &model);
	sink_from(&s, out);
	return sink_to(&s, out, server_begin(&s.sink, &model, server, STYLE_LISTED));
}

int config_service_listed(const struct config *config, const struct config_service *svc,
			  struct text_buffer *out)
{
	struct config_text_sink s;

	sink_from(&s, out);
	return sink_to(&s, out, service_begin(&s.sink, config, svc, STYLE_LISTED));
}

char *config_shared_text(const struct config *config)
{
	struct config_text_sink s;
	int ret;

	config_text_sink_init(&s);
	ret = s.sink.open(&s.sink, NULL, false);
	if (ret == 0)
		ret = config_shared_put(&s.sink, "shared", config, STYLE_FILE, true);
	if (ret == 0)
		ret = s.sink.close(&s.sink, true);
	if (ret == 0)
		return s.text.v;
	free(s.text.v);
	return NULL;
}

char *config_to_text(const struct config *config)
{
	json_t *json = config_to_json(config, CONFIG_ALL);
	struct text_buffer text = {0};

	if (!json || json_dump_callback(json, text_buffer_put, &text, JSON_INDENT(1)) < 0 ||
	    text_buffer_put("\n", 1, &text) < 0) {
		json_decref(json);
		free(text.v);
		return NULL;
	}
	json_decref(json);
	/* jansson indents by blanks; a string cannot hold a line end. */
	for (char *p = text.v; p; p = strchr(p, '\n')) {
		for (p += *p == '\n'; *p == ' '; p++)
			*p = '\t';
	}
	return text.v;
}
