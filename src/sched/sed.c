/* SPDX-License-Identifier: BSD-3-Clause */

/* Shortest expected delay: the eligible server with the least (active + 1) / weight, first
 * in list order of equal ones. Inactive connections do not count. */

#include "sched/ops.h"

int sched_shortest_delay(const struct service *svc, bool idle_first, uint64_t *seen)
{
	uint64_t least = 0, least_weight = 0;
	int chosen = SCHED_NONE;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		uint64_t counts, active;

		if (!server_eligible(s))
			continue;
		counts = server_rt_counts(s->rt);
		active = counts_active(counts);
		if (idle_first && active == 0) {
			if (seen != NULL)
				*seen = counts;
			return (int)i;
		}
		if (chosen == SCHED_NONE || least * s->weight > (active + 1) * least_weight) {
			least = active + 1;
			least_weight = s->weight;
			chosen = (int)i;
			if (seen != NULL)
				*seen = counts;
		}
	}
	return chosen;
}

static int sed_choose(const struct service *svc, const struct sched_request *req)
{
	return sched_shortest_delay(svc, false, sched_seen(req));
}

const struct sched_ops sched_sed = {
	.name = "sed",
	.choose = sed_choose,
};
