/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SHOWN_OBJECTS_H
#define PLVS_SHOWN_OBJECTS_H

/*
 * The objects that tables show. One place fills each (metrics/...view.c, or the method that lists
 * it). Texts are borrowed, so an object lives only as long as its use.
 */

#include "announce/vip_routes.h"
#include "ha/ha.h"
#include "health/health.h"
#include "link/link.h"
#include "model/counters.h"
#include "rpc/scrape.h"
#include "shown/shown.h"
#include "shown/verdict_counters.h"

#define WORDS_OF(type) (sizeof(type) / sizeof(uint64_t))

struct shown_process {
	const char *build; /* labels */
	uint64_t uptime_us, generation, applied_us, services, servers;
	uint64_t connections, embryonic, not_assured, ending, capacity, bytes;
	struct shown_vector entries; /* of the connection tables, by family */
	bool nearly_full, ports_scarce;
	uint64_t kept, kept_dropped, ledger_bytes, ledger_missed;
	bool ledger;
	uint64_t clients, spawner_restarts;
	struct shown_vector late; /* of the control loop's timers */
	uint64_t late_max_us;
	struct scrape_counters scrape;
};

struct shown_service {
	const char *labels; /* beside its key */
	const char *key, *name;
	int64_t id;
	bool running; /* it has a run-time object */
	uint64_t servers, up, unknown, chosen, active, inactive;
	bool held, lost;
	struct server_counters counters;
	double rate[WORDS_OF(struct server_counters)];
};

struct shown_server {
	const char *service, *server, *name;
	int64_t id;
	bool running, checked, asked, handshakes, named; /* parts that are known */
	uint64_t active, inactive;
	bool overloaded, down, chosen, sorry, drain, maint;
	uint32_t weight, effective, weight_low, weight_high, duration_us;
	uint8_t standing, admin;
	const char *weight_source, *standing_word, *state_word, *admin_word, *reason;
	uint64_t since_ms, state_s, checked_ms, probes, failures, errors, edges;
	struct server_counters counters;
	double rate[WORDS_OF(struct server_counters)];
	struct passive_counters passive;
	uint64_t answer_mean_us;
};

struct shown_connection {
	const char *protocol, *client, *virtual, *server, *local, *client_address, *header, *state,
		*method;
	uint32_t expires_s, idle_s;
	int64_t worker;
	bool active, template;
};

struct shown_worker {
	int64_t worker, lcore, cpu, socket;
	double load, busy_s;
	struct worker_counters counters;
	uint64_t dropped, punted; /* sums; behind counters */
	double rate[WORDS_OF(struct worker_counters) + 2];
	struct shown_vector drops, punts;
};

struct shown_port {
	int64_t port;
	const char *name, *device, *driver, *mac, *tap, *rss_asked, *rss, *rx_wake, *big_frames,
		*state;
	bool link_up, silent, works, has_tap;
	int64_t speed_mbps, mtu, socket, queues_asked, rx_queues, tx_queues;
	uint64_t state_s, stalls, restarts;
	struct port_counters counters;
	struct device_counters device_counters; /* behind counters */
	double rate[WORDS_OF(struct port_counters) + WORDS_OF(struct device_counters)];
	struct link_port_counters tap_counters;
};

/* Of all checks together. */
struct shown_health {
	struct health_counters health;
	struct verdict_counters verdicts;
	struct shown_vector late;
	uint64_t quorums_lost;
};

struct shown_check {
	const char *name, *type, *state, *reason;
	uint64_t checked_ms, probes, failures, errors;
	uint32_t duration_us;
};

struct shown_pair {
	struct ha_status s;
	const char *state, *role, *reason, *explain, *alarm, *peer_state, *peer_role;
	const char *deadtime_reason;
	bool peer_hears, alarmed, peer_heard; /* was heard ever */
	uint64_t heard_values[5], states[HA_STATE_MAX + 1];
	struct shown_vector state_is, heard, transitions, sync_refused_as;
};

/* The router as a member of a fleet. */
struct shown_fleet {
	struct vip_routes_status s;
	const char *member, *state, *reason, *fault;
	const char *daemon, *daemon_reason;
	uint64_t sessions;
	uint64_t digest;	 /* the first 32 bits of that of the shared configuration */
	bool fleet, on, drained; /* on: the router may announce routes */
	bool standby;
	bool daemon_known, daemon_missing;
};

struct shown_path {
	struct ha_path_status s;
	const char *name, *local, *peer;
	bool heard, timed;
	struct shown_vector refused;
};

struct shown_witness {
	const char *link;
	uint8_t asked, answering;
	uint64_t frames_sent, frames_received, frames_refused, frames_heard_ms;
};

#endif
