/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of all commands. Commands of one group stand together; their arguments stand in files
 * by subject (object_args.c, config_args.c, connection_args.c, seeing_args.c) or here. Names of
 * schedulers are offered by completion, and checked by the router alone.
 *
 * "ipvsadm" is left free for ipvsadm's own arguments: ARG_REST takes the words as they are.
 */
#include "cli/config_args.h"
#include "cli/connection_args.h"
#include "cli/object_args.h"
#include "cli/seeing_args.h"
#include "cli/session.h"
#include "cli/view.h"
#include "import/import.h"

#define LIMIT_MAX 1000000000

static const char *const counter_objects[] = {"services", "servers", "ports", "workers", "drops",
					      "punts",	  "health",  "all",   NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", NULL};
static const char *const switches[] = {"on", "off", NULL};
static const char *const shells[] = {"bash", NULL};

#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}
static const struct arg counter_args[] = {{"OBJECTS", ARG_CHOICE, ARG_POSITIONAL, "object",
					   "kind of object (default: all)", counter_objects, 0, 0},
					  END};

static const struct arg zero_args[] = {{"SERVICE", ARG_SERVICE, ARG_POSITIONAL, "service",
					"a virtual service (default: all)", NULL, 0, 0},
				       END};

static const struct arg log_level_args[] = {{"LEVEL", ARG_CHOICE, ARG_POSITIONAL | ARG_REQUIRED,
					     "level", "the least severe level that is logged",
					     levels, 0, 0},
					    END};

static const struct arg ha_handover_args[] = {{"force", ARG_FLAG, 0, "force",
					       "also to a peer that is not ready or synchronised",
					       NULL, 0, 0},
					      END};
static const struct arg ha_maintenance_args[] = {
	{"MODE", ARG_CHOICE, ARG_POSITIONAL | ARG_REQUIRED, "mode", "on or off", switches, 0, 0},
	{"force", ARG_FLAG, 0, "force", "also without a peer that takes over", NULL, 0, 0},
	END};

#define FLEET_TEXT                                                                                 \
	{                                                                                          \
		"FILE", ARG_TEXT_FILE, ARG_POSITIONAL, "text",                                     \
			"a file of this machine; - is standard input; default: the running "       \
			"configuration",                                                           \
			NULL, 0, 0                                                                 \
	}
static const struct arg fleet_plan_args[] = {FLEET_TEXT, END};
static const struct arg fleet_push_args[] = {
	FLEET_TEXT,
	{"pause", ARG_DURATION, 0, "@pause", "between two members (default 2s)", NULL, 0, 0},
	{"gate", ARG_DURATION, 0, "@gate",
	 "time in which a member has to announce as much as before (default 60s; 0s: no gate)",
	 NULL, 0, 0},
	{"save", ARG_FLAG, 0, "@save", "each member also writes its file (config save)", NULL, 0,
	 0},
	{"force", ARG_FLAG, 0, "@force", "leave out members that cannot be reached", NULL, 0, 0},
	END};

#define LIVE_ARGS                                                                                  \
	{                                                                                          \
		"interval",                                                                        \
		ARG_DURATION,                                                                      \
		0,                                                                                 \
		"@interval",                                                                       \
		"between two pictures (default 1s)",                                               \
		NULL,                                                                              \
		0,                                                                                 \
		0},                                                                                \
	{                                                                                          \
		"count", ARG_UINT, 0, "@count", "end after so many", NULL, 1, LIMIT_MAX            \
	}
static const struct arg top_args[] = {LIVE_ARGS, END};
static const struct arg watch_args[] = {{"COMMAND", ARG_REST, ARG_POSITIONAL | ARG_REQUIRED,
					 "@command", "the command to repeat", NULL, 0, 0},
					END};
static const struct arg help_args[] = {{"COMMAND", ARG_REST, ARG_POSITIONAL, "@command",
					"words of a command, or nothing", NULL, 0, 0},
				       END};
static const struct arg completion_args[] = {
	{"SHELL", ARG_CHOICE, ARG_POSITIONAL | ARG_REQUIRED, "@shell", "which shell", shells, 0, 0},
	END};

static const char *const import_roles[] = {"primary", "backup", NULL};

static const struct arg import_args[] = {
	{"FILE", ARG_PATH, ARG_POSITIONAL, "@file", "a file of this machine; - is standard input",
	 NULL, 0, 0},
	{"from", ARG_CHOICE, 0, "@from", "its format (default: as its lines look)", import_formats,
	 0, 0},
	{"id", ARG_WORD, 0, "@id",
	 "keepalived: the configuration id that conditions ask for (default: the host name up to "
	 "its first dot)",
	 NULL, 0, 0},
	{"role", ARG_CHOICE, 0, "@role", "of this router in a pair, if the file describes both",
	 import_roles, 0, 0},
	{"host", ARG_WORD, ARG_REPEAT, "@host", "NAME=ADDRESS: the resolver is not asked", NULL, 0,
	 0},
	{"force", ARG_FLAG, 0, "@force",
	 "exit 0 also if objects are left out, and keep services without their access lists", NULL,
	 0, 0},
	END};

static const char *const event_kinds[] = {"change", "health", "role", "session", NULL};

static const struct arg events_args[] = {
	{"kind", ARG_CHOICE, ARG_REPEAT, "@kind", "only of this kind; may be given again",
	 event_kinds, 0, 0},
	{"last", ARG_UINT, 0, "last", "so many of the past first (default 10)", NULL, 0, 512},
	{"once", ARG_FLAG, 0, "once", "only those of the past", NULL, 0, 0},
	{"count", ARG_UINT, 0, "@count", "end after so many", NULL, 1, LIMIT_MAX},
	END};

const struct command cli_commands[] = {
	{"status", "the router at a glance", NULL, NULL, 0, "status", NULL, NULL, view_status,
	 NULL},
	{"version", "versions of router, client and DPDK", NULL, NULL, 0, "version", NULL, NULL,
	 view_version, NULL},

	{"service list", "virtual services and their real servers",
	 "Real servers stand in the order in which the scheduler sees them: the last added first.",
	 service_list_args, 0, "service.list", NULL, NULL, view_services, NULL},
	{"service show", "all facts of a service", NULL, service_one, 0, "service.get", NULL, NULL,
	 view_service, NULL},
	{"service add", "add a virtual service", NULL, service_add_args, 0, "service.add", "added",
	 NULL, NULL, NULL},
	{"service edit", "change a virtual service", "Connections stay.", service_edit_args,
	 CMD_CHANGE, "service.edit", "edited", NULL, NULL, NULL},
	{"service delete", "remove a virtual service and its servers", NULL, service_one, CMD_CUTS,
	 "service.delete", "deleted", NULL, NULL, NULL},

	{"server add", "add a real server to a service",
	 "The scheduler sees the server first, as in IPVS.", server_add_args, 0, "server.add",
	 "added", NULL, NULL, NULL},
	{"server edit", "change a real server",
	 "The server keeps its place in the list. Weight 0 quiesces: connections stay, new ones go "
	 "elsewhere.",
	 server_edit_args, CMD_CHANGE, "server.edit", "edited", NULL, NULL, NULL},
	{"server delete", "remove a real server from a service", NULL, server_delete_args, CMD_CUTS,
	 "server.delete", "deleted", NULL, NULL, NULL},

	{"health list", "states of real servers, and the reasons",
	 "WEIGHT is the effective weight, and the configured one where both differ.",
	 health_list_args, 0, "health.list", NULL, NULL, view_health_list, NULL},
	{"health show", "state, checks and history of one real server", NULL, health_show_args, 0,
	 "health.show", NULL, NULL, view_health, NULL},
	{"health force", "set the state of a real server, whatever its checks",
	 "`maintenance` ends probes and new connections; existing connections go on. The state "
	 "holds, also over reloads, until `auto`.",
	 health_force_args, CMD_CUTS, "health.force", NULL, NULL, view_forced, NULL},

	{"health try", "make one probe of a real server at once, and show the result",
	 "The probe is of the server's first check, or of the named one. The verdict changes no "
	 "state.",
	 health_try_args, 0, "health.try", NULL, NULL, view_tried, NULL},

	{"address list", "VIPs, gateways, prefixes and pools", NULL, NULL, 0, "address.list", NULL,
	 &list_addresses, NULL, NULL},
	{"address add", "add an address", "A service's VIP needs no entry here.", address_args, 0,
	 "address.add", "added", NULL, NULL, NULL},
	{"address delete", "remove an address", NULL, address_delete_args, CMD_CUTS,
	 "address.delete", "deleted", NULL, NULL, NULL},

	{"mark list", "mark rules, in order, with their counters",
	 "The last rule that matches decides.", NULL, CMD_STREAM, "mark.list", NULL, &list_marks,
	 NULL, NULL},

	{"mark add", "add a mark rule", NULL, mark_add_args, 0, "mark.add", "added", NULL, NULL,
	 NULL},
	{"mark delete", "remove the mark rule at a position", "Later rules move up by one.",
	 mark_delete_args, CMD_CUTS, "mark.delete", "deleted", NULL, NULL, NULL},

	{"connection list", "connections, filtered",
	 "Rows are printed when they arrive; with --json as the array \"rows\" of the document, "
	 "one "
	 "row on a line.",
	 connection_list_args, CMD_STREAM, "connection.list", NULL, &list_connections, NULL, NULL},
	{"connection count", "the number of connections", NULL, connection_filter_args, 0,
	 "connection.count", NULL, NULL, view_count, NULL},
	{"connection find", "all keys of a connection", NULL, connection_one_args, 0,
	 "connection.find", NULL, NULL, view_connection, NULL},
	{"connection end", "end one connection: client and real server get a RST",
	 "plvs asks both for a packet, and answers by the RST. A connection of UDP is removed.",
	 connection_one_args, 0, "connection.end", NULL, NULL, view_ended, NULL},
	{"connection end-all", "end the connections that pass the filters",
	 "See `connection end`. Persistence templates stay. The shell asks before it ends more "
	 "than "
	 "one.",
	 connection_filter_args, CMD_CUTS | CMD_CHANGE, "connection.end_all", NULL, NULL,
	 view_ended, NULL},

	{"counters", "counters since start", NULL, counter_args, 0, "counter.list", NULL, NULL,
	 view_counters, NULL},
	{"rates", "the change per second, over the last 2 s", NULL, counter_args, 0, "counter.list",
	 NULL, NULL, view_rates, NULL},

	{"zero", "let the counters of services and their servers begin at 0",
	 "Metrics and counters of ports and workers go on.", zero_args, 0, "counter.zero", NULL,
	 NULL, view_zeroed, NULL},

	{"nexthop list", "next hops in use, with their MACs", NULL, NULL, 0, "nexthop.list", NULL,
	 &list_nexthops, NULL, NULL},
	{"route list", "routes as taken over from Linux", NULL, NULL, 0, "route.list", NULL,
	 &list_routes, NULL, NULL},
	{"worker list", "workers, their load and queues", NULL, NULL, 0, "worker.list", NULL,
	 &list_workers, NULL, NULL},
	{"port list", "DPDK ports",
	 "Q ASKED is the requested number of queues each way, RXQ and TXQ the numbers that the "
	 "driver gave. RSS ASKED is the requested spread of packets over receive queues, RSS that "
	 "of "
	 "the NIC: none, spreads (a flow stays on one queue), owners (a flow comes to the worker "
	 "that owns the connection, without a hand-off).",
	 NULL, 0, "port.list", NULL, &list_ports, NULL, NULL},

	{"ha status", "the pair of routers, in words",
	 "State, reason, peer, paths, witnesses, synchronisation.", NULL, 0, "ha.status", NULL,
	 NULL, view_ha, NULL},
	{"ha handover", "make the other router active",
	 "Either router may be asked. Connections are synchronised first, and none is lost.",
	 ha_handover_args, CMD_CUTS, "ha.handover", NULL, NULL, view_said, NULL},
	{"ha maintenance", "take this router out of the pair, or back in",
	 "An active router hands over first.", ha_maintenance_args, CMD_CUTS, "ha.maintenance",
	 NULL, NULL, view_said, NULL},
	{"ha force", "become active whatever the state of peer and witnesses",
	 "Only when the peer is known to be off: two active routers break connections.", NULL,
	 CMD_CUTS, "ha.force", NULL, NULL, view_said, NULL},
	{"ha reset", "forget failed failbacks and holds, at both routers", NULL, NULL, 0,
	 "ha.reset", NULL, NULL, view_said, NULL},

	{"fleet status",
	 "the members of a fleet: their announced VIPs, and differences of configurations",
	 "Asks each member of `shared.ha.members`. Exit code 1: a member cannot be reached, or "
	 "differs from this router.",
	 NULL, 0, NULL, NULL, NULL, NULL, run_fleet_status},
	{"fleet show", "the router as a member of a fleet, and the VIPs that it announces", NULL,
	 NULL, 0, "fleet.status", NULL, NULL, view_fleet, NULL},
	{"fleet plan", "changes that a shared configuration would make at each member",
	 "Each member checks the configuration. Exit code 1: a member, which is named, refuses.",
	 fleet_plan_args, 0, NULL, NULL, NULL, NULL, run_fleet_plan},
	{"fleet push", "apply a shared configuration at all members, one after the other",
	 "First all members check the configuration; if one refuses, nothing changes. Each member "
	 "applies the whole configuration, and the next one follows when the member's checks have "
	 "results and it announces as much as before. Failures are named; a repeated command "
	 "continues with the missing members.",
	 fleet_push_args, CMD_CUTS, NULL, NULL, NULL, NULL, run_fleet_push},
	{"fleet drain", "withdraw all VIPs of this router from the network",
	 "Packets that still come are forwarded. Holds until `fleet undrain`, or a restart.", NULL,
	 CMD_CUTS, "fleet.drain", NULL, NULL, view_said, NULL},
	{"fleet undrain", "end `fleet drain`", NULL, NULL, 0, "fleet.undrain", NULL, NULL,
	 view_said, NULL},

	{"config show", "the running configuration, with every change since start", NULL,
	 config_show_args, 0, "config.get", NULL, NULL, view_config, NULL},
	{"config check", "check a file; nothing is applied", NULL, config_text_args, 0,
	 "config.check", NULL, NULL, view_check, NULL},
	{"config plan", "changes that applying a file would make", NULL, config_text_args, 0,
	 "config.plan", NULL, NULL, view_plan, NULL},
	{"config apply", "apply a file, as a whole or not at all",
	 "With `confirm-within 60s` the router takes the change back after 60 s, also when the "
	 "session has ended, unless `config confirm` comes before. Until then other changes are "
	 "refused. Keywords may have -- in front.",
	 config_apply_args, CMD_CUTS, "config.apply", NULL, NULL, view_plan, NULL},
	{"config confirm", "keep a configuration that was applied with confirm-within", NULL, NULL,
	 0, "config.confirm", NULL, NULL, view_confirmed, NULL},
	{"config push", "send the shared configuration to the peer, which applies it",
	 "With `plan` the peer only reports the changes. With `force` this router's configuration "
	 "replaces a diverged one.",
	 config_push_args, 0, "config.push", NULL, NULL, view_plan, NULL},
	{"config save", "write the running configuration to a file of the router",
	 "Comments of the file stay with their objects. The former file is kept as PATH.bak.",
	 config_save_args, 0, "config.save", NULL, NULL, view_saved, NULL},
	{"config history", "the versions of the shared configuration, the running one first",
	 "`state_dir` has the content of the last 20 versions, for `config diff` and `config "
	 "rollback`.",
	 NULL, 0, "config.history", NULL, NULL, view_history, NULL},
	{"config diff", "changes from one version to another",
	 "`config diff file` shows unsaved changes.", config_diff_args, 0, "config.diff", NULL,
	 NULL, view_difference, NULL},
	{"config rollback", "restore an earlier version, as a new version",
	 "The node part stays. `config diff VERSION` shows the changes since that version.",
	 config_rollback_args, CMD_CUTS, "config.rollback", NULL, NULL, view_plan, NULL},
	{"config schema", "every key with type, default and limits", NULL, NULL, 0, "config.schema",
	 NULL, NULL, view_pretty, NULL},

	{"import", "turn a configuration of another LVS program into one of plvs",
	 "Piranha's lvs.cf, ipvsadm-save, keepalived.conf (also DPVS's) and ldirectord.cf. The "
	 "configuration goes to standard output, a report with the lines of FILE to standard "
	 "error. The command needs no router. Exit code 1: refused, or objects are left out. "
	 "Keywords may have -- "
	 "in "
	 "front. See import.md.",
	 import_args, CMD_LOCAL, NULL, NULL, NULL, NULL, run_import},

	{"doctor", "faults of the router and its pair, their effects, and commands against them",
	 "Exit code, also for monitoring: 0 nothing, 1 warnings, 2 something critical, 3 the "
	 "router "
	 "cannot be reached. See doctor.md.",
	 NULL, 0, NULL, NULL, NULL, NULL, run_doctor},

	{"explain tcp", "the path of a TCP packet, with reasons, without any change",
	 "The stages of the router run on a copy. See seeing-packets.md.", explain_tcp_args, 0,
	 "explain", NULL, NULL, NULL, run_explain_flow},
	{"explain udp", "the same for a datagram", NULL, explain_udp_args, 0, "explain", NULL, NULL,
	 NULL, run_explain_flow},
	{"explain pcap", "the same for a packet of a capture file", NULL, explain_pcap_args,
	 CMD_LOCAL, "explain", NULL, NULL, NULL, run_explain_pcap},

	{"drops list", "reasons for drops, with their counts", NULL, NULL, 0, NULL, NULL, NULL,
	 NULL, run_drops},
	{"drops show", "headers of the packets that were dropped last for a reason", NULL,
	 drops_show_args, 0, "drop.show", NULL, NULL, view_drops, NULL},
	{"trace", "the path of live packets, stage by stage, until Ctrl-C",
	 "FILTER is one word: quote it. See seeing-packets.md.", trace_args, CMD_LIVE, "trace",
	 NULL, NULL, NULL, run_trace},
	{"capture", "write live packets to a file: in, out and dropped, before and after rewrite",
	 "For example: plvsctl capture 'tcp port 80' -w - | tcpdump -r -", capture_args, CMD_LIVE,
	 "capture", NULL, NULL, NULL, run_capture},

	{"events", "events of the router: changes and their authors, health, roles, logins",
	 "First the last ten, then new ones, until Ctrl-C. With --json one event a line.",
	 events_args, CMD_LIVE, "event.follow", NULL, NULL, NULL, run_events},

	{"log level", "set what the router logs", NULL, log_level_args, 0, "log.level", NULL, NULL,
	 view_level, NULL},

	{"top", "live: services and servers by traffic",
	 "On a terminal redrawn until q; c, p, b, a sort by connections, packets, bits and active "
	 "connections per second, n by the configuration's order; arrows, PgUp and PgDn scroll; / "
	 "and a "
	 "part of a name show matching services, Esc all again. Elsewhere one plain picture after "
	 "another; with --json one document a line.",
	 top_args, CMD_LIVE, NULL, NULL, NULL, NULL, run_top},
	{"watch", "repeat a command each second", "q ends.", watch_args, CMD_LIVE, NULL, NULL, NULL,
	 NULL, run_watch},
	{"completion", "print a completion script for a shell",
	 "In ~/.bashrc: source <(plvsctl completion bash)", completion_args, CMD_LOCAL, NULL, NULL,
	 NULL, NULL, run_completion},
	{"complete", "candidates for a shell's completion", NULL, help_args, CMD_HIDDEN, NULL, NULL,
	 NULL, NULL, run_complete},
	{"help", "help on a command", NULL, help_args, 0, NULL, NULL, NULL, NULL, run_help},
	{"quit", "leave the shell", NULL, NULL, CMD_SHELL, NULL, NULL, NULL, NULL, run_quit},
	{"exit", "leave the shell", NULL, NULL, CMD_SHELL, NULL, NULL, NULL, NULL, run_quit},
	{.words = NULL},
};
