/* SPDX-License-Identifier: BSD-3-Clause */

/* Least connections: the eligible server with the least load, first in list order of
 * equal ones. Weights count only as zero or not. */

#include "sched/ops.h"

static int lc_choose(const struct service *svc, const struct sched_request *req)
{
	uint64_t least = UINT64_MAX;
	int chosen = SCHED_NONE;

	(void)req;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		uint64_t load;

		if (!server_eligible(s))
			continue;
		load = server_load(s);
		if (load < least) {
			least = load;
			chosen = (int)i;
		}
	}
	return chosen;
}

const struct sched_ops sched_lc = {
	.name = "lc",
	.choose = lc_choose,
};
