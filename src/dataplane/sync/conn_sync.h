/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SYNC_CONN_SYNC_H
#define PLVS_DATAPLANE_SYNC_CONN_SYNC_H

/*
 * The worker's side of synchronisation (model/sync_event.h): reports changes of connections to the
 * ha thread, and takes in connections of the peer.
 *
 * A TCP connection is reported once it has been ESTABLISHED, never before; a UDP connection once
 * it has been answered or seen twice; a template once a client has got through under it. The end
 * of a connection that was not reported is not reported either: a flood costs the peer nothing.
 * An event has the whole state of the connection, so a later event replaces an earlier one.
 *
 * A byte for each entry (marks of struct worker4, worker6), beside the 64 bytes of the entry, has
 * the flags MARK_TOLD and MARK_SYNCED and the number of the transfer.
 *
 * Worker context, unless noted.
 */

#include "dataplane/dataplane.h"

#define SYNC_EVENT_RING 8192 /* per worker, 32 bytes each */
#define SYNC_OP_RING	4096

struct ftp_data;
struct ftp_shift;

/* True: changes are reported to a peer, or written to the ledger (ledger.h). The packet path asks
 * only at changes of state. */
static inline bool sync_on(const struct worker *w)
{
	return unlikely(w->env.sync & (SYNC_EMIT | SYNC_LEDGER));
}

/* SYNC_EMIT, SYNC_HOLD have changed. */
void sync_mode(struct worker *w, uint32_t mode);
/* A bounded step of operations, walk and sweep. Returns the work done. */
uint32_t sync_round(struct worker *w);
/* Adds an event to the batch for the ring. A full batch is pushed. */
void sync_emit(struct worker *w, const struct sync_event *e, void *arg);
/* Puts the batch of events on the ring. */
void sync_push(struct worker *w);
/* Does an operation. For sync_round(), and before workers start. */
void sync_apply(struct worker *w, const struct sync_event *op);

/* --- conn_sync_access.c, control context --- */

/* Once, before dataplane_start(): memory for synchronisation. 0 or -ENOMEM. */
int dataplane_sync_enable(struct dataplane *dp);
/* For the ha thread. */
void dataplane_sync_access(struct dataplane *dp, struct sync_access *access);

/* Calls fn for the events of every connection that would be reported; workers do not run. Ends when
 * fn returns another value than 0, and returns that value. */
int dataplane_sync_each(struct dataplane *dp, int (*fn)(void *arg, const struct sync_event *e),
			void *arg);
/* Takes in n operations, before workers run and after the publication of a snapshot. */
void dataplane_sync_load(struct dataplane *dp, const struct sync_event *ops, uint32_t n,
			 uint32_t now_tick, uint32_t now_s);
void dataplane_sync_fini(struct worker *w);

#define FAM_TEMPLATE "dataplane/sync/conn_sync.fam.h"
#include "base/both_families.h"

#endif
