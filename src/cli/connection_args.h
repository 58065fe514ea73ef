/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_CONNECTION_ARGS_H
#define PLVS_CLI_CONNECTION_ARGS_H

/* Arguments of the commands about connections, for the tree in commands.c. */

#include "cli/grammar.h"

extern const struct arg connection_list_args[], connection_filter_args[], connection_one_args[];

#endif
