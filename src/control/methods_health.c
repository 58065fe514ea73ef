/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of health: the state of real servers, and the words of operators. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/listing.h"
#include "control/checking.h"
#include "control/server_lookup.h"
#include "health/member.h"
#include "metrics/object_view.h"

/* The words of standing_names, and one more. */
#define FILTER_FORCED STANDING_MAX /* whatever the state: an operator said so */
static const char *const filter_words[] = {"unknown", "up", "down", "maintenance", "forced", NULL};
_Static_assert(sizeof(filter_words) / sizeof(filter_words[0]) == FILTER_FORCED + 2, "in order");

/* in: SHOWN_HEALTH and the like. NULL: the server is not checked. */
static json_t *row_json(const struct router_parts *p, const struct config_service *svc,
			const char *key, const struct config_server *server, unsigned int in)
{
	const struct service_rt *rt = runtime_service_find(&p->pub->runtime, key);
	struct server_texts texts;
	struct shown_server v;

	server_view(p, key, rt, server, &texts, &v);
	if (!v.checked)
		return NULL;
	v.name = svc->name;
	v.named = svc->name != NULL;
	return shown_object(&shown_server, &v, in);
}

/* ---- list ---- */

struct filter {
	const struct config_service *service; /* NULL: any */
	struct endpoint server;		      /* family NONE: any; port 0: any */
	uint32_t state;			      /* of filter_words; UINT32_MAX: any */
};

static uint32_t word_index(const char *word)
{
	for (uint32_t i = 0; word && filter_words[i]; i++)
		if (strcmp(filter_words[i], word) == 0)
			return i;
	return UINT32_MAX;
}

static bool passes(const struct filter *f, const struct endpoint *ep, const struct health_view *v)
{
	if (f->state == FILTER_FORCED ? v->admin == HEALTH_ADMIN_NONE
				      : f->state != UINT32_MAX && v->standing != f->state)
		return false;
	if (f->server.addr.family == ADDR_NONE)
		return true;
	return addr_equal(&f->server.addr, &ep->addr) &&
	       (f->server.port == 0 || f->server.port == ep->port);
}

static void filter_read(const struct control *c, const json_t *params, struct filter *out)
{
	const char *service = param_string(params, "service"),
		   *server = param_string(params, "server");

	memset(out, 0, sizeof(*out));
	if (service)
		out->service = config_service_find(c->config, service);
	if (server && endpoint_parse(server, &out->server) < 0)
		(void)addr_parse(server, &out->server.addr);
	out->state = word_index(param_string(params, "state"));
}

static void service_rows(struct control *c, const struct config_service *svc,
			 const struct filter *f, json_t *rows)
{
	struct health *h = checking_health(c);
	char key[CONFIG_KEY_STRLEN];
	struct router_parts p;
	struct health_view v;

	control_parts(c, &p);
	config_service_key(svc, key, sizeof(key));
	for (uint32_t i = 0; h && i < svc->n_servers; i++)
		if (health_get_now(h, key, &svc->servers[i].ep, &v) == 0 &&
		    passes(f, &svc->servers[i].ep, &v))
			json_array_append_new(
				rows, row_json(&p, svc, key, &svc->servers[i], SHOWN_HEALTH));
}

static void list_row(struct control *c, const struct config_service *svc,
		     const struct listing_given *given, json_t *rows)
{
	struct filter f;

	filter_read(c, given->params, &f);
	service_rows(c, svc, &f, rows);
}

/* True: the filters make sense; else req has ended. */
static bool filter_check(struct control *c, struct rpc_request *req, const json_t *params,
			 const struct filter *f)
{
	const char *service = param_string(params, "service"),
		   *server = param_string(params, "server"), *state = param_string(params, "state"),
		   *near;

	if (service && !f->service) {
		fail_no_service(c, req, service);
		return false;
	}
	if (server && f->server.addr.family == ADDR_NONE) {
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "server"),
			 "health.list: server: expected an address, or address:port");
		return false;
	}
	if (state && f->state == UINT32_MAX) {
		near = text_near_miss(state, filter_words);
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "state"),
			 "health.list: state: expected up, down, unknown, maintenance or "
			 "forced%s%s%s",
			 near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
		return false;
	}
	return true;
}

static void list(struct control *c, struct rpc_request *req, json_t *params)
{
	static const struct listing_section section = {.key = "servers", .of_service = list_row};
	static const struct listing_section *const sections[] = {&section};
	struct filter f;
	json_t *rows;

	filter_read(c, params, &f);
	if (!filter_check(c, req, params, &f))
		return;
	if (!f.service) {
		listing_start(c, req, params, sections, 1);
		return;
	}
	rows = json_array();
	service_rows(c, f.service, &f, rows);
	rpc_answer(req, json_pack("{s:o}", "servers", rows));
}

/* ---- one ---- */

static json_t *history_json(const struct health_view *v)
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < v->n_history; i++) {
		const struct health_transition *t = &v->history[i];

		const struct shown_transition shown = {t->at_ms, health_state_names[t->state],
						       health_admin_names[t->admin], t->reason};

		json_array_append_new(list, shown_object(&shown_transition, &shown, SHOWN_LIST));
	}
	return list;
}

static json_t *checks_json(const struct health *h, const char *key, const struct endpoint *ep)
{
	struct health_check_view v[CONFIG_SERVER_CHECKS];
	uint32_t n = health_get_checks(h, key, ep, v, CONFIG_SERVER_CHECKS);
	json_t *list = json_array();

	for (uint32_t i = 0; list && i < n && i < CONFIG_SERVER_CHECKS; i++) {
		const struct shown_check shown = {
			.name = v[i].name ? v[i].name : "-",
			.type = check_type_names[v[i].type],
			.state = health_state_names[v[i].state],
			.reason = v[i].reason,
			.checked_ms = v[i].checked_ms,
			.duration_us = v[i].duration_us,
			.probes = v[i].probes,
			.failures = v[i].failures,
			.errors = v[i].errors,
		};

		json_array_append_new(list, shown_object(&shown_check, &shown, SHOWN_LIST));
	}
	return list;
}

static json_t *quorum_json(const struct health_service_view *g)
{
	return shown_object(&shown_quorum,
			    &(struct shown_quorum){.held = g->quorum,
						   .lost = g->lost,
						   .kept = g->holds,
						   .has = g->has,
						   .needed = g->needed,
						   .up = g->n_up,
						   .servers = g->n_servers - g->n_sorry},
			    SHOWN_LIST);
}

static void show(struct control *c, struct rpc_request *req, json_t *params)
{
	const struct config_server *server = NULL;
	struct health_service_view group;
	struct health_view v;
	char key[CONFIG_KEY_STRLEN];
	const struct config_service *svc = server_lookup(c, req, params, &server);
	struct health *h = checking_health(c);
	struct router_parts p;
	json_t *o;

	if (!svc)
		return;
	control_parts(c, &p);
	config_service_key(svc, key, sizeof(key));
	if (!h || health_get(h, key, &server->ep, &v) < 0) {
		rpc_fail(req, RPC_NO_OBJECT, NULL, "the server is not checked");
		return;
	}
	o = row_json(&p, svc, key, server, SHOWN_HEALTH | SHOWN_ONE);
	json_object_set_new(o, "checks", checks_json(h, key, &server->ep));
	json_object_set_new(o, "history", history_json(&v));
	if (health_get_service(h, key, &group) == 0)
		json_object_set_new(o, "quorum", quorum_json(&group));
	rpc_answer(req, o);
}

/* ---- an operator's word ---- */

/* "auto" is what operators say for what they take back. HEALTH_ADMIN_MAX: not a word. */
static enum health_admin admin_parse(const char *word)
{
	uint32_t admin = 0;

	if (strcmp(word, "auto") == 0)
		return HEALTH_ADMIN_NONE;
	while (admin < HEALTH_ADMIN_MAX && strcmp(health_admin_names[admin], word) != 0)
		admin++;
	return (enum health_admin)admin;
}

static json_t *forced_json(struct control *c, const char *key, const struct endpoint *ep)
{
	static const char *const words[HEALTH_ADMIN_MAX] = {
		[HEALTH_ADMIN_NONE] = "left to its checks",
		[HEALTH_ADMIN_UP] = "forced up",
		[HEALTH_ADMIN_DOWN] = "forced down",
		[HEALTH_ADMIN_MAINT] = "in maintenance",
	};
	struct health_service_view g = {0};
	char text[ENDPOINT_STRLEN];
	struct health_view v;

	if (health_get_now(checking_health(c), key, ep, &v) < 0)
		return json_object();
	(void)health_get_service(checking_health(c), key, &g);
	return json_pack("{s:o, s:b, s:s}", "text",
			 json_sprintf("%s of %s is %s: it counts as %s and %s%s",
				      endpoint_format(ep, text, sizeof(text)), key, words[v.admin],
				      standing_names[v.standing],
				      v.effect.down ? "gets no new connections" : "is chosen",
				      g.lost ? "; the service has lost its quorum" : ""),
			 "chosen", !v.effect.down, "standing", standing_names[v.standing]);
}

static void force(struct control *c, struct rpc_request *req, json_t *params)
{
	static const char *const words[] = {"up", "down", "maintenance", "auto", NULL};
	const char *word = param_string(params, "state"), *near;
	enum health_admin admin = admin_parse(word);
	const struct config_server *server = NULL;
	const struct config_service *svc = server_lookup(c, req, params, &server);
	uint64_t start = clock_us();
	char key[CONFIG_KEY_STRLEN];

	if (!svc)
		return;
	if (admin == HEALTH_ADMIN_MAX) {
		near = text_near_miss(word, words);
		rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "state"),
			 "health.force: state: expected up, down, maintenance or auto%s%s%s",
			 near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
		return;
	}
	config_service_key(svc, key, sizeof(key));
	if (!checking_health(c) || health_force(checking_health(c), key, &server->ep, admin,
						param_string(params, "reason")) < 0) {
		rpc_fail(req, RPC_INTERNAL, NULL,
			 "the server is not checked, or there is no memory");
		return;
	}
	health_settle(checking_health(c), key);
	answer_when_swapped(c, req, start, forced_json(c, key, &server->ep));
}

static void counters(struct control *c, struct rpc_request *req, json_t *params)
{
	struct router_parts p;
	struct shown_health v;

	(void)params;
	control_parts(c, &p);
	health_totals(&p, &v);
	rpc_answer(req, shown_object(&shown_health, &v, SHOWN_LIST));
}

const struct method health_methods[] = {
	{.name = "health.list",
	 .run = list,
	 .help = "state, reason and weight of real servers, filtered",
	 .params = {{"service", PARAM_STRING, false, "of this virtual service"},
		    {"server", PARAM_STRING, false, "address:port, or an address"},
		    {"state", PARAM_STRING, false,
		     "`standing`: `up`, `down`, `unknown`, `maintenance`; or `forced`: an operator "
		     "said so"}},
	 .result = "`servers`: rows in the order of services; see [The state of "
		   "servers](#the-state-of-servers)",
	 .list = "servers",
	 .in = SHOWN_HEALTH,
	 .rows = &shown_server},
	{.name = "health.show",
	 .run = show,
	 .help = "state, checks and history of one server of one service",
	 .params = {METHOD_SERVICE, METHOD_SERVER},
	 .result = "a row of `health.list` with `checked_ms`, `transitions`, `checks`, `history`, "
		   "`quorum` and `handshakes`",
	 .in = SHOWN_HEALTH | SHOWN_ONE,
	 .rows = &shown_server},
	{.name = "health.force",
	 .level = METHOD_CHANGE,
	 .run = force,
	 .help = "sets the state of a server, until `auto`; answered once every worker "
		 "uses the state",
	 .params = {METHOD_SERVICE,
		    METHOD_SERVER,
		    {"state", PARAM_STRING, true, "`up`, `down`, `maintenance` or `auto`"},
		    {"reason", PARAM_STRING, false, "for later readers"}},
	 .result = "`text`, `chosen`, `standing`; " METHOD_LIVE},
	{.name = "health.counters",
	 .run = counters,
	 .help = "probes, lateness, and the time from a verdict to its publication",
	 .result = "the counters by name",
	 .rows = &shown_health},
	{.name = NULL},
};
