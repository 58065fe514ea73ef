/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/object_args.h"

#include "model/limits.h"
#include "model/schedulers.h"
#include "model/service.h"

static const char *const schedulers[] = {
#define X(name) #name,
	SCHEDULERS(X)
#undef X
		NULL,
};
static const char *const forwards[] = {
#define X(NAME, name, ipvs) #name,
	FORWARD_METHODS(X)
#undef X
		NULL};
static const char *const kinds[] = {"vip", "gateway", "prefix", "pool", NULL};
static const char *const health_states[] = {"up", "down", "unknown", "maintenance", "forced", NULL};
static const char *const health_words[] = {"up", "down", "maintenance", "auto", NULL};
static const char *const mark_protocols[] = {"tcp", "udp", "!tcp", "!udp", NULL};

#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}
#define SERVICE_OF                                                                                 \
	{                                                                                          \
		"SERVICE", ARG_SERVICE, ARG_POSITIONAL | ARG_REQUIRED, "service",                  \
			"the virtual service", NULL, 0, 0                                          \
	}
#define SERVER_OF                                                                                  \
	{                                                                                          \
		"SERVER", ARG_SERVER, ARG_POSITIONAL | ARG_REQUIRED, "server",                     \
			"the real server within the service", NULL, 0, 0                           \
	}

const struct arg service_one[] = {SERVICE_OF, END};

const struct arg service_list_args[] = {
	{"brief", ARG_FLAG, 0, "@brief", "services only, without their servers", NULL, 0, 0}, END};

#define SERVICE_KEYS(at)                                                                           \
	{"name", ARG_WORD, 0, at "name", "a label", NULL, 0, 0},                                   \
		{"scheduler", ARG_WORD, 0, at "scheduler", "how real servers are chosen",          \
		 schedulers,  0,	0},                                                        \
	{                                                                                          \
		"forward", ARG_CHOICE, 0, at "forward", "default of its servers", forwards, 0, 0   \
	}

const struct arg service_add_args[] = {
	{"SERVICE", ARG_NEW_SERVICE, ARG_POSITIONAL | ARG_REQUIRED, "",
	 "the address and port that clients connect to", NULL, 0, 0},
	SERVICE_KEYS(""),
	{"listen", ARG_ENDPOINT, ARG_REPEAT, "listen", "a further address:port of the same service",
	 NULL, 0, 0},
	{"set", ARG_ASSIGN, 0, "", "any key of the configuration (see \"config schema\")", NULL, 0,
	 0},
	END};

const struct arg service_edit_args[] = {SERVICE_OF,
					SERVICE_KEYS("set."),
					{"listen", ARG_ENDPOINT, ARG_REPEAT, "set.listen",
					 "address:port; replaces the whole list", NULL, 0, 0},
					{"set", ARG_ASSIGN, 0, "set.",
					 "any key of the configuration (see \"config schema\")",
					 NULL, 0, 0},
					END};

#define SERVER_KEYS(at)                                                                            \
	{"weight", ARG_UINT, 0,		at "weight", "share of new connections; 0 quiesces",       \
	 NULL,	   0,	     MAX_WEIGHT},                                                          \
		{"forward", ARG_CHOICE, 0, at "forward", "the forwarding method", forwards, 0, 0}, \
		{"upper",                                                                          \
		 ARG_UINT,                                                                         \
		 0,                                                                                \
		 at "upper",                                                                       \
		 "no new connections at this number; 0 = no threshold",                            \
		 NULL,                                                                             \
		 0,                                                                                \
		 UINT32_MAX},                                                                      \
		{"lower",                                                                          \
		 ARG_UINT,                                                                         \
		 0,                                                                                \
		 at "lower",                                                                       \
		 "new connections again below this number; 0 = 3/4 of upper",                      \
		 NULL,                                                                             \
		 0,                                                                                \
		 UINT32_MAX},                                                                      \
	{                                                                                          \
		"set", ARG_ASSIGN, 0, at "",                                                       \
			"any key of the configuration (see \"config schema\")", NULL, 1, 0         \
	}

const struct arg server_add_args[] = {SERVICE_OF,
				      {"SERVER", ARG_NEW_SERVER, ARG_POSITIONAL | ARG_REQUIRED,
				       "server.address", "address and port of the real server",
				       NULL, 0, 0},
				      SERVER_KEYS("server."),
				      END};
const struct arg server_edit_args[] = {SERVICE_OF, SERVER_OF, SERVER_KEYS("set."), END};
const struct arg server_delete_args[] = {SERVICE_OF, SERVER_OF, END};

const struct arg health_list_args[] = {
	{"service", ARG_SERVICE, 0, "service", "of this virtual service", NULL, 0, 0},
	{"server", ARG_SERVER, 0, "server", "the real server: address:port, or its address", NULL,
	 0, 0},
	{"state", ARG_CHOICE, 0, "state", "the standing: up, down, ...; forced: set by an operator",
	 health_states, 0, 0},
	END};
const struct arg health_show_args[] = {SERVICE_OF, SERVER_OF, END};
const struct arg health_try_args[] = {SERVICE_OF,
				      SERVER_OF,
				      {"check", ARG_WORD, 0, "check",
				       "the name of one of its checks (default: the first)", NULL,
				       0, 0},
				      END};
const struct arg health_force_args[] = {
	SERVICE_OF,
	SERVER_OF,
	{"STATE", ARG_CHOICE, ARG_POSITIONAL | ARG_REQUIRED, "state",
	 "up, down, maintenance; auto: its checks decide again", health_words, 0, 0},
	{"reason", ARG_WORD, 0, "reason", "the reason, for later readers", NULL, 0, 0},
	END};

const struct arg address_args[] = {
	{"ADDRESS", ARG_ADDRESS, ARG_POSITIONAL | ARG_REQUIRED, "address",
	 "192.0.2.80, 10.10.255.254/16", NULL, 0, 0},
	{"kind", ARG_CHOICE, ARG_REQUIRED, "kind",
	 "vip; gateway (the real servers' default route); prefix; pool (of full NAT)", kinds, 0, 0},
	{"link", ARG_LINK, 0, "link", "its link: a port, or PORT.VLAN", NULL, 0, 0},
	END};
const struct arg address_delete_args[] = {
	{"ADDRESS", ARG_ADDRESS, ARG_POSITIONAL | ARG_REQUIRED, "address", "the address", NULL, 0,
	 0},
	{"kind", ARG_CHOICE, 0, "kind", "needed if one address has several kinds", kinds, 0, 0},
	{"link", ARG_LINK, 0, "link", "its link", NULL, 0, 0},
	END};

const struct arg mark_add_args[] = {
	{"mark", ARG_UINT, ARG_REQUIRED, "rule.mark",
	 "the mark of matching packets; 0 cancels the mark of an earlier rule", NULL, 0,
	 UINT32_MAX},
	{"position", ARG_UINT, 0, "position", "before the rule at this position (default: last)",
	 NULL, 0, UINT32_MAX},
	{"source", ARG_WORD, 0, "rule.source", "prefix of the client; \"!\" before it negates",
	 NULL, 0, 0},
	{"destination", ARG_WORD, 0, "rule.destination", "prefix; \"!\" before it negates", NULL, 0,
	 0},
	{"protocol", ARG_CHOICE, 0, "rule.protocol", "tcp or udp", mark_protocols, 0, 0},
	{"source_port", ARG_WORD, 0, "rule.source_port", "80, 1000-1999 or !80", NULL, 0, 0},
	{"destination_port", ARG_WORD, 0, "rule.destination_port", "80, 1000-1999 or !80", NULL, 0,
	 0},
	{"link", ARG_WORD, 0, "rule.link", "on which packets arrive; \"!\" before it negates", NULL,
	 0, 0},
	{"comment", ARG_WORD, 0, "rule.comment", "for people", NULL, 0, 0},
	END};
const struct arg mark_delete_args[] = {{"POSITION", ARG_UINT, ARG_POSITIONAL | ARG_REQUIRED,
					"position", "as mark list shows it", NULL, 0, UINT32_MAX},
				       END};
