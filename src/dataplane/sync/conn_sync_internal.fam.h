/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of conn_sync_internal.h that is compiled once for each address family. */

static inline uint8_t *FAM_FN(sync, mark)(struct worker *w, const struct FAM(conn) *c)
{
	return &w->FAM(v).marks[FAM_FN(conn, index)(&w->FAM(v).table, c)];
}

/* Steps through the table from an entry on; return the next entry, 0 at the end. Walk: reports n
 * entries. Sweep: ends entries that no operation of the transfer brought. */
uint32_t FAM_FN(sync, walk)(struct worker *w, uint32_t from, uint32_t n);
uint32_t FAM_FN(sync, sweep)(struct worker *w, uint32_t from);
/* SYNC_PUT, SYNC_END, SYNC_FTP_*. */
void FAM_FN(sync, op)(struct worker *w, const struct sync_event *op);
