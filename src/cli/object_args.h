/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_OBJECT_ARGS_H
#define PLVS_CLI_OBJECT_ARGS_H

/* Arguments of the commands about services, servers, their health, addresses and mark rules, for
 * the tree in commands.c. */

#include "cli/grammar.h"

extern const struct arg service_one[], service_list_args[], service_add_args[], service_edit_args[],
	server_add_args[], server_edit_args[], server_delete_args[], health_list_args[],
	health_show_args[], health_try_args[], health_force_args[], address_args[],
	address_delete_args[], mark_add_args[], mark_delete_args[];

#endif
