/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_DEVICE_H
#define PLVS_DATAPLANE_PORT_DEVICE_H

/*
 * The device under a port: opened at start, opened again when it is lost or stalls; and the
 * device's counters. A virtual device (EAL's --vdev) is removed from EAL and added again with the
 * same arguments; any other one is stopped and started.
 *
 * Control context: the thread that starts the data plane, then port recovery.
 */

#include "base/error_text.h"
#include "dataplane/dataplane.h"

void port_device_init(struct port *p);
void port_device_fini(struct port *p);
/* After port_find(): configures the device, and stores the data for opening it again. 0, or -errno
 * with a sentence in error. */
int port_device_configure(struct dataplane *dp, struct port *p, char error[ERROR_TEXT]);

extern const char *const port_state_names[PORT_STATES];

/* Any thread: the state, and seconds since it began (0: since the start). */
static inline enum port_state port_device_state(const struct port *p)
{
	return (enum port_state)__atomic_load_n(&p->device.state, __ATOMIC_ACQUIRE);
}

static inline bool port_device_works(const struct port *p)
{
	return port_device_state(p) == PORT_WORKS;
}

uint64_t port_state_s(const struct port *p, uint64_t now_us);

/* True: the interface under the device does not exist any more. */
bool port_device_gone(const struct port *p);
/* True: an interface of that name exists and can be opened. */
bool port_device_back(const struct port *p);
/* Closes the device and opens it again, with the same queues, offloads, VLAN filter, MTU and MAC.
 * No worker uses the port, and its state is not PORT_WORKS, so port_lock() keeps other threads out
 * of the driver. 0, or -errno with a sentence in error and the port closed. */
int port_device_reopen(struct dataplane *dp, struct port *p, char error[ERROR_TEXT]);

/* Reads the device's counters. Takes the lock. */
void port_device_count(struct port *p);

#endif
