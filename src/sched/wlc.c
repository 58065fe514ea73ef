/* SPDX-License-Identifier: BSD-3-Clause */

/* Weighted least connections: the eligible server with the least load / weight, first in
 * list order of equal ones. */

#include "sched/ops.h"

int sched_least_loaded(const struct service *svc, uint64_t *seen)
{
	uint64_t least_load = 0, least_weight = 0;
	int chosen = SCHED_NONE;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		uint64_t counts, load;

		if (!server_eligible(s))
			continue;
		counts = server_rt_counts(s->rt);
		load = load_of(counts);
		/* Products fit below 2^33 of load: 33 million active connections at one server, of
		 * the greatest weight. */
		if (chosen == SCHED_NONE || least_load * s->weight > load * least_weight) {
			least_load = load;
			least_weight = s->weight;
			chosen = (int)i;
			if (seen != NULL)
				*seen = counts;
		}
	}
	return chosen;
}

static int wlc_choose(const struct service *svc, const struct sched_request *req)
{
	return sched_least_loaded(svc, sched_seen(req));
}

const struct sched_ops sched_wlc = {
	.name = "wlc",
	.choose = wlc_choose,
};
