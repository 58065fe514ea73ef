/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/ranking.h"

#define ASSIGN_TRIES 32

/* Several workers chose one server at a time, of which one connection was the last to fit. */
static bool overshot(const struct service *svc, const struct server_rt *rt,
		     const struct count_row *row, uint32_t id)
{
	uint64_t counts;
	uint32_t upper;

	if (!(brief_of(row, id) & SERVER_BRIEF_LIMITED) || svc->n_workers < 2)
		return false;
	counts = server_rt_counts(rt);
	upper = __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);
	return upper != 0 && (uint64_t)counts_active(counts) + counts_inactive(counts) > upper;
}

int sched_assign(const struct service *svc, struct sched_request *req, bool active)
{
	int at, before = SCHED_NONE;

	for (int i = 0;; i++, before = at) {
		const struct server *s;
		struct count_row row;

		at = svc->sched->choose(svc, req);
		if (at == SCHED_NONE)
			return at;
		s = &svc->servers[at];
		row = req->worker != NULL ? req->worker->row : server_rt_row(s->rt, 0);
		server_rt_bind(s->rt, &row, s->id, active);
		if (svc->sched->measure != NULL)
			ranking_bound(svc, req->worker, (uint32_t)at);
		/* A scheduler that insists, as lblc does, has its way. */
		if (!overshot(svc, s->rt, &row, s->id) || at == before || i == ASSIGN_TRIES)
			return at;
		server_rt_bind_undo(s->rt, &row, s->id, active);
		sched_update(svc, req->worker, s->id);
	}
}
