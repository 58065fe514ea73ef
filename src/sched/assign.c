/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/ranking.h"

/* Each try is lost to another worker's progress; after these the last choice stands, which
 * puts at most one connection of each worker where it would not be now. */
#define ASSIGN_TRIES 32

int sched_assign(const struct service *svc, struct sched_request *req, bool active)
{
	const uint64_t unseen = UINT64_MAX;
	int at;

	for (int i = 0; i < ASSIGN_TRIES; i++) {
		uint64_t seen = unseen;

		req->seen = &seen;
		at = svc->sched->choose(svc, req);
		req->seen = NULL;
		if (at == SCHED_NONE)
			return at;
		if (seen == unseen)
			break;
		if (server_rt_bind_seen(svc->servers[at].rt, active, seen)) {
			if (svc->sched->measure != NULL)
				ranking_bound(svc, req->worker, (uint32_t)at);
			return at;
		}
	}
	server_rt_bind(svc->servers[at].rt, active);
	return at;
}
