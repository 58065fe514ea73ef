/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of one family, as workers write them. */
#include "dataplane/sync/ledger.h"

#include "dataplane/ftp/ftp_control.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/fullnat/crossing.h"

#define WALK_STEP 256

#if FAMILY == 4
_Static_assert(offsetof(struct conn4, caddr) == offsetof(struct conn4, daddr) + 4 &&
		       offsetof(struct conn4, vaddr) == offsetof(struct conn4, daddr) + 8 &&
		       offsetof(struct conn4, dport) == offsetof(struct conn4, daddr) + 12 &&
		       offsetof(struct conn4, cport) == offsetof(struct conn4, daddr) + 14,
	       "the first two words of a row");
#endif
_Static_assert(LEDGER_FTP_ROWS == FTP_CONTROL_MAX + 1, "a row for each");

/* Stores stay on their side of it; a killed thread needs no more (ledger_format.h). */
#define COMPILER_BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

static inline void row_write(struct FAM(ledger_row) *row, const struct FAM(conn) *c, uint32_t index,
			     uint8_t flags)
{
	const union ledger_tail begin = {.state = LEDGER_BEING_WRITTEN};
	const uint32_t server = __atomic_load_n(&c->c.server, __ATOMIC_RELAXED);
	const uint64_t kind = (uint64_t)c->c.proto | (uint64_t)c->c.method << 8;
	const uint64_t state = c->c.state | (uint64_t)flags << 8 | (uint64_t)c->proxy << 16;
	uint64_t h = index + 1;

	__atomic_store_n(&row->tail.word, begin.word, __ATOMIC_RELAXED);
	COMPILER_BARRIER();
#if FAMILY == 4
	/* daddr, caddr; then vaddr, dport, cport: neighbours in struct conn4. */
	const uint8_t *ends = (const uint8_t *)c + offsetof(struct conn4, daddr);
	const uint64_t third = c->vport | kind << 16 | (uint64_t)server << 32;
	uint64_t first, second;

	memcpy(&first, ends, sizeof(first));
	memcpy(&second, ends + sizeof(first), sizeof(second));
	row->word[0] = first;
	row->word[1] = second;
	row->word[2] = third;
	h = ledger_check_add(ledger_check_add(ledger_check_add(h, first), second), third);
#else
	uint32_t ports;

	memcpy(&ports, c->port, sizeof(ports));
	memcpy(row->word, c->addr, sizeof(c->addr));
	row->word[6] = ports | (uint64_t)c->vport << 32 | kind << 48;
	row->word[7] = server;
	for (unsigned int i = 0; i < sizeof(row->word) / sizeof(row->word[0]); i++)
		h = ledger_check_add(h, row->word[i]);
#endif
	COMPILER_BARRIER();
	__atomic_store_n(&row->tail.word, ledger_check_end(h) | state << 32, __ATOMIC_RELAXED);
}

void FAM_FN(ledger, put_rare)(struct worker *w, const struct FAM(conn) *c)
{
	struct FAM(ledger_row) *row;

	if (!FAM_FN(ledger, worth)(c))
		return;
	if ((c->c.flags & CONN_F_TEMPLATE) || c->c.state == CONN_ESTABLISHED ||
	    c->c.state == CONN_UDP || c->proxy) {
		FAM_FN(ledger, put)(w, c);
		return;
	}
	row = FAM_FN(ledger, row)(w, c);
	if (row)
		__atomic_store_n(&row->tail.state, c->c.state, __ATOMIC_RELAXED);
}

static void row_miss(struct worker *w)
{
	__atomic_store_n(&w->sync.rows_missed, w->sync.rows_missed + 1, __ATOMIC_RELAXED);
}

void FAM_FN(ledger, local)(struct worker *w, const struct FAM(conn) *e,
			   const struct FAM(conn) *as_row, uint8_t flags)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t index = t->half_first + FAM_FN(conn, index)(t, e);
	struct FAM(ledger_row) *row = FAM_FN(ledger, local_row)(w, index);

	if (row)
		row_write(row, as_row, index, LEDGER_F_LOCAL | flags);
	else
		row_miss(w);
}

/* The row of a local end: the connection's key, with the local address and port in the places of
 * the server's, and the index of the connection in that of the id. */
static void local_put(struct worker *w, const struct FAM(conn) *c)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	struct FAM(conn) as_row = *c;

	if (!(c->c.flags & CONN_F_OUT_KEY))
		return;
	as_row.daddr = *FAM_FN(conn, local_addr)(t, c);
	as_row.dport = c->c.lport;
	as_row.c.server = FAM_FN(conn, index)(t, c);
	FAM_FN(ledger, local)(w, c, &as_row, 0);
}

/* The same for a server of the other family. */
static void crossing_put(struct worker *w, const struct FAM(conn) *c)
{
	const struct OTHER_FAM(conn) *h = FAM_FN(crossing, server)(w, c);
	struct OTHER_FAM(conn) as_row;

	if (!h)
		return;
	as_row = *h;
	as_row.daddr = h->caddr;
	as_row.dport = h->cport;
	as_row.caddr = OTHER_FN(ledger, hashed)(FAM_FN(addr, hash)(c->caddr));
	as_row.vaddr = OTHER_FN(ledger, hashed)(FAM_FN(addr, hash)(c->vaddr));
	as_row.cport = c->cport;
	as_row.vport = c->vport;
	as_row.c.state = c->c.state;
	as_row.c.server = FAM_FN(conn, index)(&w->FAM(v).table, c);
	OTHER_FN(ledger, local)(w, h, &as_row, LEDGER_F_OTHER);
}

void FAM_FN(ledger, begin)(struct worker *w, const struct FAM(conn) *c, struct FAM(ledger_row) *row,
			   uint32_t index)
{
	row_write(row, c, index, FAM_FN(ledger, flags)(c));
	if (likely(!forward_has(c->c.method, FORWARD_BY_LOCAL)))
		return;
	if (likely(!FAM_FN(half, crosses)(c)))
		local_put(w, c);
	else
		crossing_put(w, c);
}

/* A proof also shows that the client has exchanged packets with its server. */
static uint8_t template_flags(const struct FAM(conn) *t)
{
	const uint32_t assured = __atomic_load_n(&t->c.assured, __ATOMIC_RELAXED);

	return (uint8_t)((assured ? LEDGER_F_THROUGH : 0) |
			 (assured & TEMPLATE_PROVEN ? LEDGER_F_ASSURED : 0));
}

void FAM_FN(ledger, put)(struct worker *w, const struct FAM(conn) *c)
{
	const uint32_t index = FAM_FN(conn, index)(&w->FAM(v).table, c);
	struct FAM(ledger_row) *row;

	if (unlikely(index >= __atomic_load_n(&w->FAM(v).rows_limit, __ATOMIC_ACQUIRE))) {
		__atomic_store_n(&w->sync.rows_missed, w->sync.rows_missed + 1, __ATOMIC_RELAXED);
		return;
	}
	row = &w->FAM(v).rows[index];
	if (likely(!(c->c.flags & CONN_F_TEMPLATE))) {
		FAM_FN(ledger, begin)(w, c, row, index);
		return;
	}
	row_write(row, c, index, template_flags(c));
	/* A worker that proved it meanwhile saw no check, and left the flags to its home. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_fetch_or(&row->tail.flags, template_flags(c), __ATOMIC_RELAXED);
}

void FAM_FN(ledger, proven)(struct worker *w, uint32_t control)
{
	const unsigned int home = control >> CONTROL_INDEX_BITS;
	const struct worker *h = home == w->id ? w : w->dp->workers[home];
	const struct FAM(conn) *t = &h->FAM(v).table.conns[control & CONTROL_INDEX_MAX];
	struct FAM(ledger_row) *row = FAM_FN(ledger, row)(h, t);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (row && __atomic_load_n(&row->tail.check, __ATOMIC_RELAXED))
		__atomic_fetch_or(&row->tail.flags, template_flags(t), __ATOMIC_RELAXED);
}

/* ---- FTP ---- */

void FAM_FN(ledger, ftp)(struct worker *w, const struct FAM(conn) *c)
{
	const struct ftp_control *fc = FAM_FN(ftp_control, find)(w, c);
	const uint32_t index = fc ? (uint32_t)(fc - w->ftp->control) : 0;
	struct ledger_ftp_row fresh = {.check = 0}, *row;
	struct ftp_state ftp;

	if (!fc || index >= __atomic_load_n(&w->sync.ftp_rows_limit, __ATOMIC_ACQUIRE) ||
	    !FAM_FN(ftp, state)(w, c, &ftp))
		return;
	for (unsigned int dir = DIR_IN; dir <= DIR_OUT; dir++)
		if (ftp.shift[dir].moved)
			fresh.seq[dir] = FAM_FN(sync, seq_event)(c, dir, &ftp.shift[dir]);
	if (ftp.left_s)
		fresh.expect = FAM_FN(sync, expect_event)(c, &ftp.data, ftp.left_s);
	row = &w->sync.ftp_rows[index];
	__atomic_store_n(&row->check, 0, __ATOMIC_RELAXED);
	COMPILER_BARRIER();
	memcpy(row->seq, fresh.seq, sizeof(row->seq));
	row->expect = fresh.expect;
	COMPILER_BARRIER();
	__atomic_store_n(&row->check, ledger_ftp_check(&fresh, index), __ATOMIC_RELAXED);
}

/* ---- all ---- */

uint32_t FAM_FN(ledger, walk)(struct worker *w, uint32_t from)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t limit = __atomic_load_n(&w->FAM(v).rows_limit, __ATOMIC_ACQUIRE);
	const uint32_t all = RTE_MIN(t->unused, limit), end = RTE_MIN(from + WALK_STEP, all);

	for (; from < end; from++) {
		const struct FAM(conn) *c = &t->conns[from];

		if (!(c->c.flags & CONN_F_LIVE) || !FAM_FN(ledger, worth)(c))
			continue;
		FAM_FN(ledger, put)(w, c);
		if (FAM_FN(conn, is_ftp)(c))
			FAM_FN(ledger, ftp)(w, c);
	}
	return from < all ? from : 0;
}
