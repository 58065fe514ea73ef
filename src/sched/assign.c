/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/ranking.h"

#define ASSIGN_TRIES 32

/* Several workers chose one server at a time, of which one connection was the last to fit. */
static bool overshot(const struct service *svc, const struct server_rt *rt)
{
	const uint64_t counts = server_rt_counts(rt);
	const uint32_t upper = __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);

	return svc->n_workers > 1 && upper != 0 &&
	       (uint64_t)counts_active(counts) + counts_inactive(counts) > upper;
}

/* For nobody's connection: a worker that is not one of those that choose. */
static int assign_alone(const struct service *svc, struct sched_request *req, bool active)
{
	const int at = svc->sched->choose(svc, req);
	struct count_row row;

	if (at == SCHED_NONE)
		return at;
	row = server_rt_row(svc->servers[at].rt, 0);
	server_rt_bind(svc->servers[at].rt, &row, svc->servers[at].id, active);
	return at;
}

int sched_assign(const struct service *svc, struct sched_request *req, bool active)
{
	const struct sched_worker *w = req->worker;
	int at, before = SCHED_NONE;

	if (w == NULL)
		return assign_alone(svc, req, active);
	for (int i = 0;; i++, before = at) {
		const struct server *s;

		at = svc->sched->choose(svc, req);
		if (at == SCHED_NONE)
			return at;
		s = &svc->servers[at];
		server_rt_bind(s->rt, &w->row, s->id, active);
		if (svc->sched->measure != NULL)
			ranking_bound(svc, w, (uint32_t)at);
		/* A scheduler that insists, as lblc does, has its way. */
		if (!(brief_of(&w->row, s->id) & SERVER_BRIEF_LIMITED) || !overshot(svc, s->rt) ||
		    at == before || i == ASSIGN_TRIES)
			return at;
		server_rt_bind_undo(s->rt, &w->row, s->id, active);
		sched_update(svc, w, s->id);
	}
}
