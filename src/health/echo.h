/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_ECHO_H
#define PLVS_HEALTH_ECHO_H

/*
 * ICMP echo of IPv4 and IPv6 (RFC 792, RFC 4443): sends requests, and gives replies to the owners
 * of the requests.
 *
 * Where the kernel allows it (net.ipv4.ping_group_range) each request has a ping socket of
 * its own, connected to the target. Else one raw socket for each family serves all requests and is
 * open while a request is under way. A filter in the kernel drops packets without the router's id
 * and token, so that a flood of other replies does not wake the thread. Either way a reply counts
 * only from the target's address, with the request's identifier, sequence number and its random
 * bytes.
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
	int fd;		 /* a ping socket, or -1: the raw socket */
	struct addr target;
	uint16_t id; /* the identifier; 0 = any */
	uint16_t sequence;
	uint8_t token[ECHO_TOKEN];
	/* Called once, after the request has stopped. err 0: a reply came; else an errno. */
	void (*done)(struct echo_request *r, int err);
};

/* 0 or -ENOMEM. base NULL: no request can be made. */
int echo_create(struct event_base *base, struct echo_socket **out);
void echo_destroy(struct echo_socket *e); /* NULL is allowed; no request is under way */
/* Only raw sockets from now on: for tests. */
void echo_use_raw(struct echo_socket *e);

/* The raw socket takes only replies with these identifiers, which include those of all requests.
 * Call before the first request. */
void echo_set_ids(struct echo_socket *e, uint16_t first, uint16_t last);

/* Sends; target, id and done are set. 0, or -errno without a call of done(); -EADDRINUSE: another
 * ping socket of this host has the identifier. */
int echo_start(struct echo_socket *e, struct echo_request *r);
/* Stops a request; done() is not called. */
void echo_stop(struct echo_request *r);

#endif
