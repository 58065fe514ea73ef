/* SPDX-License-Identifier: BSD-3-Clause */

/* Least connections: the eligible server with the least load, first in list order of
 * equal ones. Weights count only as zero or not. */

#include "sched/ops.h"

static int lc_choose(const struct service *svc, const struct sched_request *req)
{
	uint64_t least = UINT64_MAX;
	uint64_t *seen = sched_seen(req);
	int chosen = SCHED_NONE;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		uint64_t counts, load;

		if (!server_eligible(s))
			continue;
		counts = server_rt_counts(s->rt);
		load = load_of(counts);
		if (load < least) {
			least = load;
			chosen = (int)i;
			if (seen != NULL)
				*seen = counts;
		}
	}
	return chosen;
}

const struct sched_ops sched_lc = {
	.name = "lc",
	.choose = lc_choose,
};
