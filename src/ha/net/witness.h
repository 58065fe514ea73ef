/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_WITNESS_H
#define PLVS_HA_NET_WITNESS_H

/*
 * Third parties on each VIP link, asked by ARP or ND whether they are there: if one answers, this
 * router can receive, and silence of the peer means something. By default the gateways and
 * real servers of the link.
 *
 * However many there are, at most WITNESS_ASKED are asked at a time: those that answered
 * lately, by unicast, and a few of the others in turn, by broadcast. While enough answer,
 * the others are tried once a second only.
 *
 * Pure: no clock, no socket. Context: one thread, the ha thread. Times in milliseconds,
 * monotonic.
 */

#include "ha/net/discovery.h"

#define WITNESS_ASKED	  8 /* of one link at a time */
#define WITNESS_ANSWERING 6 /* of them, that answered */
#define WITNESS_ENOUGH	  2 /* that answered: others are not urgent */
#define WITNESS_OTHERS_MS 1000
#define WITNESS_PATIENCE  4	/* questions in a row without an answer: asked as the others */
#define WITNESS_PER_LINK  65536 /* more are not looked at */

struct witnesses;

struct witness_ops {
	/* A question; the sender's address is the router's own on that link. */
	void (*ask)(void *arg, link_id link, const struct discovery_packet *p);
	void *arg;
};

/* NULL: out of memory. */
struct witnesses *witnesses_create(const struct witness_ops *ops);
void witnesses_destroy(struct witnesses *w);

/* The witnesses of a link from now on, those first that are likely to answer (gateways); own4,
 * own6: the router's addresses on it, ADDR_NONE where there is none: then witnesses of IPv6 are
 * not asked. Those that were there before keep what is known of them. n = 0
 * removes the link. 0 or -ENOMEM (as it was). */
int witnesses_set(struct witnesses *w, link_id link, const struct addr *own4,
		  const struct addr *own6, const struct addr *addrs, uint32_t n);
/* Asks on every link. Call every role_witness_period(). */
void witnesses_ask(struct witnesses *w, uint64_t now_ms);
/* A packet as received. True: of a witness of that link. */
bool witnesses_heard(struct witnesses *w, link_id link, const struct discovery_packet *p,
		     uint64_t now_ms);
/* How many of a link answered within the last within_ms: at most WITNESS_ANSWERING. */
uint32_t witnesses_count(const struct witnesses *w, link_id link, uint64_t now_ms,
			 uint32_t within_ms);
/* Over all links; *deaf: links with witnesses of which none answered. NULL is allowed. */
uint32_t witnesses_count_all(const struct witnesses *w, uint64_t now_ms, uint32_t within_ms,
			     uint32_t *deaf);
/* The loop was stopped: answers of before say nothing. */
void witnesses_forget(struct witnesses *w);

#endif
