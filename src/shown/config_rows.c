/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, mark rules, and versions of the configuration. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member)                                                                                 \
	offsetof(struct shown_address, member), sizeof(((struct shown_address *)0)->member)

static const struct shown address_rows[] = {
	{"address", SHOWN_TEXT, AT(address), SHOWN_LIST, 0, .help = "an address or a prefix",
	 .if_at = offsetof(struct shown_address, implied)},
	{"kind", SHOWN_TEXT, AT(kind), SHOWN_LIST, 0, .help = "as in the configuration; `vip`",
	 .if_at = offsetof(struct shown_address, implied)},
	{"link", SHOWN_TEXT, AT(link), SHOWN_LIST, 0, .help = "null: any link",
	 .if_at = offsetof(struct shown_address, no_link)},
	{"active", SHOWN_YES, AT(active), SHOWN_LIST, 0, .help = "plvs answers for the address"},
	{"implied", SHOWN_YES, AT(implied), SHOWN_LIST, 0,
	 .help = "a VIP of services that is not configured as an address"},
};

static const struct shown_column address_columns[] = {
	{"address", NULL, 0}, {"kind", NULL, 0},    {"link", NULL, 0},
	{"active", NULL, 0},  {"implied", NULL, 0}, {NULL, NULL, 0},
};

const struct shown_table shown_address = {
	.title = "Addresses",
	.configured = true,
	.rows = address_rows,
	.n = sizeof(address_rows) / sizeof(address_rows[0]),
	.columns = address_columns,
};

#define MARK_AT(member)                                                                            \
	offsetof(struct shown_mark, member), sizeof(((struct shown_mark *)0)->member)
#define MARK_KEY(name, help_)                                                                      \
	{                                                                                          \
		name, SHOWN_KEY, 0, 0, SHOWN_LIST, 0, .help = help_                                \
	}

static const struct shown mark_rows[] = {
	{"position", SHOWN_ID, MARK_AT(position), SHOWN_LIST, 0, .help = "from 0"},
	MARK_KEY("mark", "the mark that the rule sets"),
	MARK_KEY("protocol", "as configured"),
	MARK_KEY("source", "as configured"),
	MARK_KEY("source_port", "as configured"),
	MARK_KEY("destination", "as configured"),
	MARK_KEY("destination_port", "as configured"),
	MARK_KEY("link", "as configured"),
	{"connections", SHOWN_AGO, MARK_AT(connections), SHOWN_LIST, 0,
	 .help = "new connections, and packets without one, that the rule decided about; null: not "
		 "live yet"},
	MARK_KEY("comment", "as configured"),
};

static const struct shown_column mark_columns[] = {
	{"position", "#", 0},
	{"mark", NULL, 0},
	{"protocol", "PROTO", 0},
	{"source", NULL, 0},
	{"source_port", "SPORT", 0},
	{"destination", NULL, 0},
	{"destination_port", "DPORT", 0},
	{"link", NULL, 0},
	{"connections", "CONNS", 0},
	{"comment", NULL, 0},
	{NULL, NULL, 0},
};

const struct shown_table shown_mark = {
	.title = "Mark rules",
	.configured = true,
	.rows = mark_rows,
	.n = sizeof(mark_rows) / sizeof(mark_rows[0]),
	.columns = mark_columns,
};

#define VERSION_AT(member)                                                                         \
	offsetof(struct shown_version, member), sizeof(((struct shown_version *)0)->member)

static const struct shown version_rows[] = {
	{"number", SHOWN_ID, VERSION_AT(number), SHOWN_LIST, 0, .help = "how many changes ago"},
	{"id", SHOWN_TEXT, VERSION_AT(id), SHOWN_LIST, 0, .help = "the same at both routers"},
	{"time", SHOWN_AGO, VERSION_AT(time), SHOWN_LIST, 0,
	 .help = "seconds since 1970; null: a version of the peer of which only the id is known"},
	{"author", SHOWN_TEXT, VERSION_AT(author), SHOWN_LIST, 0, .help = "who changed, and how"},
	{"comment", SHOWN_TEXT, VERSION_AT(comment), SHOWN_LIST, 0, .help = "why"},
	{"running", SHOWN_YES, VERSION_AT(running), SHOWN_LIST, 0,
	 .help = "the version is in effect"},
	{"kept", SHOWN_YES, VERSION_AT(kept), SHOWN_LIST, 0,
	 .help = "what the version says is in `state_dir`"},
};

const struct shown_table shown_version = {
	.title = "Versions of the configuration",
	.rows = version_rows,
	.n = sizeof(version_rows) / sizeof(version_rows[0]),
};

#define TRIAL_AT(member)                                                                           \
	offsetof(struct shown_trial, member), sizeof(((struct shown_trial *)0)->member)

static const struct shown trial_rows[] = {
	{"version", SHOWN_TEXT, TRIAL_AT(version), SHOWN_LIST, 0, .help = "its id"},
	{"author", SHOWN_TEXT, TRIAL_AT(author), SHOWN_LIST, 0, .help = "who put it in place"},
	{"within_s", SHOWN_REAL, TRIAL_AT(within_s), SHOWN_LIST, 0,
	 .help = "the time that was given for `config.confirm`", .unit = "s"},
	{"left_s", SHOWN_REAL, TRIAL_AT(left_s), SHOWN_LIST, 0, .help = "the time that is left",
	 .unit = "s"},
};

const struct shown_table shown_trial = {
	.title = "A configuration on trial",
	.rows = trial_rows,
	.n = sizeof(trial_rows) / sizeof(trial_rows[0]),
};

#define AGREE_AT(member)                                                                           \
	offsetof(struct shown_agreement, member), sizeof(((struct shown_agreement *)0)->member)
#define IF_AUTHOR .if_at = offsetof(struct shown_agreement, has_author)

static const struct shown agreement_rows[] = {
	{"version", SHOWN_TEXT, AGREE_AT(version), SHOWN_LIST, 0,
	 .help = "id of the running version, or null"},
	{"stored", SHOWN_YES, AGREE_AT(stored), SHOWN_LIST, 0,
	 .help = "the version is in `state_dir`"},
	{"fault", SHOWN_TEXT, AGREE_AT(fault), SHOWN_LIST, 0,
	 .help = "why versions are not stored, or null"},
	{"relation", SHOWN_TEXT, AGREE_AT(relation), SHOWN_LIST, 0,
	 .help = "`equal`, `peer_older`, `peer_newer`, `diverged`; `none`: there is no peer"},
	{"peer_version", SHOWN_TEXT, AGREE_AT(peer_version), SHOWN_LIST, 0,
	 .help = "the peer's, or null"},
	{"peer_fault", SHOWN_TEXT, AGREE_AT(peer_fault), SHOWN_LIST, 0,
	 .help = "why the peer does not take the version, or null"},
	{"author", SHOWN_TEXT, AGREE_AT(author), SHOWN_LIST, 0, .help = "of the running version",
	 IF_AUTHOR},
	{"time", SHOWN_GAUGE, AGREE_AT(time), SHOWN_LIST, 0,
	 .help = "of the running version: seconds since 1970", IF_AUTHOR},
	{"difference", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
	 .help = "where they differ: the changes in words that the peer would need"},
};

const struct shown_table shown_agreement = {
	.title = "The configurations of a pair",
	.rows = agreement_rows,
	.n = sizeof(agreement_rows) / sizeof(agreement_rows[0]),
};
