/* SPDX-License-Identifier: BSD-3-Clause */
/* The cost of telling a peer of connections: traffic of established ones, and new ones. */
#include "bench.h"

#include <sys/mman.h>

#include <rte_ring_elem.h>

#include "dataplane/pages.h"
#include "dataplane/sync/conn_sync.h"
#include "model/ledger_format.h"

void scene_sync(struct scene *s)
{
	struct worker *w = s->w;

	w->v4.marks = pages_alloc((size_t)w->v4.table.capacity + 1, -1);
	w->events = rte_ring_create_elem("bench_events", sizeof(struct sync_event), SYNC_EVENT_RING,
					 SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!w->v4.marks || !w->events)
		fail("no memory for events");
	s->pub->sync = SYNC_EMIT;
}

void scene_sync_drain(struct scene *s)
{
	struct sync_event e[256];

	if (!s->w->events)
		return;
	while (rte_ring_sc_dequeue_burst_elem(s->w->events, e, sizeof(e[0]), 256, NULL) > 0)
		;
}

void scene_sync_end(struct scene *s)
{
	s->pub->sync = 0;
	dataplane_sync_fini(s->w);
}

static size_t rows_bytes(const struct scene *s)
{
	return sizeof(struct ledger_row4) * ((size_t)s->w->v4.table.capacity + 1);
}

void scene_ledger(struct scene *s)
{
	void *rows = mmap(NULL, rows_bytes(s), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (rows == MAP_FAILED)
		fail("no memory for rows of the ledger");
	s->w->v4.rows = rows;
	s->w->v4.rows_limit = s->w->v4.table.capacity + 1;
	s->pub->sync = SYNC_LEDGER;
}

void scene_ledger_end(struct scene *s)
{
	s->pub->sync = 0;
	munmap(s->w->v4.rows, rows_bytes(s));
	s->w->v4.rows = NULL;
	s->w->v4.rows_limit = 0;
}

struct sync_arg {
	struct memory_arg memory;
	uint32_t mode;
};

static uint64_t batch_mode(void *arg, struct rte_mbuf **frames)
{
	struct sync_arg *a = arg;

	a->memory.s->pub->sync = a->mode;
	return batch_pipeline(&a->memory, frames);
}

void bench_sync(const struct options *o, enum forward_method method, uint32_t n, uint16_t dev,
		struct rte_mempool *pool)
{
	struct scene s;
	struct sync_arg on = {{&s, pool}, SYNC_EMIT}, off = {{&s, pool}, 0};
	struct subject subjects[] = {
		{method == FWD_NAT ? "sync/nat" : "sync/dr", batch_mode, &on, 0},
		{"without", batch_mode, &off, 0}};
	uint64_t sent, lookups;

	if (!wanted(o, subjects[0].name))
		return;
	scene_create(&s, ADDR_V4, method, n, n, dev);
	scene_sync(&s);
	scene_connect(&s, pool);
	scene_sync_drain(&s);
	sent = s.w->counters.sent;
	lookups = s.w->counters.lookups;
	measure(&s, subjects, 2, o->blocks, pool);
	check_sent(s.w, sent, lookups);
	row_add_cycles(subjects[0].name, n, subjects[0].cycles, subjects[1].cycles);
	scene_sync_end(&s);
	scene_destroy(&s);
}
