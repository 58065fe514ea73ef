/* SPDX-License-Identifier: BSD-3-Clause */
/* Real servers of virtual services. The keys of their configuration stand beside these. */
#include <stddef.h>

#include "shown/objects.h"

#define OFF(member) offsetof(struct shown_server, member)
#define AT(member)  OFF(member), sizeof(((struct shown_server *)0)->member)
#define BOTH	    (SHOWN_LIST | SHOWN_HEALTH)
#define RUNNING	    .if_at = OFF(running)
#define CHECKED	    .if_at = OFF(checked)
#define OF_ONE	    (SHOWN_LIST | SHOWN_ONE)
#define HANDSHAKES  .group = "handshakes", .if_at = OFF(handshakes), .metric_if = OFF(handshakes)

static const struct shown rows[] = {
	{"service", SHOWN_TEXT, AT(service), SHOWN_HEALTH | SHOWN_COUNTS, 0,
	 .help = "the service's key"},
	{"server", SHOWN_TEXT, AT(server), SHOWN_HEALTH | SHOWN_COUNTS, 0, .help = "address:port"},
	{"address", SHOWN_KEY, 0, 0, SHOWN_LIST, 0, .help = "address:port"},
	{"forward", SHOWN_KEY, 0, 0, SHOWN_LIST, 0, .help = "also where it is the service's"},
	{"id", SHOWN_ID, AT(id), SHOWN_LIST, 0, .help = "its run-time number", RUNNING},
#define X(name, metric_, unit_, help_)                                                             \
	{#name,                                                                                    \
	 SHOWN_COUNTER,                                                                            \
	 AT(counters.name),                                                                        \
	 SHOWN_LIST | SHOWN_COUNTS,                                                                \
	 SHOWN_LIST | SHOWN_COUNTS,                                                                \
	 .help = help_,                                                                            \
	 RUNNING,                                                                                  \
	 .group = "counters",                                                                      \
	 .unit = unit_,                                                                            \
	 .metric = metric_},
	SERVER_COUNTERS(X)
#undef X
		{"active", SHOWN_GAUGE, AT(active), SHOWN_LIST, 0,
		 .help = "active connections, as schedulers count them", RUNNING,
		 .metric = "active"},
	{"inactive", SHOWN_GAUGE, AT(inactive), SHOWN_LIST, 0,
	 .help = "inactive connections, as schedulers count them", RUNNING, .metric = "inactive"},
	{"overloaded", SHOWN_YES, AT(overloaded), SHOWN_LIST, 0,
	 .help = "1: at its upper threshold", RUNNING, .metric = "overloaded"},
	{"down", SHOWN_YES, AT(down), SHOWN_LIST, 0, .help = "the scheduler passes it over",
	 RUNNING},
	{"standing", SHOWN_TEXT, AT(standing_word), SHOWN_HEALTH, 0,
	 .help = "the state that counts: `unknown`, `up`, `down`, `maintenance`"},
	{"state", SHOWN_TEXT, AT(state_word), SHOWN_HEALTH, 0,
	 .help = "the verdict of its checks: `unknown`, `up`, `down`"},
	{"standing", SHOWN_GAUGE, AT(standing), 0, 0,
	 .help = "the state by checks, operators and agents: 0 unknown, 1 up, 2 down, 3 "
		 "maintenance",
	 .metric = "state"},
	{"forced", SHOWN_GAUGE, AT(admin), 0, 0,
	 .help = "an operator's word: 0 none, 1 up, 2 down, 3 maintenance", .metric = "forced"},
	{"since_ms", SHOWN_GAUGE, AT(since_ms), SHOWN_HEALTH, 0,
	 .help = "when its state changed last, since 1970", .unit = "ms"},
	{"state_s", SHOWN_GAUGE, AT(state_s), SHOWN_HEALTH, 0, .help = "since then", .unit = "s"},
	{"chosen", SHOWN_YES, AT(chosen), SHOWN_HEALTH, 0, .help = "1: it may get new connections",
	 .metric = "chosen"},
	{"weight", SHOWN_GAUGE, AT(weight), SHOWN_HEALTH, 0, .help = "weight as configured",
	 .metric = "configured_weight"},
	{"effective_weight", SHOWN_GAUGE, AT(effective), BOTH, 0,
	 .help = "weight that the scheduler uses", CHECKED, .metric = "weight"},
	{"weight_source", SHOWN_TEXT, AT(weight_source), BOTH, 0,
	 .help = "the source of the weight: `configuration`, `agent`, `load` or `slow start`",
	 CHECKED},
	{"weight_low", SHOWN_GAUGE, AT(weight_low), BOTH, 0,
	 .help = "the least that advice may make of it", CHECKED},
	{"weight_high", SHOWN_GAUGE, AT(weight_high), BOTH, 0,
	 .help = "the most that advice may make of it", CHECKED},
	{"health", SHOWN_TEXT, AT(standing_word), SHOWN_LIST, 0,
	 .help = "`standing` of `health.list`", CHECKED},
	{"admin", SHOWN_TEXT, AT(admin_word), BOTH, 0,
	 .help = "an operator's word: `none`, `up`, `down`, `maintenance`", CHECKED},
	{"reason", SHOWN_TEXT, AT(reason), BOTH, 0, .help = "why, in words", CHECKED},
	{"name", SHOWN_TEXT, AT(name), SHOWN_HEALTH, 0,
	 .help = "the service's name, if there is one", .if_at = OFF(named)},
	{"sorry", SHOWN_YES, AT(sorry), SHOWN_HEALTH, 0,
	 .help = "true: a sorry server; else not there", .if_at = OFF(sorry)},
	{"drain", SHOWN_YES, AT(drain), SHOWN_HEALTH, 0,
	 .help = "true: its agent wants no new connections; else not there", .if_at = OFF(drain)},
	{"maint", SHOWN_YES, AT(maint), SHOWN_HEALTH, 0,
	 .help = "true: its agent wants maintenance; else not there", .if_at = OFF(maint)},
	{"checks", SHOWN_MADE, 0, 0, SHOWN_ONE, 0, .help = "its checks", .of = &shown_check},
	{"history", SHOWN_MADE, 0, 0, SHOWN_ONE, 0,
	 .help = "states that it had, the last one first", .of = &shown_transition},
	{"quorum", SHOWN_MADE, 0, 0, SHOWN_ONE, 0, .help = "of the service", .of = &shown_quorum},
	{"transitions", SHOWN_COUNTER, AT(edges), SHOWN_ONE, 0, .help = "changes of its state",
	 .metric = "transitions"},
	{"probes", SHOWN_COUNTER, AT(probes), 0, 0, .help = "probes of its checks",
	 .metric = "probes"},
	{"probe_failures", SHOWN_COUNTER, AT(failures), 0, 0, .help = "probes that failed",
	 .metric = "probe_failures"},
	{"probe_errors", SHOWN_COUNTER, AT(errors), 0, 0, .help = "probes that could not be made",
	 .metric = "probe_errors"},
	{"probe_us", SHOWN_GAUGE, AT(duration_us), 0, 0, .help = "time that the last probe took",
	 .unit = "us", .metric = "probe_seconds", .metric_if = OFF(asked)},
	{"checked_ms", SHOWN_GAUGE, AT(checked_ms), SHOWN_ONE, 0,
	 .help = "when the last probe was answered, since 1970", .unit = "ms",
	 .metric = "probe_timestamp_seconds", .metric_if = OFF(asked)},
	{"syns", SHOWN_COUNTER, AT(passive.syns), OF_ONE, 0,
	 .help = "clients' SYNs sent to it by NAT", HANDSHAKES, .metric = "syns"},
	{"answers", SHOWN_COUNTER, AT(passive.answers), OF_ONE, 0,
	 .help = "of these: answered by SYN-ACK", HANDSHAKES, .metric = "syn_answers"},
	{"refused", SHOWN_COUNTER, AT(passive.refused), OF_ONE, 0,
	 .help = "of these: answered by RST", HANDSHAKES, .metric = "syn_refused"},
	{"no_answer", SHOWN_COUNTER, AT(passive.no_answer), OF_ONE, 0,
	 .help = "of these: not answered", HANDSHAKES, .metric = "syn_silent"},
	{"answer_us", SHOWN_COUNTER, AT(passive.answer_us), 0, 0,
	 .help = "time from SYN to SYN-ACK, summed over plvs_server_syn_answers", .unit = "us",
	 .metric = "syn_answer_seconds", .metric_if = OFF(handshakes)},
	{"answer_mean_us", SHOWN_GAUGE, AT(answer_mean_us), OF_ONE, 0,
	 .help = "time from SYN to SYN-ACK, mean", HANDSHAKES, .unit = "us"},
	{"answer_max_us", SHOWN_GAUGE, AT(passive.answer_max_us), OF_ONE, 0,
	 .help = "the longest; 0 after the server was removed and others had its place", HANDSHAKES,
	 .unit = "us"},
};

static const struct shown_column of_counters[] = {{"service", NULL, 0},
						  {"server", NULL, 0},
#define X(name, metric, unit, help_) {"counters." #name, NULL, 0},
						  SERVER_COUNTERS(X)
#undef X
							  {NULL, NULL, 0}};

static const struct shown_column columns[] = {
	{"address", "SERVICE / SERVER", SHOWN_NAMED},
	{"forward", "METHOD", SHOWN_OUTER},
	{"effective_weight", "WEIGHT", SHOWN_OF, "weight"},
	{"active", NULL, 0},
	{"inactive", NULL, 0},
	{"counters.conns", "CONN/S", SHOWN_RATE},
	{"counters.in_pkts", "IN PKT/S", SHOWN_RATE, .width = 125},
	{"counters.out_pkts", "OUT PKT/S", SHOWN_RATE, .width = 125},
	{"counters.in_bytes", "IN BIT/S", SHOWN_BITS, .width = 100},
	{"counters.out_bytes", "OUT BIT/S", SHOWN_BITS, .width = 100},
	{"health", "STATE", SHOWN_CONDITION},
	{NULL, NULL, 0},
};

static const struct shown_column of_health[] = {
	{"server", "SERVICE / SERVER", SHOWN_NAMED, "sorry"},
	{"standing", "STATE", SHOWN_STANDING},
	{"state_s", "FOR", 0},
	{"chosen", NULL, 0},
	{"effective_weight", "WEIGHT", SHOWN_OF, "weight"},
	{"reason", NULL, SHOWN_OPEN},
	{NULL, NULL, 0},
};

const struct shown_table shown_server = {
	.title = "Real servers",
	.configured = true,
	.prefix = "plvs_server_",
	.labels = "`service` and `server`: address:port",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
	.counters_at = OFF(counters),
	.rates_at = OFF(rate),
	.columns = columns,
	.of_counters = of_counters,
	.of_health = of_health,
};

#define REMOVED_AT(member)                                                                         \
	offsetof(struct shown_removed_server, member),                                             \
		sizeof(((struct shown_removed_server *)0)->member)

static const struct shown removed_rows[] = {
	{"address", SHOWN_TEXT, REMOVED_AT(address), SHOWN_LIST, 0, .help = "address:port"},
	{"connections", SHOWN_GAUGE, REMOVED_AT(connections), SHOWN_LIST, 0,
	 .help = "connections that still name it"},
	{"on_server_gone", SHOWN_TEXT, REMOVED_AT(on_server_gone), SHOWN_LIST, 0,
	 .help = "the fate of their packets: `reset`, `keep` or `drain`"},
	{"drain_left_s", SHOWN_GAUGE, REMOVED_AT(drain_left_s), SHOWN_LIST, 0,
	 .help = "until they are reset; else not there", .unit = "s",
	 .if_at = offsetof(struct shown_removed_server, drains)},
};

const struct shown_table shown_removed_server = {.title = "Removed servers",
						 .rows = removed_rows,
						 .n = sizeof(removed_rows) /
						      sizeof(removed_rows[0])};
