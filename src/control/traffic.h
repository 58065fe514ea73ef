/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_TRAFFIC_H
#define PLVS_CONTROL_TRAFFIC_H

/*
 * Counters of services, servers, ports and workers, and their change per second, sampled
 * every 2 s. Workers count by run-time id and never reset: what an id had before its
 * object was made is kept here and taken off.
 * Context: the control thread.
 */

#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

#define TRAFFIC_SERVER 5 /* fields of struct server_counters */
#define TRAFFIC_PORT   7 /* of struct port_counters */
#define TRAFFIC_DEVICE (sizeof(struct device_counters) / sizeof(uint64_t))
#define TRAFFIC_WORKER (sizeof(struct worker_counters) / sizeof(uint64_t))

_Static_assert(sizeof(struct server_counters) == TRAFFIC_SERVER * 8, "fields are counted");
_Static_assert(sizeof(struct port_counters) == TRAFFIC_PORT * 8, "fields are counted");

struct traffic_server {
	struct server_counters base; /* before the object was made */
	struct passive_counters passive_base;
	struct server_counters last; /* at last_us */
	float rate[TRAFFIC_SERVER];
	uint64_t last_us; /* 0: no sample */
};

struct traffic_port {
	struct port_counters last;
	float rate[TRAFFIC_PORT];
	struct device_counters device_last;
	float device_rate[TRAFFIC_DEVICE];
};

struct traffic_worker {
	struct worker_counters last;
	float rate[TRAFFIC_WORKER];
	float load; /* share of time in rounds with work, 0 to 1 */
};

struct traffic {
	struct dataplane *dp; /* or NULL: everything is 0 */
	struct runtime *runtime;
	struct traffic_server *servers; /* [MAX_SERVERS + 1], memory comes with use */
	struct traffic_port ports[MAX_PORTS];
	struct traffic_worker workers[MAX_WORKERS];
	uint64_t last_us; /* of ports and workers */
	struct event *sample_ev;
	uint32_t next_id; /* of the pass under way over servers */
	uint64_t samples; /* steps so far; control: wo, main: ro */
};

struct traffic_sum {
	struct server_counters counters;
	double rate[TRAFFIC_SERVER];
};

/* 0 or -ENOMEM. */
int traffic_init(struct traffic *t, struct dataplane *dp, struct runtime *runtime);
int traffic_attach(struct traffic *t, struct event_base *base);
void traffic_detach(struct traffic *t);
void traffic_fini(struct traffic *t);

/* Adds a server's traffic to sum. */
void traffic_add_server(const struct traffic *t, uint32_t server_id, struct traffic_sum *sum);
void traffic_add(struct traffic_sum *sum, const struct traffic_sum *more);
/* Adds what servers had that are no more. */
/* A service and its servers count from zero. */
void traffic_restart(struct traffic *t, struct service_rt *svc);
void traffic_add_retired(const struct server_counters *retired, struct traffic_sum *sum);
/* By service id: what removed servers had that still wait for their connections to end.
 * [MAX_SERVICES + 1], for free(); NULL: no memory. */
struct traffic_sum *traffic_of_removed(const struct traffic *t);
/* A server leaves its id: what it had goes to its service. */
void traffic_forget(struct traffic *t, struct service_rt *svc, const struct server_rt *srv);

/* What became of clients' SYNs; answer_max_us is 0 when it may be of the id's last object. */
void traffic_read_passive(const struct traffic *t, uint32_t server_id,
			  struct passive_counters *out);

/* Relaxed copies. */
void traffic_read_worker(const struct traffic *t, uint16_t worker, struct worker_counters *out);
void traffic_read_port(const struct traffic *t, uint16_t port, struct port_counters *out);

/* One pass for tests: as if the sample timer had fired and all of it was done. */
void traffic_sample(struct traffic *t, uint64_t now_us);

/* To one decimal: what people read. */
double traffic_round(double rate);
/* {conns, in_pkts, ...}. New references. */
json_t *traffic_counters_json(const struct server_counters *counters);
json_t *traffic_passive_json(const struct passive_counters *counters);
json_t *traffic_rates_json(const double rate[TRAFFIC_SERVER]);

#endif
