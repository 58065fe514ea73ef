/* SPDX-License-Identifier: BSD-3-Clause */
/* counter.list and status: counters and their change per second. */
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "control/listing.h"
#include "control/checking.h"
#include "control/telnet_program.h"
#include "control/kept_view.h"
#include "control/state_dir.h"
#include "metrics/metrics.h"
#include "metrics/port_view.h"

#define WORKER_FIELD(name) (offsetof(struct worker_counters, name) / sizeof(uint64_t))

static uint16_t n_workers(const struct control *c)
{
	return c->dp ? c->dp->n_workers : 0;
}

/* --- counter.list --- */

static const struct service *node_of(const struct control *c, const struct service_rt *rt)
{
	return rt ? publisher_service(&c->publisher, rt->id) : NULL;
}

static void service_row(struct control *c, const struct config_service *svc,
			const struct listing_given *given, json_t *rows)
{
	const struct service_rt *rt = control_service_rt(c, svc);
	const struct service *node = node_of(c, rt);
	struct traffic_sum sum = {0};
	char key[CONFIG_KEY_STRLEN];
	struct shown_service v;
	struct router_parts p;

	control_parts(c, &p);
	for (uint32_t k = 0; node && k < node->n_servers; k++)
		traffic_add_server(&c->traffic, node->servers[k].rt->id, &sum);
	service_view(&p, svc, config_service_key(svc, key, sizeof(key)), rt, &sum, given->removed,
		     &v);
	json_array_append_new(rows, shown_object(&shown_service, &v, SHOWN_COUNTS));
}

static void server_rows(struct control *c, const struct config_service *svc,
			const struct listing_given *given, json_t *rows)
{
	const struct service *node = node_of(c, control_service_rt(c, svc));
	char key[CONFIG_KEY_STRLEN], ep[ENDPOINT_STRLEN];
	struct router_parts p;

	(void)given;
	control_parts(c, &p);
	config_service_key(svc, key, sizeof(key));
	for (uint32_t k = 0; node && k < node->n_servers; k++) {
		const struct server_rt *srv = node->servers[k].rt;
		struct shown_server v = {.service = key,
					 .server = endpoint_format(&srv->ep, ep, sizeof(ep))};

		server_traffic_view(&p, srv->id, &v);
		json_array_append_new(rows, shown_object(&shown_server, &v, SHOWN_COUNTS));
	}
}

static json_t *ports_rows(struct control *c)
{
	json_t *rows = json_array();
	struct router_parts p;

	control_parts(c, &p);
	for (uint16_t i = 0; c->dp && i < c->dp->n_ports; i++) {
		struct port_texts texts;
		struct shown_port v;

		port_view(&p, i, &texts, &v);
		json_array_append_new(rows, shown_object(&shown_port, &v, SHOWN_COUNTS));
	}
	return rows;
}

static json_t *workers_rows(struct control *c)
{
	json_t *rows = json_array();
	struct router_parts p;

	control_parts(c, &p);
	for (uint16_t i = 0; i < n_workers(c); i++) {
		struct shown_worker v;

		worker_view(&p, i, &v);
		json_array_append_new(rows, shown_object(&shown_worker, &v, SHOWN_COUNTS));
	}
	return rows;
}

static json_t *devices_rows(struct control *c)
{
	struct router_parts p;

	control_parts(c, &p);
	return port_view_losses(&p);
}

/* An array of counters of workers, each with a name of its own: reasons and classes. */
static json_t *named_rows(struct control *c, size_t word, size_t n, const char *const *names,
			  const char *const *helps)
{
	json_t *rows = json_array();
	uint64_t counts[DROP_MAX + PUNT_MAX] = {0};
	double rates[DROP_MAX + PUNT_MAX] = {0};

	for (uint16_t w = 0; w < n_workers(c); w++) {
		struct worker_counters now;

		traffic_read_worker(&c->traffic, w, &now);
		for (size_t i = 0; i < n; i++) {
			counts[i] += *word_at_const(&now, word + i);
			rates[i] += (double)c->traffic.workers[w].rate[word + i];
		}
	}
	for (size_t i = 0; i < n; i++) {
		const struct shown_reason v = {.name = names[i],
					       .help = helps[i],
					       .count = counts[i],
					       .rate = shown_round(rates[i])};

		json_array_append_new(rows, shown_object(&shown_reason, &v, SHOWN_COUNTS));
	}
	return rows;
}

static json_t *drops_rows(struct control *c)
{
	return named_rows(c, WORKER_FIELD(dropped), DROP_MAX, drop_names, drop_helps);
}

static json_t *punts_rows(struct control *c)
{
	return named_rows(c, WORKER_FIELD(punted), PUNT_MAX, punt_names, punt_helps);
}

static json_t *health_rows(struct control *c)
{
	json_t *rows = json_array();
	struct router_parts p;
	struct shown_health v;

	control_parts(c, &p);
	health_totals(&p, &v);
	for (uint16_t i = 0; i < shown_health.n; i++) {
		const struct shown *row = &shown_health.rows[i];
		const struct shown_figure f = {row->name, row->help, shown_count(row, &v)};

		if (row->in & SHOWN_LIST)
			json_array_append_new(rows, shown_object(&shown_figure, &f, SHOWN_COUNTS));
	}
	return rows;
}

static const struct listing_section sections[] = {
	{.key = "services", .of_service = service_row},
	{.key = "servers", .of_service = server_rows},
	{.key = "ports", .all = ports_rows},
	{.key = "workers", .all = workers_rows},
	{.key = "drops", .all = drops_rows},
	{.key = "devices", .all = devices_rows}, /* with drops */
	{.key = "punts", .all = punts_rows},
	{.key = "health", .all = health_rows},
};
#define N_SECTIONS (sizeof(sections) / sizeof(sections[0]))

static void counter_list(struct control *c, struct rpc_request *req, json_t *params)
{
	const struct listing_section *chosen[N_SECTIONS];
	const char *object = param_string(params, "object");
	bool all = !object || strcmp(object, "all") == 0;
	size_t n = 0;

	for (size_t i = 0; i < N_SECTIONS; i++)
		if (all || strcmp(object, sections[i].key) == 0 ||
		    (strcmp(object, "drops") == 0 && sections[i].all == devices_rows))
			chosen[n++] = &sections[i];
	if (n > 0) {
		listing_start(c, req, NULL, chosen, n);
		return;
	}
	rpc_fail(req, RPC_BAD_PARAMS, json_pack("{s:s}", "path", "object"),
		 "counter.list: object: expected \"services\", \"servers\", \"ports\", "
		 "\"workers\", \"drops\", \"devices\", \"punts\", \"health\" or \"all\"");
}

/* --- status --- */

/* Rates of all services together. */
static json_t *all_rates_json(const struct control *c)
{
	struct shown_service all = {0};
	uint32_t left = c->pub->runtime.n_servers;
	json_t *o, *rates;

	for (uint32_t id = 1; left > 0 && id <= MAX_SERVERS; id++) {
		if (!c->pub->runtime.servers[id])
			continue;
		left--;
		for (size_t i = 0; i < TRAFFIC_SERVER; i++)
			all.rate[i] += (double)c->traffic.servers[id].rate[i];
	}
	o = shown_object(&shown_service, &all, SHOWN_COUNTS);
	rates = json_incref(json_object_get(o, "rates"));
	json_decref(o);
	return rates;
}

#define LOST_SHOWN 20

/* Services without a quorum; the first of them by name. */
static void warn_of_quorum(const struct control *c, json_t *list)
{
	const char *keys[LOST_SHOWN];
	struct health_service_view v;
	const struct health *h = checking_health(c);
	uint32_t n = h ? health_lost(h, keys, LOST_SHOWN) : 0;

	for (uint32_t i = 0; i < n && i < LOST_SHOWN; i++)
		if (health_get_service(h, keys[i], &v) == 0)
			json_array_append_new(
				list,
				json_sprintf("service %s has lost its quorum: %u of %u servers up",
					     keys[i], v.n_up, v.n_servers - v.n_sorry));
	if (n > LOST_SHOWN)
		json_array_append_new(
			list, json_sprintf("%u more services have lost theirs", n - LOST_SHOWN));
}

static json_t *warnings_json(struct control *c)
{
	struct router_parts p;
	json_t *list = json_array();
	char text[512];

	warn_of_quorum(c, list);
	programs_warn(c, list);
	telnet_program_warn(c, list);
	/* Without workers, in a test, nothing is kept. */
	if (c->link && state_dir_fault(c->boot->node.state_dir, text))
		json_array_append_new(list, json_string(text));
	if (c->dp)
		kept_warn(c->dp, list);
	if (table_warning_text(&c->table_warning))
		json_array_append_new(list, json_string(table_warning_text(&c->table_warning)));
	if (local_port_warning_text(&c->local_port_warning))
		json_array_append_new(list,
				      json_string(local_port_warning_text(&c->local_port_warning)));
	if (ring_warning_text(&c->ring_warning))
		json_array_append_new(list, json_string(ring_warning_text(&c->ring_warning)));
	if (metrics_fault(c->metrics))
		json_array_append_new(list,
				      json_sprintf("no metrics: %s", metrics_fault(c->metrics)));

	control_parts(c, &p);
	port_view_warnings(&p, list);
	for (size_t i = 0; i < json_array_size(c->restart); i++)
		json_array_append_new(
			list, json_sprintf("takes effect after a restart: %s",
					   json_string_value(json_array_get(c->restart, i))));
	return list;
}

static void status(struct control *c, struct rpc_request *req, json_t *params)
{
	char digest[CONFIG_DIGEST_STRLEN];
	struct process_texts texts;
	struct ledger_view ledger;
	struct shown_ledger l;
	struct shown_process v;
	struct router_parts p;
	json_t *o;

	(void)params;
	control_parts(c, &p);
	p.status.state = ha_state_word(c);
	p.status.file = c->config_path;
	p.status.digest = config_digest(c->config, digest);
	p.status.unsaved = c->config_path && versions_unsaved(c);
	p.status.jumps = c->clock_jump.jumps;
	p.status.jump_last_ms = c->clock_jump.last_us / 1000;
	p.status.jump_ago_s = (clock_boot_us() - c->clock_jump.at_us) / 1000000;
	process_view(&p, &texts, &v);
	o = shown_object(&shown_process, &v, SHOWN_LIST);
	ledger_shown(&p, &ledger, &l);
	if (c->dp)
		json_object_set_new(json_object_get(o, "kept"), "ledger",
				    shown_object(&shown_ledger, &l, SHOWN_LIST));
	json_object_set_new(o, "rates", all_rates_json(c));
	json_object_set_new(o, "trial", trial_json(c));
	json_object_set_new(o, "warnings", warnings_json(c));
	rpc_answer(req, o);
}

const struct method counter_methods[] = {
	{.name = "status",
	 .run = status,
	 .help = "the router at a glance",
	 .result = "the keys of the process",
	 .rows = &shown_process},
	{.name = "counter.list",
	 .run = counter_list,
	 .help = "counters and their change per second over the last 2 s",
	 .params = {{"object", PARAM_STRING, false,
		     "`services`, `servers`, `ports`, `workers`, `drops`, `devices`, `punts`, "
		     "`health` or `all` (default); `drops` includes `devices`"}},
	 .result = "a list for each kind of object; see [Rows of "
		   "counter.list](#rows-of-counterlist)"},
	{.name = NULL},
};
