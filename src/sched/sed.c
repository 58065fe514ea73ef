/* SPDX-License-Identifier: BSD-3-Clause */

/* Shortest expected delay: the eligible server with the least (active + 1) / weight, first
 * in list order of equal ones. Inactive connections do not count. */

#include "sched/ranking.h"

static const struct sched_measure sed_measure = {.per_active = 1, .more = 1};

const struct sched_ops sched_sed = {
	.name = "sed",
	.build = ranking_build,
	.destroy = ranking_destroy,
	.choose = ranking_choose,
	.measure = &sed_measure,
};
