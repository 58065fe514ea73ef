/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_DIAL_H
#define PLVS_HEALTH_DIAL_H

/*
 * Sockets of checks. TCP connections are begun without waiting and ended by RST, so that no
 * port stays in TIME_WAIT however many probes there are. UDP sockets are connected: the kernel
 * delivers only datagrams of the target, and reports its ICMP errors.
 *
 * Context: control.
 */

#include <sys/socket.h>

#include "health/check.h"

/* Packets that Linux sends by this socket do not wait behind bulk traffic: their priority puts
 * them into the TAP's urgent queue. */
void dial_hurry(int fd);

/*
 * A socket that connects to the probe's target; writable when the attempt has ended. Its source
 * port is from source_bind(). 0 or -errno.
 */
int dial_start(struct probe *p, int *fd);
/* The same by UDP. No byte is sent. */
int dial_datagram(struct probe *p, int *fd);
/* The result of a connection attempt: 0 or a positive errno. */
int dial_result(int fd);

/* Decides by an errno of a socket between the server's fault and the router's. */
enum probe_verdict dial_verdict(int err);
/* Ends the probe with the sentence of this errno. */
void dial_fail(struct probe *p, int err);
/* The same for a datagram that was sent. */
void dial_datagram_fail(struct probe *p, int err);

#endif
