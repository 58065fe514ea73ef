/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_DESTCACHE_H
#define PLVS_SCHED_DESTCACHE_H

/*
 * Destination address -> set of servers, as lblc and lblcr learn them. The memory is fixed: 2048
 * buckets of 16. A full bucket gives up the entry that was used least recently. (IPVS grows to
 * 16,384 addresses and sweeps once a minute; the cache here has room for twice as many and no
 * sweep.)
 *
 * Shared by all workers without a lock: a bucket has a sequence number, odd while a worker writes.
 * A reader that meets a writer has a miss. A writer whose bucket changed since its read does not
 * write. A lost entry is no fault in a cache, and no worker waits.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define DESTCACHE_SET_MAX 16 /* members of a set */

struct destcache;

/* The result of a look-up in the cache. */
struct destcache_view {
	bool found;
	uint32_t n; /* members, at least 1 when found */
	uint32_t lastmod_s;
	uint32_t ids[DESTCACHE_SET_MAX]; /* server_rt ids, head of the set first */
	/* For destcache_write(). */
	uint32_t seq;
	uint32_t bucket;
	uint32_t way;
};

/* Control. One reference. set_max at most DESTCACHE_SET_MAX. NULL: out of memory. */
struct destcache *destcache_create(uint32_t set_max);
struct destcache *destcache_get(struct destcache *c);
void destcache_put(struct destcache *c);

/* Worker. Looks addr up and notes the use. An entry that was unused for longer than expire_s is
 * forgotten, as in destcache_write(). */
void destcache_read(struct destcache *c, const struct addr *addr, uint32_t now_s, uint32_t expire_s,
		    struct destcache_view *view);
/* As destcache_read(), without noting the use. */
void destcache_look(struct destcache *c, const struct addr *addr, uint32_t now_s, uint32_t expire_s,
		    struct destcache_view *view);
/* Worker. Makes the first set_max of view's ids the set of addr, if no worker wrote to the
 * bucket since the view was read. */
void destcache_write(struct destcache *c, const struct addr *addr, uint32_t now_s,
		     uint32_t expire_s, const struct destcache_view *view);

#endif
