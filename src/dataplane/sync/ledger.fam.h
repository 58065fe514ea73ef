/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ledger.h that is compiled once for each address family. Worker context, with rows. */

/* Writes the whole row of an entry as it is now. */
void FAM_FN(ledger, put)(struct worker *w, const struct FAM(conn) *c);
/* A client of a template got through or was assured. Any worker that has a hold on the
 * template. */
void FAM_FN(ledger, proven)(struct worker *w, uint32_t control);
/* Writes the FTP row of a control connection as it is now. */
void FAM_FN(ledger, ftp)(struct worker *w, const struct FAM(conn) *c);
/* CMD_ROWS: a step from an entry on; the next one, or 0 at the end. */
uint32_t FAM_FN(ledger, walk)(struct worker *w, uint32_t from);

static inline struct FAM(ledger_row) *FAM_FN(ledger, row)(const struct worker *w,
							  const struct FAM(conn) *c)
{
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);

	return likely(index < __atomic_load_n(&w->FAM(v).rows_limit, __ATOMIC_ACQUIRE))
		       ? &w->FAM(v).rows[index]
		       : NULL;
}

/* Half-open: nobody is told. A SYN on a closing connection leaves the row of the closing one. */
static inline bool FAM_FN(ledger, worth)(const struct FAM(conn) *c)
{
	if (c->c.flags & CONN_F_TEMPLATE)
		return true;
	return !(c->c.flags & CONN_F_EMBRYONIC) && c->c.state != CONN_SYN_RECV;
}

static inline uint8_t FAM_FN(ledger, flags)(const struct FAM(conn) *c)
{
	return (uint8_t)((c->c.flags & CONN_F_FTP ? SYNC_F_FTP : 0) |
			 (c->c.evidence & EVIDENCE_ASSURED ? SYNC_F_ASSURED : 0));
}

/* Made, in another state, or assured. A row that was never written
 * has no check: state and flags alone make nothing of it. */
static inline void FAM_FN(ledger, changed)(struct worker *w, const struct FAM(conn) *c)
{
	struct FAM(ledger_row) *row;

	if (!FAM_FN(ledger, worth)(c))
		return;
	if (c->c.state == CONN_ESTABLISHED || c->c.state == CONN_UDP ||
	    (c->c.flags & CONN_F_TEMPLATE)) {
		FAM_FN(ledger, put)(w, c);
		return;
	}
	row = FAM_FN(ledger, row)(w, c);
	if (!row)
		return;
	__atomic_store_n(&row->tail.state, c->c.state, __ATOMIC_RELAXED);
	__atomic_store_n(&row->tail.flags, FAM_FN(ledger, flags)(c), __ATOMIC_RELAXED);
}

/* On its way out. A half-open connection never had a row. */
static inline void FAM_FN(ledger, ended)(struct worker *w, const struct FAM(conn) *c)
{
	struct FAM(ledger_row) *row;

	if ((c->c.flags & (CONN_F_EMBRYONIC | CONN_F_TEMPLATE)) == CONN_F_EMBRYONIC)
		return;
	row = FAM_FN(ledger, row)(w, c);
	if (row)
		__atomic_store_n(&row->tail.word, 0, __ATOMIC_RELAXED);
}
