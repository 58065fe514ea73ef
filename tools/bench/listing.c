/* SPDX-License-Identifier: BSD-3-Clause */
/* The cost of a listing of all connections for traffic: a worker that has packets all the time
 * walks over its table meanwhile. */
#include "bench.h"

#include <stdlib.h>

#include <rte_cycles.h>

struct listing_arg {
	struct memory_arg memory;
	struct worker_command command;
	uint64_t listed, steps;
	bool on;
};

/* Control asks for the next part as soon as one is done. */
static void list_on(struct listing_arg *a)
{
	struct worker *w = a->memory.s->w;

	if (!w->command) {
		a->listed += a->command.n;
		a->command.n = 0;
		w->command = &a->command;
	}
	a->steps += command_run(w, true);
}

static uint64_t batch_listing(void *arg, struct rte_mbuf **frames)
{
	struct listing_arg *a = arg;
	uint64_t start = rte_rdtsc_precise();

	for (unsigned int i = 0; i < BATCH; i += BURST_MAX) {
		a->memory.s->w->now_tsc = rte_rdtsc(); /* as each round of the loop does */
		if (a->on)
			list_on(a);
		burst_pipeline(&a->memory, frames + i);
	}
	return rte_rdtsc_precise() - start;
}

void bench_listing(const struct options *o, uint32_t n, uint16_t dev, struct rte_mempool *pool)
{
	struct scene s;
	struct listing_arg on = {.memory = {&s, pool}, .on = true}, off = {.memory = {&s, pool}};
	struct subject subjects[] = {{"listing/forwarding", batch_listing, &on, 0, 0, NULL},
				     {"without", batch_listing, &off, 0, 0, NULL}};
	uint64_t sent, lookups;

	if (!wanted(o, subjects[0].name))
		return;
	on.command =
		(struct worker_command){.kind = CMD_LIST,
					.views = calloc(CMD_LIST_STEP, sizeof(struct conn_view)),
					.n_max = CMD_LIST_STEP,
					.eventfd = -1,
					.filter.state = -1};
	if (!on.command.views)
		fail("no memory for a listing");
	scene_create(&s, ADDR_V4, FWD_NAT, n, n, dev);
	scene_connect(&s, pool);
	sent = s.w->counters.sent;
	lookups = s.w->counters.lookups;
	measure(&s, subjects, 2, 3 * o->blocks, pool);
	check_sent(s.w, sent, lookups);
	if (on.steps == 0 || on.listed == 0)
		fail("listing/forwarding: nothing was listed");
	row_add_ratio(subjects[0].name, n, subjects[0].cycles, subjects[1].cycles,
		      subjects[0].ratio);
	if (subjects[0].ratio > 1.02)
		row_failed("listing/forwarding costs more than 2 %%: ratio %.3f",
			   subjects[0].ratio);
	s.w->command = NULL;
	free(on.command.views);
	scene_destroy(&s);
}
