/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_BIG_H
#define PLVS_DATAPLANE_PORT_BIG_H

/*
 * Big frames (big/big_frame.h) at ports whose device is a Linux interface under net_af_packet. The
 * driver cannot carry such frames. So the port uses sockets of plvs for packets, and the device for
 * all other functions: the port's entry among DPDK's burst functions is exchanged.
 *
 * Either all ports of the data plane carry big frames, or none does, so that a frame can leave
 * whole by each port.
 *
 * Control context: the thread that starts the data plane, then port recovery.
 */

#include "base/error_text.h"
#include "dataplane/dataplane.h"

/* After port_find() of all ports: gives each port its struct port_big, or none of them. */
void port_big_choose(struct dataplane *dp);
/* Makes the pool of long buffers, if one is needed. 0, or -ENOMEM with a sentence in error. */
int port_big_pool_create(struct dataplane *dp, char error[ERROR_TEXT]);
void port_big_pool_free(struct dataplane *dp);

/* Call when the device is configured, with the driver's *sockets: silences these and opens the
 * port's own, of which *sockets then has the receiving one. Without port.big the call does nothing.
 * 0, or -errno with a sentence in error. */
int port_big_open(struct dataplane *dp, struct port *p, struct kernel_sockets *sockets,
		  char error[ERROR_TEXT]);
/* Call when the device was started: bursts use the port's sockets from now on. */
void port_big_attach(struct port *p);
/* Call when the device is closed, or will not be opened. */
void port_big_close(struct port *p);
void port_big_free(struct port *p);

/* Adds the counters of the sockets' queues. */
void port_big_count(const struct port *p, struct device_counters *out);

/* "whole": frames of up to 64 KiB pass; "no". */
const char *port_big_name(const struct port *p);

#endif
