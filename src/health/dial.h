/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_DIAL_H
#define PLVS_HEALTH_DIAL_H

/*
 * TCP connections of checks: begun without waiting, ended by RST, so that no port stays in
 * TIME_WAIT however many probes there are. Context: control.
 */

#include <sys/socket.h>

#include "health/check.h"

/* The length, 0 for a family that is none. */
socklen_t dial_sockaddr(const struct endpoint *ep, struct sockaddr_storage *out);

/*
 * A socket that connects to the probe's target; writable when that is decided. Its source port
 * is by source_bind(). 0 or -errno.
 */
int dial_start(struct probe *p, int *fd);
/* What became of it: 0 or an errno, positive. */
int dial_result(int fd);

/* Whether an errno of a socket is the server's fault or ours. */
enum probe_verdict dial_verdict(int err);
/* Ends the probe with the sentence of this errno. */
void dial_fail(struct probe *p, int err);

#endif
