/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_RECOVERY_H
#define PLVS_DATAPLANE_PORT_RECOVERY_H

/*
 * The thread that checks the devices under ports, four times a second: reads their counters, and
 * opens a device again that stalls, or whose interface disappeared and came back.
 *
 *	          stalls                  a restart is due
 *	  works ----------> stalled -------------------------> works
 *	  |  ^                 |  the third within ten minutes
 *	  |  |                 v  failed, too
 *	  |  +------------- failed: one restart every ten minutes
 *	  |
 *	  +- interface gone -> gone -- interface there, opened --> works
 *
 * In all states but "works" the link of the port is down: Linux sees no carrier, and in a pair
 * the peer takes over if its ports are better.
 *
 * Workers poll a device without a lock. To open the device again, the thread sets the port's bit in
 * dataplane.ports_closed and waits for a grace period (QSBR). Workers read the word once per round,
 * before they touch a port, and report a quiescent state between rounds. So after the grace period
 * every worker has seen the bit and none is in the driver. The thread closes and opens the device,
 * writes the new DPDK port id to all workers, and clears the bit with release order. Meanwhile
 * frames for the port are dropped as port_closed.
 *
 * A worker that sleeps may wait for a descriptor of the device. The start of a grace period wakes
 * sleeping workers, and so does the opening. A worker reads the word after it has set its own word
 * of sleep, so either it sees the bit, or its sleep ends before the device is closed.
 */

#include "dataplane/dataplane.h"

struct port_recovery;

/* Starts the thread, in the network namespace and on the CPUs of the caller. Workers run.
 * 0 or -errno. */
int port_recovery_start(struct dataplane *dp);
/* Ends the thread, after an opening that is under way. */
void port_recovery_stop(struct dataplane *dp);

#endif
