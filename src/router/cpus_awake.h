/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_CPUS_AWAKE_H
#define PLVS_ROUTER_CPUS_AWAKE_H

/*
 * Idle CPUs of the host that do not sleep: Linux's quality-of-service interface for the time that a
 * CPU may take to wake. A frame that wakes a program on a sleeping CPU waits for that CPU:
 * microseconds on hardware, tens of them on a virtual machine, whose CPU comes back through its
 * host. Context: main, before rights are given up.
 */

#include <stdbool.h>

#include "config/config_values.h"

#define CPUS_AWAKE_FILE "/dev/cpu_dma_latency"

/* Asks for a wake-up within 0 us until the descriptor is closed. The descriptor, or -errno. */
int cpus_awake_hold(const char *file);
/* True: the configuration asks for CPUs that stay awake. `kernel_port`: the frames of a port come
 * through Linux (port_on_kernel()). */
bool cpus_awake_wanted(const struct config_node *node, bool kernel_port);
/* Like cpus_awake_hold() if wanted: a failure is a warning of the log, and -1. */
int cpus_awake_start(bool wanted);

#endif
