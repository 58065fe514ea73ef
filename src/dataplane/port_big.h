/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_BIG_H
#define PLVS_DATAPLANE_PORT_BIG_H

/*
 * Big frames (big/big_frame.h) at ports whose device is a Linux interface under net_af_packet. The
 * driver cannot carry such frames, so the port keeps the device for all but packets, and packets
 * come and go by sockets of ours: the port's entry among DPDK's burst functions is exchanged.
 *
 * Either all ports of the data plane carry big frames, or none does: what comes in whole can
 * leave whole by each port.
 *
 * Control context: the thread that starts the data plane, then port recovery.
 */

#include "dataplane/dataplane.h"

/* After port_find() of all ports: gives each port its struct port_big, or none of them. */
void port_big_choose(struct dataplane *dp);
/* The pool of the long buffers, where one is needed. 0 or -ENOMEM, and then error says why. */
int port_big_pool_create(struct dataplane *dp, char error[256]);
void port_big_pool_free(struct dataplane *dp);

/* The device is configured, and *sockets are the driver's: they fall silent, and those of the port
 * open. *sockets is the one that receives, then. Without port.big the call does nothing. 0 or
 * -errno, and then error says what and why. */
int port_big_open(struct dataplane *dp, struct port *p, struct kernel_sockets *sockets,
		  char error[256]);
/* The device was started: bursts go to the port's sockets from now on. */
void port_big_attach(struct port *p);
/* The device is closed, or will not be opened. */
void port_big_close(struct port *p);
void port_big_free(struct port *p);

/* Adds what the sockets' queues counted. */
void port_big_count(const struct port *p, struct device_counters *out);

/* "whole": frames of up to 64 KiB pass; "no". */
const char *port_big_name(const struct port *p);

#endif
