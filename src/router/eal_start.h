/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_EAL_START_H
#define PLVS_ROUTER_EAL_START_H

/*
 * The start of DPDK's EAL. Context: main, before threads start.
 */

#include "config/config.h"

#define EAL_ERROR_LEN 512

/* Starts EAL with argv[1..argc-1], or with node.eal if there are none. 0, or -EINVAL with the
 * reason, and with a remedy where one is known. */
int eal_start(const struct config_node *node, int argc, char **argv, char error[EAL_ERROR_LEN]);

/* For "plvs -t". 0, or -EINVAL with the reason why these arguments do not make the device of a
 * port. A lack of this host is no error, since the configuration may be for another host: lacks has
 * a sentence, or "". Without arguments, and on a host whose router runs, there is no check. */
int eal_check(const struct config_node *node, int argc, char **argv, char error[EAL_ERROR_LEN],
	      char lacks[EAL_ERROR_LEN]);

/* After a port did not open: appends to error the reasons that eal_fault_device() finds. */
void eal_explain_devices(const struct config_node *node, char error[EAL_ERROR_LEN]);

#endif
