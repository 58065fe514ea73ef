/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/connection_args.h"

#define LIMIT_MAX 1000000000

#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}

static const char *const protocols[] = {"tcp", "udp", NULL};
static const char *const states[] = {
	"established", "syn_sent", "syn_recv", "fin_wait", "time_wait", "close", "close_wait",
	"last_ack",    "listen",   "synack",   "udp",	   "none",	NULL};

#define CONNECTION_FILTERS                                                                         \
	{"service", ARG_SERVICE, 0, "service", "of this virtual service", NULL, 0, 0},             \
		{"server", ARG_SERVER, 0, "server", "to this real server", NULL, 0, 0},            \
		{"client", ARG_PREFIX, 0, "client", "from this prefix", NULL, 0, 0},               \
		{"protocol", ARG_CHOICE, 0, "protocol", "tcp or udp", protocols, 0, 0},            \
		{"state", ARG_WORD, 0, "state", "in this state", states, 0, 0},                    \
	{                                                                                          \
		"worker", ARG_UINT, 0, "worker", "owned by this worker", NULL, 0, 65535            \
	}

const struct arg connection_list_args[] = {
	CONNECTION_FILTERS, {"limit", ARG_UINT, 0, "limit", "at most", NULL, 1, LIMIT_MAX}, END};
const struct arg connection_filter_args[] = {CONNECTION_FILTERS, END};
const struct arg connection_one_args[] = {{"PROTOCOL", ARG_CHOICE, ARG_POSITIONAL | ARG_REQUIRED,
					   "protocol", "tcp or udp", protocols, 0, 0},
					  {"CLIENT", ARG_ENDPOINT, ARG_POSITIONAL | ARG_REQUIRED,
					   "client", "the client's address:port", NULL, 0, 0},
					  {"VIRTUAL", ARG_ENDPOINT, ARG_POSITIONAL | ARG_REQUIRED,
					   "virtual", "the VIP:port", NULL, 0, 0},
					  END};
