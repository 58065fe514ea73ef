/* SPDX-License-Identifier: BSD-3-Clause */

/* Weighted failover: the eligible server of the highest weight, first in list order of
 * equal ones; the others wait until it is not eligible. */

#include "sched/ops.h"

static int fo_choose(const struct service *svc, const struct sched_request *req)
{
	uint32_t highest = 0;
	int chosen = SCHED_NONE;

	(void)req;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];

		if (s->weight > highest && server_eligible(s)) {
			highest = s->weight;
			chosen = (int)i;
		}
	}
	return chosen;
}

const struct sched_ops sched_fo = {
	.name = "fo",
	.choose = fo_choose,
};
