/* SPDX-License-Identifier: BSD-3-Clause */

/* Never queue: the first eligible server without active connections, else as sed. */

#include "sched/ops.h"

static int nq_choose(const struct service *svc, const struct sched_request *req)
{
	return sched_shortest_delay(svc, true, sched_seen(req));
}

const struct sched_ops sched_nq = {
	.name = "nq",
	.choose = nq_choose,
};
