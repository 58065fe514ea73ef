/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_CONFIG_ARGS_H
#define PLVS_CLI_CONFIG_ARGS_H

/* Arguments of the commands about the configuration as a whole, for the tree in commands.c. */

#include "cli/grammar.h"

extern const struct arg config_show_args[], config_text_args[], config_apply_args[],
	config_push_args[], config_save_args[], config_diff_args[], config_rollback_args[];

#endif
