/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "control/builder.h"
#include "control/internal.h"
#include "sched/sched.h"

json_t *config_error_list_json(const struct config_error_list *list)
{
	json_t *array = json_array();

	for (uint32_t i = 0; array && i < list->n; i++)
		json_array_append_new(array, config_error_json(&list->v[i]));
	return array;
}

/* The configuration of `text` or `path`, or of the start file where that is allowed. NULL:
 * req has ended. errors holds warnings: the caller ends it in any case. */
static struct config *load_params(struct control *c, struct rpc_request *req, const json_t *params,
				  bool start_file, struct config_errors *errors)
{
	const json_t *text = json_object_get(params, "text");
	const char *path = param_string(params, "path");
	struct config *config = NULL;

	if (text && path) {
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "either \"text\" or \"path\", not both");
		return NULL;
	}
	if (!text && !path && start_file)
		path = c->config_path;
	if (!text && !path) {
		rpc_fail(req, RPC_BAD_PARAMS, NULL,
			 start_file ? "no file was given at start: \"text\" or \"path\" is missing"
				    : "\"text\" or \"path\" is missing");
		return NULL;
	}
	if (text)
		(void)config_parse(json_string_value(text), json_string_length(text), NULL,
				   sched_names(), &config, errors);
	else
		(void)config_load(path, sched_names(), &config, errors);
	/* A file that is not there is a configuration that is not valid, not a missing object
	 * of the running one. */
	if (errors->reason == -ENOENT || errors->reason == -EEXIST)
		errors->reason = -EINVAL;
	if (!config)
		fail_config(req, errors);
	return config;
}

/* --- plan --- */

static uint64_t server_connections(const struct control *c, const struct config_service *svc,
				   const struct config_server *server)
{
	const struct service_rt *rt = control_service_rt(c, svc);
	const struct server_rt *srv =
		rt ? runtime_server_find(&c->pub->runtime, rt, &server->ep) : NULL;
	uint64_t counts = srv ? server_rt_counts(srv) : 0;

	return (uint64_t)counts_active(counts) + counts_inactive(counts);
}

/* Of the object as it is now. */
static uint64_t item_connections(const struct control *c, const struct config_plan_item *item)
{
	uint64_t sum = 0;

	if (!item->before)
		return 0;
	if (item->server_before)
		return server_connections(c, item->before, item->server_before);
	if (item->server_after)
		return 0;
	for (uint32_t i = 0; i < item->before->n_servers; i++)
		sum += server_connections(c, item->before, &item->before->servers[i]);
	return sum;
}

static json_t *changes_json(const struct control *c, const struct config_plan *plan)
{
	json_t *array = json_array();

	for (uint32_t i = 0; array && i < plan->n; i++) {
		const struct config_plan_item *item = &plan->v[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s, s:I}", "action",
						config_action_names[item->action], "object",
						item->object, "detail", item->detail, "connections",
						(json_int_t)item_connections(c, item)));
	}
	return array;
}

/* What of the new node part waits for a restart, whatever was applied in between. Without
 * the services, which cost most and never need one. New reference. */
static json_t *restart_json(const struct control *c, const struct config *after)
{
	struct config *node = control_node_of(after);
	struct config_plan *plan = NULL;
	json_t *array = json_array();

	if (array && node && config_plan(c->boot, node, &plan) == 0)
		for (uint32_t i = 0; i < plan->n_restart; i++)
			json_array_append_new(array, json_string(plan->restart[i]));
	config_plan_destroy(plan);
	config_destroy(node);
	return array;
}

/* {changes, restart, warnings}; NULL: no memory. */
static json_t *plan_json(const struct control *c, const struct config *after,
			 const struct config_errors *errors)
{
	struct config_plan *plan;
	json_t *doc;

	if (config_plan(c->config, after, &plan) < 0)
		return NULL;
	doc = json_pack("{s:o, s:o, s:o}", "changes", changes_json(c, plan), "restart",
			restart_json(c, after), "warnings",
			config_error_list_json(&errors->warnings));
	config_plan_destroy(plan);
	return doc;
}

/* --- apply --- */

/* Takes after over. 0, or -errno of the builder: then nothing has changed. */
static int apply(struct control *c, struct config *after, char error[256])
{
	struct publisher *p = &c->publisher;
	struct config *before = c->config;
	int ret;

	/* What was changed before this is not undone if this fails. */
	ret = publisher_flush(p);
	if (ret < 0)
		snprintf(error, 256, "out of memory");
	else
		ret = builder_config(p, before, after, error);
	if (ret < 0) {
		config_destroy(after);
		return ret;
	}
	c->config = after;
	c->applied_us = clock_us();
	json_decref(c->restart);
	c->restart = restart_json(c, after);
	log_set_level((enum log_level)after->node.log_level);
	config_destroy(before);
	return 0;
}

static void config_apply(struct control *c, struct rpc_request *req, json_t *params)
{
	uint64_t start = clock_us();
	struct config_errors errors;
	struct config *after;
	char error[256];
	json_t *doc;
	int ret;

	config_errors_init(&errors);
	after = load_params(c, req, params, true, &errors);
	if (!after)
		goto out;
	doc = plan_json(c, after, &errors);
	if (!doc) {
		config_destroy(after);
		rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
		goto out;
	}
	ret = apply(c, after, error);
	if (ret < 0) {
		json_decref(doc);
		fail_build(req, ret, error);
		goto out;
	}
	log_notice(CONTROL_AREA, "configuration applied: %zu changes",
		   json_array_size(json_object_get(doc, "changes")));
	answer_when_live(c, req, start, doc);
out:
	config_errors_fini(&errors);
}

static void log_errors(const struct config_errors *errors)
{
	char line[1024];

	for (uint32_t i = 0; i < errors->errors.n; i++)
		log_error(CONTROL_AREA, "%s",
			  config_error_format(errors, &errors->errors.v[i], line, sizeof(line)));
	for (uint32_t i = 0; i < errors->warnings.n; i++)
		log_warning(
			CONTROL_AREA, "%s",
			config_error_format(errors, &errors->warnings.v[i], line, sizeof(line)));
}

void control_apply_file(struct control *c)
{
	struct config_errors errors;
	struct config *after = NULL;
	char error[256];

	if (!c->config_path) {
		log_warning(CONTROL_AREA, "reload: no file was given at start");
		return;
	}
	config_errors_init(&errors);
	(void)config_load(c->config_path, sched_names(), &after, &errors);
	log_errors(&errors);
	if (!after) {
		log_error(CONTROL_AREA, "reload: %s is not valid: nothing was changed",
			  c->config_path);
	} else if (apply(c, after, error) < 0) {
		log_error(CONTROL_AREA, "reload: %s: nothing was changed", error);
	} else {
		for (size_t i = 0; i < json_array_size(c->restart); i++)
			log_warning(CONTROL_AREA, "takes effect after a restart: %s",
				    json_string_value(json_array_get(c->restart, i)));
		log_notice(CONTROL_AREA, "reload: %s is applied", c->config_path);
	}
	config_errors_fini(&errors);
}

/* --- the others --- */

static void config_get(struct control *c, struct rpc_request *req, json_t *params)
{
	static const char *const names[] = {"all", "node", "shared"};
	static const enum config_part parts[] = {CONFIG_ALL, CONFIG_NODE, CONFIG_SHARED};
	const char *part = param_string(params, "part");

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (part ? strcmp(part, names[i]) != 0 : i != 0)
			continue;
		rpc_answer(req, json_pack("{s:o}", "config", config_to_json(c->config, parts[i])));
		return;
	}
	rpc_fail(req, RPC_BAD_PARAMS, NULL,
		 "config.get: part: expected \"all\", \"node\" or \"shared\"");
}

static void config_schema(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)c;
	(void)params;
	rpc_answer(req, json_pack("{s:o}", "schema", config_schema_json(sched_names())));
}

static void config_check(struct control *c, struct rpc_request *req, json_t *params)
{
	struct config_errors errors;
	struct config *config;

	config_errors_init(&errors);
	config = load_params(c, req, params, false, &errors);
	if (config)
		rpc_answer(req, json_pack("{s:b, s:o}", "ok", 1, "warnings",
					  config_error_list_json(&errors.warnings)));
	config_destroy(config);
	config_errors_fini(&errors);
}

static void config_plan_method(struct control *c, struct rpc_request *req, json_t *params)
{
	struct config_errors errors;
	struct config *config;
	json_t *doc;

	config_errors_init(&errors);
	config = load_params(c, req, params, true, &errors);
	if (config) {
		doc = plan_json(c, config, &errors);
		if (doc)
			rpc_answer(req, doc);
		else
			rpc_fail(req, RPC_INTERNAL, NULL, "out of memory");
	}
	config_destroy(config);
	config_errors_fini(&errors);
}

static void config_save_method(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *path = param_string(params, "path");
	struct config_errors errors;

	if (!path)
		path = c->config_path;
	if (!path) {
		rpc_fail(req, RPC_BAD_PARAMS, NULL,
			 "no file was given at start: \"path\" is missing");
		return;
	}
	config_errors_init(&errors);
	if (config_save(c->config, path, &errors) < 0) {
		if (errors.reason != -ENOMEM)
			errors.reason = -EIO;
		fail_config(req, &errors);
	} else {
		log_notice(CONTROL_AREA, "configuration saved to %s", path);
		rpc_answer(req, json_pack("{s:s}", "path", path));
	}
	config_errors_fini(&errors);
}

#define TEXT_OR_PATH .params = {{"text", PARAM_STRING, false}, {"path", PARAM_STRING, false}}

const struct method config_methods[] = {
	{.name = "config.get",
	 .run = config_get,
	 .help = "the configuration with every change since start in it",
	 .params = {{"part", PARAM_STRING, false}}},
	{.name = "config.schema", .run = config_schema, .help = "every key of a configuration"},
	{.name = "config.check",
	 .run = config_check,
	 .help = "whether a configuration is valid",
	 TEXT_OR_PATH},
	{.name = "config.plan",
	 .run = config_plan_method,
	 .help = "what applying a configuration would change",
	 TEXT_OR_PATH},
	{.name = "config.apply",
	 .run = config_apply,
	 .help = "puts a configuration in place, as a whole or not at all",
	 TEXT_OR_PATH},
	{.name = "config.save",
	 .run = config_save_method,
	 .help = "writes the configuration to a file",
	 .params = {{"path", PARAM_STRING, false}}},
	{.name = NULL},
};
