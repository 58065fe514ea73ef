/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_ECHO_H
#define PLVS_HEALTH_ECHO_H

/*
 * ICMP echo of IPv4 and IPv6 (RFC 792, RFC 4443): requests out, replies to whoever sent the
 * request.
 *
 * Where the kernel allows it (net.ipv4.ping_group_range) each request has a ping socket of
 * its own, connected to the target. Else one raw socket for each family serves all, open while
 * anything is asked by it; a filter in the kernel drops what does not bear our id and token, so
 * that a flood of other replies wakes nobody. Either way a reply counts only from the target's
 * address, with the request's identifier, sequence number and its random bytes.
 *
 * Context: control.
 */

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "base/addr.h"

#define ECHO_TOKEN 16 /* bytes; the first four are the socket's, for the filter */

struct echo_socket;

/* The caller's; zeroed before the first use. */
struct echo_request {
	LIST_ENTRY(echo_request) of_socket;
	struct echo_socket *echo;
	struct event ev; /* of a ping socket */
	int fd;		 /* a ping socket, or -1: the raw one */
	struct addr target;
	uint16_t id; /* the identifier; 0 = any will do */
	uint16_t sequence;
	uint8_t token[ECHO_TOKEN];
	/* Once; the request is stopped before. err 0: a reply came; else an errno. */
	void (*done)(struct echo_request *r, int err);
};

/* 0 or -ENOMEM. base may be NULL: then nothing can be asked. */
int echo_create(struct event_base *base, struct echo_socket **out);
void echo_destroy(struct echo_socket *e); /* NULL is allowed; nothing is being asked */
/* Only raw sockets from now on: for tests. */
void echo_use_raw(struct echo_socket *e);

/* The raw socket takes replies with these identifiers only, and those of requests are among
 * them. Before the first request. */
void echo_set_ids(struct echo_socket *e, uint16_t first, uint16_t last);

/* Sends; target, id and done are set. 0, or -errno and done() is not called; -EADDRINUSE:
 * another ping socket of this host has the identifier. */
int echo_start(struct echo_socket *e, struct echo_request *r);
/* The answer is not wanted any more. */
void echo_stop(struct echo_request *r);

#endif
