/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HA_SYNC_SYNC_UNBOUND_H
#define PLVS_HA_SYNC_SYNC_UNBOUND_H

/*
 * Connections of the peer whose service or server is not known here: kept by key, outside of the
 * tables, until service and server are known. The number is bounded; connections beyond are counted
 * and dropped. A later record of a connection replaces the earlier one.
 *
 * Context: the ha thread.
 */

#include "ha/sync/sync_record.h"

struct sync_unbound;

/* NULL: no memory. */
struct sync_unbound *sync_unbound_create(uint32_t max);
void sync_unbound_destroy(struct sync_unbound *u);

/* False: no room. */
bool sync_unbound_put(struct sync_unbound *u, const struct sync_record *r, uint8_t gen);
/* Removes the connection with this in key, if there is one. */
void sync_unbound_del(struct sync_unbound *u, const struct sync_event *key);
/* Drops connections that transfer gen, or the one after it, did not bring. */
void sync_unbound_sweep(struct sync_unbound *u, uint8_t gen);
void sync_unbound_clear(struct sync_unbound *u);
uint32_t sync_unbound_count(const struct sync_unbound *u);

/* Calls fn for up to `budget` slots from *at on, and drops entries for which fn returns true. Stops
 * where fn returns false with *wait set, to go on later. True: the end was reached, and *at is
 * 0. */
bool sync_unbound_each(struct sync_unbound *u, uint32_t *at, uint32_t budget,
		       bool (*fn)(void *arg, const struct sync_record *r, uint8_t gen, bool *wait),
		       void *arg);

#endif
