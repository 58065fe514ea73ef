/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ledger.h that is compiled once for each address family. Worker context, with rows. */

/* Writes the whole row of an entry in its present state. */
void FAM_FN(ledger, put)(struct worker *w, const struct FAM(conn) *c);
/* The same for rare cases, if the entry is to be kept: a template; a connection with a header or
 * FTP; a row without memory, which is counted. */
void FAM_FN(ledger, put_rare)(struct worker *w, const struct FAM(conn) *c);
/* The same for a connection, not a template, whose row has memory. */
void FAM_FN(ledger, begin)(struct worker *w, const struct FAM(conn) *c, struct FAM(ledger_row) *row,
			   uint32_t index);
/* Writes the row of the local end of e, an entry or a server's half, as as_row says, with
 * LEDGER_F_LOCAL. */
void FAM_FN(ledger, local)(struct worker *w, const struct FAM(conn) *e,
			   const struct FAM(conn) *as_row, uint8_t flags);
/* A client of a template got through or was assured. Any worker that has a hold on the
 * template. */
void FAM_FN(ledger, proven)(struct worker *w, uint32_t control);
/* Writes the FTP row of a control connection in its present state. */
void FAM_FN(ledger, ftp)(struct worker *w, const struct FAM(conn) *c);
/* CMD_ROWS: a step from an entry on. Returns the next entry, or 0 at the end. */
uint32_t FAM_FN(ledger, walk)(struct worker *w, uint32_t from);

/* The row at `index` of a local end: rows of local ends are behind those of entries, first those of
 * entries, then those of servers' halves. NULL: the row has no memory. */
static inline struct FAM(ledger_row) *FAM_FN(ledger, local_row)(const struct worker *w,
								uint32_t index)
{
	const uint32_t first = w->FAM(v).table.half_first, other = index >= 2 * first;

	return index - (1 + other) * first <
			       __atomic_load_n(&w->FAM(v).local_rows_limit[other], __ATOMIC_ACQUIRE)
		       ? &w->FAM(v).rows[index]
		       : NULL;
}

static inline struct FAM(ledger_row) *FAM_FN(ledger, row)(const struct worker *w,
							  const struct FAM(conn) *c)
{
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);

	return likely(index < __atomic_load_n(&w->FAM(v).rows_limit, __ATOMIC_ACQUIRE))
		       ? &w->FAM(v).rows[index]
		       : NULL;
}

/* True: the entry is to have a row. Half-open connections have none. A SYN on a closing connection
 * leaves the row of the closing one. A connection whose header is under way (proxy/proxy.h) has
 * none, since a row has no room for the header's place. */
static inline bool FAM_FN(ledger, worth)(const struct FAM(conn) *c)
{
	if (c->c.flags & CONN_F_TEMPLATE)
		return true;
	return !(c->c.flags & CONN_F_EMBRYONIC) && c->c.state != CONN_SYN_RECV &&
	       !(c->proxy & PROXY_SENDING);
}

static inline uint8_t FAM_FN(ledger, flags)(const struct FAM(conn) *c)
{
	return (uint8_t)((c->c.flags & CONN_F_PAYLOAD) | (c->c.evidence & EVIDENCE_ASSURED));
}

/* Writes an entry that is new, in another state than SYN_RECV, or assured. A row with a check
 * belongs to this connection, since the end of a connection clears its row, so state and flags are
 * enough. A row without a check was never written, and a state alone does not make it valid. */
static inline void FAM_FN(ledger, changed)(struct worker *w, const struct FAM(conn) *c)
{
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);
	struct FAM(ledger_row) *row = &w->FAM(v).rows[index];

	if (unlikely(c->c.flags & (CONN_F_EMBRYONIC | CONN_F_TEMPLATE | CONN_F_PAYLOAD)) ||
	    unlikely(index >= __atomic_load_n(&w->FAM(v).rows_limit, __ATOMIC_ACQUIRE)))
		FAM_FN(ledger, put_rare)(w, c);
	else if (c->c.state != CONN_ESTABLISHED && c->c.state != CONN_UDP)
		__atomic_store_n(&row->tail.state, c->c.state, __ATOMIC_RELAXED);
	else if (row->tail.check)
		__atomic_store_n(&row->tail.change,
				 (uint16_t)(c->c.state | FAM_FN(ledger, flags)(c) << 8),
				 __ATOMIC_RELAXED);
	else
		FAM_FN(ledger, begin)(w, c, row, index);
}

/* Clears the row of an entry that ends. A half-open connection never had a row. */
static inline void FAM_FN(ledger, ended)(struct worker *w, const struct FAM(conn) *c)
{
	struct FAM(ledger_row) *row;

	if ((c->c.flags & (CONN_F_EMBRYONIC | CONN_F_TEMPLATE)) == CONN_F_EMBRYONIC)
		return;
	row = FAM_FN(ledger, row)(w, c);
	if (row)
		__atomic_store_n(&row->tail.word, 0, __ATOMIC_RELAXED);
}

static inline void FAM_FN(ledger, local_ended)(struct worker *w, uint32_t index)
{
	struct FAM(ledger_row) *row = FAM_FN(ledger, local_row)(w, index);

	if (row)
		__atomic_store_n(&row->tail.word, 0, __ATOMIC_RELAXED);
}
