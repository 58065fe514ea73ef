/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_GIVE_WAY_H
#define PLVS_DATAPLANE_CONN_GIVE_WAY_H

/*
 * Entries that give way when the table has no room. Every entry that may give way is in one list,
 * whose head is the entry with the oldest traffic:
 *
 *	ENDING		FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE; a RST came that proves
 *			nothing (EVIDENCE_DOUBT), at the head
 *	HALF_OPEN	SYN_RECV, a first datagram, a template under which no client got through
 *	NOT_ASSURED	established, without the evidence of evidence.h; such clients' templates
 *
 * An assured connection is in no list. When an entry is needed and none is free, one gives way: the
 * head of ENDING; of HALF_OPEN, if half-open entries are more than an eighth of the table; of
 * NOT_ASSURED; of HALF_OPEN; and, where workers.idle_gives_way is configured, an assured connection
 * that is idle for longer, found by a hand that goes round the table, 64 entries at each call. The
 * work is bounded: a template with holds goes to the end of its list, at most 16 templates at each
 * call.
 *
 * Shares: half-open entries have at most max_half_open places. Above half occupancy, entries
 * of HALF_OPEN and NOT_ASSURED together have three quarters of the table, and those of one client
 * network (/24; by a seeded hash, one of 4096 counters) a quarter. An entry over its share makes
 * an older entry of its own kind give way.
 *
 * Worker context, one owner.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/be.h"
#include "dataplane/conn/conn.h"

#define GIVE_WAY_NETWORKS 4096

/* conn.evidence >> EVIDENCE_LIST_SHIFT */
enum give_way_list {
	GIVE_WAY_NONE,
	GIVE_WAY_ENDING,
	GIVE_WAY_HALF_OPEN,
	GIVE_WAY_NOT_ASSURED,
	GIVE_WAY_MAX
};

/* Neighbours in a list of entries, by index; 0 is none. In a separate array eight links share a
 * cache line: entries of one age are neighbours in the table as well. */
struct entry_link {
	uint32_t next, prev;
};

struct give_way_ends {
	uint32_t head, tail, n;
};

struct give_way {
	struct entry_link *links; /* [capacity + 1], by entry */
	struct give_way_ends list[GIVE_WAY_MAX];
	uint32_t n_entries;
	uint32_t max_half_open, max_not_assured, max_network;
	uint32_t idle_ticks; /* assured connections idle for longer give way, too; 0: none */
	uint32_t hand;	     /* the next entry for that search */
	uint64_t seed;
	uint32_t network[GIVE_WAY_NETWORKS]; /* entries of HALF_OPEN and NOT_ASSURED */
};

struct worker;

static inline enum give_way_list give_way_list_of(const struct conn *c)
{
	return (enum give_way_list)(c->evidence >> EVIDENCE_LIST_SHIFT);
}

#define FAM_TEMPLATE "dataplane/conn/give_way.fam.h"
#include "base/both_families.h"

#endif
