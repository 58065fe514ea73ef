/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SYNC_CONN_SYNC_H
#define PLVS_DATAPLANE_SYNC_CONN_SYNC_H

/*
 * The worker's side of synchronisation (model/sync_event.h): what becomes of its connections goes
 * to the ha thread, what the peer told of is taken in.
 *
 * Told of is a TCP connection once it has been ESTABLISHED, never before; a UDP one once it
 * has been answered or seen twice; a template once a client has got through under it. What
 * was not told of ends without a word: a flood costs the peer nothing. An event says how the
 * connection is, not what changed: a later one replaces an earlier one.
 *
 * A byte for each entry (sync.marks) keeps what there is no room for in 64 bytes: whether
 * the peer was told, whether the peer told us, and in which transfer.
 *
 * Worker context, unless noted.
 */

#include "dataplane/dataplane.h"

#define SYNC_EVENT_RING 8192 /* per worker, 32 bytes each */
#define SYNC_OP_RING	4096

/* The one question of the packet path, and only where a state changes. */
static inline bool sync_on(const struct worker *w)
{
	return unlikely(w->env.sync & SYNC_EMIT);
}

/* Made, in another state, or found alive by the wheel. */
void sync_changed(struct worker *w, struct conn4 *c);
/* Whatever worker: a client has got through under this template, on which it has a claim. */
void sync_template(struct worker *w, const struct conn4 *t);
/* A template about to move: from now on its changes are told if they were before. */
void sync_told(struct worker *w, const struct conn4 *t);
/* On its way out. To be called whenever marks are there. */
void sync_ended(struct worker *w, const struct conn4 *c);
/* An FTP control connection's numbers moved; it announced a data connection. */
void sync_ftp_seq(struct worker *w, const struct conn4 *c, uint32_t pos, int32_t before,
		  int32_t after);
void sync_ftp_expect(struct worker *w, const struct conn4 *c, be16 data_cport, be16 data_port,
		     uint32_t left_s);

/* Whether an entry that has run out is to wait on: its tick is set then. */
bool sync_holds(struct worker *w, struct conn *c, uint32_t index);
/* Since when an entry is idle, waiting for its active router included. */
uint32_t sync_tick(const struct worker *w, const struct conn4 *c);

/* SYNC_EMIT, SYNC_HOLD have changed. */
void sync_mode(struct worker *w, uint32_t mode);
/* A bounded step of operations, walk and sweep. Returns the work done. */
uint32_t sync_round(struct worker *w);
/* Events go to the ring. */
void sync_push(struct worker *w);
/* One operation. For sync_round(), and before workers start. */
void sync_apply(struct worker *w, const struct sync_event *op);

/* --- sync_door.c, control context --- */

/* Once, before dataplane_start(): memory for synchronisation. 0 or -ENOMEM. */
int dataplane_sync_enable(struct dataplane *dp);
/* For the ha thread. */
void dataplane_sync_door(struct dataplane *dp, struct sync_door *door);

/* Workers do not run. Every connection worth telling of, as events. Ends when fn does not
 * return 0, and returns that. */
int dataplane_sync_each(struct dataplane *dp, int (*fn)(void *arg, const struct sync_event *e),
			void *arg);
/* Workers do not run yet, a snapshot is published: takes in n. */
void dataplane_sync_load(struct dataplane *dp, const struct sync_event *ops, uint32_t n,
			 uint32_t now_tick, uint32_t now_s);
void dataplane_sync_fini(struct worker *w);

/* Worker, or nobody runs: the events of an entry go to fn (up to 3), if it is worth telling. */
void sync_describe(struct worker *w, struct conn4 *c,
		   void (*fn)(struct worker *w, const struct sync_event *e, void *arg), void *arg);

#endif
