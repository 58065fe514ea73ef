/* SPDX-License-Identifier: BSD-3-Clause */
/* Doctor's rules about what is around the router: real servers, links, paths of a pair. */
#include <string.h>

#include "cli/doctor.h"
#include "cli/view.h"

#define SILENT_SYNS    20   /* unanswered, from which they are no accident */
#define PATH_DEAF_MS   3000 /* without a heartbeat by one path */
#define CLOCKS_APART_S 1

static bool is_true(const json_t *o, const char *path)
{
	return json_is_true(view_at(o, path));
}

/* --- real servers --- */

/* The address of the next hop with this MAC, or "". */
static const char *station_of(const json_t *nexthops, const char *mac)
{
	const json_t *n;
	size_t i;

	json_array_foreach (json_object_get(nexthops, "nexthops"), i, n)
		if (*mac && strcmp(view_text(n, "mac"), mac) == 0)
			return view_text(n, "address");
	return "";
}

/* Stations that ask, announce or answer in the name of a VIP. */
static void look_claims(const struct doctor_facts *f, json_t *out)
{
	const json_t *k;
	size_t i;

	json_array_foreach (json_object_get(f->ha_status, "claims"), i, k) {
		const char *mac = view_text(k, "mac"), *addr = station_of(f->nexthop_list, mac);

		/* Two active routers have an alarm of their own. */
		if (is_true(k, "peer"))
			continue;
		doctor_find(
			out, FINDING_VIP_CLAIMED,
			"clients that believe it bypass the router; of a real server: "
			"arp_ignore=1 and arp_announce=2, for IPv6 the VIP on a dummy interface",
			"nexthop list", "%s%s%s%s says by ARP or ND that it has %s on %s", addr,
			*addr ? " (" : "", mac, *addr ? ")" : "", view_text(k, "address"),
			view_text(k, "link"));
	}
}

static void look_replies(const json_t *services, json_t *out)
{
	const json_t *svc, *server;
	size_t i, k;

	json_array_foreach (json_object_get(services, "services"), i, svc) {
		json_array_foreach (json_object_get(svc, "servers"), k, server) {
			const double syns = view_number(server, "handshakes.syns");
			const double silent = syns - view_number(server, "handshakes.answers") -
					      view_number(server, "handshakes.refused");

			if (silent < SILENT_SYNS || silent * 2 < syns ||
			    strcmp(view_text(server, "health"), "up") != 0)
				continue;
			doctor_find(
				out, FINDING_NAT_REPLIES_MISSING,
				"its replies do not come back through the router: its default "
				"route has to be the gateway address, and clients on its own "
				"link bypass that",
				"service show SERVICE",
				"%s of %s is up, and %.0f of %.0f SYNs of clients have no answer",
				view_text(server, "address"), view_text(svc, "key"), silent, syns);
		}
	}
}

/* Names of checks that go by the VIP, wherever the configuration has checks. */
static bool is_via_vip(const json_t *config, const char *name)
{
	json_t *o = (json_t *)(uintptr_t)config, *v;
	const char *key;
	size_t i;

	if (is_true(config, "via_vip") && strcmp(view_text(config, "name"), name) == 0)
		return true;
	json_object_foreach (o, key, v)
		if (is_via_vip(v, name))
			return true;
	json_array_foreach (o, i, v)
		if (is_via_vip(v, name))
			return true;
	return false;
}

/* A server that answers by its own address and not by the VIP. */
static void look_loopback(const struct doctor_facts *f, json_t *out)
{
	const json_t *config = json_object_get(f->config_get, "config"), *show, *check;
	size_t i, k;

	json_array_foreach (f->health_shows, i, show) {
		bool direct_up = false, vip_down = false;

		json_array_foreach (json_object_get(show, "checks"), k, check) {
			const bool down = strcmp(view_text(check, "state"), "down") == 0;
			const bool up = strcmp(view_text(check, "state"), "up") == 0;

			if (is_via_vip(config, view_text(check, "name")))
				vip_down |= down;
			else
				direct_up |= up;
		}
		if (direct_up && vip_down)
			doctor_find(out, FINDING_SERVER_WITHOUT_VIP,
				    "direct routing and tunnels need the VIP on the server's "
				    "loopback, with arp_ignore=1 and arp_announce=2",
				    "health show SERVICE SERVER",
				    "%s of %s answers by its own address, and not by the VIP",
				    view_text(show, "server"), view_text(show, "service"));
	}
}

/* --- links --- */

static double socket_of(const json_t *ports, const char *name)
{
	const json_t *p;
	size_t i;

	json_array_foreach (json_object_get(ports, "ports"), i, p)
		if (strcmp(view_text(p, "name"), name) == 0 &&
		    json_is_integer(view_at(p, "socket")))
			return view_number(p, "socket");
	return -1;
}

static void look_numa(const json_t *workers, const json_t *ports, json_t *out)
{
	const json_t *w, *q;
	size_t i, k;

	json_array_foreach (json_object_get(workers, "workers"), i, w) {
		const double own = view_number(w, "socket");

		if (!json_is_integer(view_at(w, "socket")))
			continue;
		json_array_foreach (json_object_get(w, "queues"), k, q) {
			const double of = socket_of(ports, view_text(q, "port"));

			if (own < 0 || of < 0 || (own >= of && own <= of))
				continue;
			doctor_find(
				out, FINDING_NUMA_REMOTE,
				"each packet crosses between the processors: give plvs the "
				"cores of the NIC's node (-l)",
				"worker list",
				"worker %.0f on NUMA node %.0f has a queue of port %s, which is "
				"on node %.0f",
				view_number(w, "worker"), own, view_text(q, "port"), of);
		}
	}
}

static void look_mtu(const json_t *counters, json_t *out)
{
	const json_t *d;
	size_t i;

	json_array_foreach (json_object_get(counters, "drops"), i, d)
		if (strcmp(view_text(d, "name"), "too_big") == 0 && view_number(d, "rate") > 0)
			doctor_find(out, FINDING_MTU_TOO_SMALL,
				    "transfers stop where the ICMP errors are filtered: raise the "
				    "MTU of the links to the servers, or lower advmss there",
				    "port list",
				    "%.0f packets a second are larger than the next link's MTU",
				    view_number(d, "rate"));
}

/* --- the pair --- */

static void look_paths(const json_t *ha, json_t *out)
{
	const json_t *p;
	size_t i;

	if (!is_true(ha, "pair") || !is_true(ha, "peer.alive"))
		return;
	json_array_foreach (json_object_get(ha, "paths"), i, p) {
		const json_t *heard = view_at(p, "heard_ms");

		if (json_is_integer(heard) && json_integer_value(heard) >= 0 &&
		    json_integer_value(heard) < PATH_DEAF_MS)
			continue;
		doctor_find(out, FINDING_PATH_SILENT,
			    "one path fewer is left: a cable, or a firewall of either router that "
			    "drops these UDP packets (nft list ruleset, iptables -S)",
			    "ha status",
			    "no heartbeats come by path %s, from %s to %s, and others "
			    "arrive",
			    view_text(p, "name"), view_text(p, "peer"), view_text(p, "local"));
	}
}

/* The part of the difference beyond the error counts. */
static void look_clocks(const json_t *clock, json_t *out)
{
	const double ahead_s = view_number(clock, "ahead_us") / 1e6;
	const double error_s = view_number(clock, "error_us") / 1e6;

	if (!json_is_integer(view_at(clock, "ahead_us")) ||
	    (ahead_s < 0 ? -ahead_s : ahead_s) - error_s <= CLOCKS_APART_S)
		return;
	doctor_find(
		out, FINDING_PAIR_CLOCKS_DIFFER,
		"times in the logs, events and histories of the two routers do not fit together; "
		"chrony or systemd-timesyncd sets a clock (timedatectl)",
		"ha status", "the peer's clock is %.1f s %s the one here",
		ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead of");
}

/* --- the fleet --- */

static void look_daemon(const struct doctor_facts *f, json_t *out)
{
	const json_t *announce = view_at(f->config_get, "config.node.announce");
	const char *daemon = view_text(f->fleet_status, "daemon");

	if (strcmp(daemon, "missing") == 0)
		doctor_find(
			out, FINDING_ROUTING_DAEMON_MISSING,
			"the network does not hear of the VIPs: start BIRD or FRR in the "
			"namespace of the TAPs (systemctl status bird frr)",
			"fleet show",
			"no program has TCP port %.0f: nothing exports the routes of table %.0f",
			view_number(announce, "bgp_port"), view_number(announce, "table"));
	else if (strcmp(daemon, "idle") == 0)
		doctor_find(out, FINDING_BGP_SESSION_MISSING,
			    "the network sends no packets here until a neighbour has a session: "
			    "see what the daemon says (birdc show protocols all)",
			    "fleet show",
			    "the routing daemon runs, and has no BGP connection with a neighbour");
}

void doctor_look_around(const struct doctor_facts *f, json_t *out)
{
	look_claims(f, out);
	look_replies(f->service_list, out);
	look_loopback(f, out);
	look_numa(f->worker_list, f->port_list, out);
	look_mtu(f->counter_list, out);
	look_paths(f->ha_status, out);
	look_clocks(f->peer_clock, out);
	look_daemon(f, out);
}
