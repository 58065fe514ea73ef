/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/stale.h"

#include "dataplane/exits/doors.h"
#include "dataplane/fullnat/local_end.h"

struct FAM(conn) *FAM_FN(stale, find)(const struct worker *w, const struct FAM(pkt) *p)
{
	const struct FAM(table) *t = &w->FAM(v).table;

	return FAM_FN(half, client)(FAM_FN(table, find)(t, &p->key, p->hash, p->dir));
}

void FAM(stale_let_go)(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		if (!(p->conn->c.flags & CONN_F_ONE_PACKET) && !FAM_FN(stale, keeps)(w, p))
			p->conn = FAM_FN(stale, find)(w, p);
		if (!p->conn) {
			door_drop(w, p->m, DROP_TABLE_FULL);
			continue;
		}
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}
