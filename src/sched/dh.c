/* SPDX-License-Identifier: BSD-3-Clause */

/* Destination hashing: 256 buckets by the packet's destination address, dealt one each
 * round the list. A bucket whose server is not eligible refuses. */

#include <errno.h>
#include <stdlib.h>

#include "sched/hash256.h"

struct hash256 *hash256_create(const struct service *svc, bool weighted, bool with_down)
{
	struct hash256 *t = malloc(sizeof(*t));
	uint32_t i = 0, run = 0, skipped = 0;

	if (t == NULL)
		return NULL;
	for (uint32_t b = 0; b < HASH256_SIZE;) {
		if (skipped == svc->n_servers) {
			t->bucket[b++] = SCHED_NONE;
			continue;
		}
		if (svc->servers[i].down && !with_down) {
			skipped++;
			i = (i + 1) % svc->n_servers;
			continue;
		}
		skipped = 0;
		t->bucket[b++] = (int16_t)i;
		if (weighted && ++run < svc->servers[i].weight)
			continue;
		run = 0;
		i = (i + 1) % svc->n_servers;
	}
	return t;
}

static int dh_build(struct service *svc, const struct service *old)
{
	(void)old;
	svc->sched_data = hash256_create(svc, false, false);
	return svc->sched_data != NULL ? 0 : -ENOMEM;
}

static int dh_choose(const struct service *svc, const struct sched_request *req)
{
	const struct hash256 *t = svc->sched_data;
	int i = t->bucket[hash256_of(addr_fold(&req->dest))];

	return i != SCHED_NONE && server_eligible(&svc->servers[i]) ? i : SCHED_NONE;
}

const struct sched_ops sched_dh = {
	.name = "dh",
	.build = dh_build,
	.destroy = sched_data_free,
	.choose = dh_choose,
};
