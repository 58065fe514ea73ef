/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_ANNOUNCE_H
#define PLVS_HA_NET_ANNOUNCE_H

/*
 * Announces every VIP and gateway address to neighbours: by gratuitous ARP, as a request and as a
 * reply (stations differ in the form they heed, RFC 5944 4.6), and by unsolicited neighbour
 * advertisements with the override flag (RFC 4861 7.2.6). A burst is several rounds over all
 * addresses, spaced and paced, so that 10,000 addresses neither fill a queue nor delay a heartbeat.
 * While active, announcements are repeated every refresh interval.
 *
 * Workers let these frames pass only while the address is active and the lease holds
 * (dataplane/stages/answer.c); a router that fences calls announcer_abort() in addition.
 *
 * Pure: no clock, no socket. Context: one thread, the ha thread. Times in microseconds,
 * monotonic.
 */

#include "ha/net/discovery.h"
#include "model/ha_policy.h"

struct announcer;

struct announce_item {
	link_id link;
	struct addr addr;
};

struct announce_ops {
	/* 0 or -errno; -EAGAIN: the frame is tried again later; other errors: in the next round. */
	int (*send)(void *arg, link_id link, const struct discovery_packet *p);
	void *arg;
};

/* NULL: out of memory. */
struct announcer *announcer_create(const struct ha_announcing *config,
				   const struct announce_ops *ops);
void announcer_destroy(struct announcer *a);

/* Sets the addresses to announce from now on, in this order: gateways first. The list is copied. A
 * burst that runs starts its round again. 0, or -ENOMEM: the old list stays. */
int announcer_set(struct announcer *a, const struct announce_item *list, uint32_t n);
/* Call when this router has become active: starts a burst, then refreshes. */
void announcer_start(struct announcer *a, uint64_t now_us);
/* No longer active: stops all announcements. */
void announcer_abort(struct announcer *a);
/* Announces an address at once, against a claim (claim.h). Does nothing if not started. */
void announcer_again(struct announcer *a, link_id link, const struct addr *addr);

/* Sends due frames. Returns the time of the next call; UINT64_MAX: not before a start. */
uint64_t announcer_step(struct announcer *a, uint64_t now_us);
/* True while a burst of announcements runs. */
bool announcer_busy(const struct announcer *a);

#endif
