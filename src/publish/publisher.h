/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_PUBLISH_PUBLISHER_H
#define PLVS_PUBLISH_PUBLISHER_H

/*
 * Publishes changes to workers. Changes go into a draft of the snapshot. The first change is
 * published at once, later changes of the same millisecond together. A change of one service
 * replaces one node in a clone of the root.
 *
 * Answers wait until every worker has passed a quiescent state after the publication
 * (publisher_wait()), polled, for 2 s at most.
 *
 * Context: the control thread, or main before it starts and after it ended.
 */

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "model/published.h"

struct publisher;

/* Makes the tables of both families that follow from all services and addresses, and sets them in
 * the draft. 0 or -ENOMEM. A change of a few servers changes copies of the tables instead
 * (patch.c). */
struct publisher_tables {
	int (*addrs)(void *arg, struct snapshot *draft);
	int (*listeners)(void *arg, struct snapshot *draft);
	/* The draft's cover of its mark rules, after its listeners. NULL: there are no rules. */
	int (*cover)(void *arg, struct snapshot *draft);
	/* Called for each changed service before it is published; svc NULL: the service is removed.
	 * Or NULL. */
	void (*service)(void *arg, uint32_t id, const struct service *svc);
	/* Called after a publication that changed addresses. Or NULL. */
	void (*links)(void *arg, const struct snapshot *live);
	/* Called in place of links after a publication that changed only n servers. Or NULL. */
	void (*servers)(void *arg, const struct snapshot *live, const struct endpoint *touched,
			uint32_t n);
	/* Called after every publication. Or NULL. */
	void (*published)(void *arg);
	void *arg;
};

/* Called once. result: 0 = live on every worker; -ETIMEDOUT = published, but not every
 * worker has taken it up; -ENOMEM = not published; -ECANCELED = control ends. */
typedef void publisher_done(void *arg, int result, uint64_t generation);

struct publisher_waiter {
	TAILQ_ENTRY(publisher_waiter) entry;
	publisher_done *done;
	void *arg;
	uint64_t generation;
	uint64_t token;
	uint64_t deadline_us; /* 0: not published yet */
};
TAILQ_HEAD(publisher_waiters, publisher_waiter);

/* A VIP that a service no longer has while its servers have connections. */
struct lingering {
	struct addr addr;
	uint32_t service_id;
	uint64_t number; /* tells it from others of the same address */
};

struct publisher {
	struct published *pub;
	struct publisher_tables tables;
	struct snapshot *live;	/* equal to pub->snapshot */
	struct snapshot *draft; /* NULL: nothing to publish */
	/* Tables of the draft that have to be made anew. */
	bool dirty_addrs, dirty_listeners, dirty_owned, dirty_marks;
	bool links; /* the table of addresses was made anew for this draft */
	bool raise;
	bool held;	   /* the draft is not complete */
	uint32_t *changed; /* service ids of the draft, perhaps twice */
	uint32_t n_changed, max_changed;
	uint32_t *dropped; /* server_rt ids that a node of the draft left out */
	uint32_t n_dropped, max_dropped;
	/* Servers that were added, removed or have another method, unless all tables are dirty;
	 * perhaps twice. */
	struct endpoint *touched;
	uint32_t n_touched, max_touched;
	uint32_t *seen; /* [MAX_SERVERS + 1] = epoch: a server of the service in hand */
	uint32_t epoch;
	/* Servers that were NAT and have another method now, until their connections have ended. */
	uint8_t *was_nat; /* [MAX_SERVERS + 1] */
	uint32_t n_was_nat;
	struct lingering *lingering; /* ADDR_KIND_LINGERING */
	uint32_t n_lingering, max_lingering;
	uint64_t lingered; /* the last number */
	struct retire_list retired;
	struct event *publish_ev, *poll_ev, *reap_ev; /* NULL before publisher_attach() */
	uint64_t published_us;			      /* the last publication */
	struct publisher_waiters waiting;
};

/* 0 or -ENOMEM. pub->runtime is initialised; publishes an empty snapshot. */
int publisher_init(struct publisher *p, struct published *pub,
		   const struct publisher_tables *tables);
/* Starts the timers that publish, poll and reap. 0 or -ENOMEM. */
int publisher_attach(struct publisher *p, struct event_base *base);
/* Ends waiters and timers. */
void publisher_detach(struct publisher *p);
/* Frees the published snapshot; workers have stopped. */
void publisher_fini(struct publisher *p);

/* Opens a draft with room for a service id. 0 or -ENOMEM. */
int publisher_draft(struct publisher *p, uint32_t id);

/* The node of a service as the draft, or without one the live snapshot, has it. */
struct service *publisher_service(const struct publisher *p, uint32_t id);
/* Puts a node into the draft, or removes the service (svc NULL). how: CHANGE_* of the configured
 * service since the node that is there; 0: health alone wants another node. Takes over the caller's
 * reference, also on error. 0 or -ENOMEM. */
int publisher_set_service(struct publisher *p, uint32_t id, struct service *svc, uint8_t how);
/* The address list changed. 0 or -ENOMEM. */
int publisher_touch_addrs(struct publisher *p);
/* The entries of a forgotten server in the tables have to change. 0 or -ENOMEM. */
int publisher_touch_server(struct publisher *p, const struct endpoint *ep);
/* The mark rules changed. 0 or -ENOMEM. */
int publisher_touch_marks(struct publisher *p);
/* Discards the draft. */
void publisher_discard(struct publisher *p);
/* Returns the objects that a node which never got into the draft took from the registry. */
void publisher_unused(struct publisher *p, struct service *svc);

/* Holds publication back until the release, so that a draft can be made in several steps. Other
 * changes may go into the draft meanwhile; a discard discards them as well. */
void publisher_hold(struct publisher *p);
void publisher_release(struct publisher *p);

/* Makes one table of the held draft, so that less is left for the flush to do in one go. False:
 * there is none to make, or no memory, which the flush finds again. A change afterwards may ask for
 * a table once more. */
bool publisher_prepare(struct publisher *p);
/* Publishes the draft, if any and not held, now. 0 or -ENOMEM (the draft stays). */
int publisher_flush(struct publisher *p);
/* Releases objects that are not used any more. By a timer, and for tests. */
void publisher_reap(struct publisher *p);
/* Publishes within a millisecond. */
void publisher_soon(struct publisher *p);
/* --- draft.c for publisher.c alone --- */

struct event;
void publisher_arm(struct event *ev, uint64_t us);
void publisher_draft_clear(struct publisher *p);
/* Gives a service of no node back to the registry. */
void publisher_let_go(struct publisher *p, uint32_t service_id);

/* --- patch.c for publisher.c alone --- */

/* Copies of the draft's tables with the touched servers as they are now. 0, -ENOMEM, or -ENOSPC:
 * the table has to be built anew. */
int publisher_patch_addrs4(struct publisher *p);
int publisher_patch_addrs6(struct publisher *p);
int publisher_patch_owned4(struct publisher *p);
int publisher_patch_owned6(struct publisher *p);

/* --- publisher.c --- */

/* done is called when all changes up to now are live, perhaps before publisher_wait() returns. */
void publisher_wait(struct publisher *p, publisher_done *done, void *arg);

#endif
