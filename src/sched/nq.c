/* SPDX-License-Identifier: BSD-3-Clause */

/* Never queue: the first eligible server without active connections, else as sed. */

#include "sched/ranking.h"

static const struct sched_measure nq_measure = {.per_active = 1, .more = 1, .idle_first = true};

const struct sched_ops sched_nq = {
	.name = "nq",
	.build = ranking_build,
	.destroy = ranking_destroy,
	.choose = ranking_choose,
	.measure = &nq_measure,
};
