/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_DIAL_H
#define PLVS_HEALTH_DIAL_H

/*
 * Sockets of checks. TCP connections are begun without waiting and ended by RST, so that no
 * port stays in TIME_WAIT however many probes there are. UDP sockets are connected: the kernel
 * chooses the port, gives only what the target sends, and tells of its ICMP errors.
 *
 * Context: control.
 */

#include <sys/socket.h>

#include "health/check.h"

/* Packets that Linux sends by this socket do not wait behind bulk traffic: their priority puts
 * them into the TAP's urgent queue. */
void dial_hurry(int fd);

/*
 * A socket that connects to the probe's target; writable when that is decided. Its source port
 * is by source_bind(). 0 or -errno.
 */
int dial_start(struct probe *p, int *fd);
/* The same by UDP. No byte is sent. */
int dial_datagram(struct probe *p, int *fd);
/* The result of a connection attempt: 0 or a positive errno. */
int dial_result(int fd);

/* Whether an errno of a socket is the server's fault or ours. */
enum probe_verdict dial_verdict(int err);
/* Ends the probe with the sentence of this errno. */
void dial_fail(struct probe *p, int err);
/* The same of a datagram that was sent. */
void dial_datagram_fail(struct probe *p, int err);

#endif
