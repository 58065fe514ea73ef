/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of a member of a fleet. */
#include <stdlib.h>
#include <string.h>

#include "config/json_text.h"
#include "control/apply.h"
#include "control/control_internal.h"
#include "control/fleet_wire.h"
#include "control/pushed.h"
#include "metrics/object_view.h"

static json_t *routes_json(const struct control *c, uint32_t n)
{
	struct vip_route *v = malloc((n + 1UL) * sizeof(*v));
	const uint32_t is = v ? vip_routes_list(c->fleet.routes, v, n) : 0;
	json_t *list = json_array();
	char text[ADDR_STRLEN];

	for (uint32_t i = 0; i < is && i < n; i++)
		json_array_append_new(
			list, shown_object(&shown_vip_route,
					   &(struct shown_vip_route){
						   addr_format(&v[i].addr, text, sizeof(text)),
						   v[i].metric, v[i].home},
					   SHOWN_LIST));
	free(v);
	return list;
}

static json_t *status_json(struct control *c)
{
	struct router_parts parts;
	struct shown_fleet v;
	json_t *out;

	control_parts(c, &parts);
	fleet_view(&parts, &v);
	out = shown_object(&shown_fleet, &v, SHOWN_LIST);
	json_object_set_new(out, "routes",
			    v.on ? routes_json(c, v.s.announced + v.s.homes) : json_array());
	return out;
}

static void status(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	rpc_answer(req, status_json(c));
}

static void drain_set(struct control *c, struct rpc_request *req, bool on)
{
	if (!c->fleet.routes) {
		rpc_fail(req, RPC_INVALID, NULL,
			 "this router announces nothing: node.announce.table is not set");
		return;
	}
	if (c->fleet.drained != on)
		event_tell(c, EVENT_ROLE, NULL,
			   on ? "an operator drains this router: its VIPs are withdrawn"
			      : "this router is drained no longer: its VIPs are announced");
	c->fleet.drained = on;
	vip_routes_drain(c->fleet.routes, on);
	rpc_answer(req, json_pack("{s:s}", "text",
				  on ? "All VIPs are withdrawn. Packets that still come are "
				       "forwarded. `plvsctl fleet undrain`, or a restart, ends it."
				     : "VIPs are announced as their services have their quorum."));
}

static void drain(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	drain_set(c, req, true);
}

static void undrain(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)params;
	drain_set(c, req, false);
}

/* The shared part of a text: of a whole configuration, or alone. New; NULL with why. */
static json_t *shared_of(const char *text, char why[ERROR_TEXT])
{
	char *data = strdup(text);
	struct json_text t;
	size_t offset;
	json_t *doc = NULL, *shared;

	error_text(why, 0, "out of memory");
	if (data) {
		json_text_init(&t, data, strlen(data));
		if (json_text_blank(&t, CONFIG_MAX_DEPTH, &offset, why) == 0)
			doc = json_text_parse(&t, &offset, why);
	}
	free(data);
	shared = json_object_get(doc, "shared");
	if (!shared)
		return doc;
	json_incref(shared);
	json_decref(doc);
	return shared;
}

/* As the peer's push: programs are those that this router allows, and the node part stays. */
static void apply(struct control *c, struct rpc_request *req, json_t *params)
{
	const bool plan = json_is_true(json_object_get(params, "plan"));
	const char *refused = plan ? NULL : changes_refused(c);
	char why[ERROR_TEXT];
	json_t *shared = shared_of(param_string(params, "text"), why), *text;

	text = shared ? pushed_document(c, shared) : NULL;
	if (refused)
		rpc_fail(req, RPC_INVALID, NULL, "fleet.apply: %s", refused);
	else if (!shared)
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "text"), "fleet.apply: %s",
			 why);
	else if (!text)
		rpc_fail(req, RPC_BAD_PARAMS, NULL, "fleet.apply: not a configuration");
	else
		apply_start(c, req,
			    &(struct apply_order){.kind = plan ? APPLY_PLAN : APPLY_SWAP,
						  .text = text,
						  .comment = param_string(params, "comment"),
						  .from_peer = true});
	json_decref(text);
	json_decref(shared);
}

#define SAID "`text`: the outcome in words"

const struct method fleet_methods[] = {
	{.name = "fleet.status",
	 .run = status,
	 .help = "the router as a member of a fleet: its announced VIPs, and the reasons why "
		 "others are not",
	 .result = "the keys of a member",
	 .rows = &shown_fleet},
	{.name = "fleet.drain",
	 .level = METHOD_CHANGE,
	 .run = drain,
	 .help = "withdraws all VIPs from the network; packets that still come are forwarded. "
		 "Holds until `fleet.undrain`, or the end of the process",
	 .result = SAID},
	{.name = "fleet.undrain",
	 .level = METHOD_CHANGE,
	 .run = undrain,
	 .help = "ends `fleet.drain`",
	 .result = SAID},
	{.name = "fleet.apply",
	 .level = METHOD_MEMBER,
	 .at_active = true,
	 .run = apply,
	 .help = "applies a shared configuration, or reports the changes. The node part "
		 "stays, and programs must be allowed at this router",
	 .params = {{"text", PARAM_STRING, true,
		     "a configuration, whose node part is ignored, or a shared part alone"},
		    {"plan", PARAM_BOOLEAN, false, "only report the changes"},
		    {"comment", PARAM_STRING, false, "the reason, for the history"}},
	 .result = "as of `config.apply`, or of `config.plan`"},
	{.name = "fleet.ask",
	 .run = fleet_ask,
	 .help = "asks another member by an encrypted control connection. The client's own level "
		 "has to allow the method",
	 .params = {{"member", PARAM_STRING, true, "its name in `shared.ha.members`"},
		    {"method", PARAM_METHOD, true, "a method"},
		    {"params", PARAM_OBJECT, false, "its parameters"}},
	 .result = "the member's"},
	{.name = NULL},
};
