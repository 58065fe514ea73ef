/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of services and servers, taken in slices. The configuration may change between two
 * of them: the walk begins again then, and passes over what it has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/metrics_internal.h"
#include "control/health_watch.h"
#include "health/member.h"

#define CHUNK	1024U /* rows */
#define LABELS	320
#define CLOCK_N 16U /* servers between two looks at the clock */

/* Room for one more row in chunks of `size`; NULL: no memory. */
static void *row_add(void ***chunks, uint32_t *n, uint32_t *max, size_t size)
{
	uint32_t at = *n / CHUNK;

	if (at == *max) {
		uint32_t more = *max ? *max * 2 : 16;
		void **wider = realloc(*chunks, more * sizeof(*wider));

		if (!wider)
			return NULL;
		memset(wider + *max, 0, (more - *max) * sizeof(*wider));
		*chunks = wider;
		*max = more;
	}
	if (!(*chunks)[at] && !((*chunks)[at] = calloc(CHUNK, size)))
		return NULL;
	return (char *)(*chunks)[at] + (size_t)((*n)++ % CHUNK) * size;
}

int metrics_rows_init(struct metrics_rows *r, struct control *c)
{
	memset(r, 0, sizeof(*r));
	r->control = c;
	r->removed = traffic_of_removed(&c->traffic);
	r->taken = calloc((MAX_SERVICES + 64) / 64, sizeof(*r->taken));
	if (r->removed && r->taken)
		return 0;
	metrics_rows_fini(r);
	return -ENOMEM;
}

void metrics_rows_fini(struct metrics_rows *r)
{
	for (uint32_t i = 0; i < r->n_services; i++) {
		struct metrics_service *s = &r->services[i / CHUNK][i % CHUNK];

		free(s->labels);
		free(s->name);
		free(s->scheduler);
	}
	for (uint32_t i = 0; i < r->n_servers; i++)
		free(r->servers[i / CHUNK][i % CHUNK].labels);
	for (uint32_t i = 0; i < r->max_services; i++)
		free(r->services[i]);
	for (uint32_t i = 0; i < r->max_servers; i++)
		free(r->servers[i]);
	free(r->services);
	free(r->servers);
	free(r->removed);
	free(r->taken);
	memset(r, 0, sizeof(*r));
}

static void add_counters(struct server_counters *sum, const struct server_counters *more)
{
	sum->conns += more->conns;
	sum->in_pkts += more->in_pkts;
	sum->out_pkts += more->out_pkts;
	sum->in_bytes += more->in_bytes;
	sum->out_bytes += more->out_bytes;
}

static void health_fill(const struct control *c, const char *key, const struct endpoint *ep,
			struct metrics_server *s)
{
	struct health_view v;

	if (!watching_health(c) || health_get_now(watching_health(c), key, ep, &v) < 0)
		return;
	s->weight = v.effect.weight;
	s->standing = v.standing;
	s->admin = v.admin;
	s->chosen = !v.effect.down;
	s->probes = v.probes;
	s->failures = v.failures;
	s->errors = v.errors;
	s->edges = v.edges;
	s->checked_ms = v.checked_ms;
	s->duration_us = v.duration_us;
	s->asked = v.checked_ms != 0;
}

/* The row of one server; false: no memory. */
static bool server_take(struct metrics_rows *r, const char *key, const struct service_rt *svc,
			const struct config_server *server, struct server_counters *sum)
{
	const struct control *c = r->control;
	const struct server_rt *srv = runtime_server_find(&c->pub->runtime, svc, &server->ep);
	struct metrics_server *s =
		row_add((void ***)&r->servers, &r->n_servers, &r->max_servers, sizeof(*s));
	char labels[LABELS] = "", ep[ENDPOINT_STRLEN];
	struct traffic_sum traffic = {0};
	uint64_t counts;

	if (!s)
		return false;
	expo_label(labels, sizeof(labels), "service", key);
	expo_label(labels, sizeof(labels), "server", endpoint_format(&server->ep, ep, sizeof(ep)));
	s->labels = strdup(labels);
	s->weight = s->configured = server->weight;
	s->standing = STANDING_IN;
	s->chosen = true;
	health_fill(c, key, &server->ep, s);
	if (srv) {
		counts = server_rt_counts(srv);
		s->active = counts_active(counts);
		s->inactive = counts_inactive(counts);
		s->overloaded = server_rt_overloaded(srv);
		traffic_add_server(&c->traffic, srv->id, &traffic);
		s->counters = traffic.counters;
		traffic_read_passive(&c->traffic, srv->id, &s->passive);
		s->handshakes = s->passive.syns != 0;
	}
	add_counters(sum, &s->counters);
	return s->labels;
}

static bool service_take(struct metrics_rows *r, const struct config_service *svc)
{
	const struct control *c = r->control;
	const struct service_rt *rt = control_service_rt(c, svc);
	struct health_service_view v = {.quorum = true};
	struct metrics_service *s;
	char key[CONFIG_KEY_STRLEN], labels[LABELS] = "";
	struct server_counters sum = {0};
	uint32_t chosen = 0;

	if (!rt || r->taken[rt->id / 64] >> rt->id % 64 & 1)
		return true;
	r->taken[rt->id / 64] |= 1ULL << rt->id % 64;
	config_service_key(svc, key, sizeof(key));
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (!server_take(r, key, rt, &svc->servers[i], &sum))
			return false;
		chosen += r->servers[(r->n_servers - 1) / CHUNK][(r->n_servers - 1) % CHUNK].chosen;
	}
	s = row_add((void ***)&r->services, &r->n_services, &r->max_services, sizeof(*s));
	if (!s)
		return false;
	expo_label(labels, sizeof(labels), "service", key);
	s->labels = strdup(labels);
	s->name = strdup(svc->name ? svc->name : "");
	s->scheduler = strdup(svc->policy.scheduler);
	add_counters(&sum, &rt->retired);
	add_counters(&sum, &r->removed[rt->id].counters);
	s->counters = sum;
	if (watching_health(c))
		(void)health_get_service(watching_health(c), key, &v);
	s->servers = svc->n_servers;
	s->up = v.n_up;
	s->unknown = v.n_unknown;
	s->held = v.quorum;
	s->chosen = chosen;
	return s->labels && s->name && s->scheduler;
}

int metrics_rows_take(struct metrics_rows *r, uint64_t end_us)
{
	const struct config *config = r->control->config;
	uint32_t n_servers = 0;

	if (r->config != config || r->n_walked != config->shared.n_services) {
		r->config = config;
		r->n_walked = config->shared.n_services;
		r->next = 0;
	}
	while (r->next < r->n_walked) {
		const struct config_service *svc = config->shared.services[r->next];

		if (!service_take(r, svc))
			return -ENOMEM;
		r->next++;
		n_servers += svc->n_servers + 1;
		if (n_servers < CLOCK_N)
			continue;
		n_servers = 0;
		if (clock_us() >= end_us)
			return 1;
	}
	return 0;
}
