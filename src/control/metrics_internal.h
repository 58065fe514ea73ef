/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_METRICS_INTERNAL_H
#define PLVS_CONTROL_METRICS_INTERNAL_H

/* What the files metrics*.c share among themselves. Nobody else includes it. */

#include "rpc/openmetrics.h"
#include "control/control_internal.h"
#include "control/metrics.h"
#include "rpc/scrape.h"
#include "base/lateness.h"

struct metrics {
	struct scrape_server *server; /* NULL: could not be opened */
	char fault[256];
	/* How late the loop is: a timer that looks at the clock. */
	struct event *tick_ev;
	uint64_t tick_due_us;
	struct lateness late;
	uint64_t late_max_us; /* since the start */
};

/* --- rows: a picture of services and servers --- */

struct metrics_service {
	char *labels; /* service="tcp:192.0.2.80:80" */
	char *name, *scheduler;
	struct server_counters counters;
	uint64_t servers, up, unknown, chosen;
	bool held;
};

struct metrics_server {
	char *labels; /* service="...",server="10.0.0.1:80" */
	struct server_counters counters;
	struct passive_counters passive;
	uint64_t probes, failures, errors, edges, checked_ms, active, inactive;
	uint32_t weight, configured, duration_us;
	uint8_t standing, admin;
	bool chosen, overloaded, asked, handshakes;
};

struct metrics_rows {
	struct control *control;
	/* Chunks, so that nothing large is ever copied. */
	struct metrics_service **services;
	struct metrics_server **servers;
	uint32_t n_services, n_servers, max_services,
		max_servers; /* max: chunks there is room for */
	/* --- the walk --- */
	struct traffic_sum *removed; /* by service id */
	uint64_t *taken;	     /* bit per service id: nothing is there twice */
	const struct config *config;
	uint32_t next, n_walked; /* of n_walked services */
};

/* 0 or -ENOMEM. */
int metrics_rows_init(struct metrics_rows *r, struct control *c);
void metrics_rows_fini(struct metrics_rows *r);
/* Until about end_us. 1: there is more; 0: complete; -ENOMEM. */
int metrics_rows_take(struct metrics_rows *r, uint64_t end_us);

/* --- families: each with its head; place is 0 at first. --- */

/* Samples of family by family, until about end_us or max bytes. True: there is more. */
struct metrics_place {
	uint32_t family, row;
};
bool metrics_write_services(const struct metrics_rows *r, struct metrics_place *at,
			    struct evbuffer *out, uint64_t end_us);
bool metrics_write_servers(const struct metrics_rows *r, struct metrics_place *at,
			   struct evbuffer *out, uint64_t end_us);
/* Each is one step: bounded by workers and ports. */
void metrics_write_process(const struct control *c, struct evbuffer *out);
void metrics_write_workers(const struct control *c, struct evbuffer *out);
void metrics_write_ports(const struct control *c, struct evbuffer *out);
void metrics_write_health(const struct control *c, struct evbuffer *out);
void metrics_write_ha(const struct control *c, struct evbuffer *out);

#endif
