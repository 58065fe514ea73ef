/* SPDX-License-Identifier: BSD-3-Clause */
/* The ha thread's side of the rings between it and the workers. */
#include "dataplane/sync/conn_sync.h"

#include <errno.h>
#include <stdio.h>

#include <rte_ring_elem.h>

#include "dataplane/owner.h"
#include "dataplane/pages.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/ledger.h"

static struct rte_ring *ring_make(const struct dataplane *dp, const struct worker *w,
				  const char *what, uint32_t size)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "plvs%s_%s_%u", dp->suffix, what, w->id);
	return rte_ring_create_elem(name, sizeof(struct sync_event), size, w->socket,
				    RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int dataplane_sync_enable(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->n_workers; i++) {
		struct worker *w = dp->workers[i];

		if (w->v4.marks)
			continue;
		w->events = ring_make(dp, w, "events", SYNC_EVENT_RING);
		w->operations = ring_make(dp, w, "ops", SYNC_OP_RING);
		if (!w->events || !w->operations)
			return -ENOMEM;
		w->v4.marks = pages_alloc((size_t)w->v4.table.capacity + 1, w->socket);
		w->v6.marks = pages_alloc((size_t)w->v6.table.capacity + 1, w->socket);
		if (!w->v4.marks || !w->v6.marks)
			return -ENOMEM;
	}
	return 0;
}

void dataplane_sync_fini(struct worker *w)
{
	if (w->v4.marks)
		pages_free(w->v4.marks, (size_t)w->v4.table.capacity + 1);
	if (w->v6.marks)
		pages_free(w->v6.marks, (size_t)w->v6.table.capacity + 1);
	rte_ring_free(w->events);
	rte_ring_free(w->operations);
	w->v4.marks = NULL;
	w->v6.marks = NULL;
	w->events = w->operations = NULL;
}

/* ---- the access ---- */

static uint32_t take(void *arg, struct sync_event *out, uint32_t max)
{
	struct dataplane *dp = arg;
	uint32_t n = 0;

	/* Each has its share: the ring of a busy worker must not starve another's. */
	for (unsigned int i = 0; i < dp->n_workers && n < max; i++) {
		uint32_t share = (max - n) / (dp->n_workers - i);

		n += rte_ring_sc_dequeue_burst_elem(dp->workers[i]->events, out + n, sizeof(*out),
						    share ? share : 1, NULL);
	}
	return n;
}

static uint64_t lost(void *arg)
{
	const struct dataplane *dp = arg;
	uint64_t n = 0;

	for (unsigned int i = 0; i < dp->n_workers; i++)
		n += __atomic_load_n(&dp->workers[i]->counters.sync_lost, __ATOMIC_ACQUIRE);
	return n;
}

static unsigned int owner_of(const struct dataplane *dp, const struct sync_event *op)
{
	const be16 port = op->proto & PROTO_TEMPLATE ? 0 : op->cport;

	return op->flags & SYNC_F_V6 ? owner6(&dp->owners, op->caddr6, port)
				     : owner4(&dp->owners, op->caddr4, port);
}

static int put(struct worker *w, const struct sync_event *op)
{
	if (rte_ring_sp_enqueue_elem(w->operations, (void *)(uintptr_t)op, sizeof(*op)) != 0)
		return -EAGAIN;
	w->sync.given++;
	wake_up(&w->exchange->wake);
	return 0;
}

static int give(void *arg, const struct sync_event *op)
{
	struct dataplane *dp = arg;

	return put(dp->workers[owner_of(dp, op)], op);
}

static int tell(void *arg, const struct sync_event *op)
{
	struct dataplane *dp = arg;

	for (unsigned int i = 0; i < dp->n_workers; i++)
		if (rte_ring_free_count(dp->workers[i]->operations) == 0)
			return -EAGAIN;
	for (unsigned int i = 0; i < dp->n_workers; i++)
		put(dp->workers[i], op);
	return 0;
}

static uint64_t pending(void *arg)
{
	const struct dataplane *dp = arg;
	uint64_t n = 0;

	for (unsigned int i = 0; i < dp->n_workers; i++)
		n += dp->workers[i]->sync.given -
		     __atomic_load_n(&dp->workers[i]->sync.taken, __ATOMIC_ACQUIRE);
	return n;
}

static void set_mode(void *arg, uint32_t mode)
{
	struct dataplane *dp = arg;

	mode |= __atomic_load_n(&dp->pub.sync, __ATOMIC_RELAXED) & SYNC_LEDGER;
	__atomic_store_n(&dp->pub.sync, mode, __ATOMIC_RELEASE);
	published_wake(&dp->pub);
}

void dataplane_sync_access(struct dataplane *dp, struct sync_access *access)
{
	*access = (struct sync_access){
		.arg = dp,
		.n_workers = dp->n_workers,
		.take = take,
		.lost = lost,
		.give = give,
		.tell = tell,
		.pending = pending,
		.set_mode = set_mode,
	};
}

/* ---- without workers: a file ---- */

struct each {
	int (*fn)(void *arg, const struct sync_event *e);
	void *arg;
	int ret;
};

static void each_event(struct worker *w, const struct sync_event *e, void *arg)
{
	struct each *each = arg;

	(void)w;
	if (each->ret == 0)
		each->ret = each->fn(each->arg, e);
}

int dataplane_sync_each(struct dataplane *dp, int (*fn)(void *arg, const struct sync_event *e),
			void *arg)
{
	struct each each = {fn, arg, 0};

	for (unsigned int i = 0; i < dp->n_workers; i++) {
		struct worker *w = dp->workers[i];

		for (uint32_t k = 1; k < w->v4.table.unused && each.ret == 0; k++)
			if (w->v4.table.conns[k].c.flags & CONN_F_LIVE)
				sync4_describe(w, &w->v4.table.conns[k], each_event, &each);
		for (uint32_t k = 1; k < w->v6.table.unused && each.ret == 0; k++)
			if (w->v6.table.conns[k].c.flags & CONN_F_LIVE)
				sync6_describe(w, &w->v6.table.conns[k], each_event, &each);
	}
	return each.ret;
}

void dataplane_sync_load(struct dataplane *dp, const struct sync_event *ops, uint32_t n,
			 uint32_t now_tick, uint32_t now_s)
{
	for (unsigned int i = 0; i < dp->n_workers; i++)
		worker_env_update(dp->workers[i], now_tick, now_s);
	ledger_room(dp);
	for (uint32_t i = 0; i < n; i++)
		sync_apply(dp->workers[owner_of(dp, &ops[i])], &ops[i]);
}
