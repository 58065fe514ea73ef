/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/arrivals.h"

#include <string.h>

#include "dataplane/exits/doors.h"
#include "dataplane/persistence/persist.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/steered.h"

/* Packets that came by the rings of other workers, by the stage where they go on. m->port and the
 * tags are as the other worker left them. */
enum arrival {
	AT_START, /* HANDOFF_STEER */
	AT_LOOKUP4,
	AT_LOOKUP6,
	AT_HOME, /* waits for a decision of this worker: persist.h */
	AT_BACK, /* comes back with a decision */
	AT_MAX
};

struct arrivals {
	uint16_t total; /* BURST_MAX at most */
	uint16_t n[AT_MAX];
	struct rte_mbuf *at[AT_MAX][BURST_MAX];
};

/* Both lines of an mbuf were written by the other worker last. */
static inline void arrivals_prefetch(struct rte_mbuf **frames, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		rte_prefetch0(frames[i]);
		rte_prefetch0(pkt_tag(frames[i]));
	}
}

static inline void arrival_put(struct worker *w, struct arrivals *a, struct rte_mbuf *m)
{
	struct pkt_tag *tag = pkt_tag(m);
	enum arrival at = AT_BACK;

	rte_prefetch0(rte_pktmbuf_mtod(m, void *));
	if (likely(tag->kind == HANDOFF_STEERED && !w->env.lease_off && !w->observer)) {
		steered_prefetch(w, tag);
		at = tag->v6 ? AT_LOOKUP6 : AT_LOOKUP4;
	} else if (tag->kind == HANDOFF_TX || tag->kind == HANDOFF_UNLEASED) {
		door_send(w, m, tag->tx_port);
		return;
	} else if (tag->kind == HANDOFF_STEER || tag->kind == HANDOFF_STEERED) {
		tag->kind = HANDOFF_STEER;
		at = AT_START;
	} else if (tag->kind == HANDOFF_HOME) {
		at = AT_HOME;
	}
	a->at[at][a->n[at]++] = m;
	a->total++;
}

static void arrivals_run(struct worker *w, struct arrivals *a)
{
	if (a->n[AT_LOOKUP4])
		steered4_take(w, a->at[AT_LOOKUP4], a->n[AT_LOOKUP4]);
	if (a->n[AT_LOOKUP6])
		steered6_take(w, a->at[AT_LOOKUP6], a->n[AT_LOOKUP6]);
	if (a->n[AT_START])
		pipeline_run(w, a->at[AT_START], a->n[AT_START]);
	if (a->n[AT_HOME])
		persist_receive(w, a->at[AT_HOME], a->n[AT_HOME]);
	if (a->n[AT_BACK])
		persist_return(w, a->at[AT_BACK], a->n[AT_BACK]);
	a->total = 0;
	memset(a->n, 0, sizeof(a->n));
}

uint32_t arrivals_receive(struct worker *w)
{
	struct rte_mbuf *frames[BURST_MAX];
	struct arrivals a;
	uint32_t work = 0;

	a.total = 0;
	memset(a.n, 0, sizeof(a.n));
	for (unsigned int from = 0; from < w->n_workers; from++) {
		unsigned int left = BURST_MAX, n, want;

		if (!w->ring_from[from])
			continue;
		do {
			want = RTE_MIN(left, (unsigned int)(BURST_MAX - a.total));
			n = rte_ring_sc_dequeue_burst(w->ring_from[from], (void **)frames, want,
						      NULL);
			w->counters.ring_in += n;
			arrivals_prefetch(frames, n);
			for (unsigned int i = 0; i < n; i++)
				arrival_put(w, &a, frames[i]);
			if (a.total == BURST_MAX)
				arrivals_run(w, &a);
			work += n;
			left -= n;
		} while (n == want && left);
	}
	if (a.total)
		arrivals_run(w, &a);
	return work;
}
