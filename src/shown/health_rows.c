/* SPDX-License-Identifier: BSD-3-Clause */
/* All checks together, and single checks. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member) offsetof(struct shown_health, member), sizeof(((struct shown_health *)0)->member)

static const struct shown rows[] = {
#define X(name, kind, help_)                                                                       \
	{#name, SHOWN_##kind, AT(health.name), SHOWN_LIST, 0, .help = help_, .metric = #name},
	HEALTH_COUNTERS(X)
#undef X
		{"late_p50_us", SHOWN_GAUGE, AT(health.late_us[0]), SHOWN_LIST, 0,
		 .help = "lateness of probes, median of the last 10 s, microseconds"},
	{"late_p99_us", SHOWN_GAUGE, AT(health.late_us[1]), SHOWN_LIST, 0,
	 .help = "lateness of probes, 99th percentile of the last 10 s, microseconds"},
	{"late_max_us", SHOWN_GAUGE, AT(health.late_us[2]), SHOWN_LIST, 0,
	 .help = "lateness of probes, maximum of the last 10 s, microseconds"},
	{"late", SHOWN_LEVELS, AT(late), 0, 0, .help = "lateness of probes over the last 10 s",
	 .unit = "us", .metric = "late_seconds", .label = "quantile"},
#define X(name, kind, metric_, unit_, help_)                                                       \
	{#name, SHOWN_##kind,  AT(verdicts.name), SHOWN_LIST,                                      \
	 0,	.help = help_, .unit = unit_,	  .metric = metric_},
	VERDICT_COUNTERS(X)
#undef X
		{"quorums_lost", SHOWN_GAUGE, AT(quorums_lost), 0, 0,
		 .help = "virtual services without their quorum", .metric = "quorums_lost"},
};

const struct shown_table shown_health = {.title = "All checks together",
					 .prefix = "plvs_health_",
					 .rows = rows,
					 .n = sizeof(rows) / sizeof(rows[0])};

#define CHECK_AT(member)                                                                           \
	offsetof(struct shown_check, member), sizeof(((struct shown_check *)0)->member)

static const struct shown check_rows[] = {
	{"name", SHOWN_TEXT, CHECK_AT(name), SHOWN_LIST, 0,
	 .help = "its name in the configuration"},
	{"type", SHOWN_TEXT, CHECK_AT(type), SHOWN_LIST, 0, .help = "as `http`"},
	{"state", SHOWN_TEXT, CHECK_AT(state), SHOWN_LIST, 0, .help = "`unknown`, `up` or `down`"},
	{"reason", SHOWN_TEXT, CHECK_AT(reason), SHOWN_LIST, 0,
	 .help = "the last answer, in words"},
	{"checked_ms", SHOWN_GAUGE, CHECK_AT(checked_ms), SHOWN_LIST, 0,
	 .help = "when, since 1970; 0: never", .unit = "ms"},
	{"duration_us", SHOWN_GAUGE, CHECK_AT(duration_us), SHOWN_LIST, 0,
	 .help = "time that it took", .unit = "us"},
	{"probes", SHOWN_COUNTER, CHECK_AT(probes), SHOWN_LIST, 0, .help = "probes made"},
	{"failures", SHOWN_COUNTER, CHECK_AT(failures), SHOWN_LIST, 0,
	 .help = "probes that failed"},
	{"errors", SHOWN_COUNTER, CHECK_AT(errors), SHOWN_LIST, 0,
	 .help = "probes that could not be made"},
};

static const struct shown_column check_columns[] = {
	{"name", "CHECK", SHOWN_OPEN},
	{"type", NULL, SHOWN_OPEN},
	{"state", NULL, SHOWN_COLOURED},
	{"probes", NULL, 0},
	{"failures", "FAILED", 0},
	{"errors", NULL, 0},
	{"duration_us", "TOOK", SHOWN_AS_MS},
	{"reason", "LAST ANSWER", SHOWN_OPEN},
	{NULL, NULL, 0},
};

const struct shown_table shown_check = {
	.title = "Checks of a real server",
	.rows = check_rows,
	.n = sizeof(check_rows) / sizeof(check_rows[0]),
	.columns = check_columns,
};

#define FIGURE_AT(member)                                                                          \
	offsetof(struct shown_figure, member), sizeof(((struct shown_figure *)0)->member)

static const struct shown figure_rows[] = {
	{"name", SHOWN_TEXT, FIGURE_AT(name), SHOWN_COUNTS, 0, .help = "its name"},
	{"help", SHOWN_TEXT, FIGURE_AT(help), SHOWN_COUNTS, 0, .help = "its meaning"},
	{"value", SHOWN_GAUGE, FIGURE_AT(value), SHOWN_COUNTS, 0, .help = "its value"},
};

const struct shown_table shown_figure = {.title = "Counters of all checks",
					 .rows = figure_rows,
					 .n = sizeof(figure_rows) / sizeof(figure_rows[0])};

#define MOVE_AT(member)                                                                            \
	offsetof(struct shown_transition, member), sizeof(((struct shown_transition *)0)->member)

static const struct shown transition_rows[] = {
	{"at_ms", SHOWN_GAUGE, MOVE_AT(at_ms), SHOWN_LIST, 0, .help = "when, since 1970",
	 .unit = "ms"},
	{"state", SHOWN_TEXT, MOVE_AT(state), SHOWN_LIST, 0, .help = "the result of the checks"},
	{"admin", SHOWN_TEXT, MOVE_AT(admin), SHOWN_LIST, 0,
	 .help = "the state that an operator set"},
	{"reason", SHOWN_TEXT, MOVE_AT(reason), SHOWN_LIST, 0, .help = "why, in words"},
};

const struct shown_table shown_transition = {.title = "The history of a real server",
					     .rows = transition_rows,
					     .n = sizeof(transition_rows) /
						  sizeof(transition_rows[0])};

#define QUORUM_AT(member)                                                                          \
	offsetof(struct shown_quorum, member), sizeof(((struct shown_quorum *)0)->member)

static const struct shown quorum_rows[] = {
	{"held", SHOWN_YES, QUORUM_AT(held), SHOWN_LIST, 0, .help = "the service has its quorum"},
	{"lost", SHOWN_YES, QUORUM_AT(lost), SHOWN_LIST, 0, .help = "the service had one"},
	{"kept", SHOWN_YES, QUORUM_AT(kept), SHOWN_LIST, 0,
	 .help = "all servers are down, and those that were up last stay"},
	{"has", SHOWN_GAUGE, QUORUM_AT(has), SHOWN_LIST, 0, .help = "the weight that is up"},
	{"needed", SHOWN_GAUGE, QUORUM_AT(needed), SHOWN_LIST, 0,
	 .help = "the weight that is needed"},
	{"up", SHOWN_GAUGE, QUORUM_AT(up), SHOWN_LIST, 0, .help = "servers that are up"},
	{"servers", SHOWN_GAUGE, QUORUM_AT(servers), SHOWN_LIST, 0,
	 .help = "servers without sorry servers"},
};

const struct shown_table shown_quorum = {.title = "The quorum of a service",
					 .rows = quorum_rows,
					 .n = sizeof(quorum_rows) / sizeof(quorum_rows[0])};
