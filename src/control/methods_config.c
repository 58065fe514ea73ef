/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration as a whole: shown, checked, applied, saved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/apply.h"
#include "control/control_internal.h"
#include "control/pair_apply.h"
#include "sched/sched.h"

/* Checks, plans or applies `text` or `path`, or the start file where that is allowed. */
static void whole(struct control *c, struct rpc_request *req, json_t *params, bool start_file,
		  enum apply_kind kind)
{
	const char *path = param_string(params, "path"), *confirm;
	json_t *text = json_object_get(params, "text");
	uint32_t within = 0;

	confirm = param_string(params, "confirm_within");
	if (confirm && (duration_parse(confirm, &within) < 0 || within < TRIAL_MIN_MS ||
			within > TRIAL_MAX_MS)) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "confirm_within"),
			 "confirm_within: expected a time from 1s to 1d");
		return;
	}
	if (text && path) {
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "either \"text\" or \"path\", not both");
		return;
	}
	if (!text && !path && start_file)
		path = c->config_path;
	if (!text && !path) {
		rpc_fail(req, RPC_BAD_PARAMS, NULL,
			 start_file ? "no file was given at start: \"text\" or \"path\" is missing"
				    : "\"text\" or \"path\" is missing");
		return;
	}
	(kind == APPLY_SWAP ? pair_apply : apply_start)(
		c, req,
		&(struct apply_order){.kind = kind,
				      .text = text,
				      .path = path,
				      .confirm_ms = within,
				      .comment = param_string(params, "comment")});
}

static void config_check(struct control *c, struct rpc_request *req, json_t *params)
{
	whole(c, req, params, false, APPLY_CHECK);
}

static void config_plan_method(struct control *c, struct rpc_request *req, json_t *params)
{
	whole(c, req, params, true, APPLY_PLAN);
}

static void config_apply(struct control *c, struct rpc_request *req, json_t *params)
{
	whole(c, req, params, true, APPLY_SWAP);
}

/* --- the running configuration --- */

static json_t *part_json(const struct config *config, enum config_part part)
{
	return json_pack("{s:o}", "config", config_to_json(config, part));
}

/* For who may not see secrets. */
static json_t *part_json_public(const struct config *config, enum config_part part)
{
	json_t *json = config_to_json(config, part);

	config_hide_secrets(json);
	return json_pack("{s:o}", "config", json);
}

static void config_get(struct control *c, struct rpc_request *req, json_t *params)
{
	static const char *const names[] = {"all", "node", "shared"};
	static const enum config_part parts[] = {CONFIG_ALL, CONFIG_NODE, CONFIG_SHARED};
	const char *part = param_string(params, "part");

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (part ? strcmp(part, names[i]) != 0 : i != 0)
			continue;
		answer_read(c, req, rpc_level(req) >= METHOD_ALL ? part_json : part_json_public,
			    parts[i]);
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

static void config_save_method(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *path = param_string(params, "path");

	if (!path)
		path = c->config_path;
	if (!path)
		rpc_fail(req, RPC_BAD_PARAMS, NULL,
			 "no file was given at start: \"path\" is missing");
	else if (c->trial.on)
		rpc_fail(req, RPC_INVALID, NULL, "config.save: %s", changes_refused(c));
	else
		answer_saved(c, req, path);
}

#define TEXT_OR_PATH(path_default)                                                                 \
	{"text", PARAM_STRING, false, "a configuration", METHOD_ALL},                              \
	{                                                                                          \
		"path", PARAM_STRING, false, "instead: a file of the router" path_default,         \
			METHOD_ALL                                                                 \
	}
#define START_FILE " (without both: the file given at start)"

const struct method config_methods[] = {
	{.name = "config.get",
	 .run = config_get,
	 .help = "the configuration, with all changes since start",
	 .params = {{"part", PARAM_STRING, false, "`all` (default), `node` or `shared`"}},
	 .result = "`config`"},
	{.name = "config.schema",
	 .run = config_schema,
	 .help = "every key of a configuration",
	 .result = "`schema`: every key with type, unit, default, limits and help"},
	{.name = "config.check",
	 .run = config_check,
	 .help = "whether a configuration is valid; nothing is applied",
	 .params = {TEXT_OR_PATH("")},
	 .result = "`ok`, `warnings`; or error 1"},
	{.name = "config.plan",
	 .run = config_plan_method,
	 .help = "the changes that `config.apply` of a configuration would make",
	 .params = {TEXT_OR_PATH(START_FILE)},
	 .result = "`changes`: a list of `{action, object, detail, connections}`, one for each "
		   "service, server, address and mark rule (added and moved ones by their new "
		   "position, deleted ones by their old); `action` is `add`, `edit`, `delete` or "
		   "`move`; `at_once`: texts, the changes of `node` that take effect without a "
		   "restart; `restart`: texts, those that need one, of applications before as "
		   "well; "
		   "`warnings`"},
	{.name = "config.apply",
	 .level = METHOD_CHANGE,
	 .run = config_apply,
	 .help = "replaces the configuration, as a whole or not at all",
	 .params = {TEXT_OR_PATH(START_FILE),
		    {"confirm_within", PARAM_STRING, false,
		     "a time, `1s` to `1d`: without `config.confirm` in this time the former "
		     "configuration returns. Needs `state_dir`"},
		    {"comment", PARAM_STRING, false, "the reason, for `config.history`"}},
	 .result = "`changes`, `at_once`, `restart` and `warnings` as of `config.plan`; "
		   "`confirm_within_ms`, "
		   "if the configuration is to be confirmed; " METHOD_LIVE},
	{.name = "config.push",
	 .level = METHOD_CHANGE,
	 .run = config_push,
	 .help = "sends the shared part to the peer, which applies it",
	 .params = {{"plan", PARAM_BOOLEAN, false, "the peer only reports the changes"},
		    {"force", PARAM_BOOLEAN, false,
		     "also to a peer with a newer or diverged version"}},
	 .result = "the result of `config.apply`, or of `config.plan`, at the peer"},
	{.name = "config.save",
	 .level = METHOD_CHANGE,
	 .run = config_save_method,
	 .help = "writes the configuration to a file: to a temporary file first, then renamed; "
		 "comments of the file stay with their objects",
	 .params = {{"path", PARAM_STRING, false,
		     "a file of the router (default: the file given at start)", METHOD_ALL}},
	 .result = "`path`; `before`: the file with the former content, or null"},
	{.name = NULL},
};
