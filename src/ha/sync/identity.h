/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_IDENTITY_H
#define PLVS_HA_SYNC_IDENTITY_H

/*
 * Maps between identities of real servers (service, address:port), which messages to a peer have,
 * and this router's ids, which workers use. The maps belong to the ha thread. Control sends changes
 * by struct identity_feed, so the maps need no lock and no access to objects that control may free.
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
/* Applies and frees all updates of the feed. 0, or -ENOMEM: some servers are missing. */
int identity_poll(struct identity *m, struct identity_feed *feed);
/* Adds every service of a snapshot, which must live meanwhile. 0 or -ENOMEM. */
int identity_learn(struct identity *m, const struct snapshot *s);

/* A server by id, also one that was removed and waits for its connections; or NULL. */
const struct sync_server *identity_of(const struct identity *m, uint32_t id);
/* Its id, or 0. */
uint32_t identity_find(const struct identity *m, const struct sync_server *s);
/* Changes whenever a server is added, so that failed look-ups can be repeated. */
uint64_t identity_generation(const struct identity *m);

#endif
