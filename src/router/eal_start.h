/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_EAL_START_H
#define PLVS_ROUTER_EAL_START_H

/*
 * The start of DPDK's EAL. Context: main, before threads start.
 */

#include "config/config.h"

#define EAL_ERROR_LEN 512

/* With argv[1..argc-1], or with node.eal if there are none. 0, or -EINVAL and why, with the
 * remedy where one is known. */
int eal_start(const struct config_node *node, int argc, char **argv, char error[EAL_ERROR_LEN]);

/* For "plvs -t": 0, or -EINVAL and why these arguments make no device of a port. What this host
 * lacks is no error there, since a configuration may be of another host: in lacks, "" for nothing.
 * Nothing is said where there are no arguments, and of a host whose router runs. */
int eal_check(const struct config_node *node, int argc, char **argv, char error[EAL_ERROR_LEN],
	      char lacks[EAL_ERROR_LEN]);

/* A port did not open: appends to error what the host says of its device. */
void eal_explain_devices(const struct config_node *node, char error[EAL_ERROR_LEN]);

#endif
