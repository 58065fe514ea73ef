/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual services and real servers. */
#include <string.h>

#include "base/clock.h"
#include "health/member.h"
#include "metrics/object_view.h"

static void health_fill(const struct router_parts *p, const char *key, const struct endpoint *ep,
			struct health_view *v, struct shown_server *out)
{
	const uint64_t now_ms = clock_wall_ms();

	if (!p->health || health_get_now(p->health, key, ep, v) < 0)
		return;
	out->checked = true;
	out->effective = v->effect.weight;
	out->weight_low = v->weight_low;
	out->weight_high = v->weight_high;
	out->weight_source = v->weight_source ? v->weight_source : "configuration";
	out->standing = v->standing;
	out->admin = v->admin;
	out->standing_word = standing_names[v->standing];
	out->state_word = health_state_names[v->state];
	out->admin_word = health_admin_names[v->admin];
	out->reason = v->reason;
	out->since_ms = v->since_ms;
	out->state_s = now_ms > v->since_ms ? (now_ms - v->since_ms) / 1000 : 0;
	out->chosen = !v->effect.down;
	out->drain = v->drain;
	out->maint = v->maint;
	out->probes = v->probes;
	out->failures = v->failures;
	out->errors = v->errors;
	out->edges = v->edges;
	out->checked_ms = v->checked_ms;
	out->duration_us = v->duration_us;
	out->asked = v->checked_ms != 0;
}

void server_traffic_view(const struct router_parts *p, uint32_t server_id, struct shown_server *out)
{
	struct traffic_sum sum = {0};

	traffic_add_server(p->traffic, server_id, &sum);
	out->running = true;
	out->counters = sum.counters;
	memcpy(out->rate, sum.rate, sizeof(out->rate));
}

static void run_time_fill(const struct router_parts *p, const struct service_rt *rt,
			  const struct server_rt *srv, struct shown_server *out)
{
	const struct service *node = publisher_service(p->publisher, rt->id);
	const uint64_t counts = server_rt_counts(srv);

	for (uint32_t i = 0; node && i < node->n_servers; i++)
		if (node->servers[i].rt == srv)
			out->down = node->servers[i].down;
	out->id = srv->id;
	out->active = counts_active(counts);
	out->inactive = counts_inactive(counts);
	out->overloaded = server_rt_overloaded(srv);
	server_traffic_view(p, srv->id, out);
	traffic_read_passive(p->traffic, srv->id, &out->passive);
	out->handshakes =
		out->passive.syns != 0; /* NAT and TCP: else nothing is known of answers */
	out->answer_mean_us =
		out->passive.answers ? out->passive.answer_us / out->passive.answers : 0;
}

void server_view(const struct router_parts *p, const char *key, const struct service_rt *rt,
		 const struct config_server *server, struct server_texts *texts,
		 struct shown_server *out)
{
	const struct server_rt *srv =
		rt ? runtime_server_find(&p->pub->runtime, rt, &server->ep) : NULL;

	*out = (struct shown_server){
		.service = key,
		.server = endpoint_format(&server->ep, texts->endpoint, sizeof(texts->endpoint)),
		.weight = server->weight,
		.effective = server->weight,
		.standing = STANDING_IN,
		.chosen = true,
		.sorry = server->sorry,
	};
	health_fill(p, key, &server->ep, &texts->health, out);
	if (srv)
		run_time_fill(p, rt, srv, out);
}

void service_view(const struct router_parts *p, const struct config_service *svc, const char *key,
		  const struct service_rt *rt, const struct traffic_sum *sum,
		  const struct traffic_sum *removed, struct shown_service *out)
{
	struct health_service_view v = {.quorum = true};
	struct traffic_sum all = *sum;

	*out = (struct shown_service){.key = key, .name = svc->name, .servers = svc->n_servers};
	if (rt) {
		out->running = true;
		out->id = rt->id;
		traffic_add_retired(&rt->retired, &all);
		traffic_add(&all, &removed[rt->id]);
	}
	if (p->health)
		(void)health_get_service(p->health, key, &v);
	out->up = v.n_up;
	out->unknown = v.n_unknown;
	out->held = v.quorum;
	out->lost = v.lost;
	out->counters = all.counters;
	memcpy(out->rate, all.rate, sizeof(out->rate));
}
