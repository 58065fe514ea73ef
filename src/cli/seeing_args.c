/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/seeing_args.h"

#include "model/counters.h"

#define COUNT_MAX 1000000000

#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}
#define IN                                                                                         \
	{                                                                                          \
		"in", ARG_LINK, 0, "in",                                                           \
			"link on which the packet arrives (default: of the route to its source)",  \
			NULL, 0, 0                                                                 \
	}
#define FLOW                                                                                       \
	{"SOURCE",                                                                                 \
	 ARG_ENDPOINT,                                                                             \
	 ARG_POSITIONAL | ARG_REQUIRED,                                                            \
	 "source",                                                                                 \
	 "address:port of the sender",                                                             \
	 NULL,                                                                                     \
	 0,                                                                                        \
	 0},                                                                                       \
		{"DESTINATION",                                                                    \
		 ARG_ENDPOINT,                                                                     \
		 ARG_POSITIONAL | ARG_REQUIRED,                                                    \
		 "destination",                                                                    \
		 "address:port of the receiver",                                                   \
		 NULL,                                                                             \
		 0,                                                                                \
		 0},                                                                               \
		IN, {"length", ARG_UINT, 0, "length", "of the IP packet", NULL, 20, 2048},         \
	{                                                                                          \
		"hops", ARG_UINT, 0, "hops", "TTL or hop limit (default 64)", NULL, 0, 255         \
	}

const struct arg explain_tcp_args[] = {
	FLOW, {"flags", ARG_WORD, 0, "flags", "of F S R P A U (default S)", NULL, 0, 0}, END};
const struct arg explain_udp_args[] = {FLOW, END};
const struct arg explain_pcap_args[] = {
	{"FILE", ARG_PATH, ARG_POSITIONAL | ARG_REQUIRED, "@file",
	 "a capture file of this machine; - is standard input", NULL, 0, 0},
	{"packet", ARG_UINT, 0, "@packet", "number of the packet in the file (default 1)", NULL, 1,
	 COUNT_MAX},
	IN,
	END};

static const char *const drop_reasons[] = {
#define X(NAME, name, help) #name,
	DROP_REASONS(X)
#undef X
		NULL};

const struct arg drops_show_args[] = {{"REASON", ARG_WORD, ARG_POSITIONAL | ARG_REQUIRED, "reason",
				       "as \"drops list\" shows them", drop_reasons, 0, 0},
				      END};

#define BOUNDS                                                                                     \
	{"FILTER",                                                                                 \
	 ARG_WORD,                                                                                 \
	 ARG_POSITIONAL,                                                                           \
	 "@filter",                                                                                \
	 "a filter of tcpdump, quoted (default: all packets)",                                     \
	 NULL,                                                                                     \
	 0,                                                                                        \
	 0},                                                                                       \
		{"count", ARG_UINT, 0, "count", "end after so many packets", NULL, 1, COUNT_MAX},  \
		{"seconds", ARG_UINT, 0,   "seconds", "end after this time (default 60)",          \
		 NULL,	    1,	      3600},                                                       \
	{                                                                                          \
		"rate", ARG_UINT, 0, "rate", "records a second of a worker (default 2000)", NULL,  \
			1, 20000                                                                   \
	}

const struct arg trace_args[] = {BOUNDS, END};
const struct arg capture_args[] = {
	BOUNDS,
	{"write", ARG_PATH, ARG_REQUIRED, "@write",
	 "a pcapng file of this machine; - is standard output. May be written as -w", NULL, 0, 0},
	{"snap", ARG_UINT, 0, "snap", "bytes of each frame (default: all)", NULL, 64, 9216},
	{"bytes", ARG_UINT, 0, "bytes", "end after so many bytes (default 1 GiB)", NULL, 1,
	 1099511627776},
	END};
