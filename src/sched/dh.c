/* SPDX-License-Identifier: BSD-3-Clause */

/* Destination hashing: 256 buckets by the packet's destination address, dealt one each
 * round the list. A bucket whose server is not eligible refuses. */

#include <errno.h>

#include "sched/hash256.h"

static int dh_build(struct service *svc, const struct service *old)
{
	(void)old;
	svc->sched_data = hash256_create(svc, false, false);
	return svc->sched_data != NULL ? 0 : -ENOMEM;
}

static int dh_choose(const struct service *svc, const struct sched_request *req)
{
	const struct hash256 *t = svc->sched_data;
	int i = t->bucket[hash256_of(addr_fold(&req->dest, req->family))];

	return i != SCHED_NONE && server_eligible(&svc->servers[i]) ? i : SCHED_NONE;
}

const struct sched_ops sched_dh = {
	.name = "dh",
	.build = dh_build,
	.destroy = sched_data_free,
	.choose = dh_choose,
};
