/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers, and the process that they are threads of. */
#include <rte_lcore.h>
#include <rte_version.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
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
	expo_label(buf, len, "router", p->boot->node.name);
}

static const char *text_or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

void ledger_shown(const struct router_parts *p, struct ledger_view *texts, struct shown_ledger *out)
{
	*out = (struct shown_ledger){0};
	if (!p->dp)
		return;
	if (ledger_view(p->dp, texts))
		*out = (struct shown_ledger){.path = texts->path,
					     .fault = text_or_null(texts->fault),
					     .bytes = texts->bytes,
					     .missed = texts->missed,
					     .sound = !texts->fault[0]};
	else
		out->fault = text_or_null(p->dp->ledger_fault);
}

/* The connections that the start took up from the process before. */
static void kept_fill(const struct kept_report *k, struct process_texts *texts,
		      struct shown_process *out)
{
	static const char *const sources[] = {
		[KEPT_NOTHING] = NULL, [KEPT_FILE] = "file", [KEPT_LEDGER] = "ledger"};
	static const char *const names[] = {"unknown_server", "half_written", "damaged", "no_room",
					    "refused"};
	const uint64_t dropped[] = {k->unknown, k->half, k->damaged, k->no_room, k->refused};

	memcpy(texts->kept_dropped, dropped, sizeof(dropped));
	out->has_kept = true;
	out->kept = *k;
	out->kept_from = sources[k->source];
	out->kept_fault = text_or_null(k->why);
	out->kept_dropped = sum_of(dropped, 5);
	out->kept_dropped_as =
		(struct shown_vector){.names = names, .values = texts->kept_dropped, .n = 5};
}

/* The facts of status that control knows. */
static void status_fill(const struct router_parts *p, struct shown_process *out)
{
	out->name = p->boot->node.name;
	out->version = PLVS_VERSION;
	out->pid = getpid();
	out->state = p->status.state;
	out->has_state = p->status.state != NULL;
	out->file = p->status.file;
	out->digest = p->status.digest;
	out->unsaved = p->status.unsaved;
	out->jumps = p->status.jumps;
	out->jumped = p->status.jumps > 0;
	out->jump_last_ms = p->status.jump_last_ms;
	out->jump_ago_s = p->status.jump_ago_s;
}

void process_view(const struct router_parts *p, struct process_texts *texts,
		  struct shown_process *out)
{
	const uint64_t now = clock_us();

	*out = (struct shown_process){.build = texts->build};
	build_labels(p, texts->build, sizeof(texts->build));
	status_fill(p, out);
	if (p->dp) {
		dataplane_worker_counters(p->dp, &out->sum);
		kept_fill(&p->dp->kept, texts, out);
		out->workers = p->dp->n_workers;
		out->ports = p->dp->n_ports;
	}
	out->punted = sum_of(out->sum.punted, PUNT_MAX);
	out->dropped = sum_of(out->sum.dropped, DROP_MAX);
	table_sums_read(p->dp, &texts->tables);
	out->entries = (struct shown_vector){
		.names = table_family_names, .values = texts->tables.entries, .n = TABLE_FAMILIES};
	out->capacity = texts->tables.capacity;
	out->bytes = texts->tables.bytes;
	out->uptime_us = now - p->started_us;
	out->uptime_s = out->uptime_us / 1000000;
	out->applied_us = now - p->applied_us;
	out->applied_s = out->applied_us / 1000000;
	out->generation = p->publisher->live->generation;
	out->services = p->config->shared.n_services;
	out->servers = p->config->n_servers;
	out->nearly_full = p->table_warning && table_warning_text(p->table_warning);
	out->ports_scarce = p->local_port_warning && local_port_warning_text(p->local_port_warning);
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
