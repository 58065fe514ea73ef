/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_OBJECT_VIEW_H
#define PLVS_METRICS_OBJECT_VIEW_H

/* Fills the objects of shown/objects.h, each in one place. Context: the control thread. */

#include "config/config.h"
#include "dataplane/sync/ledger.h"
#include "metrics/parts.h"
#include "shown/objects.h"

/* Texts that an object borrows. */
struct server_texts {
	char endpoint[ENDPOINT_STRLEN];
	struct health_view health;
};
struct port_texts {
	char mac[MAC_STRLEN];
};
struct process_texts {
	char build[256];
	uint64_t late_us[3];
	uint64_t kept_dropped[5];
	struct table_sums tables;
};
struct path_texts {
	char local[ENDPOINT_STRLEN], peer[ENDPOINT_STRLEN];
};

void process_view(const struct router_parts *p, struct process_texts *texts,
		  struct shown_process *out);
void ledger_shown(const struct router_parts *p, struct ledger_view *texts,
		  struct shown_ledger *out);
void worker_view(const struct router_parts *p, uint16_t worker, struct shown_worker *out);
void port_view(const struct router_parts *p, uint16_t port, struct port_texts *texts,
	       struct shown_port *out);
/* rt: the service's run-time object, or NULL. */
void server_view(const struct router_parts *p, const char *key, const struct service_rt *rt,
		 const struct config_server *server, struct server_texts *texts,
		 struct shown_server *out);
/* The traffic of one server alone. */
void server_traffic_view(const struct router_parts *p, uint32_t server_id,
			 struct shown_server *out);
/* sum: the traffic of its servers that are there now. removed: of traffic_of_removed(). */
void service_view(const struct router_parts *p, const struct config_service *svc, const char *key,
		  const struct service_rt *rt, const struct traffic_sum *sum,
		  const struct traffic_sum *removed, struct shown_service *out);
void health_totals(const struct router_parts *p, struct shown_health *out);
void fleet_view(const struct router_parts *p, struct shown_fleet *out);
/* s is filled already. */
void pair_view(struct shown_pair *out);
void path_view(const struct ha_path_status *s, struct path_texts *texts, struct shown_path *out);
void witness_view(const struct ha_witness_status *s, struct shown_witness *out);

#endif
