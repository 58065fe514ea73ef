/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sync/conn_sync.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ring_elem.h>

#include "dataplane/ftp/ftp.h"
#include "dataplane/sync/conn_sync_internal.h"

#define OPS_STEP  64  /* operations of one round */
#define WALK_STEP 256 /* entries looked at in one round */

/* ---- events ---- */

static void lose(struct worker *w, uint32_t n)
{
	__atomic_store_n(&w->counters.sync_lost, w->counters.sync_lost + n, __ATOMIC_RELEASE);
}

void sync_push(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	unsigned int n = 0;

	if (w->events)
		n = rte_ring_sp_enqueue_burst_elem(w->events, s->out, sizeof(s->out[0]), s->n,
						   NULL);
	w->counters.sync_events += n;
	if (n < s->n)
		lose(w, s->n - n);
	s->n = 0;
}

static void emit(struct worker *w, const struct sync_event *e, void *arg)
{
	struct sync_worker *s = &w->sync;

	(void)arg;
	s->out[s->n++] = *e;
	if (s->n == SYNC_BATCH)
		sync_push(w);
}

static struct sync_event event_of(const struct conn4 *c, enum sync_kind kind)
{
	return (struct sync_event){
		.caddr = c->caddr,
		.vaddr = c->vaddr,
		.cport = c->cport,
		.vport = c->vport,
		.proto = c->c.proto,
		.kind = (uint8_t)kind,
	};
}

/* A template may be moved by its home meanwhile; whose server it is decides. */
static struct sync_event put_of(const struct conn4 *c)
{
	struct sync_event e = event_of(c, SYNC_PUT);

	e.state = c->c.state;
	e.method = c->c.method;
	e.daddr = c->daddr;
	e.dport = c->dport;
	e.server = __atomic_load_n(&c->c.server, __ATOMIC_RELAXED);
	if (c->c.flags & CONN_F_FTP)
		e.flags |= SYNC_F_FTP;
	if (c->c.flags & CONN_F_TEMPLATE
		    ? __atomic_load_n(&c->c.assured, __ATOMIC_RELAXED) & TEMPLATE_PROVEN
		    : c->c.evidence & EVIDENCE_ASSURED)
		e.flags |= SYNC_F_ASSURED;
	return e;
}

static bool assured(const struct conn4 *t)
{
	return __atomic_load_n(&t->c.assured, __ATOMIC_RELAXED) != 0;
}

/* Whether the peer is to know of it, as it is now. */
static bool worth_telling(const struct conn4 *c, uint8_t mark)
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

void sync_changed(struct worker *w, struct conn4 *c)
{
	uint8_t *mark = sync_mark(w, c);
	struct sync_event e;

	if (!worth_telling(c, *mark))
		return;
	*mark |= MARK_TOLD;
	e = put_of(c);
	emit(w, &e, NULL);
}

void sync_template(struct worker *w, const struct conn4 *t)
{
	const struct sync_event e = put_of(t);

	emit(w, &e, NULL);
}

void sync_told(struct worker *w, const struct conn4 *t)
{
	if (assured(t))
		*sync_mark(w, t) |= MARK_TOLD;
}

void sync_ended(struct worker *w, const struct conn4 *c)
{
	uint8_t *mark = sync_mark(w, c);

	if (sync_on(w) && ((*mark & MARK_TOLD) || ((c->c.flags & CONN_F_TEMPLATE) && assured(c)))) {
		const struct sync_event e = event_of(c, SYNC_END);

		emit(w, &e, NULL);
	}
	*mark = 0;
}

static struct sync_event seq_of(const struct conn4 *c, uint32_t pos, int32_t before, int32_t after)
{
	struct sync_event e = event_of(c, SYNC_FTP_SEQ);

	e.pos = pos;
	e.before = before;
	e.after = after;
	return e;
}

static struct sync_event expect_of(const struct conn4 *c, be16 data_cport, be16 data_port,
				   uint32_t left_s)
{
	struct sync_event e = event_of(c, SYNC_FTP_EXPECT);

	e.data_cport = data_cport;
	e.data_port = data_port;
	e.left_s = left_s;
	return e;
}

void sync_ftp_seq(struct worker *w, const struct conn4 *c, uint32_t pos, int32_t before,
		  int32_t after)
{
	const struct sync_event e = seq_of(c, pos, before, after);

	emit(w, &e, NULL);
}

void sync_ftp_expect(struct worker *w, const struct conn4 *c, be16 data_cport, be16 data_port,
		     uint32_t left_s)
{
	const struct sync_event e = expect_of(c, data_cport, data_port, left_s);

	emit(w, &e, NULL);
}

/* ---- time ---- */

void sync_mode(struct worker *w, uint32_t mode)
{
	if (!w->sync.marks)
		return;
	if ((w->env.sync & SYNC_HOLD) && !(mode & SYNC_HOLD))
		w->sync.released_tick = w->env.now_tick;
	w->env.sync = mode;
}

uint32_t sync_tick(const struct worker *w, const struct conn4 *c)
{
	const struct sync_worker *s = &w->sync;

	if (!s->marks || !(s->marks[conn4_index(&w->table4, c)] & MARK_SYNCED))
		return c->c.tick;
	if (w->env.sync & SYNC_HOLD)
		return w->env.now_tick;
	return (int32_t)(c->c.tick - s->released_tick) < 0 ? s->released_tick : c->c.tick;
}

/* Nothing walks the table at a takeover: whoever runs out looks when it was released. */
bool sync_holds(struct worker *w, struct conn *c, uint32_t index)
{
	struct conn4 *c4 = &w->table4.conns[index];

	if (!(w->sync.marks[index] & MARK_SYNCED))
		return false;
	c->tick = sync_tick(w, c4);
	return (int32_t)(c->tick + c->timeout - w->env.now_tick) > 0;
}

/* ---- walk ---- */

struct describe {
	void (*fn)(struct worker *w, const struct sync_event *e, void *arg);
	void *arg;
};

static void describe_seq(struct worker *w, const struct conn4 *c, const struct ftp_state *f,
			 const struct describe *d)
{
	struct sync_event e = seq_of(c, f->pos, f->before, f->after);

	e.flags |= SYNC_F_TRANSFER;
	if (f->moved)
		d->fn(w, &e, d->arg);
	e = expect_of(c, f->data_cport, f->data_port, f->left_s);
	e.flags |= SYNC_F_TRANSFER;
	if (f->left_s)
		d->fn(w, &e, d->arg);
}

/* Half-closed ones, too, that nobody was told of because there was no peer. */
static bool worth_walking(const struct conn4 *c, uint8_t mark)
{
	if (worth_telling(c, mark))
		return true;
	if (c->c.flags & (CONN_F_EMBRYONIC | CONN_F_TEMPLATE))
		return false;
	return c->c.state == CONN_FIN_WAIT || c->c.state == CONN_CLOSE_WAIT;
}

void sync_describe(struct worker *w, struct conn4 *c,
		   void (*fn)(struct worker *w, const struct sync_event *e, void *arg), void *arg)
{
	const struct describe d = {fn, arg};
	uint8_t *mark = w->sync.marks ? sync_mark(w, c) : NULL;
	struct ftp_state ftp;
	struct sync_event e;

	if (!worth_walking(c, mark ? *mark : 0))
		return;
	if (mark)
		*mark |= MARK_TOLD;
	e = put_of(c);
	e.flags |= SYNC_F_TRANSFER;
	fn(w, &e, arg);
	if ((c->c.flags & CONN_F_FTP) && ftp4_state(w, c, &ftp))
		describe_seq(w, c, &ftp, &d);
}

void sync_note(struct worker *w, const struct sync_event *op)
{
	struct sync_worker *s = &w->sync;

	sync_push(w);
	if (s->n_notes == SYNC_NOTES) { /* whoever asked so often has forgotten the first */
		memmove(s->notes, s->notes + 1, sizeof(s->notes) - sizeof(s->notes[0]));
		s->n_notes--;
	}
	s->notes[s->n_notes++] = *op;
}

static void notes_push(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	unsigned int n;

	sync_push(w);
	n = rte_ring_sp_enqueue_burst_elem(w->events, s->notes, sizeof(s->notes[0]), s->n_notes,
					   NULL);
	memmove(s->notes, s->notes + n, (s->n_notes - n) * sizeof(s->notes[0]));
	s->n_notes = (uint8_t)(s->n_notes - n);
}

/* Half of the ring is for what happens meanwhile. */
static uint32_t walk_step(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	const struct table4 *t = &w->table4;
	uint32_t end = RTE_MIN(s->walk_at + WALK_STEP, t->unused);

	if (!w->events || rte_ring_count(w->events) > SYNC_EVENT_RING / 2)
		return 0;
	for (; s->walk_at < end; s->walk_at++)
		if (t->conns[s->walk_at].c.flags & CONN_F_LIVE)
			sync_describe(w, &t->conns[s->walk_at], emit, NULL);
	if (s->walk_at >= t->unused) {
		const struct sync_event done = {.kind = SYNC_WALK, .token = s->walk_token};

		s->walk_at = 0;
		sync_note(w, &done);
	}
	return 1;
}

/* ---- rounds ---- */

uint32_t sync_round(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	struct sync_event ops[OPS_STEP];
	unsigned int n = 0;
	uint32_t work = 0;

	if (w->operations)
		n = rte_ring_sc_dequeue_burst_elem(w->operations, ops, sizeof(ops[0]), OPS_STEP,
						   NULL);
	for (unsigned int i = 0; i < n; i++)
		sync_apply(w, &ops[i]);
	if (n)
		__atomic_store_n(&s->taken, s->taken + n, __ATOMIC_RELEASE);
	if (s->walk_at)
		work += walk_step(w);
	if (s->sweep_at)
		work += sync_sweep_step(w);
	if (s->n_notes)
		notes_push(w);
	return work + n;
}
