/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_SEEING_ARGS_H
#define PLVS_CLI_SEEING_ARGS_H

/* Arguments of the commands that show packets, for the tree in commands.c. */

#include "cli/grammar.h"

extern const struct arg explain_tcp_args[], explain_udp_args[], explain_pcap_args[];
extern const struct arg trace_args[], capture_args[], drops_show_args[];

#endif
