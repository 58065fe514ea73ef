/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage look-up: finds each packet's connection.
 *
 * Reads: key, hash, dir, tcp_flags, conn (the guess of steer). Writes: conn (NULL = none; a
 * server's half where crossing.h has one); the burst's known. Doors: none.
 * Parse has prefetched the bucket, and steer the entry.
 */
#include "dataplane/conn/tcp_state.h"
#include "dataplane/fullnat/local_end.h"
#include "dataplane/stages/pipeline.h"

/* locals: there are out keys with a local address. */
static __rte_always_inline void look_up(struct worker *w, struct FAM(burst) *b, bool locals)
{
	const struct FAM(table) *const t = &w->FAM(v).table;
	struct FAM(pkt) *const end = b->pkts + b->n;
	uint64_t misses = 0;
	uint8_t flags = 0;

	for (struct FAM(pkt) *p = b->pkts; p < end; p++) {
		struct FAM(conn) *const guess = p->conn;

		flags |= p->tcp_flags;
		if (likely(guess && (locals ? FAM_FN(conn, has_key_any)(t, guess, &p->key, p->dir)
					    : FAM_FN(conn, matches)(guess, &p->key, p->dir))))
			continue;
		p->conn = FAM_FN(table, find)(t, &p->key, p->hash, p->dir);
		misses += p->conn == NULL;
	}
	b->known = misses == 0 && !(flags & TCP_SYN);
	w->counters.lookups += b->n;
	w->counters.hits += b->n - misses;
}

void FAM(stage_lookup)(struct worker *w, struct FAM(burst) *b)
{
	if (unlikely(w->FAM(v).table.n_locals))
		look_up(w, b, true);
	else
		look_up(w, b, false);
}
