/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_EXCHANGE_H
#define PLVS_MODEL_EXCHANGE_H

/*
 * The rings between workers and the link thread. Single producer, single consumer each;
 * elements are struct rte_mbuf pointers unless noted.
 *
 * Sleep and wake: a producer enqueues, then a full fence, then looks at the ring's count;
 * when only its own elements are there, the consumer may be asleep and gets one eventfd
 * write. A consumer that found its rings empty makes a full fence and looks once more
 * before it sleeps. So no wake-up is lost and few are sent. Workers wake the link thread this way.
 * A worker looks at more than rings, so a word says whether the worker sleeps (wake.h).
 *
 * A punted mbuf: data starts at the Ethernet header; a stripped VLAN tag is back in the
 * frame; m->port is the port it arrived on. An injected mbuf: the frame as Linux sent it;
 * m->port is the port to send it on.
 */

#include <stdint.h>

#include "model/counters.h"
#include "model/limits.h"
#include "model/wake.h"

struct rte_ring;
struct rte_mempool;

#define ETHER_TYPE_PEER	  0x88b5 /* of heartbeats in frames: IEEE 802 local experimental 1 */
#define PUNT_RING_SIZE	  1024
#define INJECT_RING_SIZE  1024
#define INJECT_FIRST_SIZE 256
#define RESOLVE_RING_SIZE 1024

struct worker_exchange {
	struct rte_ring *punt[PUNT_MAX]; /* worker -> link */
	struct rte_ring *resolve;	 /* worker -> link, elements: struct resolve_request */
	struct rte_ring *inject;	 /* link -> worker */
	struct rte_ring *inject_first;	 /* link -> worker: heartbeats, ARP; before all else */
	struct wake wake;		 /* producers: after they put something on a ring */
};

struct exchange {
	uint16_t n_workers;
	struct worker_exchange worker[MAX_WORKERS];
	int link_eventfd;		 /* workers write when a punt or resolve ring was empty */
	uint16_t port_worker[MAX_PORTS]; /* of injected frames: the owner of the port's queue 0 */
	struct rte_mempool *pool[MAX_PORTS]; /* for frames read from the TAP of a port */
};

#endif
