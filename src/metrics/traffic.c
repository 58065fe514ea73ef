/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sparse.h"
#include "base/words.h"
#include "publish/publisher.h"

#define SAMPLE_S      2
#define SERVERS_BYTES ((MAX_SERVERS + 1) * sizeof(struct traffic_server))
#define SERVERS_STEP  2048 /* ids looked at before others of the control thread run */

/* last, now: counters. n: their number. */
static void rates_of(float *rate, const void *last, const void *now, size_t n, uint64_t elapsed_us)
{
	for (size_t i = 0; i < n; i++) {
		const uint64_t more = *word_at_const(now, i) - *word_at_const(last, i);

		rate[i] = (float)((double)(int64_t)more * 1e6 / (double)elapsed_us);
	}
}

static void counters_add(struct server_counters *to, const struct server_counters *more)
{
	for (size_t i = 0; i < TRAFFIC_SERVER; i++)
		*word_at(to, i) += *word_at_const(more, i);
}

static void read_server(const struct traffic *t, uint32_t id, struct server_counters *out)
{
	memset(out, 0, sizeof(*out));
	if (t->dp)
		dataplane_server_counters(t->dp, id, out);
	for (size_t i = 0; i < TRAFFIC_SERVER; i++)
		*word_at(out, i) -= *word_at_const(&t->servers[id].base, i);
}

void traffic_read_passive(const struct traffic *t, uint32_t server_id, struct passive_counters *out)
{
	const struct passive_counters *base = &t->servers[server_id].passive_base;

	memset(out, 0, sizeof(*out));
	if (t->dp)
		dataplane_passive_counters(t->dp, server_id, out);
	out->syns -= base->syns;
	out->no_answer -= base->no_answer;
	out->refused -= base->refused;
	out->answers -= base->answers;
	out->answer_us -= base->answer_us;
	if (base->answers)
		out->answer_max_us = 0;
}

void traffic_read_worker(const struct traffic *t, uint16_t worker, struct worker_counters *out)
{
	const struct worker_counters *from = &t->dp->workers[worker]->counters;

	for (size_t i = 0; i < TRAFFIC_WORKER; i++)
		*word_at(out, i) = __atomic_load_n(word_at_const(from, i), __ATOMIC_RELAXED);
}

void traffic_read_port(const struct traffic *t, uint16_t port, struct port_counters *out)
{
	memset(out, 0, sizeof(*out));
	dataplane_port_counters(t->dp, port, out);
}

void traffic_add_server(const struct traffic *t, uint32_t id, struct traffic_sum *sum)
{
	const struct traffic_server *s = &t->servers[id];
	struct server_counters now;

	read_server(t, id, &now);
	counters_add(&sum->counters, &now);
	for (size_t i = 0; i < TRAFFIC_SERVER; i++)
		sum->rate[i] += (double)s->rate[i];
}

void traffic_add(struct traffic_sum *sum, const struct traffic_sum *more)
{
	traffic_add_retired(&more->counters, sum);
	for (size_t i = 0; i < TRAFFIC_SERVER; i++)
		sum->rate[i] += more->rate[i];
}

void traffic_add_retired(const struct server_counters *retired, struct traffic_sum *sum)
{
	counters_add(&sum->counters, retired);
}

struct traffic_sum *traffic_of_removed(const struct traffic *t)
{
	struct traffic_sum *sums = calloc(MAX_SERVICES + 1, sizeof(*sums));
	uint32_t left = t->runtime->n_servers;

	for (uint32_t id = 1; sums && left > 0 && id <= MAX_SERVERS; id++) {
		const struct server_rt *srv = t->runtime->servers[id];

		left -= srv != NULL;
		if (srv && server_rt_left(srv))
			traffic_add_server(t, id, &sums[srv->service_id]);
	}
	return sums;
}

void traffic_forget(struct traffic *t, struct service_rt *svc, const struct server_rt *srv)
{
	struct traffic_server *s = &t->servers[srv->id];
	struct server_counters now;

	read_server(t, srv->id, &now);
	counters_add(&svc->retired, &now);
	counters_add(&s->base, &now);
	memset(&s->passive_base, 0, sizeof(s->passive_base));
	traffic_read_passive(t, srv->id, &s->passive_base);
	memset(s->rate, 0, sizeof(s->rate));
	s->last_us = 0;
}

void traffic_restart(struct traffic *t, struct service_rt *svc)
{
	uint32_t left = t->runtime->n_servers;

	for (uint32_t id = 1; left > 0 && id <= MAX_SERVERS; id++) {
		const struct server_rt *srv = t->runtime->servers[id];

		left -= srv != NULL;
		if (srv && srv->service_id == svc->id)
			traffic_forget(t, svc, srv);
	}
	memset(&svc->retired, 0, sizeof(svc->retired));
}

/* --- sampling --- */

static void sample_server(struct traffic *t, uint32_t id, uint64_t now_us)
{
	struct traffic_server *s = &t->servers[id];
	struct server_counters now;

	read_server(t, id, &now);
	if (s->last_us && now_us > s->last_us)
		rates_of(s->rate, &s->last, &now, TRAFFIC_SERVER, now_us - s->last_us);
	s->last = now;
	s->last_us = now_us;
}

static void sample_rest(struct traffic *t, uint64_t now_us)
{
	uint64_t elapsed = now_us - t->last_us;

	for (uint16_t i = 0; t->dp && i < t->dp->n_ports; i++) {
		struct traffic_port *p = &t->ports[i];
		struct device_counters device;
		struct port_counters now;

		traffic_read_port(t, i, &now);
		dataplane_device_counters(t->dp, i, &device);
		if (t->last_us && elapsed) {
			rates_of(p->rate, &p->last, &now, TRAFFIC_PORT, elapsed);
			rates_of(p->device_rate, &p->device_last, &device, TRAFFIC_DEVICE, elapsed);
		}
		p->last = now;
		p->device_last = device;
	}
	for (uint16_t i = 0; t->dp && i < t->dp->n_workers; i++) {
		struct traffic_worker *w = &t->workers[i];
		struct worker_counters now;

		traffic_read_worker(t, i, &now);
		if (t->last_us && elapsed) {
			rates_of(w->rate, &w->last, &now, TRAFFIC_WORKER, elapsed);
			w->load = (float)((double)(now.busy_tsc - w->last.busy_tsc) * 1e6 /
					  (double)elapsed / (double)t->dp->hz);
			if (w->load > 1)
				w->load = 1;
		}
		w->last = now;
	}
	t->last_us = now_us;
}

/* A bounded part of the servers. True: there is more. */
static bool sample_some(struct traffic *t, uint64_t now_us)
{
	uint32_t end = t->next_id + SERVERS_STEP;

	for (; t->next_id < end && t->next_id <= MAX_SERVERS; t->next_id++)
		if (t->runtime->servers[t->next_id])
			sample_server(t, t->next_id, now_us);
	return t->next_id <= MAX_SERVERS;
}

static void on_sample(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0}, interval = {.tv_sec = SAMPLE_S};
	struct traffic *t = arg;
	uint64_t now_us = clock_us();

	(void)fd;
	(void)what;
	__atomic_store_n(&t->samples, t->samples + 1, __ATOMIC_RELAXED);
	if (t->next_id > MAX_SERVERS) {
		t->next_id = 1;
		sample_rest(t, now_us);
	}
	event_add(t->sample_ev, sample_some(t, now_us) ? &now : &interval);
}

int traffic_init(struct traffic *t, struct dataplane *dp, struct runtime *runtime)
{
	memset(t, 0, sizeof(*t));
	t->dp = dp;
	t->runtime = runtime;
	t->next_id = MAX_SERVERS + 1;
	t->servers = sparse_get(SERVERS_BYTES);
	return t->servers ? 0 : -ENOMEM;
}

int traffic_attach(struct traffic *t, struct event_base *base)
{
	static const struct timeval soon = {0};

	t->sample_ev = event_new(base, -1, 0, on_sample, t);
	return t->sample_ev && event_add(t->sample_ev, &soon) == 0 ? 0 : -ENOMEM;
}

void traffic_detach(struct traffic *t)
{
	if (t->sample_ev)
		event_free(t->sample_ev);
	t->sample_ev = NULL;
}

void traffic_fini(struct traffic *t)
{
	sparse_put(t->servers, SERVERS_BYTES);
	memset(t, 0, sizeof(*t));
}
