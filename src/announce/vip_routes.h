/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ANNOUNCE_VIP_ROUTES_H
#define PLVS_ANNOUNCE_VIP_ROUTES_H

/*
 * The routes of VIPs that this router serves. A routing daemon (BIRD, FRR) exports them to the
 * network. Control gives the VIPs that may be announced (vip_routes_set()). Their routes stand in
 * Linux's table while the router as a whole serves: ports are up, this router is the active one, no
 * operator drains it, the process does not end, and all workers run.
 *
 * Addresses of a pool of full NAT are of this router alone: servers answer there. Their routes
 * (`home`) stand while the router runs and is the active one, also when it is drained, ends, or has
 * a port that is down, since connections go on meanwhile.
 *
 * A thread of its own looks every 10 ms, with SCHED_FIFO where allowed. The thread never waits
 * for another one. A worker that is stuck has all routes removed and ends the process: the
 * neighbours' sessions end with the process's TAPs, and a service manager starts the router again.
 * Once a second the table is read back: a route that another program removed is added again, and a
 * foreign route is removed.
 *
 * Routes of a killed process stay in the table until the next start (vip_routes_clear()). The
 * network does not go by them meanwhile, because BFD and BGP sessions crossed the TAPs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error_text.h"
#include "model/limits.h"

struct vip_routes;

/* A VIP to be announced, or an address of a pool. */
struct vip_route {
	struct addr addr;
	uint32_t metric;
	uint32_t home; /* 1: of a pool */
};

/* X(NAME, word, meaning): the reason why no VIP is announced; the first that applies. */
#define VIP_ROUTES_STATES(X)                                                                       \
	X(ANNOUNCING, announcing, "VIPs whose services have their quorum are announced")           \
	X(STARTING, starting, "the router is not ready yet")                                       \
	X(LEAVING, leaving, "plvs ends")                                                           \
	X(DRAINED, drained, "an operator drains this router")                                      \
	X(STANDBY, standby, "another router of the pair is active")                                \
	X(PORT_DOWN, port_down, "a port is down")                                                  \
	X(STUCK, stuck, "a worker makes no progress: the process ends")

enum vip_routes_state {
#define X(NAME, word, meaning) VIP_ROUTES_##NAME,
	VIP_ROUTES_STATES(X)
#undef X
		VIP_ROUTES_STATE_MAX
};
extern const char *const vip_routes_state_names[VIP_ROUTES_STATE_MAX];
extern const char *const vip_routes_state_meanings[VIP_ROUTES_STATE_MAX];

struct vip_routes_status {
	enum vip_routes_state state;
	uint32_t wanted, announced; /* VIPs of the list; those whose routes stand */
	uint32_t homes;		    /* addresses of the pool whose routes stand */
	uint64_t added, removed;    /* routes since the start */
	uint64_t errors;	    /* requests that Linux refused */
	uint64_t repaired;	    /* routes that another program removed or added */
	char fault[160];	    /* the last refusal, while requests fail; or "" */
};

/* Calls of the thread to others: must not wait. */
struct vip_routes_host {
	bool (*ports_up)(void *arg);
	/* True: the router is active: its workers forward for VIPs. */
	bool (*active)(void *arg);
	/* Wakes workers that sleep, for one round. */
	void (*wake)(void *arg);
	/* Routes were added or removed. Borrowed. May be NULL. */
	void (*changed)(void *arg, const struct vip_route *list, uint32_t n, bool announced);
	void *arg;
};

struct vip_routes_config {
	uint32_t table;
	uint32_t stuck_ms; /* 0: no look at workers */
	char netns[256];   /* of the TAPs and of the routing daemon; "" = the process's */
	const uint64_t *progress[MAX_WORKERS];
	uint16_t n_workers;
	struct vip_routes_host host;
};

/* Removes routes that an earlier process left in the table. Before ports open. 0, or -errno with a
 * sentence. */
int vip_routes_clear(uint32_t table, const char *netns, char error[ERROR_TEXT]);

/* Starts the thread; nothing is announced before vip_routes_ready(). 0, or -errno with a
 * sentence. */
int vip_routes_start(const struct vip_routes_config *config, struct vip_routes **out,
		     char error[ERROR_TEXT]);
/* Removes the routes and ends the thread. NULL is allowed. */
void vip_routes_stop(struct vip_routes *v);

/* --- Any thread; no wait. --- */

/* All parts of the router run. */
void vip_routes_ready(struct vip_routes *v);
/* Replaces the list; in any order, each address once. 0 or -ENOMEM. */
int vip_routes_set(struct vip_routes *v, const struct vip_route *list, uint32_t n);
void vip_routes_drain(struct vip_routes *v, bool on);
/* The process ends: withdraws all routes for good. */
void vip_routes_leave(struct vip_routes *v);
void vip_routes_status(const struct vip_routes *v, struct vip_routes_status *out);
/* The routes of the list that stand in the table now; at most max are written. Their number. */
uint32_t vip_routes_list(const struct vip_routes *v, struct vip_route *out, uint32_t max);

#endif
