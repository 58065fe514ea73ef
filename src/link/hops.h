/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_HOPS_H
#define PLVS_LINK_HOPS_H

/*
 * Next hops: objects in the published table that follow Linux's neighbours.
 *
 *	(none) --request--> INCOMPLETE --MAC--> REACHABLE
 *	                        |                 |  ^
 *	                     no answer        no answer MAC
 *	                        v                 v  |
 *	                      FAILED <---------- FAILED
 *
 * FAILED stays through Linux's further attempts until a MAC comes. A REACHABLE next hop whose entry
 * is flushed keeps its MAC until the new attempt ends.
 *
 * Linux manages a next hop that control wants from the start, and a next hop that only traffic
 * needs from its first answer on. Strangers can make a router resolve any address of a connected
 * prefix, and must not leave thousands of entries that Linux probes for ever. The number of
 * unproven next hops is limited, and each ends after a minute.
 *
 * Link thread. Times are arguments, in seconds of any clock that does not go back.
 */

#include <stdbool.h>
#include <stdint.h>

#include "link/link.h"
#include "link/mirror.h"
#include "link/nlparse.h"

#define HOPS_UNPROVEN_MAX 4096
#define HOPS_IDLE_S	  1200 /* life of an unused next hop that answers */
#define HOPS_DEAD_S	  60   /* life of an unused one that does not */
#define HOPS_RETRY_S	  5 /* a failed, unmanaged one that traffic needs: time between attempts */

/* Requests to Linux: nlreq in the program, functions of the test in unit tests. */
struct hops_ops {
	int (*use)(void *arg, int ifindex, const struct addr *a, bool managed);
	int (*get)(void *arg, int ifindex, const struct addr *a, struct nl_neigh *out);
	void *arg;
};

struct hop {
	bool in_use;
	bool wanted;
	bool managed;
	bool proven; /* answered once */
	bool queued; /* for a question to Linux */
	bool seen;   /* in this complete reading */
	bool unlinked;
	bool flushed;	    /* Linux removed its entry: requested again from the next second on */
	uint32_t used_mark; /* the worker's mark when last looked at */
	uint32_t used_s;    /* time at which used_mark last changed */
	uint32_t asked_s;
	uint32_t flushed_s;
};

struct hops {
	struct published *pub;
	struct nexthop_table *table;
	struct retire_list *retired;
	struct mirror *mirror;
	struct link_counters *counters;
	struct hops_ops ops;
	struct hop *hop; /* [MAX_NEXTHOPS + 1] */
	uint32_t max_id; /* highest ever used */
	uint32_t n_unproven, n_reachable;
	uint32_t *queue; /* [MAX_NEXTHOPS + 1]: ids to ask Linux for */
	uint32_t queue_head, queue_n;
	struct link_want *wants;
	uint32_t n_wants, max_wants;
	bool wants_less;   /* wants were removed: the sweep looks for next hops without one */
	uint32_t *leaving; /* [MAX_NEXTHOPS]: unlinked, waiting for a grace period */
	uint32_t n_leaving;
	uint64_t token;
	uint32_t cursor; /* of the sweep */
	bool told_full, told_refused;
};

/* 0 or -ENOMEM. */
int hops_init(struct hops *h, struct published *pub, struct retire_list *retired,
	      struct mirror *mirror, struct link_counters *counters, const struct hops_ops *ops);
void hops_fini(struct hops *h);

/* Takes a worker's request. */
void hops_request(struct hops *h, const struct resolve_request *req, uint32_t now_s);
/* Takes the list over (malloc). */
void hops_set_wants(struct hops *h, struct link_want *wants, uint32_t n, uint32_t now_s);
/* Adds one, unless it is there. 0 or -ENOMEM. */
int hops_want_more(struct hops *h, const struct link_want *want, uint32_t now_s);
/* Removes one; hops_wants_sweep() releases its next hop. */
void hops_want_less(struct hops *h, const struct link_want *want);
/* Every second, before hops_sweep(). */
void hops_wants_sweep(struct hops *h, uint32_t now_s);
/* After a new fib: wants by LINK_ANY may lead elsewhere. */
void hops_routes_changed(struct hops *h, uint32_t now_s);
/* forgotten: deleted, or about to be deleted by a request. */
void hops_neigh(struct hops *h, const struct nl_neigh *n, bool forgotten, uint32_t now_s);
/* The changes of a link that mirror_apply() returned: new, edited, gone. */
void hops_link_new(struct hops *h, link_id link);
void hops_link_edit(struct hops *h, link_id link);
void hops_link_gone(struct hops *h, link_id link);
/* The same for all links that the mirror no longer has. */
void hops_links_gone(struct hops *h);
/* Around a complete reading of neighbours through hops_neigh(). */
void hops_reading_begin(struct hops *h);
void hops_reading_end(struct hops *h);
/* Sends Linux requests for up to budget queued next hops. True: there are more. */
bool hops_work(struct hops *h, uint32_t budget, uint32_t now_s);
/* Every second: retries, and ends unused next hops. */
void hops_sweep(struct hops *h, uint32_t now_s);
/* At the end: tells Linux not to keep the next hops fresh any more. */
void hops_release(struct hops *h);

/* --- hops.c for hop_wants.c alone --- */

/* Queues a request to Linux. */
void hops_enqueue(struct hops *h, uint32_t id);
/* The id of a new next hop, or 0: the table is full. */
uint32_t hops_add(struct hops *h, link_id link, const struct addr *a, uint32_t now_s);

#endif
