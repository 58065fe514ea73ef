/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage look-up: finds each packet's connection.
 *
 * Reads: key, hash, dir, conn (the guess of steer). Writes: conn (NULL = none), never a server's
 * half (halves.h). Doors: none.
 * Both misses are on their way since parse (bucket) and steer (entry), which had other work
 * to do meanwhile.
 */
#include "dataplane/fullnat/halves.h"
#include "dataplane/stages/pipeline.h"

void FAM(stage_lookup)(struct worker *w, struct FAM(burst) *b)
{
	uint64_t hits = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		p->conn = FAM_FN(table, find_guess)(&w->FAM(v).table, &p->key, p->hash, p->dir,
						    p->conn);
		hits += p->conn != NULL;
	}
	if (unlikely(w->FAM(v).table.n_halves))
		FAM_FN(halves, look)(w, b);
	w->counters.lookups += b->n;
	w->counters.hits += hits;
}
