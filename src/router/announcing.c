/* SPDX-License-Identifier: BSD-3-Clause */
#include "router/announcing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "sched/sched.h"

#define AREA	 "announce"
#define LOOK_MS	 100
#define QUIET_MS 500 /* without a packet for VIPs: the network has taken up the withdrawal */

/* --- what the routes ask for: on their thread --- */

static bool ports_up(void *arg)
{
	const struct announcing *a = arg;

	for (uint16_t i = 0; i < a->dp->n_ports; i++)
		if (!__atomic_load_n(&a->dp->ports[i].carrier, __ATOMIC_RELAXED))
			return false;
	return true;
}

static bool active(void *arg)
{
	const struct announcing *a = arg;
	const uint64_t lease = __atomic_load_n(&a->dp->pub.vip_lease, __ATOMIC_RELAXED);

	return lease == VIP_LEASE_NONE || (lease != VIP_LEASE_OFF && rte_rdtsc() < lease);
}

static void wake(void *arg)
{
	const struct announcing *a = arg;

	published_wake(&a->dp->pub);
}

static void changed(void *arg, const struct vip_route *list, uint32_t n, bool announced)
{
	const struct announcing *a = arg;

	control_announced(a->control, list, n, announced);
}

/* --- life --- */

int announcing_prepare(struct announcing *a, const struct config_node *node, char error[ERROR_TEXT])
{
	a->config.table = node->announce.table;
	a->config.stuck_ms = node->announce.stuck_ms;
	a->drain_ms = node->announce.drain_ms;
	snprintf(a->config.netns, sizeof(a->config.netns), "%s", node->netns ? node->netns : "");
	return a->config.table ? vip_routes_clear(a->config.table, a->config.netns, error) : 0;
}

int announcing_start(struct announcing *a, struct dataplane *dp, struct control *control,
		     char error[ERROR_TEXT])
{
	int ret;

	if (!a->config.table)
		return 0;
	a->dp = dp;
	a->control = control;
	a->config.n_workers = dp->n_workers;
	for (uint16_t i = 0; i < dp->n_workers; i++)
		a->config.progress[i] = &dp->workers[i]->progress;
	a->config.host = (struct vip_routes_host){
		.ports_up = ports_up, .active = active, .wake = wake, .changed = changed, .arg = a};
	ret = vip_routes_start(&a->config, &a->routes, error);
	if (ret < 0)
		return ret;
	/* A kernel without this question announces all the same. */
	if (bgp_look_open(&a->bgp, a->config.netns, error) < 0)
		log_warning(AREA, "whether a routing daemon runs is not known: %s", error);
	control_set_routes(control, a->routes, &a->bgp);
	return 0;
}

void announcing_ready(struct announcing *a)
{
	if (a->routes)
		vip_routes_ready(a->routes);
}

static uint64_t lookups(const struct dataplane *dp)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < dp->n_workers; i++)
		sum += __atomic_load_n(&dp->workers[i]->counters.lookups, __ATOMIC_RELAXED);
	return sum;
}

void announcing_leave(struct announcing *a, const sigset_t *set)
{
	static const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
	const uint64_t begin_ms = clock_ms();
	uint64_t seen, seen_ms = begin_ms, now_ms;
	struct vip_routes_status s;

	if (!a->routes)
		return;
	vip_routes_status(a->routes, &s);
	vip_routes_leave(a->routes);
	if (s.announced == 0)
		return; /* nothing comes by these routes */
	seen = lookups(a->dp);
	do {
		if (sigtimedwait(set, NULL, &look) > 0)
			return;
		now_ms = clock_ms();
		if (lookups(a->dp) != seen) {
			seen = lookups(a->dp);
			seen_ms = now_ms;
		}
	} while (now_ms - seen_ms < QUIET_MS && now_ms - begin_ms < a->drain_ms);
	log_notice(AREA, "VIPs are withdrawn; %s after %llu ms",
		   now_ms - seen_ms >= QUIET_MS ? "no packet for them comes any more"
						: "packets for them still come",
		   (unsigned long long)(now_ms - begin_ms));
}

void announcing_stop(struct announcing *a)
{
	vip_routes_stop(a->routes);
	a->routes = NULL;
	bgp_look_close(&a->bgp);
}

int announcing_withdraw(const char *config_path)
{
	struct config_errors errors;
	struct config *config = NULL;
	char error[ERROR_TEXT];
	int ret;

	config_errors_init(&errors);
	ret = config_load(config_path, sched_names(), &config, &errors);
	config_errors_fini(&errors);
	if (ret < 0) {
		fprintf(stderr, "plvs: --withdraw: %s is not valid: plvs -t says why\n",
			config_path);
		return 1;
	}
	if (config->node.announce.table)
		ret = vip_routes_clear(config->node.announce.table,
				       config->node.netns ? config->node.netns : "", error);
	if (ret < 0)
		fprintf(stderr, "plvs: %s\n", error);
	config_destroy(config);
	return ret < 0;
}
