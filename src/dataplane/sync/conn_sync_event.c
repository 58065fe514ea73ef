/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports for the peer on connections of one family. */
#include "dataplane/sync/conn_sync.h"

#include <netinet/in.h>

#include "dataplane/ftp/ftp.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/proxy/proxy.h"
#include "dataplane/sync/ledger.h"
#include "dataplane/sync/conn_sync_internal.h"

static struct sync_event event_of(const struct FAM(conn) *c, enum sync_kind kind)
{
	struct sync_event e = {
		.cport = c->cport,
		.vport = c->vport,
		.proto = c->c.proto,
		.kind = (uint8_t)kind,
		.flags = FAMILY == 6 ? SYNC_F_V6 : 0,
	};

	e.FAM(caddr) = c->caddr;
	e.FAM(vaddr) = c->vaddr;
	return e;
}

/* By full NAT. */
static void put_local(const struct worker *w, const struct FAM(conn) *c, struct sync_event *e)
{
	if (!FAM_FN(half, crosses)(c)) {
		e->FAM(laddr) = FAM_FN(local, of)(&w->FAM(v).table, c, &e->lport);
	} else if (!(c->c.flags & CONN_F_TEMPLATE)) {
		e->OTHER_FAM(laddr) = FAM_FN(crossing, local)(w, c, &e->lport);
		e->flags |= SYNC_F_OTHER;
	}
}

/* The home of a template may move the template at the same time; the server id that is read here
 * counts. */
static struct sync_event put_of(const struct worker *w, const struct FAM(conn) *c)
{
	struct sync_event e = event_of(c, SYNC_PUT);

	e.state = c->c.state;
	e.method = c->c.method;
	e.FAM(daddr) = c->daddr;
	e.dport = c->dport;
	e.server = __atomic_load_n(&c->c.server, __ATOMIC_RELAXED);
	if (unlikely(forward_has(e.method, FORWARD_BY_LOCAL)))
		put_local(w, c, &e);
	if (FAM_FN(conn, is_ftp)(c))
		e.flags |= SYNC_F_FTP;
	if (unlikely(c->proxy)) {
		e.proxy = c->proxy;
		e.first = FAM_FN(proxy, first)(w, c);
	}
	if (c->c.flags & CONN_F_TEMPLATE
		    ? __atomic_load_n(&c->c.assured, __ATOMIC_RELAXED) & TEMPLATE_PROVEN
		    : c->c.evidence & EVIDENCE_ASSURED)
		e.flags |= SYNC_F_ASSURED;
	return e;
}

static bool assured(const struct FAM(conn) *t)
{
	return __atomic_load_n(&t->c.assured, __ATOMIC_RELAXED) != 0;
}

/* Whether the peer is to know of it, as it is now. */
static bool worth_telling(const struct FAM(conn) *c, uint8_t mark)
{
	if (c->c.proto == IPPROTO_TCP && c->c.state == CONN_SYN_RECV)
		return false; /* again, perhaps: a SYN on a closing one */
	if (mark & (MARK_TOLD | MARK_SYNCED))
		return true;
	if (c->c.flags & CONN_F_TEMPLATE)
		return assured(c);
	if (c->c.flags & CONN_F_EMBRYONIC)
		return false;
	return c->c.proto != IPPROTO_TCP || c->c.state == CONN_ESTABLISHED;
}

static bool tells(const struct worker *w)
{
	return w->env.sync & SYNC_EMIT;
}

static __rte_noinline void tell(struct worker *w, const struct FAM(conn) *c)
{
	uint8_t *mark = FAM_FN(sync, mark)(w, c);
	struct sync_event e;

	if ((w->env.sync & SYNC_LEDGER) && c->c.state != CONN_SYN_RECV)
		FAM_FN(ledger, changed)(w, c);
	if (!worth_telling(c, *mark))
		return;
	*mark |= MARK_TOLD;
	e = put_of(w, c);
	sync_emit(w, &e, NULL);
}

/* sync_on(): without a peer, the ledger is written. */
void FAM_FN(sync, changed)(struct worker *w, struct FAM(conn) *c)
{
	if (unlikely(tells(w)))
		tell(w, c);
	else
		FAM_FN(ledger, changed)(w, c);
}

void FAM_FN(sync, template)(struct worker *w, const struct FAM(conn) *t)
{
	const struct sync_event e = put_of(w, t);

	if (tells(w))
		sync_emit(w, &e, NULL);
}

void FAM_FN(sync, told)(struct worker *w, const struct FAM(conn) *t)
{
	if (tells(w) && assured(t))
		*FAM_FN(sync, mark)(w, t) |= MARK_TOLD;
}

void FAM_FN(sync, ended)(struct worker *w, const struct FAM(conn) *c)
{
	uint8_t *mark = FAM_FN(sync, mark)(w, c);

	if (tells(w) && ((*mark & MARK_TOLD) || ((c->c.flags & CONN_F_TEMPLATE) && assured(c)))) {
		const struct sync_event e = event_of(c, SYNC_END);

		sync_emit(w, &e, NULL);
	}
	*mark = 0;
}

struct sync_event FAM_FN(sync, seq_event)(const struct FAM(conn) *c, unsigned int dir,
					  const struct ftp_shift *shift)
{
	struct sync_event e = event_of(c, SYNC_FTP_SEQ);

	e.flags |= dir == DIR_IN ? SYNC_F_CLIENT : 0;
	e.pos = shift->pos;
	e.before = shift->before;
	e.after = shift->after;
	return e;
}

struct sync_event FAM_FN(sync, expect_event)(const struct FAM(conn) *c, const struct ftp_data *data,
					     uint32_t left_s)
{
	struct sync_event e = event_of(c, SYNC_FTP_EXPECT);

	e.data_cport = data->cport;
	e.data_lport = data->lport;
	e.data_port = data->port;
	e.left_s = left_s;
	return e;
}

void FAM_FN(sync, ftp_seq)(struct worker *w, const struct FAM(conn) *c, unsigned int dir,
			   const struct ftp_shift *shift)
{
	const struct sync_event e = FAM_FN(sync, seq_event)(c, dir, shift);

	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, ftp)(w, c);
	if (tells(w))
		sync_emit(w, &e, NULL);
}

void FAM_FN(sync, ftp_expect)(struct worker *w, const struct FAM(conn) *c,
			      const struct ftp_data *data, uint32_t left_s)
{
	const struct sync_event e = FAM_FN(sync, expect_event)(c, data, left_s);

	if (w->env.sync & SYNC_LEDGER)
		FAM_FN(ledger, ftp)(w, c);
	if (tells(w))
		sync_emit(w, &e, NULL);
}

/* ---- time ---- */

uint32_t FAM_FN(sync, tick)(const struct worker *w, const struct FAM(conn) *c)
{
	const struct sync_worker *s = &w->sync;

	if (!w->FAM(v).marks ||
	    !(w->FAM(v).marks[FAM_FN(conn, index)(&w->FAM(v).table, c)] & MARK_SYNCED))
		return c->c.tick;
	if (w->env.sync & SYNC_HOLD)
		return w->env.now_tick;
	return (int32_t)(c->c.tick - s->released_tick) < 0 ? s->released_tick : c->c.tick;
}

/* Nothing walks the table at a takeover. An entry that runs out is compared with the end of
 * SYNC_HOLD instead. */
bool FAM_FN(sync, holds)(struct worker *w, struct conn *c, uint32_t index)
{
	struct FAM(conn) *c4 = &w->FAM(v).table.conns[index];

	if (!(w->FAM(v).marks[index] & MARK_SYNCED))
		return false;
	c->tick = FAM_FN(sync, tick)(w, c4);
	return (int32_t)(c->tick + c->timeout - w->env.now_tick) > 0;
}

/* ---- walk ---- */

struct describe {
	void (*fn)(struct worker *w, const struct sync_event *e, void *arg);
	void *arg;
};

static void describe_one(struct worker *w, struct sync_event e, const struct describe *d)
{
	e.flags |= SYNC_F_TRANSFER;
	d->fn(w, &e, d->arg);
}

static void describe_ftp(struct worker *w, const struct FAM(conn) *c, const struct ftp_state *f,
			 const struct describe *d)
{
	for (unsigned int dir = DIR_IN; dir <= DIR_OUT; dir++)
		if (f->shift[dir].moved)
			describe_one(w, FAM_FN(sync, seq_event)(c, dir, &f->shift[dir]), d);
	if (f->left_s)
		describe_one(w, FAM_FN(sync, expect_event)(c, &f->data, f->left_s), d);
}

/* Half-closed ones, too, which were not sent for lack of a peer. */
static bool worth_walking(const struct FAM(conn) *c, uint8_t mark)
{
	if (worth_telling(c, mark))
		return true;
	if (c->c.flags & (CONN_F_EMBRYONIC | CONN_F_TEMPLATE))
		return false;
	return c->c.state == CONN_FIN_WAIT || c->c.state == CONN_CLOSE_WAIT;
}

void FAM_FN(sync, describe)(struct worker *w, struct FAM(conn) *c,
			    void (*fn)(struct worker *w, const struct sync_event *e, void *arg),
			    void *arg)
{
	const struct describe d = {fn, arg};
	uint8_t *mark = w->FAM(v).marks ? FAM_FN(sync, mark)(w, c) : NULL;
	struct ftp_state ftp;
	struct sync_event e;

	if (!worth_walking(c, mark ? *mark : 0))
		return;
	if (mark)
		*mark |= MARK_TOLD;
	e = put_of(w, c);
	e.flags |= SYNC_F_TRANSFER;
	fn(w, &e, arg);
	if (FAM_FN(conn, is_ftp)(c) && FAM_FN(ftp, state)(w, c, &ftp))
		describe_ftp(w, c, &ftp, &d);
}

uint32_t FAM_FN(sync, walk)(struct worker *w, uint32_t from, uint32_t n)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const uint32_t end = RTE_MIN(from + n, t->unused);

	for (; from < end; from++)
		if (t->conns[from].c.flags & CONN_F_LIVE)
			FAM_FN(sync, describe)(w, &t->conns[from], sync_emit, NULL);
	return from < t->unused ? from : 0;
}
