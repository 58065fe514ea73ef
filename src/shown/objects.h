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
#include "model/kept_report.h"
#include "rpc/scrape.h"
#include "shown/shown.h"
#include "shown/verdict_counters.h"

#define WORDS_OF(type) (sizeof(type) / sizeof(uint64_t))

struct shown_process {
	const char *build; /* labels */
	const char *name, *version, *state, *file, *digest;
	int64_t pid;
	bool has_state, unsaved;
	uint64_t uptime_us, uptime_s, generation, applied_us, applied_s;
	uint64_t workers, ports, services, servers;
	struct worker_counters sum; /* of all workers: connections, doors */
	uint64_t punted, dropped, capacity, bytes;
	struct shown_vector entries; /* of the connection tables, by family */
	bool nearly_full, ports_scarce;
	bool has_kept;
	struct kept_report kept;
	const char *kept_from, *kept_fault;
	struct shown_vector kept_dropped_as;
	uint64_t kept_dropped;
	uint64_t jumps, jump_ago_s; /* of the wall clock */
	int64_t jump_last_ms;
	bool jumped;
	uint64_t clients, spawner_restarts;
	struct shown_vector late; /* of the control loop's timers */
	uint64_t late_max_us;
	struct scrape_counters scrape;
};

struct shown_ledger {
	const char *path, *fault;
	uint64_t bytes, missed;
	bool sound;
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
	/* Of a connection that is asked for alone. */
	const char *service, *nexthop_in, *nexthop_out;
	bool embryonic, no_output, one_packet;
};

struct shown_worker {
	int64_t worker, lcore, cpu, socket;
	double load, busy_s;
	struct worker_counters counters;
	uint64_t dropped, punted; /* sums; behind counters */
	double rate[WORDS_OF(struct worker_counters) + 2];
	struct shown_vector drops, punts;
};

struct shown_queue {
	const char *port;
	int64_t queue;
};

/* A reason for drops, a class of punted packets, a counter of lost frames of a device. */
struct shown_reason {
	const char *port; /* of a device; or NULL */
	const char *name, *help;
	uint64_t count;
	double rate;
	bool device;
};

/* A counter of all checks together, as counter.list has it. */
struct shown_figure {
	const char *name, *help;
	uint64_t value;
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

/* A state that a real server had. */
struct shown_transition {
	uint64_t at_ms;
	const char *state, *admin, *reason;
};

struct shown_quorum {
	bool held, lost, kept;
	uint64_t has, needed, up, servers;
};

/* A real server that left the configuration while connections name it. */
struct shown_removed_server {
	const char *address, *on_server_gone;
	uint64_t connections, drain_left_s;
	bool drains;
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
	uint64_t digest; /* the first 32 bits of that of the shared configuration */
	const char *digest_text;
	char digest_buf[68];
	uint64_t undecided;
	bool fleet, on, drained; /* on: the router may announce routes */
	bool standby;
	bool daemon_known, daemon_missing;
};

/* A route that tells the network where a VIP is served. */
struct shown_vip_route {
	const char *vip;
	int64_t metric;
	bool pool;
};

/* A station that says that an address is its own which is active here. */
struct shown_claim {
	const char *address, *link, *mac;
	bool peer;
	uint64_t count, ago_ms;
};

struct shown_nexthop {
	int64_t id, mtu;
	const char *link, *address, *state, *mac;
	uint64_t used_s;
	bool wanted;
};

struct shown_route {
	const char *prefix, *kind, *via, *link, *source;
	int64_t mtu, metric;
};

/* An address of the configuration, or a VIP that services imply. */
struct shown_address {
	const char *address, *kind, *link; /* of an implied one; link: NULL for both */
	bool active, implied, no_link;
};

struct shown_mark {
	int64_t position;
	uint64_t connections; /* UINT64_MAX: not live yet */
};

struct shown_version {
	int64_t number;
	const char *id, *author, *comment;
	uint64_t time; /* UINT64_MAX: not known */
	bool running, kept;
};

struct shown_trial {
	const char *version, *author;
	double within_s, left_s;
};

/* The shared configurations of the two routers of a pair. */
struct shown_agreement {
	const char *version, *fault, *relation, *peer_version, *peer_fault, *author;
	uint64_t time;
	bool stored, has_author;
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
