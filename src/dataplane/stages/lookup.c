/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage look-up: finds each packet's connection.
 *
 * Reads: key, hash, dir, tcp_flags, conn (the guess of steer). Writes: conn (NULL = none), never a
 * server's half (halves.h); the burst's known. Doors: none.
 * Parse has prefetched the bucket, and steer the entry.
 */
#include "dataplane/conn/tcp_state.h"
#include "dataplane/fullnat/halves.h"
#include "dataplane/stages/pipeline.h"

void FAM(stage_lookup)(struct worker *w, struct FAM(burst) *b)
{
	const struct FAM(table) *const t = &w->FAM(v).table;
	struct FAM(pkt) *const end = b->pkts + b->n;
	uint64_t misses = 0;
	uint8_t flags = 0;

	for (struct FAM(pkt) *p = b->pkts; p < end; p++) {
		struct FAM(conn) *const guess = p->conn;

		flags |= p->tcp_flags;
		if (likely(guess && FAM_FN(conn, matches)(guess, &p->key, p->dir)))
			continue;
		p->conn = FAM_FN(table, find)(t, &p->key, p->hash, p->dir);
		misses += p->conn == NULL;
	}
	b->known = misses == 0 && !(flags & TCP_SYN);
	if (unlikely(t->n_halves))
		FAM_FN(halves, look)(w, b);
	w->counters.lookups += b->n;
	w->counters.hits += b->n - misses;
}
