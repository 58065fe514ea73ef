/* SPDX-License-Identifier: BSD-3-Clause */

/* Least connections: the eligible server with the least load, first in list order of
 * equal ones. Weights count only as zero or not. */

#include "sched/ranking.h"

static const struct sched_measure lc_measure = {
	.per_active = 256, .per_inactive = 1, .alike = true};

const struct sched_ops sched_lc = {
	.name = "lc",
	.build = ranking_build,
	.destroy = ranking_destroy,
	.choose = ranking_choose,
	.measure = &lc_measure,
};
