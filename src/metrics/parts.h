/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_PARTS_H
#define PLVS_METRICS_PARTS_H

/* The parts of the router that are shown, as control has them at this moment: for one step of the
 * control thread. Any pointer but config, boot, pub, publisher and traffic may be NULL. */

#include "announce/bgp_look.h"
#include "announce/vip_routes.h"
#include "config/config.h"
#include "ha/ha.h"
#include "health/health.h"
#include "link/link.h"
#include "metrics/local_port_warning.h"
#include "metrics/ring_warning.h"
#include "metrics/table_warning.h"
#include "metrics/traffic.h"
#include "publish/publisher.h"
#include "shown/verdict_counters.h"
#include "spawn/spawner.h"

struct metrics;

struct router_parts {
	const struct config *config, *boot;
	const struct published *pub;
	const struct publisher *publisher;
	const struct traffic *traffic;
	struct dataplane *dp;
	const struct link *link;
	struct ha *ha;
	const struct vip_routes *routes;
	const struct bgp_look *bgp;
	bool drained; /* by an operator */
	const struct health *health;
	const struct table_warning *table_warning;
	const struct local_port_warning *local_port_warning;
	const struct metrics *metrics;
	struct verdict_counters verdicts;
	struct spawner_status spawner;
	const char *dpdk_version;
	uint64_t started_us, applied_us;
	uint32_t clients; /* of the control socket */
	/* Of status alone. */
	struct {
		const char *state, *file; /* or NULL */
		const char *digest;	  /* of the shared configuration */
		bool unsaved; /* the shared configuration is another one than the file's */
		uint64_t jumps, jump_ago_s; /* of the wall clock */
		int64_t jump_last_ms;
	} status;
};

#endif
