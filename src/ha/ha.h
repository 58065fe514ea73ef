/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_HA_H
#define PLVS_HA_HA_H

/*
 * The ha thread: heartbeats, roles and the lease of addresses will live on its event loop.
 * The loop has one base and its own thread, so that nothing in control or link delays it.
 *
 * Context: main.
 */

struct ha;

/* Starts the thread on the CPUs of the caller, SCHED_FIFO where that is allowed.
 * 0 or -errno. */
int ha_start(struct ha **out);
/* Ends it and frees everything. NULL is allowed. */
void ha_stop(struct ha *ha);

#endif
