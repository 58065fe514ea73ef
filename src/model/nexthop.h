/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_NEXTHOP_H
#define PLVS_MODEL_NEXTHOP_H

/*
 * Next hops: small shared objects that the link thread replaces by one pointer store
 * when a neighbour's MAC or state changes; connections hold ids. The link thread writes, all
 * threads read.
 *
 * An id is used again only after the resolve generation (publish.h) was raised and a
 * grace period passed: a connection checks the generation before it uses an id.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/family.h"
#include "model/limits.h"
#include "model/link_id.h"

enum nexthop_state {
	NEXTHOP_INCOMPLETE, /* Linux is asking; packets wait in a small queue */
	NEXTHOP_REACHABLE,  /* l2 is valid to send with (REACHABLE, STALE, DELAY, PROBE) */
	NEXTHOP_FAILED,	    /* no answer; Linux keeps trying */
};

/* Immutable once published. One cache line. */
struct nexthop {
	uint8_t l2[18]; /* destination, source, [0x8100, VLAN,] 0x0800 or 0x86dd */
	uint8_t l2_len; /* 14 or 18 */
	uint8_t state;	/* enum nexthop_state */
	uint16_t mtu;	/* of IP */
	uint16_t port;	/* DPDK port id */
	link_id link;
	struct addr addr;
	uint32_t id;
	uint8_t pad[12];
};
_Static_assert(sizeof(struct nexthop) == 64, "nexthop is one cache line");

#define NEXTHOP_TOMB 0xffffffffU

struct nexthop_slot4;
struct nexthop_slot6;

/* Both families share ids; the index of (link, address) is each family's own. */
struct nexthop_table {
	const struct nexthop **by_id; /* [MAX_NEXTHOPS + 1]; link: release stores */
	uint32_t *used_tick;	      /* [MAX_NEXTHOPS + 1]; workers: relaxed stores, seconds */
	struct nexthop_slot4 *slots4; /* [mask + 1]; link: id is stored last, release */
	struct nexthop_slot6 *slots6; /* the same */
	uint32_t mask;
	/* Link only. */
	uint32_t capacity;
	uint32_t n;    /* ids in use, unlinked ones included */
	uint32_t hint; /* where the search for a free id starts */
};

/* 0 or -ENOMEM. capacity at most MAX_NEXTHOPS. */
int nexthop_table_init(struct nexthop_table *t, uint32_t capacity);
void nexthop_table_fini(struct nexthop_table *t);

/* Any. NULL only for an id that was never given out. */
static inline const struct nexthop *nexthop_by_id(const struct nexthop_table *t, uint32_t id)
{
	return __atomic_load_n(&t->by_id[id], __ATOMIC_ACQUIRE);
}

/* Worker: connections go by the next hop at now_s. A line of used_tick has 16 next hops and is read
 * by all workers, so the line is written once a second and not by each connection. */
static inline void nexthop_use(const struct nexthop_table *t, uint32_t id, uint32_t now_s)
{
	if (__atomic_load_n(&t->used_tick[id], __ATOMIC_RELAXED) != now_s)
		__atomic_store_n(&t->used_tick[id], now_s, __ATOMIC_RELAXED);
}

/* Link. Publishes nh in place of the old object. Returns the old object, to be freed after the
 * grace period. */
const struct nexthop *nexthop_replace(struct nexthop_table *t, uint32_t id, struct nexthop *nh);
/* Link, after nexthop_unlink*(), once the generation was raised and a grace period passed. The
 * object, for free(), or NULL. */
const struct nexthop *nexthop_free_id(struct nexthop_table *t, uint32_t id);

/* A worker's request to resolve (link, addr) and to keep the answer fresh, on a ring to link. */
struct resolve_request {
	link_id link;
	struct addr addr;
};

#define FAM_TEMPLATE "model/nexthop.fam.h"
#include "base/both_families.h"

#endif
