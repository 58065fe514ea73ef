/* SPDX-License-Identifier: BSD-3-Clause */
/* Families of which there are few samples: the process, workers, ports, health. */
#include <rte_version.h>
#include <stdlib.h>
#include <string.h>

#include "control/metrics_internal.h"
#include "control/health_watch.h"
#include "dataplane/port_device.h"
#include "spawn/spawner.h"

#define LABELS 256

static void one(struct evbuffer *out, const char *name, enum expo_type type, const char *help,
		uint64_t value)
{
	const struct expo_family f = {name, type, NULL, help};

	expo_head(out, &f);
	expo_count(out, &f, "", value);
}

static void one_seconds(struct evbuffer *out, const char *name, const char *help, double value)
{
	const struct expo_family f = {name, EXPO_GAUGE, "seconds", help};

	expo_head(out, &f);
	expo_number(out, &f, "", value);
}

/* --- the process --- */

static void quantiles(struct evbuffer *out, const struct expo_family *f, const struct lateness *l,
		      uint64_t now_us)
{
	static const struct {
		const char *labels;
		uint32_t permille;
	} q[] = {{"quantile=\"0.5\"", 500}, {"quantile=\"0.99\"", 990}, {"quantile=\"1\"", 1000}};

	expo_head(out, f);
	for (size_t i = 0; l && i < sizeof(q) / sizeof(q[0]); i++)
		expo_number(out, f, q[i].labels,
			    (double)lateness_quantile(l, now_us, q[i].permille) / 1e6);
}

static void write_control(const struct control *c, struct evbuffer *out)
{
	static const struct expo_family late = {
		"plvs_control_late_seconds", EXPO_GAUGE, "seconds",
		"lateness of the control loop's timers over the last 10 s"};
	const struct metrics *m = c->metrics;
	struct scrape_counters s = {0};
	struct spawner_status programs;

	programs_status(c, &programs);
	one(out, "plvs_spawner_restarts", EXPO_COUNTER,
	    "times that the process that runs programs was started again", programs.restarts);
	quantiles(out, &late, m ? &m->late : NULL, clock_us());
	one_seconds(out, "plvs_control_late_max_seconds", "the worst lateness since the start",
		    m ? (double)m->late_max_us / 1e6 : 0);
	if (m && m->server)
		scrape_server_counters(m->server, &s);
#define X(name, help) one(out, "plvs_metrics_" #name, EXPO_COUNTER, help, s.name);
	SCRAPE_COUNTERS(X)
#undef X
}

void metrics_write_process(const struct control *c, struct evbuffer *out)
{
	static const struct expo_family build = {"plvs_build", EXPO_INFO, NULL, "versions"};
	struct worker_counters sum = {0};
	uint64_t capacity = 0, bytes = 0;
	char labels[LABELS] = "";

	if (c->dp)
		dataplane_worker_counters(c->dp, &sum);
	for (uint16_t i = 0; c->dp && i < c->dp->n_workers; i++) {
		capacity += c->dp->workers[i]->table4.capacity;
		bytes += c->dp->workers[i]->table4.bytes;
	}
	expo_label(labels, sizeof(labels), "version", PLVS_VERSION);
	expo_label(labels, sizeof(labels), "dpdk",
		   c->dpdk_version ? c->dpdk_version : rte_version());
	expo_label(labels, sizeof(labels), "router", c->config->node.name);
	expo_head(out, &build);
	expo_count(out, &build, labels, 1);
	one_seconds(out, "plvs_uptime_seconds", "since the start",
		    (double)(clock_us() - c->started_us) / 1e6);
	one(out, "plvs_configuration_generation", EXPO_GAUGE,
	    "of what workers read; grows with every change", c->publisher.live->generation);
	one_seconds(out, "plvs_configuration_age_seconds",
		    "since the configuration came as a whole",
		    (double)(clock_us() - c->applied_us) / 1e6);
	one(out, "plvs_services", EXPO_GAUGE, "virtual services", c->config->shared.n_services);
	one(out, "plvs_servers", EXPO_GAUGE, "real servers of all services", c->config->n_servers);
	one(out, "plvs_connections", EXPO_GAUGE, "connections that are tracked", sum.connections);
	one(out, "plvs_connections_embryonic", EXPO_GAUGE, "of these: half open", sum.embryonic);
	one(out, "plvs_connections_not_assured", EXPO_GAUGE,
	    "of these: established, but by no evidence; these give way", sum.not_assured);
	one(out, "plvs_connections_ending", EXPO_GAUGE,
	    "of these: TIME_WAIT, CLOSE and the like; these give way first", sum.ending);
	one(out, "plvs_connections_nearly_full", EXPO_GAUGE,
	    "1 from nine tenths of a worker's table on, until all are below eight tenths",
	    table_watch_warning(&c->table_watch) != NULL);
	one(out, "plvs_connections_capacity", EXPO_GAUGE, "connections there is room for",
	    capacity);
	{
		const struct expo_family f = {"plvs_connections_bytes", EXPO_GAUGE, "bytes",
					      "memory of the connection tables"};

		expo_head(out, &f);
		expo_count(out, &f, "", bytes);
	}
	one(out, "plvs_control_clients", EXPO_GAUGE, "clients of the control socket",
	    c->server ? rpc_server_clients(c->server) : 0);
	write_control(c, out);
}

/* --- workers --- */

#define WORD(name) (offsetof(struct worker_counters, name) / sizeof(uint64_t))

struct workers_now {
	uint16_t n;
	const struct control *control;
	const struct worker_counters *v;
};

static void worker_family(const struct workers_now *w, struct evbuffer *out, const char *name,
			  enum expo_type type, const char *help, size_t word)
{
	const struct expo_family f = {name, type, NULL, help};
	char labels[32];

	expo_head(out, &f);
	for (uint16_t i = 0; i < w->n; i++) {
		snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
		expo_count(out, &f, labels, ((const uint64_t *)&w->v[i])[word]);
	}
}

static void named_family(const struct workers_now *w, struct evbuffer *out,
			 const struct expo_family *f, const char *label, size_t word, size_t n,
			 const char *const *names)
{
	expo_head(out, f);
	for (uint16_t i = 0; i < w->n; i++) {
		for (size_t k = 0; k < n; k++) {
			char labels[LABELS];

			snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
			expo_label(labels, sizeof(labels), label, names[k]);
			expo_count(out, f, labels, ((const uint64_t *)&w->v[i])[word + k]);
		}
	}
}

static void busy_families(const struct workers_now *w, struct evbuffer *out)
{
	static const struct expo_family busy = {"plvs_worker_busy_seconds", EXPO_COUNTER, "seconds",
						"time in polling rounds with work"};
	static const struct expo_family load = {"plvs_worker_load", EXPO_GAUGE, NULL,
						"share of time in rounds with work, 0 to 1, over "
						"the last 2 s"};
	char labels[32];

	expo_head(out, &busy);
	for (uint16_t i = 0; i < w->n; i++) {
		snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
		expo_number(out, &busy, labels,
			    (double)w->v[i].busy_tsc / (double)w->control->dp->hz);
	}
	expo_head(out, &load);
	for (uint16_t i = 0; i < w->n; i++) {
		snprintf(labels, sizeof(labels), "worker=\"%u\"", i);
		expo_number(out, &load, labels, (double)w->control->traffic.workers[i].load);
	}
}

void metrics_write_workers(const struct control *c, struct evbuffer *out)
{
	static const struct expo_family drops = {"plvs_worker_drops", EXPO_COUNTER, NULL,
						 "packets dropped, by reason"};
	static const struct expo_family punts = {"plvs_worker_punts", EXPO_COUNTER, NULL,
						 "packets given to Linux, by class"};
	uint16_t n = c->dp ? c->dp->n_workers : 0;
	struct worker_counters *v = calloc(n + 1U, sizeof(*v));
	struct workers_now w = {v ? n : 0, c, v};

	for (uint16_t i = 0; i < w.n; i++)
		traffic_read_worker(&c->traffic, i, &v[i]);
#define X(name, help)                                                                              \
	if (WORD(name) != WORD(busy_tsc))                                                          \
		worker_family(&w, out, "plvs_worker_" #name, EXPO_COUNTER, help, WORD(name));
	WORKER_COUNTERS(X)
#undef X
	worker_family(&w, out, "plvs_worker_parked", EXPO_GAUGE,
		      "packets that wait for a next hop, a fragment or a home", WORD(parked));
	worker_family(&w, out, "plvs_worker_connections", EXPO_GAUGE, "connections that it owns",
		      WORD(connections));
	worker_family(&w, out, "plvs_worker_embryonic", EXPO_GAUGE, "of these: half open",
		      WORD(embryonic));
	worker_family(&w, out, "plvs_worker_not_assured", EXPO_GAUGE,
		      "of these: established, but by no evidence", WORD(not_assured));
	worker_family(&w, out, "plvs_worker_ending", EXPO_GAUGE,
		      "of these: TIME_WAIT, CLOSE and the like", WORD(ending));
	worker_family(&w, out, "plvs_worker_templates", EXPO_GAUGE,
		      "templates of persistence that it owns", WORD(templates));
	busy_families(&w, out);
	named_family(&w, out, &drops, "reason", WORD(dropped), DROP_MAX, drop_names);
	named_family(&w, out, &punts, "class", WORD(punted), PUNT_MAX, punt_names);
	free(v);
}

/* --- ports --- */

static const struct {
	struct expo_family family;
	size_t word;
} port_families[] = {
#define ROW(name, unit, help, member)                                                              \
	{                                                                                          \
		{"plvs_port_" name, EXPO_COUNTER, unit, help},                                     \
			offsetof(struct port_counters, member) / sizeof(uint64_t)                  \
	}
	ROW("rx_packets", NULL, "frames received", rx_pkts),
	ROW("rx_bytes", "bytes", "bytes of frames received", rx_bytes),
	ROW("tx_packets", NULL, "frames sent", tx_pkts),
	ROW("tx_bytes", "bytes", "bytes of frames sent", tx_bytes),
	ROW("rx_handed_off", NULL, "frames received by another worker than their owner",
	    rx_handed_off),
	ROW("tx_handed_off", NULL, "frames sent by another worker's queue", tx_handed_off),
	ROW("tx_full", NULL, "frames that the transmit queue did not take", tx_full),
#undef ROW
};

static const struct {
	struct expo_family family;
	size_t word;
} device_families[] = {
#define X(name, loss, help)                                                                        \
	{{"plvs_port_device_" #name, EXPO_COUNTER, NULL, help},                                    \
	 offsetof(struct device_counters, name) / sizeof(uint64_t)},
	DEVICE_COUNTERS(X)
#undef X
};

static void port_labels(const struct control *c, uint16_t i, char labels[LABELS])
{
	labels[0] = '\0';
	expo_label(labels, LABELS, "port", c->dp->ports[i].config.name);
}

static void tap_family(const struct control *c, struct evbuffer *out, const char *name,
		       const char *help, size_t word)
{
	const char *tail = strrchr(name, '_');
	const struct expo_family f = {name, EXPO_COUNTER,
				      tail && strcmp(tail, "_bytes") == 0 ? "bytes" : NULL, help};
	char labels[LABELS];

	expo_head(out, &f);
	for (uint16_t i = 0; c->dp && c->link && i < c->dp->n_ports; i++) {
		const struct link_port_counters *l = link_port_counters(c->link, i);

		port_labels(c, i, labels);
		if (l)
			expo_count(out, &f, labels,
				   __atomic_load_n(&((const uint64_t *)l)[word], __ATOMIC_RELAXED));
	}
}

static void write_devices(const struct control *c, struct evbuffer *out, uint16_t n)
{
	static const struct expo_family works = {"plvs_port_works", EXPO_GAUGE, NULL,
						 "0: the device is lost, or carries nothing"};
	static const struct expo_family stalls = {
		"plvs_port_stalls", EXPO_COUNTER, NULL,
		"times that a port carried nothing while its device counted drops"};
	static const struct expo_family restarts = {"plvs_port_restarts", EXPO_COUNTER, NULL,
						    "times that a device was opened again"};
	struct device_counters now;
	char labels[LABELS];

#define FAMILY(family, value)                                                                      \
	expo_head(out, &family);                                                                   \
	for (uint16_t i = 0; i < n; i++) {                                                         \
		const struct port *p = &c->dp->ports[i];                                           \
                                                                                                   \
		port_labels(c, i, labels);                                                         \
		expo_count(out, &family, labels, value);                                           \
	}
	FAMILY(works, port_device_works(p))
	FAMILY(stalls, __atomic_load_n(&p->device.stalls, __ATOMIC_RELAXED))
	FAMILY(restarts, __atomic_load_n(&p->device.restarts, __ATOMIC_RELAXED))
#undef FAMILY
	for (size_t k = 0; k < sizeof(device_families) / sizeof(device_families[0]); k++) {
		expo_head(out, &device_families[k].family);
		for (uint16_t i = 0; i < n; i++) {
			dataplane_device_counters(c->dp, i, &now);
			port_labels(c, i, labels);
			expo_count(out, &device_families[k].family, labels,
				   ((const uint64_t *)&now)[device_families[k].word]);
		}
	}
}

void metrics_write_ports(const struct control *c, struct evbuffer *out)
{
	static const struct expo_family carrier = {"plvs_port_carrier", EXPO_GAUGE, NULL,
						   "1: the link is up"};
	uint16_t n = c->dp ? c->dp->n_ports : 0;
	static const struct expo_family silent = {
		"plvs_port_silent", EXPO_GAUGE, NULL,
		"1: nothing is received, though the link is up and Linux asks for neighbours"};
	struct port_counters now;
	char labels[LABELS];

	for (size_t k = 0; k < sizeof(port_families) / sizeof(port_families[0]); k++) {
		expo_head(out, &port_families[k].family);
		for (uint16_t i = 0; i < n; i++) {
			traffic_read_port(&c->traffic, i, &now);
			port_labels(c, i, labels);
			expo_count(out, &port_families[k].family, labels,
				   ((const uint64_t *)&now)[port_families[k].word]);
		}
	}
	expo_head(out, &carrier);
	for (uint16_t i = 0; i < n; i++) {
		port_labels(c, i, labels);
		expo_count(out, &carrier, labels,
			   __atomic_load_n(&c->dp->ports[i].carrier, __ATOMIC_RELAXED));
	}
	expo_head(out, &silent);
	for (uint16_t i = 0; i < n; i++) {
		port_labels(c, i, labels);
		expo_count(out, &silent, labels,
			   __atomic_load_n(&c->dp->ports[i].silent, __ATOMIC_RELAXED) != 0);
	}
	write_devices(c, out, n);
#define X(name, help)                                                                              \
	tap_family(c, out, "plvs_port_" #name, help,                                               \
		   offsetof(struct link_port_counters, name) / sizeof(uint64_t));
	LINK_PORT_COUNTERS(X)
#undef X
}

/* --- health --- */

static void health_one(struct evbuffer *out, const char *name, const char *help, uint64_t value)
{
	static const char *const gauges[] = {"plvs_health_watches", "plvs_health_members",
					     "plvs_health_queued", "plvs_health_in_flight",
					     "plvs_health_not_made"};
	enum expo_type type = EXPO_COUNTER;
	size_t len = strlen(name);

	if (len > 3 && strcmp(name + len - 3, "_us") == 0)
		return; /* shown in seconds */
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		if (strcmp(gauges[i], name) == 0)
			type = EXPO_GAUGE;
	one(out, name, type, help, value);
}

void metrics_write_health(const struct control *c, struct evbuffer *out)
{
	static const struct expo_family late = {"plvs_health_late_seconds", EXPO_GAUGE, "seconds",
						"lateness of probes over the last 10 s"};
	const struct health *health = watching_health(c);
	struct health_counters h = {0};
	struct watching_counters w;

	if (health)
		health_counters(health, &h);
	watching_counters(c, &w);
#define X(name, help) health_one(out, "plvs_health_" #name, help, h.name);
	HEALTH_COUNTERS(X)
#undef X
#define X(name, help) health_one(out, "plvs_health_" #name, help, w.name);
	WATCHING_COUNTERS(X)
#undef X
	expo_head(out, &late);
	expo_number(out, &late, "quantile=\"0.5\"", (double)h.late_p50_us / 1e6);
	expo_number(out, &late, "quantile=\"0.99\"", (double)h.late_p99_us / 1e6);
	expo_number(out, &late, "quantile=\"1\"", (double)h.late_max_us / 1e6);
	one_seconds(out, "plvs_health_swap_last_seconds",
		    "from a verdict to its publication, last one", (double)w.swap_last_us / 1e6);
	one_seconds(out, "plvs_health_swap_max_seconds",
		    "from a verdict to its publication, longest one", (double)w.swap_max_us / 1e6);
	one(out, "plvs_health_quorums_lost", EXPO_GAUGE, "virtual services without their quorum",
	    health ? health_lost(health, NULL, 0) : 0);
}
