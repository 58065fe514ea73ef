/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers, and the process that they are threads of. */
#include <rte_lcore.h>
#include <rte_version.h>
#include <sched.h>
#include <stdio.h>

#include "base/clock.h"
#include "dataplane/sync/ledger.h"
#include "metrics/metrics.h"
#include "metrics/object_view.h"
#include "rpc/openmetrics.h"

static const char *const quantiles[] = {"0.5", "0.99", "1"};

static int first_cpu(unsigned int lcore)
{
	rte_cpuset_t set = rte_lcore_cpuset(lcore);

	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			return i;
	return -1;
}

static uint64_t sum_of(const uint64_t *v, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

static double rate_of(const float *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i];
	return sum;
}

#define WORD(name) (offsetof(struct worker_counters, name) / sizeof(uint64_t))

void worker_view(const struct router_parts *p, uint16_t worker, struct shown_worker *out)
{
	const struct traffic_worker *t = &p->traffic->workers[worker];
	const struct worker *w = p->dp->workers[worker];

	traffic_read_worker(p->traffic, worker, &out->counters);
	out->worker = worker;
	out->lcore = w->lcore;
	out->cpu = first_cpu(w->lcore);
	out->socket = w->socket;
	out->load = (double)(int)(t->load * 1000) / 1000;
	out->busy_s = (double)out->counters.busy_tsc / (double)p->dp->hz;
	out->dropped = sum_of(out->counters.dropped, DROP_MAX);
	out->punted = sum_of(out->counters.punted, PUNT_MAX);
	for (size_t i = 0; i < TRAFFIC_WORKER; i++)
		out->rate[i] = (double)t->rate[i];
	out->rate[TRAFFIC_WORKER] = rate_of(&t->rate[WORD(dropped)], DROP_MAX);
	out->rate[TRAFFIC_WORKER + 1] = rate_of(&t->rate[WORD(punted)], PUNT_MAX);
	out->drops = (struct shown_vector){
		.names = drop_names, .values = out->counters.dropped, .n = DROP_MAX};
	out->punts = (struct shown_vector){
		.names = punt_names, .values = out->counters.punted, .n = PUNT_MAX};
}

static void build_labels(const struct router_parts *p, char *buf, size_t len)
{
	buf[0] = '\0';
	expo_label(buf, len, "version", PLVS_VERSION);
	expo_label(buf, len, "dpdk", p->dpdk_version ? p->dpdk_version : rte_version());
	expo_label(buf, len, "router", p->config->node.name);
}

void process_view(const struct router_parts *p, struct process_texts *texts,
		  struct shown_process *out)
{
	const uint64_t now = clock_us();
	struct worker_counters sum = {0};

	*out = (struct shown_process){.build = texts->build};
	build_labels(p, texts->build, sizeof(texts->build));
	if (p->dp)
		dataplane_worker_counters(p->dp, &sum);
	table_sums_read(p->dp, &texts->tables);
	out->entries = (struct shown_vector){
		.names = table_family_names, .values = texts->tables.entries, .n = TABLE_FAMILIES};
	out->capacity = texts->tables.capacity;
	out->bytes = texts->tables.bytes;
	out->uptime_us = now - p->started_us;
	out->applied_us = now - p->applied_us;
	out->generation = p->publisher->live->generation;
	out->services = p->config->shared.n_services;
	out->servers = p->config->n_servers;
	out->connections = sum.connections;
	out->embryonic = sum.embryonic;
	out->not_assured = sum.not_assured;
	out->ending = sum.ending;
	out->nearly_full = p->table_warning && table_warning_text(p->table_warning);
	out->ports_scarce = p->local_port_warning && local_port_warning_text(p->local_port_warning);
	if (p->dp) {
		const struct kept_report *k = &p->dp->kept;
		struct ledger_view ledger;

		out->ledger = ledger_view(p->dp, &ledger) && !ledger.fault[0];
		out->ledger_bytes = ledger.bytes;
		out->ledger_missed = ledger.missed;
		out->kept = k->taken;
		out->kept_dropped = k->unknown + k->half + k->damaged + k->no_room + k->refused;
	}
	out->clients = p->clients;
	out->spawner_restarts = p->spawner.restarts;
	out->late = (struct shown_vector){.names = quantiles, .values = texts->late_us};
	if (p->metrics) {
		metrics_lateness(p->metrics, texts->late_us, &out->late_max_us);
		metrics_scrapes(p->metrics, &out->scrape);
		out->late.n = 3;
	}
}

/* Of all checks together. */
void health_totals(const struct router_parts *p, struct shown_health *out)
{
	*out = (struct shown_health){.verdicts = p->verdicts};
	if (p->health) {
		health_counters(p->health, &out->health);
		out->quorums_lost = health_lost(p->health, NULL, 0);
	}
	out->late =
		(struct shown_vector){.names = quantiles, .values = out->health.late_us, .n = 3};
}
