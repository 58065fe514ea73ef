/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Leaves that one choice plays again, one by one, before it plays all. */
#define OLD_LEAVES_MAX 32

/* A server that may not be chosen has weight 0 and load 1: every other one is better. */
struct ranking_node {
	uint64_t load;
	uint32_t weight;
	uint32_t index; /* in the list */
};
_Static_assert(sizeof(struct ranking_node) == 16, "two children are half a cache line");

/* Of one worker, which alone reads and writes the struct while the node is published. */
struct ranking_tree {
	uint32_t publications; /* service_rt.publications when the leaves were filled */
	uint32_t next;	       /* the server to look at next */
	/* [1] is the root, [2 * i] and [2 * i + 1] are the children of [i], [width + k] is the leaf
	 * of the server k. */
	_Alignas(64) struct ranking_node nodes[];
};

/* sched_data of a node. */
struct ranking {
	uint32_t n_trees; /* workers */
	uint32_t width;	  /* leaves: a power of two */
	size_t tree_size;
	_Alignas(128) uint8_t trees[];
};

_Static_assert(sizeof(struct ranking) + sizeof(struct ranking_tree) + 128 +
			       2 * sizeof(struct ranking_node) * MAX_SERVERS_PER_SERVICE <=
		       SCHED_COPY_MAX,
	       "a copy has room");
_Static_assert(MAX_SERVERS_PER_SERVICE <= UINT16_MAX + 1, "places fit sched_worker.place_of");

#define NEVER_FILLED UINT32_MAX
/* Two cache lines: processors fetch lines in pairs. */
#define TREE_ALIGN 128

static struct ranking_tree *tree_at(const struct ranking *r, uint32_t worker)
{
	return (struct ranking_tree *)(void *)((uintptr_t)r->trees + worker * r->tree_size);
}

/* --- control ----------------------------------------------------------------------- */

int ranking_build(struct service *svc, const struct service *old)
{
	size_t width = 1, tree_size;
	struct ranking *r;

	(void)old;
	if (svc->n_workers == 0)
		return 0;
	while (width < svc->n_servers)
		width *= 2;
	tree_size = sizeof(struct ranking_tree) + 2 * width * sizeof(struct ranking_node);
	tree_size = (tree_size + TREE_ALIGN - 1) & ~(size_t)(TREE_ALIGN - 1);
	r = aligned_alloc(TREE_ALIGN, sizeof(*r) + svc->n_workers * tree_size);
	if (r == NULL)
		return -ENOMEM;
	r->n_trees = svc->n_workers;
	r->width = (uint32_t)width;
	r->tree_size = tree_size;
	for (uint32_t i = 0; i < r->n_trees; i++)
		*tree_at(r, i) = (struct ranking_tree){.publications = NEVER_FILLED};
	svc->sched_data = r;
	return 0;
}

/* --- the tournament ---------------------------------------------------------------- */

/* Products fit below 2^33 of load: 33 million active connections at one server, of the greatest
 * weight. */
static inline bool better(const struct ranking_node *a, const struct ranking_node *b)
{
	return b->load * a->weight > a->load * b->weight;
}

/* The better of two children. Of equal ones the left one: list order. */
static inline const struct ranking_node *winner(const struct ranking_node *pair)
{
	return &pair[better(&pair[1], &pair[0])];
}

static inline uint64_t load_by(const struct sched_measure *m, uint64_t counts)
{
	const uint64_t active = counts_active(counts);

	if (m->idle_first && active == 0)
		return 0;
	return active * m->per_active + (uint64_t)counts_inactive(counts) * m->per_inactive +
	       m->more;
}

/* *counts is left alone if the server may not be chosen. */
static inline struct ranking_node node_of(const struct service *svc, const struct sched_measure *m,
					  uint32_t i, uint64_t *counts)
{
	const struct server *s = &svc->servers[i];

	if (!server_eligible(s))
		return (struct ranking_node){.load = 1, .weight = 0, .index = i};
	*counts = server_rt_counts(s->rt);
	return (struct ranking_node){
		.load = load_by(m, *counts), .weight = m->alike ? 1 : s->weight, .index = i};
}

/* Fills all leaves and plays all pairs. */
static void tree_fill(const struct service *svc, const struct sched_worker *w,
		      struct ranking_tree *t)
{
	const struct sched_measure *m = svc->sched->measure;
	const struct ranking *r = svc->sched_data;
	uint64_t counts;

	t->publications = __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE);
	t->next = 0;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		w->place_of[svc->servers[i].rt->id] = (uint16_t)i;
		t->nodes[r->width + i] = node_of(svc, m, i, &counts);
	}
	for (uint32_t i = svc->n_servers; i < r->width; i++)
		t->nodes[r->width + i] = (struct ranking_node){.load = 1};
	for (uint32_t i = r->width - 1; i > 0; i--)
		t->nodes[i] = *winner(&t->nodes[2 * i]);
}

/* Brings the leaf of a server up to date, and the nodes above. False: the leaf was so already. */
static inline bool leaf_update(const struct service *svc, struct ranking_tree *t, uint32_t i,
			       uint64_t *counts)
{
	const struct ranking *r = svc->sched_data;
	struct ranking_node now = node_of(svc, svc->sched->measure, i, counts);
	struct ranking_node *n = &t->nodes[r->width + i];
	uint32_t at = r->width + i;

	if (n->load == now.load && n->weight == now.weight)
		return false;
	*n = now;
	while (at > 1) {
		const struct ranking_node *other = &t->nodes[at ^ 1];
		const bool lost = at & 1 ? !better(&now, other) : better(other, &now);

		at /= 2;
		n = &t->nodes[at];
		if (lost) {
			/* The other child has not changed: where it had won before, nothing has. */
			if (n->index == other->index)
				break;
			now = *other;
		}
		*n = now;
	}
	return true;
}

/* --- workers ----------------------------------------------------------------------- */

/* NULL: no tournament is kept for the worker. */
static struct ranking_tree *tree_of(const struct service *svc, const struct sched_worker *w)
{
	const struct ranking *r = svc->sched_data;

	return w != NULL && r != NULL && w->id < r->n_trees ? tree_at(r, w->id) : NULL;
}

/* Looks at the next servers of the list: another worker's connections may have ended there. */
static void tree_look(const struct service *svc, struct ranking_tree *t)
{
	uint64_t counts;

	for (uint32_t k = 0; k < RANKING_LOOK && k < svc->n_servers; k++) {
		leaf_update(svc, t, t->next, &counts);
		t->next = t->next + 1 < svc->n_servers ? t->next + 1 : 0;
	}
	/* For the choice to come, and their places in the list for the one after that. */
	for (uint32_t k = 0; k < RANKING_LOOK && t->next + k < svc->n_servers; k++) {
		__builtin_prefetch(svc->servers[t->next + k].rt);
		__builtin_prefetch(&svc->servers[t->next + k] + RANKING_LOOK);
	}
}

int ranking_scan(const struct service *svc, const struct sched_measure *measure, uint64_t *seen)
{
	struct ranking_node least = {.load = 1};
	uint64_t counts = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct ranking_node n = node_of(svc, measure, i, &counts);

		if (!better(&n, &least))
			continue;
		least = n;
		if (seen != NULL)
			*seen = counts;
		if (n.load == 0)
			break; /* none is better */
	}
	return least.weight != 0 ? (int)least.index : SCHED_NONE;
}

int ranking_choose(const struct service *svc, const struct sched_request *req)
{
	const struct sched_worker *w = req != NULL ? req->worker : NULL;
	struct ranking_tree *t = tree_of(svc, w);
	uint64_t *seen = sched_seen(req), counts = 0;
	unsigned int old_leaves = 0;

	if (t == NULL)
		return ranking_scan(svc, svc->sched->measure, seen);
	if (t->publications != __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE))
		tree_fill(svc, w, t);
	else if (svc->n_workers > 1)
		tree_look(svc, t);
	for (;;) {
		const struct ranking_node *root = &t->nodes[1];

		if (root->weight == 0) {
			if (!sched_any_eligible(svc))
				return SCHED_NONE;
			tree_fill(svc, w, t);
		} else if (!leaf_update(svc, t, root->index, &counts)) {
			if (seen != NULL)
				*seen = counts;
			return (int)root->index;
		} else if (++old_leaves == OLD_LEAVES_MAX) {
			tree_fill(svc, w, t);
			old_leaves = 0;
		}
	}
}

/* A connection was bound to the server of a place. The next choice is known then, and its memory on
 * its way while the packet at hand goes on. */
void ranking_bound(const struct service *svc, const struct sched_worker *w, uint32_t place)
{
	struct ranking_tree *t = tree_of(svc, w);
	uint64_t counts;

	if (t == NULL)
		return;
	leaf_update(svc, t, place, &counts);
	__builtin_prefetch(svc->servers[t->nodes[1].index].rt, 1);
}

void ranking_update(const struct service *svc, const struct sched_worker *w,
		    const struct server_rt *rt)
{
	struct ranking_tree *t = tree_of(svc, w);
	uint64_t counts;
	uint32_t place;

	if (t == NULL ||
	    t->publications != __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE))
		return;
	place = w->place_of[rt->id];
	if (place < svc->n_servers && svc->servers[place].rt == rt)
		leaf_update(svc, t, place, &counts);
}

void sched_copy(struct service *to, const struct service *from, const struct sched_worker *w,
		uint16_t *place_of, void *room)
{
	const struct ranking *r = from->sched_data;
	struct ranking *copy = room;
	const struct ranking_tree *t;

	if (from->sched->measure == NULL || (t = tree_of(from, w)) == NULL)
		return;
	*copy = (struct ranking){.n_trees = 1, .width = r->width, .tree_size = r->tree_size};
	memcpy(copy->trees, t, r->tree_size);
	to->sched_data = copy;
	for (uint32_t i = 0; i < to->n_servers; i++)
		place_of[to->servers[i].rt->id] = (uint16_t)i;
}
