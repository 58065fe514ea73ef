/* SPDX-License-Identifier: BSD-3-Clause */

/* Power of two choices: two servers drawn by weight, with replacement; of them the one with
 * the less load per weight, the first drawn of equal ones. */

#include "sched/ops.h"

/* Uniform in 0 .. max, from 32 random bits. max: below 2^43, the weights of all servers. */
static uint64_t scale(uint32_t random, uint64_t max)
{
	const uint64_t n = max + 1;

	return random * (n >> 32) + (random * (n & UINT32_MAX) >> 32);
}

/* The server into whose share of the total weight the draw falls. IPVS draws from 0 to the
 * total, both included, so that the first server has one ticket more. */
static int draw(const struct service *svc, uint64_t ticket)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (!server_eligible(&svc->servers[i]))
			continue;
		sum += svc->servers[i].weight;
		if (ticket <= sum)
			return (int)i;
	}
	return SCHED_NONE;
}

static int twos_choose(const struct service *svc, const struct sched_request *req)
{
	uint64_t total = 0;
	int a, b;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		if (server_eligible(&svc->servers[i]))
			total += svc->servers[i].weight;
	}
	a = draw(svc, scale((uint32_t)req->random, total));
	b = draw(svc, scale((uint32_t)(req->random >> 32), total));
	/* An overload flag set between the two walks may leave one draw without a server. */
	if (a == SCHED_NONE || b == SCHED_NONE)
		return a == SCHED_NONE ? b : a;
	if (svc->servers[b].weight * server_load(&svc->servers[a]) >
	    svc->servers[a].weight * server_load(&svc->servers[b]))
		return b;
	return a;
}

const struct sched_ops sched_twos = {
	.name = "twos",
	.choose = twos_choose,
};
