/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_NET_WITNESS_H
#define PLVS_HA_NET_WITNESS_H

/*
 * Third stations on each VIP link that are asked by ARP or ND. If one answers, this router can
 * receive, so silence of the peer is evidence. By default the gateways and real servers of the
 * link.
 *
 * At most WITNESS_ASKED witnesses of a link are asked at a time: those that answered lately by
 * unicast, and a few of the others in turn by broadcast. While enough answer, the others are asked
 * only once a second.
 *
 * Pure: no clock, no socket. Context: one thread, the ha thread. Times in milliseconds,
 * monotonic.
 */

#include "ha/net/discovery.h"

#define WITNESS_ASKED	  8 /* of one link at a time */
#define WITNESS_ANSWERING 6 /* of these, that answered */
#define WITNESS_ENOUGH	  2 /* that answered: others are not urgent */
#define WITNESS_OTHERS_MS 1000
#define WITNESS_PATIENCE  4	/* questions in a row without an answer, then asked as the others */
#define WITNESS_PER_LINK  65536 /* witnesses beyond are ignored */

struct witnesses;

struct witness_ops {
	/* Sends a question; the sender's address is the router's own on that link. */
	void (*ask)(void *arg, link_id link, const struct discovery_packet *p);
	void *arg;
};

/* NULL: out of memory. */
struct witnesses *witnesses_create(const struct witness_ops *ops);
void witnesses_destroy(struct witnesses *w);

/* Sets the witnesses of a link, likely ones (gateways) first. own4, own6: the router's addresses on
 * the link; witnesses of a family without one (ADDR_NONE) are not asked. Witnesses of the list
 * before keep their state. n = 0 removes the link. 0, or -ENOMEM with the list as it was. */
int witnesses_set(struct witnesses *w, link_id link, const struct addr *own4,
		  const struct addr *own6, const struct addr *addrs, uint32_t n);
/* Asks on every link. Call every role_witness_period(). */
void witnesses_ask(struct witnesses *w, uint64_t now_ms);
/* A packet as received. True: of a witness of that link. */
bool witnesses_heard(struct witnesses *w, link_id link, const struct discovery_packet *p,
		     uint64_t now_ms);
/* The number of a link's witnesses that answered within the last within_ms: at most
 * WITNESS_ANSWERING. */
uint32_t witnesses_count(const struct witnesses *w, link_id link, uint64_t now_ms,
			 uint32_t within_ms);
/* Over all links; *deaf: links with witnesses of which none answered. NULL is allowed. */
uint32_t witnesses_count_all(const struct witnesses *w, uint64_t now_ms, uint32_t within_ms,
			     uint32_t *deaf);
/* The loop was stopped: forgets earlier answers. */
void witnesses_forget(struct witnesses *w);

#endif
