/* SPDX-License-Identifier: BSD-3-Clause */

/* One family's part of conn_sync_internal.h. */

static inline uint8_t *FAM_FN(sync, mark)(struct worker *w, const struct FAM(conn) *c)
{
	return &w->FAM(v).marks[FAM_FN(conn, index)(&w->FAM(v).table, c)];
}
