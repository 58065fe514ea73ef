/* SPDX-License-Identifier: BSD-3-Clause */

/* Weighted least connections: the eligible server with the least load / weight, first in
 * list order of equal ones. */

#include "sched/ranking.h"

static const struct sched_measure wlc_measure = {.per_active = 256, .per_inactive = 1};

int sched_least_loaded(const struct service *svc)
{
	return ranking_scan(svc, &wlc_measure);
}

const struct sched_ops sched_wlc = {
	.name = "wlc",
	.build = ranking_build,
	.destroy = ranking_destroy,
	.choose = ranking_choose,
	.measure = &wlc_measure,
};
