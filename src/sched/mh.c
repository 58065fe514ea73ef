/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Maglev hashing (Eisenbud et al., NSDI 2016) as Linux has it: a table of `mh_slots` slots (4093 as
 * in IPVS, unless configured) that each server fills along a permutation of its own,
 * `slots_a_round` slots at a time, by the client's address (mh-port: plus its port). No random key:
 * every router builds the same table. Slots follow the last weight that was not 0, so quiescing
 * a server moves no other client. A slot whose server is not eligible refuses; mh-fallback hashes
 * again.
 *
 * With `adopt` the table follows from the configuration alone, so that routers of a fleet agree
 * whatever happened to each of them: these counts come from configured weights, servers fill the
 * table in the order of their addresses, and a server that is down keeps its slots. What falls on
 * these is hashed again, so a server that is down moves only its own clients. A server of weight 0
 * has the slots of the least weight, and gets nothing.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sched/ops.h"
#include "sched/siphash.h"

#define REHASHES_ADOPT 64 /* then the next eligible server of the list */

struct mh_table {
	uint32_t n;	/* a prime */
	uint32_t refs;	/* nodes whose configuration is the same, with `adopt` */
	int16_t slot[]; /* [n] index into the node's servers, or SCHED_NONE */
};
_Static_assert(MAX_SERVERS_PER_SERVICE <= INT16_MAX, "an index fits a slot");

static const struct siphash_key mh_key1 = {2654435761U, 2654435761U};
static const struct siphash_key mh_key2 = {2654446892U, 2654446892U};

/* sum: of an address and a port. */
static uint32_t mh_hash(struct siphash_key key, uint32_t sum, uint32_t offset)
{
	uint32_t value = htole32(offset + sum);

	return (uint32_t)siphash13(key, &value, sizeof(value));
}

/* --- the table --- */

/* A server's walk over the slots: at, at + skip, at + 2 skip ... modulo their number. */
struct mh_walk {
	uint32_t at, skip;
	uint32_t slots_a_round; /* slots per round; 0 takes no part */
	int16_t server;		/* index into the node's servers */
};

static bool mh_takes_part(const struct service *svc, const struct server *s)
{
	/* As with sh: without fallback the clients of a server that is down would be
	 * refused. */
	return !s->down || svc->policy.scheduler_flags & SCHED_MH_FALLBACK || svc->policy.adopt;
}

static uint32_t mh_weight(const struct service *svc, const struct server *s)
{
	return svc->policy.adopt ? s->configured : s->last_weight;
}

static void mh_walks_init(const struct service *svc, uint32_t n_slots, struct mh_walk *walks)
{
	uint32_t gcd = 0, max = 0, shift = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		uint32_t w = mh_weight(svc, &svc->servers[i]);

		walks[i].server = (int16_t)i;
		gcd = gcd32(gcd, w);
		max = w > max ? w : max;
	}
	if (gcd == 0)
		return;
	/* At most 6 bits of slots, so that a round leaves room for everybody. */
	while (max / gcd >> shift >= 64)
		shift++;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		const uint32_t weight = mh_weight(svc, s);
		struct mh_walk *w = &walks[i];
		uint32_t sum;

		if ((weight == 0 && !svc->policy.adopt) || !mh_takes_part(svc, s))
			continue;
		sum = addr_fold(&s->addr, svc->family) + be16_to(s->port);
		w->at = mh_hash(mh_key1, sum, 0) % n_slots;
		w->skip = mh_hash(mh_key2, sum, 0) % (n_slots - 1) + 1;
		w->slots_a_round = weight / gcd >> shift;
		if (w->slots_a_round == 0)
			w->slots_a_round = 1;
	}
}

static bool mh_nobody(const struct mh_walk *walks, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (walks[i].slots_a_round > 0)
			return false;
	}
	return true;
}

static void mh_fill(struct mh_table *t, struct mh_walk *walks, uint32_t n)
{
	uint32_t filled = 0;

	for (uint32_t i = 0; i < t->n; i++)
		t->slot[i] = SCHED_NONE;
	if (mh_nobody(walks, n))
		return;
	for (uint32_t i = 0; filled < t->n; i = (i + 1) % n) {
		struct mh_walk *w = &walks[i];

		for (uint32_t k = 0; k < w->slots_a_round && filled < t->n; k++, filled++) {
			while (t->slot[w->at] != SCHED_NONE)
				w->at = (w->at + w->skip) % t->n;
			t->slot[w->at] = w->server;
		}
	}
}

struct mh_place {
	struct addr addr;
	be16 port;
	uint32_t i;
};

static int mh_place_cmp(const void *a, const void *b)
{
	const struct mh_place *x = a, *y = b;
	int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return order		    ? order
	       : x->port != y->port ? (be16_to(x->port) > be16_to(y->port)) -
					      (be16_to(x->port) < be16_to(y->port))
				    : (x->i > y->i) - (x->i < y->i);
}

/* Puts the walks into the order of their servers' addresses: the same on routers whose lists came
 * about in another order. */
static int mh_walks_sort(const struct service *svc, struct mh_walk *walks)
{
	struct mh_place *places = calloc(svc->n_servers + 1, sizeof(*places));
	struct mh_walk *copy = malloc((svc->n_servers + 1UL) * sizeof(*copy));

	for (uint32_t i = 0; places && i < svc->n_servers; i++)
		places[i] = (struct mh_place){svc->servers[i].addr, svc->servers[i].port, i};
	if (places && copy) {
		qsort(places, svc->n_servers, sizeof(*places), mh_place_cmp);
		memcpy(copy, walks, svc->n_servers * sizeof(*copy));
		for (uint32_t i = 0; i < svc->n_servers; i++)
			walks[i] = copy[places[i].i];
	}
	free(places);
	free(copy);
	return places && copy ? 0 : -ENOMEM;
}

/* The table of the node before holds: nothing that it is made of differs. */
static bool mh_table_holds(const struct service *svc, const struct service *old)
{
	if (!svc->policy.adopt || !old || !old->policy.adopt || old->sched != svc->sched ||
	    !old->sched_data || old->n_servers != svc->n_servers ||
	    old->policy.mh_slots != svc->policy.mh_slots)
		return false;
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (svc->servers[i].rt != old->servers[i].rt ||
		    svc->servers[i].configured != old->servers[i].configured)
			return false;
	return true;
}

static int mh_build(struct service *svc, const struct service *old)
{
	const uint32_t n = svc->policy.mh_slots ? svc->policy.mh_slots : MH_SLOTS_DEFAULT;
	struct mh_table *t;
	struct mh_walk *walks;
	int ret = 0;

	if (svc->n_servers > n)
		return -E2BIG;
	if (mh_table_holds(svc, old)) {
		t = old->sched_data;
		__atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
		svc->sched_data = t;
		return 0;
	}
	t = malloc(sizeof(*t) + n * sizeof(t->slot[0]));
	walks = calloc(svc->n_servers + 1, sizeof(*walks));
	if (t == NULL || walks == NULL) {
		ret = -ENOMEM;
	} else {
		t->n = n;
		t->refs = 1;
		mh_walks_init(svc, n, walks);
		if (svc->policy.adopt)
			ret = mh_walks_sort(svc, walks);
	}
	if (ret == 0) {
		mh_fill(t, walks, svc->n_servers);
		svc->sched_data = t;
	} else {
		free(t);
	}
	free(walks);
	return ret;
}

static void mh_destroy(struct service *svc)
{
	struct mh_table *t = svc->sched_data;

	if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(t);
}

/* --- choices --- */

/* The next eligible server behind the one that the sum leads to. There is one. */
static int mh_scan(const struct service *svc, uint32_t sum)
{
	uint32_t i = mh_hash(mh_key2, sum, 0) % svc->n_servers;

	while (!server_eligible(&svc->servers[i]))
		i = (i + 1) % svc->n_servers;
	return (int)i;
}

static int mh_again(const struct service *svc, const struct mh_table *t, uint32_t sum,
		    uint32_t first)
{
	const uint32_t most = svc->policy.adopt ? REHASHES_ADOPT : t->n;

	for (uint32_t n = 0; n < most; n++) {
		uint32_t offset = (first + n) % t->n;
		int i = t->slot[mh_hash(mh_key1, sum, offset) % t->n];

		if (server_eligible(&svc->servers[i]))
			return i;
	}
	/* Another worker may have made the last one ineligible. */
	return svc->policy.adopt && sched_any_eligible(svc) ? mh_scan(svc, sum) : SCHED_NONE;
}

/* With `adopt` the port is spread first: addresses and ports of many clients have few sums. */
static uint32_t mh_client_sum(const struct service *svc, const struct sched_request *req)
{
	const uint32_t port =
		svc->policy.scheduler_flags & SCHED_MH_PORT ? be16_to(req->client_port) : 0;

	return addr_fold(&req->client, req->family) +
	       (svc->policy.adopt ? port * 2654435761U : port);
}

static int mh_choose(const struct service *svc, const struct sched_request *req)
{
	const struct mh_table *t = svc->sched_data;
	const uint32_t sum = mh_client_sum(svc, req);
	uint32_t first = mh_hash(mh_key1, sum, 0) % t->n;
	int i = t->slot[first];

	if (i == SCHED_NONE || server_eligible(&svc->servers[i]))
		return i;
	/* The loop is short while somebody can be found; else it is a hash for each slot. */
	if (!(svc->policy.scheduler_flags & SCHED_MH_FALLBACK || svc->policy.adopt) ||
	    !sched_any_eligible(svc))
		return SCHED_NONE;
	return mh_again(svc, t, sum, first);
}

const struct sched_ops sched_mh = {
	.name = "mh",
	.flags_allowed = SCHED_MH_FALLBACK | SCHED_MH_PORT,
	.build = mh_build,
	.destroy = mh_destroy,
	.choose = mh_choose,
};
