/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sync/conn_sync.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ring_elem.h>

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

void sync_emit(struct worker *w, const struct sync_event *e, void *arg)
{
	struct sync_worker *s = &w->sync;

	(void)arg;
	s->out[s->n++] = *e;
	if (s->n == SYNC_BATCH)
		sync_push(w);
}

void sync_mode(struct worker *w, uint32_t mode)
{
	if (!w->v4.marks)
		mode &= SYNC_LEDGER;
	if ((w->env.sync & SYNC_HOLD) && !(mode & SYNC_HOLD))
		w->sync.released_tick = w->env.now_tick;
	w->env.sync = mode;
}

void sync_note(struct worker *w, const struct sync_event *op)
{
	struct sync_worker *s = &w->sync;

	sync_push(w);
	if (s->n_notes == SYNC_NOTES) { /* the ha thread no longer waits for the first */
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

/* An entry of a walk or a sweep: entry << 1, and 1 for IPv6, whose table comes after that of IPv4.
 * 0: none is under way. */
#define FIRST_ENTRY (1U << 1)

static uint32_t entry_next(uint32_t at, uint32_t next)
{
	if (next)
		return next << 1 | (at & 1);
	return at & 1 ? 0 : FIRST_ENTRY | 1;
}

/* Half of the ring is for what happens meanwhile. */
static uint32_t walk_step(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	const uint32_t at = s->walk_at;

	if (!w->events || rte_ring_count(w->events) > SYNC_EVENT_RING / 2)
		return 0;
	s->walk_at = entry_next(at, at & 1 ? sync6_walk(w, at >> 1, WALK_STEP)
					   : sync4_walk(w, at >> 1, WALK_STEP));
	if (s->walk_at == 0) {
		const struct sync_event done = {.kind = SYNC_WALK, .token = s->walk_token};

		sync_note(w, &done);
	}
	return 1;
}

static uint32_t sweep_step(struct worker *w)
{
	struct sync_worker *s = &w->sync;
	const uint32_t at = s->sweep_at;

	if (!(w->env.sync & SYNC_HOLD)) /* a takeover: they are all wanted now */
		s->sweep_at = 0;
	else
		s->sweep_at =
			entry_next(at, at & 1 ? sync6_sweep(w, at >> 1) : sync4_sweep(w, at >> 1));
	return w->env.sync & SYNC_HOLD ? 1 : 0;
}

void sync_apply(struct worker *w, const struct sync_event *op)
{
	switch (op->kind) {
	case SYNC_PUT:
	case SYNC_END:
	case SYNC_FTP_SEQ:
	case SYNC_FTP_EXPECT:
		if (op->flags & SYNC_F_V6)
			sync6_op(w, op);
		else
			sync4_op(w, op);
		return;
	case SYNC_WALK:
		w->sync.walk_at = FIRST_ENTRY;
		w->sync.walk_token = op->token;
		return;
	case SYNC_FLUSH:
		sync_note(w, op);
		return;
	case SYNC_SWEEP:
		w->sync.sweep_at = FIRST_ENTRY;
		w->sync.sweep_gen = op->gen;
		return;
	default:
		return;
	}
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
		work += sweep_step(w);
	if (s->n_notes)
		notes_push(w);
	return work + n;
}
