/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/doctor.h"

#include <string.h>

#include "cli/view.h"

#define HANDOFF_SHARE 0.5  /* of received packets, from which it is worth a word */
#define HANDOFF_LEAST 1000 /* packets received, below which shares mean nothing */
#define LOAD_HIGH     0.95
#define STALL_HOUR_S  3600 /* with a stall of a worker in each hour since the start */
#define JUMP_RECENT_S 3600 /* that a jump of the clock is told */

static bool is_false(const json_t *o, const char *path)
{
	return json_is_false(view_at(o, path));
}

static bool is_true(const json_t *o, const char *path)
{
	return json_is_true(view_at(o, path));
}

/* --- servers --- */

static bool chosen_of(const json_t *rows, const char *service)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (strcmp(view_text(row, "service"), service) == 0 && is_true(row, "chosen"))
			return true;
	return false;
}

static void look_servers(const json_t *health, json_t *out)
{
	const json_t *rows = json_object_get(health, "servers"), *row;
	const char *last = "";
	size_t i;

	json_array_foreach (rows, i, row) {
		const char *service = view_text(row, "service");

		if (strcmp(service, last) != 0 && !chosen_of(rows, service))
			doctor_find(out, FINDING_SERVICE_WITHOUT_SERVERS,
				    "new connections of its clients are refused", "health list",
				    "%s: no real server gets new connections", service);
		last = service;
		if (strcmp(view_text(row, "standing"), "down") == 0)
			doctor_find(out, FINDING_SERVER_DOWN, "the other servers carry its share",
				    "health show SERVICE SERVER", "%s of %s is down: %s",
				    view_text(row, "server"), service, view_text(row, "reason"));
		if (strcmp(view_text(row, "admin"), "none") != 0 && *view_text(row, "admin"))
			doctor_find(out, FINDING_SERVER_FORCED,
				    "its checks decide nothing until it is set to auto",
				    "health force SERVICE SERVER auto", "%s of %s is forced: %s",
				    view_text(row, "server"), service, view_text(row, "admin"));
	}
}

/* --- ports, workers, next hops --- */

static void look_ports(const json_t *list, double workers, json_t *out)
{
	const json_t *port;
	size_t i;

	json_array_foreach (json_object_get(list, "ports"), i, port) {
		const char *name = view_text(port, "name");

		if (is_false(port, "link_up"))
			doctor_find(out, FINDING_PORT_DOWN, "nothing comes or goes by it",
				    "port list", "port %s has no link", name);
		if (view_number(port, "rx_queues") > 0 && view_number(port, "rx_queues") < workers)
			doctor_find(out, FINDING_QUEUES_BELOW_WORKERS,
				    "workers without a queue get their packets by hand-off",
				    "port list", "port %s has %.0f receive queues for %.0f workers",
				    name, view_number(port, "rx_queues"), workers);
		if (json_is_null(json_object_get(port, "tap")))
			doctor_find(out, FINDING_TAP_MISSING,
				    "Linux cannot resolve next hops or answer by this port",
				    "port list", "port %s has no TAP", name);
	}
}

static void look_stalls(const json_t *w, double uptime_s, json_t *out)
{
	const double stalls = view_number(w, "counters.stalls");

	if (stalls < 1 || uptime_s <= 0 || stalls * STALL_HOUR_S < uptime_s)
		return;
	doctor_find(out, FINDING_WORKER_STALLED,
		    "packets wait, and are lost, while another program or the hypervisor has its "
		    "CPU: keep Linux off it (plvs-host apply --cpus)",
		    "worker list",
		    "worker %.0f was held up for 125 ms or more, %.0f times since the "
		    "start",
		    view_number(w, "worker"), stalls);
}

static void look_workers(const json_t *list, double uptime_s, json_t *out)
{
	const json_t *w;
	size_t i;

	json_array_foreach (json_object_get(list, "workers"), i, w) {
		double received = view_number(w, "counters.received");
		double handed = view_number(w, "counters.handed_off");

		if (view_number(w, "load") > LOAD_HIGH)
			doctor_find(out, FINDING_WORKER_BUSY,
				    "packets are lost when there are more of them", "worker list",
				    "worker %.0f is busy for %.0f %% of its time",
				    view_number(w, "worker"), view_number(w, "load") * 100);
		if (json_array_size(json_object_get(list, "workers")) > 1 &&
		    received >= HANDOFF_LEAST && handed > received * HANDOFF_SHARE)
			doctor_find(out, FINDING_HANDOFF_SHARE,
				    "each hand-off costs as much as forwarding; a NIC with RSS of "
				    "\"owners\" needs none",
				    "port list",
				    "worker %.0f hands %.0f %% of its packets to others",
				    view_number(w, "worker"), handed / received * 100);
		look_stalls(w, uptime_s, out);
	}
}

static void look_nexthops(const json_t *list, json_t *out)
{
	const json_t *n;
	size_t i;

	json_array_foreach (json_object_get(list, "nexthops"), i, n)
		if (is_true(n, "wanted") && strcmp(view_text(n, "state"), "failed") == 0)
			doctor_find(out, FINDING_NEXTHOP_UNRESOLVED,
				    "packets by this next hop are dropped", "nexthop list",
				    "%s on %s does not answer ARP or ND", view_text(n, "address"),
				    view_text(n, "link"));
}

/* --- the pair --- */

static void look_pair(const json_t *ha, json_t *out)
{
	if (*view_text(ha, "alarm"))
		doctor_find(out, FINDING_PAIR_ALARM, "the pair does not right itself", "ha status",
			    "%s", view_text(ha, "alarm"));
	if (!is_true(ha, "pair"))
		return;
	if (is_false(ha, "peer.alive"))
		doctor_find(out, FINDING_PEER_SILENT, "nobody takes over when this router fails",
			    "ha status", "the peer is not heard");
	if (is_true(ha, "peer.configuration_differs"))
		doctor_find(out, FINDING_PAIR_DIFFERS, "a takeover changes what is served",
			    "config push plan",
			    "the two routers have different shared configurations");
	if (view_number(ha, "deadtime_supported_ms") > view_number(ha, "deadtime_ms"))
		doctor_find(out, FINDING_DEADTIME_SHORT, "a stall can look like a dead router",
			    "ha status",
			    "shared.ha.deadtime is %lld ms; this host and its paths bear %lld ms",
			    (long long)view_number(ha, "deadtime_ms"),
			    (long long)view_number(ha, "deadtime_supported_ms"));
	if (is_false(ha, "realtime"))
		doctor_find(
			out, FINDING_PAIR_NOT_REALTIME, "heartbeats may come late on a busy host",
			"ha status",
			"the threads of heartbeats have no real-time priority (SCHED_FIFO needs "
			"CAP_SYS_NICE or RLIMIT_RTPRIO)");
	if (strcmp(view_text(ha, "state"), "active") == 0 && is_true(ha, "peer.alive") &&
	    is_false(ha, "sync.peer_synchronised"))
		doctor_find(out, FINDING_PAIR_NOT_SYNCHRONISED,
			    "a takeover would break connections", "ha status",
			    "the peer does not have this router's connections");
}

/* --- all --- */

static void look_warnings(const json_t *status, json_t *out)
{
	const json_t *text;
	size_t i;

	json_array_foreach (json_object_get(status, "warnings"), i, text)
		doctor_find(out, FINDING_ROUTER_WARNING, "the router itself warns of it", "status",
			    "%s", json_is_string(text) ? json_string_value(text) : "?");
}

static void look_configuration(const json_t *status, json_t *out)
{
	if (is_true(status, "configuration.unsaved"))
		doctor_find(out, FINDING_CONFIGURATION_UNSAVED, "a restart can lose the changes",
			    "config diff file", "%s does not have all changes",
			    view_text(status, "configuration.file"));
	if (json_is_object(view_at(status, "trial")))
		doctor_find(out, FINDING_CONFIGURATION_UNCONFIRMED,
			    "other changes are refused, and this one is taken back",
			    "config confirm",
			    "the configuration of %s waits for its confirmation: %.0f s left",
			    view_text(status, "trial.author"), view_number(status, "trial.left_s"));
}

static void look_clock(const json_t *status, json_t *out)
{
	const double jumps = view_number(status, "clock.jumps");

	if (jumps < 1 || view_number(status, "clock.ago_s") >= JUMP_RECENT_S)
		return;
	doctor_find(out, FINDING_CLOCK_JUMPED,
		    "times in logs, histories and captures do not fit together: let one service "
		    "(chrony, systemd-timesyncd) set the clock, and slowly",
		    "status",
		    "the wall clock was set by %+.1f s %.0f s ago; %.0f times since the start",
		    view_number(status, "clock.last_ms") / 1000, view_number(status, "clock.ago_s"),
		    jumps);
}

json_t *doctor_look(const struct doctor_facts *f)
{
	json_t *out = json_array();

	if (!out)
		return NULL;
	look_servers(f->health_list, out);
	look_ports(f->port_list, view_number(f->status, "workers"), out);
	look_nexthops(f->nexthop_list, out);
	look_workers(f->worker_list, view_number(f->status, "uptime_s"), out);
	look_pair(f->ha_status, out);
	look_warnings(f->status, out);
	look_configuration(f->status, out);
	look_clock(f->status, out);
	doctor_look_around(f, out);
	return out;
}
