/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Source hashing: 256 buckets by the client's address (sh-port: plus its port), dealt round
 * the list in runs of `weight`. A bucket whose server is not eligible refuses; with
 * sh-fallback the buckets from there on are tried.
 */

#include <errno.h>

#include "sched/hash256.h"

static int sh_build(struct service *svc, const struct service *old)
{
	(void)old;
	/* With fallback a server that is down is stepped over and all others keep their
	 * clients; without it, its clients would be refused: deal without it. */
	svc->sched_data =
		hash256_create(svc, true, svc->policy.scheduler_flags & SCHED_SH_FALLBACK);
	return svc->sched_data != NULL ? 0 : -ENOMEM;
}

static int sh_choose(const struct service *svc, const struct sched_request *req)
{
	const struct hash256 *t = svc->sched_data;
	uint32_t port = svc->policy.scheduler_flags & SCHED_SH_PORT ? be16_to(req->client_port) : 0;
	uint32_t hash = hash256_of(addr_fold(&req->client, req->family) + port);
	int i = t->bucket[hash];

	if (i == SCHED_NONE || server_eligible(&svc->servers[i]))
		return i;
	if (!(svc->policy.scheduler_flags & SCHED_SH_FALLBACK))
		return SCHED_NONE;
	/* Linux adds to the hash an offset that itself starts at the hash. */
	for (uint32_t n = 0; n < HASH256_SIZE; n++) {
		i = t->bucket[(hash + hash + n) % HASH256_SIZE];
		if (server_eligible(&svc->servers[i]))
			return i;
	}
	return SCHED_NONE;
}

const struct sched_ops sched_sh = {
	.name = "sh",
	.flags_allowed = SCHED_SH_FALLBACK | SCHED_SH_PORT,
	.build = sh_build,
	.destroy = sched_data_free,
	.choose = sh_choose,
};
