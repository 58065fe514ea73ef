/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Maglev hashing (Eisenbud et al., NSDI 2016) as Linux has it: a table of 4093 slots that
 * each server fills along a permutation of its own, `turns` slots at a time, by the client's
 * address (mh-port: plus its port). No random key: every router builds the same table.
 * Turns come from the last weight that was not 0, so quiescing a server moves no other
 * client. A slot whose server is not eligible refuses; mh-fallback hashes again.
 */

#include <errno.h>
#include <stdlib.h>

#include "sched/ops.h"
#include "sched/siphash.h"

#define MH_SLOTS 4093 /* a prime */

struct mh_table {
	int16_t slot[MH_SLOTS]; /* index into the node's servers, or SCHED_NONE */
};
_Static_assert(MAX_SERVERS_PER_SERVICE <= INT16_MAX, "an index fits a slot");

static const struct siphash_key mh_key1 = {2654435761U, 2654435761U};
static const struct siphash_key mh_key2 = {2654446892U, 2654446892U};

/* Of what the address and the port are together. */
static uint32_t mh_hash(struct siphash_key key, uint32_t place, uint32_t offset)
{
	uint32_t value = htole32(offset + place);

	return (uint32_t)siphash13(key, &value, sizeof(value));
}

/* A server's walk over the slots: at, at + skip, at + 2 skip ... modulo MH_SLOTS. */
struct mh_walk {
	uint32_t at, skip;
	uint32_t turns; /* slots per round; 0 takes no part */
};

static bool mh_takes_part(const struct service *svc, const struct server *s)
{
	/* As with sh: without fallback the clients of a server that is down would be
	 * refused. */
	return !s->down || svc->policy.scheduler_flags & SCHED_MH_FALLBACK;
}

static void mh_walks_init(const struct service *svc, struct mh_walk *walks)
{
	uint32_t gcd = 0, max = 0, shift = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		uint32_t w = svc->servers[i].last_weight;

		gcd = gcd32(gcd, w);
		max = w > max ? w : max;
	}
	if (gcd == 0)
		return;
	/* At most 6 bits of turns, so that a round leaves room for everybody. */
	while (max / gcd >> shift >= 64)
		shift++;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		struct mh_walk *w = &walks[i];
		uint32_t place;

		if (s->last_weight == 0 || !mh_takes_part(svc, s))
			continue;
		place = addr_fold(&s->addr, svc->family) + be16_to(s->port);
		w->at = mh_hash(mh_key1, place, 0) % MH_SLOTS;
		w->skip = mh_hash(mh_key2, place, 0) % (MH_SLOTS - 1) + 1;
		w->turns = s->last_weight / gcd >> shift;
		if (w->turns == 0)
			w->turns = 1;
	}
}

static bool mh_nobody(const struct mh_walk *walks, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (walks[i].turns > 0)
			return false;
	}
	return true;
}

static void mh_fill(struct mh_table *t, struct mh_walk *walks, uint32_t n)
{
	uint32_t filled = 0;

	for (uint32_t i = 0; i < MH_SLOTS; i++)
		t->slot[i] = SCHED_NONE;
	if (mh_nobody(walks, n))
		return;
	for (uint32_t i = 0; filled < MH_SLOTS; i = (i + 1) % n) {
		struct mh_walk *w = &walks[i];

		for (uint32_t k = 0; k < w->turns && filled < MH_SLOTS; k++, filled++) {
			while (t->slot[w->at] != SCHED_NONE)
				w->at = (w->at + w->skip) % MH_SLOTS;
			t->slot[w->at] = (int16_t)i;
		}
	}
}

static int mh_build(struct service *svc, const struct service *old)
{
	struct mh_table *t;
	struct mh_walk *walks;

	(void)old;
	if (svc->n_servers > MH_SLOTS)
		return -E2BIG;
	t = malloc(sizeof(*t));
	walks = calloc(svc->n_servers + 1, sizeof(*walks));
	if (t == NULL || walks == NULL) {
		free(t);
		free(walks);
		return -ENOMEM;
	}
	mh_walks_init(svc, walks);
	mh_fill(t, walks, svc->n_servers);
	free(walks);
	svc->sched_data = t;
	return 0;
}

static int mh_choose(const struct service *svc, const struct sched_request *req)
{
	const struct mh_table *t = svc->sched_data;
	uint32_t port = svc->policy.scheduler_flags & SCHED_MH_PORT ? be16_to(req->client_port) : 0;
	uint32_t place = addr_fold(&req->client, req->family) + port;
	uint32_t first = mh_hash(mh_key1, place, 0) % MH_SLOTS;
	int i = t->slot[first];

	if (i == SCHED_NONE || server_eligible(&svc->servers[i]))
		return i;
	/* The loop is short while somebody can be found; else it is 4093 hashes. */
	if (!(svc->policy.scheduler_flags & SCHED_MH_FALLBACK) || !sched_any_eligible(svc))
		return SCHED_NONE;
	for (uint32_t n = 0; n < MH_SLOTS; n++) {
		uint32_t offset = (first + n) % MH_SLOTS;

		i = t->slot[mh_hash(mh_key1, place, offset) % MH_SLOTS];
		if (server_eligible(&svc->servers[i]))
			return i;
	}
	return SCHED_NONE;
}

const struct sched_ops sched_mh = {
	.name = "mh",
	.flags_allowed = SCHED_MH_FALLBACK | SCHED_MH_PORT,
	.build = mh_build,
	.destroy = sched_data_free,
	.choose = mh_choose,
};
