/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A picture of services and servers, taken in slices. The configuration may change between two
 * of them: the walk begins again then, and passes over what it has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "metrics/metrics_internal.h"
#include "rpc/openmetrics.h"

#define CHUNK	1024U /* rows */
#define LABELS	320
#define CLOCK_N 16U /* servers between two looks at the clock */

/* Room for one more row in chunks of `size`; NULL: no memory. */
static void *row_add(void ***chunks, uint32_t *n, uint32_t *max, size_t size)
{
	uint32_t at = *n / CHUNK;

	if (at == *max) {
		const uint32_t had = *max;

		if (array_room(chunks, at, max, sizeof(**chunks)) < 0)
			return NULL;
		memset(*chunks + had, 0, (*max - had) * sizeof(**chunks));
	}
	if (!(*chunks)[at] && !((*chunks)[at] = calloc(CHUNK, size)))
		return NULL;
	return (char *)(*chunks)[at] + (size_t)((*n)++ % CHUNK) * size;
}

const struct picture_service *picture_service(const struct picture *p, uint32_t i)
{
	return &p->services[i / CHUNK][i % CHUNK];
}

const struct picture_server *picture_server(const struct picture *p, uint32_t i)
{
	return &p->servers[i / CHUNK][i % CHUNK];
}

int picture_init(struct picture *p, const struct router_parts *parts)
{
	memset(p, 0, sizeof(*p));
	p->removed = traffic_of_removed(parts->traffic);
	p->taken = calloc((MAX_SERVICES + 64) / 64, sizeof(*p->taken));
	if (p->removed && p->taken)
		return 0;
	picture_fini(p);
	return -ENOMEM;
}

void picture_fini(struct picture *p)
{
	for (uint32_t i = 0; i < p->n_services; i++) {
		free(picture_service(p, i)->labels);
		free(picture_service(p, i)->info);
	}
	for (uint32_t i = 0; i < p->n_servers; i++)
		free(picture_server(p, i)->labels);
	for (uint32_t i = 0; i < p->max_services; i++)
		free(p->services[i]);
	for (uint32_t i = 0; i < p->max_servers; i++)
		free(p->servers[i]);
	free(p->services);
	free(p->servers);
	free(p->removed);
	free(p->taken);
	memset(p, 0, sizeof(*p));
}

/* Takes a server, and adds its traffic to sum; NULL: no memory. */
static const struct picture_server *server_take(struct picture *p, const struct router_parts *parts,
						const char *key, const struct service_rt *svc,
						const struct config_server *server,
						struct traffic_sum *sum)
{
	struct picture_server *s =
		row_add((void ***)&p->servers, &p->n_servers, &p->max_servers, sizeof(*s));
	struct server_texts texts;
	char labels[LABELS] = "";

	if (!s)
		return NULL;
	server_view(parts, key, svc, server, &texts, &s->shown);
	expo_label(labels, sizeof(labels), "service", key);
	expo_label(labels, sizeof(labels), "server", texts.endpoint);
	s->labels = strdup(labels);
	traffic_add_retired(&s->shown.counters, sum);
	return s->labels ? s : NULL;
}

static bool service_take(struct picture *p, const struct router_parts *parts,
			 const struct config_service *svc)
{
	const struct service_rt *rt;
	const struct picture_server *server;
	struct picture_service *s;
	struct traffic_sum sum = {0};
	uint64_t chosen = 0;
	char key[CONFIG_KEY_STRLEN], labels[LABELS] = "", info[LABELS + 256];

	rt = runtime_service_find(&parts->pub->runtime, config_service_key(svc, key, sizeof(key)));
	if (!rt || p->taken[rt->id / 64] >> rt->id % 64 & 1)
		return true;
	p->taken[rt->id / 64] |= 1ULL << rt->id % 64;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		server = server_take(p, parts, key, rt, &svc->servers[i], &sum);
		if (!server)
			return false;
		chosen += server->shown.chosen;
	}
	s = row_add((void ***)&p->services, &p->n_services, &p->max_services, sizeof(*s));
	if (!s)
		return false;
	service_view(parts, svc, key, rt, &sum, p->removed, &s->shown);
	s->shown.chosen = chosen;
	expo_label(labels, sizeof(labels), "service", key);
	snprintf(info, sizeof(info), "%s", labels);
	expo_label(info, sizeof(info), "name", svc->name ? svc->name : "");
	expo_label(info, sizeof(info), "scheduler", svc->policy.scheduler);
	s->labels = strdup(labels);
	s->shown.labels = s->info = strdup(info);
	return s->labels && s->info;
}

int picture_take(struct picture *p, const struct router_parts *parts, uint64_t end_us)
{
	const struct config *config = parts->config;
	uint32_t n_servers = 0;

	if (p->config != config || p->n_walked != config->shared.n_services) {
		p->config = config;
		p->n_walked = config->shared.n_services;
		p->next = 0;
	}
	while (p->next < p->n_walked) {
		const struct config_service *svc = config->shared.services[p->next];

		if (!service_take(p, parts, svc))
			return -ENOMEM;
		p->next++;
		n_servers += svc->n_servers + 1;
		if (n_servers < CLOCK_N)
			continue;
		n_servers = 0;
		if (clock_us() >= end_us)
			return 1;
	}
	return 0;
}
