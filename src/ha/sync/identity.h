/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_IDENTITY_H
#define PLVS_HA_SYNC_IDENTITY_H

/*
 * Real servers by identity (service, address:port) and by this router's ids: what is sent to
 * a peer names the first, workers know the second. The maps are the ha thread's own, brought
 * up to date by what control hands over (struct identity_feed): no lock, no reading of what
 * control may free.
 *
 * Context: the ha thread.
 */

#include "model/sync_event.h"

struct identity;
struct snapshot;

/* NULL: no memory. */
struct identity *identity_create(void);
void identity_destroy(struct identity *m);

/* Applies an update from control; u stays the caller's. 0, or -ENOMEM: some servers are missing. */
int identity_apply(struct identity *m, const struct identity_update *u);
/* All that the feed has, freed. 0, or -ENOMEM: some of it is missing. */
int identity_poll(struct identity *m, struct identity_feed *feed);
/* Every service of a snapshot that nobody frees meanwhile. 0 or -ENOMEM. */
int identity_learn(struct identity *m, const struct snapshot *s);

/* A server by id, also one that was removed and waits for its connections; or NULL. */
const struct sync_server *identity_of(const struct identity *m, uint32_t id);
/* Its id, or 0. */
uint32_t identity_find(const struct identity *m, const struct sync_server *s);
/* Changes whenever a server came: what was not found may be there now. */
uint64_t identity_generation(const struct identity *m);

#endif
