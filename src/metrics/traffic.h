/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_TRAFFIC_H
#define PLVS_METRICS_TRAFFIC_H

/*
 * Counters of services, servers, ports and workers, and their change per second, sampled
 * every 2 s. Workers count by run-time id and never reset a counter. So the count of an id from
 * before its object was made is kept here and subtracted. Context: the control thread.
 */

#include <event2/event.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

/* Words of the structs of counters. */
#define TRAFFIC_SERVER (sizeof(struct server_counters) / sizeof(uint64_t))
#define TRAFFIC_PORT   (sizeof(struct port_counters) / sizeof(uint64_t))
#define TRAFFIC_DEVICE (sizeof(struct device_counters) / sizeof(uint64_t))
#define TRAFFIC_WORKER (sizeof(struct worker_counters) / sizeof(uint64_t))

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
	struct dataplane *dp; /* or NULL: all counters are 0 */
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
/* Sets the counters of a service and its servers to zero. */
void traffic_restart(struct traffic *t, struct service_rt *svc);
/* Adds the traffic of released servers. */
void traffic_add_retired(const struct server_counters *retired, struct traffic_sum *sum);
/* By service id: the traffic of removed servers that still wait for their connections to end.
 * [MAX_SERVICES + 1], for free(); NULL: no memory. */
struct traffic_sum *traffic_of_removed(const struct traffic *t);
/* A server is forgotten: adds its traffic to its service. */
void traffic_forget(struct traffic *t, struct service_rt *svc, const struct server_rt *srv);

/* The outcomes of clients' SYNs; answer_max_us is 0 if the maximum may belong to the last server
 * that had the id. */
void traffic_read_passive(const struct traffic *t, uint32_t server_id,
			  struct passive_counters *out);

/* Relaxed copies. */
void traffic_read_worker(const struct traffic *t, uint16_t worker, struct worker_counters *out);
void traffic_read_port(const struct traffic *t, uint16_t port, struct port_counters *out);

#endif
