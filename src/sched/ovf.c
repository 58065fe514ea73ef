/* SPDX-License-Identifier: BSD-3-Clause */

/* Overflow: the eligible server of the highest weight that has no more active connections
 * than its weight; none such: refused. Of no use for UDP, which is never active. */

#include "sched/ops.h"

static int ovf_choose(const struct service *svc, const struct sched_request *req)
{
	uint32_t highest = 0;
	int chosen = SCHED_NONE;

	(void)req;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];

		if (s->weight <= highest || !server_eligible(s))
			continue;
		if (counts_active(server_rt_counts(s->rt)) > s->weight)
			continue;
		highest = s->weight;
		chosen = (int)i;
	}
	return chosen;
}

const struct sched_ops sched_ovf = {
	.name = "ovf",
	.choose = ovf_choose,
};
