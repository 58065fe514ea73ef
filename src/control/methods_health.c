/* SPDX-License-Identifier: BSD-3-Clause */
/* Health of real servers: what is known, and what operators say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/listing.h"
#include "control/watching.h"

static json_t *view_json(const struct config_service *svc, const char *key,
			 const struct endpoint *ep, const struct health_view *v)
{
	char text[ENDPOINT_STRLEN];
	json_t *o;

	o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:b, s:I, s:I, s:s}", "service", key,
		      "server", endpoint_format(ep, text, sizeof(text)), "state",
		      health_state_names[v->state], "admin", health_admin_names[v->admin],
		      "since_ms", (json_int_t)v->since_ms, "reason", v->reason, "chosen",
		      !v->effect.down, "weight", (json_int_t)v->weight, "effective_weight",
		      (json_int_t)v->effect.weight, "weight_source",
		      v->weight_source ? v->weight_source : "configuration");
	if (o && svc->name)
		json_object_set_new(o, "name", json_string(svc->name));
	if (o && v->drain)
		json_object_set_new(o, "drain", json_true());
	if (o && v->maint)
		json_object_set_new(o, "maint", json_true());
	return o;
}

static void list_row(struct control *c, const struct config_service *svc,
		     const struct traffic_sum *removed, json_t *rows)
{
	struct health *h = watching_health(c);
	char key[CONFIG_KEY_STRLEN];
	struct health_view v;

	(void)removed;
	config_service_key(svc, key, sizeof(key));
	for (uint32_t i = 0; h && i < svc->n_servers; i++)
		if (health_get(h, key, &svc->servers[i].ep, &v) == 0)
			json_array_append_new(rows, view_json(svc, key, &svc->servers[i].ep, &v));
}

static void list(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct listing_section section = {.key = "servers", .of_service = list_row};
	static const struct listing_section *const sections[] = {&section};

	(void)params;
	listing_start(c, req, sections, 1);
}

/* The server that params name; NULL: req has ended. */
static const struct config_service *find(struct control *c, struct rpc_request *req,
					 const json_t *params, struct endpoint *ep)
{
	const char *name = param_string(params, "service"),
		   *server = param_string(params, "server");
	const struct config_service *svc = config_service_find(c->config, name);

	memset(ep, 0, sizeof(*ep));
	if (!svc) {
		fail_no_service(c, req, name);
		return NULL;
	}
	if ((endpoint_parse(server, ep) == 0 || addr_parse(server, &ep->addr) == 0) &&
	    config_server_find(svc, ep) >= 0)
		return svc;
	rpc_fail(req, RPC_NO_OBJECT, NULL, "service %s has no real server \"%.100s\"", name,
		 server);
	return NULL;
}

static json_t *history_json(const struct health_view *v)
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < v->n_history; i++) {
		const struct health_transition *t = &v->history[i];

		json_array_append_new(
			list, json_pack("{s:I, s:s, s:s, s:s}", "at_ms", (json_int_t)t->at_ms,
					"state", health_state_names[t->state], "admin",
					health_admin_names[t->admin], "reason", t->reason));
	}
	return list;
}

static json_t *checks_json(const struct health *h, const char *key, const struct endpoint *ep)
{
	struct health_check_view v[CONFIG_SERVER_CHECKS];
	uint32_t n = health_get_checks(h, key, ep, v, CONFIG_SERVER_CHECKS);
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < n && i < CONFIG_SERVER_CHECKS; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "name",
				  v[i].name ? v[i].name : "-", "type", check_type_names[v[i].type],
				  "state", health_state_names[v[i].state], "reason", v[i].reason,
				  "checked_ms", (json_int_t)v[i].checked_ms, "duration_us",
				  (json_int_t)v[i].duration_us, "probes", (json_int_t)v[i].probes,
				  "failures", (json_int_t)v[i].failures, "errors",
				  (json_int_t)v[i].errors));
	return list;
}

static void show(struct control *c, struct rpc_request *req, json_t *params)
{
	struct health_service_view group;
	struct health_view v;
	char key[CONFIG_KEY_STRLEN];
	struct endpoint ep;
	const struct config_service *svc = find(c, req, params, &ep);
	struct health *h = watching_health(c);
	json_t *o;

	if (!svc)
		return;
	config_service_key(svc, key, sizeof(key));
	if (!h || health_get(h, key, &ep, &v) < 0) {
		rpc_fail(req, RPC_NO_OBJECT, NULL, "it is not watched");
		return;
	}
	o = view_json(svc, key, &ep, &v);
	json_object_set_new(o, "checked_ms", json_integer((json_int_t)v.checked_ms));
	json_object_set_new(o, "checks", checks_json(h, key, &ep));
	json_object_set_new(o, "history", history_json(&v));
	if (health_get_service(h, key, &group) == 0)
		json_object_set_new(o, "quorum", json_boolean(group.quorum));
	rpc_answer(req, o);
}

static void force(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *word = param_string(params, "state"), *names[HEALTH_ADMIN_MAX + 1] = {0};
	char key[CONFIG_KEY_STRLEN];
	struct endpoint ep;
	const struct config_service *svc = find(c, req, params, &ep);
	uint32_t admin = 0;
	const char *near;

	if (!svc)
		return;
	for (uint32_t i = 0; i < HEALTH_ADMIN_MAX; i++)
		names[i] = health_admin_names[i];
	while (names[admin] && strcmp(names[admin], word) != 0)
		admin++;
	if (!names[admin]) {
		near = text_near_miss(word, names);
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "state"),
			 "health.force: state: expected up, down, maintenance or none%s%s%s",
			 near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
		return;
	}
	config_service_key(svc, key, sizeof(key));
	if (health_force(watching_health(c), key, &ep, (enum health_admin)admin,
			 param_string(params, "reason")) < 0) {
		rpc_fail(req, RPC_INTERNAL, NULL, "it is not watched, or there is no memory");
		return;
	}
	/* What follows is settled at the end of this turn of the loop, and published then. */
	rpc_answer(req, json_object());
}

static void counters(struct control *c, struct rpc_request *req, json_t *params)
{
	struct watching_counters w;
	struct health_counters h = {0};
	json_t *o = json_object();

	(void)params;
	watching_counters(c, &w);
	if (watching_health(c))
		health_counters(watching_health(c), &h);
#define X(name, help) json_object_set_new(o, #name, json_integer((json_int_t)h.name));
	HEALTH_COUNTERS(X)
#undef X
#define X(name, help) json_object_set_new(o, #name, json_integer((json_int_t)w.name));
	WATCHING_COUNTERS(X)
#undef X
	rpc_answer(req, o);
}

const struct method health_methods[] = {
	{.name = "health.list",
	 .run = list,
	 .help = "State, reason and weight of every real server of every service."},
	{.name = "health.show",
	 .run = show,
	 .help = "All that is known of one server of one service, with its history.",
	 .params = {{"service", PARAM_STRING, true}, {"server", PARAM_STRING, true}}},
	{.name = "health.force",
	 .run = force,
	 .help = "An operator's word, until it is taken back: `state` is up, down, maintenance or "
		 "none.",
	 .params = {{"service", PARAM_STRING, true},
		    {"server", PARAM_STRING, true},
		    {"state", PARAM_STRING, true},
		    {"reason", PARAM_STRING, false}}},
	{.name = "health.counters",
	 .run = counters,
	 .help = "Probes, lateness, and the time from a verdict to its publication."},
	{.name = NULL},
};
