/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/ranking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/aligned.h"
#include "sched/tournament.h"

/* Leaves that one choice plays again, one by one, before it plays all. */
#define OLD_LEAVES_MAX 32

/* Of one worker, which alone reads and writes the struct while the node is published. */
struct ranking_tree {
	uint32_t publications; /* service_rt.publications when the leaves were filled */
	uint32_t next;	       /* the server to look at next */
	uint32_t burst;	       /* of the last choice */
	uint32_t choices;      /* in that burst */
	/* Behind it others_of() and given_of(). */
	_Alignas(64) union tournament_nodes nodes;
};

/* sched_data of a node. */
struct ranking {
	uint32_t n_trees; /* workers */
	uint32_t n_rows;  /* of counts */
	bool limited;	  /* some server has thresholds */
	bool plain;	  /* not limited, and leaves are keys */
	struct sched_measure measure;
	struct tournament shape;
	size_t tree_size;
	const uint64_t *slots; /* of runtime */
	uint32_t *ids;	       /* [n_servers], of server_rt; behind the trees, then scales */
	_Alignas(128) uint8_t trees[];
};

_Static_assert(sizeof(struct ranking) + sizeof(struct ranking_tree) + 128 +
			       (2 * sizeof(struct tournament_node) + sizeof(uint64_t) + 1 +
				sizeof(uint32_t)) *
				       MAX_SERVERS_PER_SERVICE <=
		       SCHED_COPY_MAX,
	       "a copy has room");
_Static_assert(sizeof(uint16_t) + 2 * sizeof(uint64_t) <= 2 * sizeof(struct tournament_node),
	       "and with keys and scales, too");
_Static_assert(MAX_SERVERS_PER_SERVICE <= UINT16_MAX + 1, "places fit sched_worker.place_of");

#define NEVER_FILLED UINT32_MAX
/* Two cache lines: processors fetch lines in pairs. */
#define TREE_ALIGN 128
/* Servers whose counts share a cache line: eight ids from 1, 9, 17 ... on (runtime_set_workers()).
 */
#define LINE 8U

static struct ranking_tree *tree_at(const struct ranking *r, uint32_t worker)
{
	return (struct ranking_tree *)(void *)((uintptr_t)r->trees + worker * r->tree_size);
}

/* By place: the counts of each server in rows of other workers, as the tree's worker read them
 * last. */
static inline uint64_t *others_of(const struct ranking *r, struct ranking_tree *t)
{
	return (uint64_t *)(void *)((uint8_t *)&t->nodes + tournament_bytes(&r->shape));
}

/* By place: whether the tree's worker has given the server a connection since then. */
static inline uint8_t *given_of(const struct ranking *r, struct ranking_tree *t)
{
	return (uint8_t *)&others_of(r, t)[r->shape.width];
}

/* --- control ----------------------------------------------------------------------- */

static uint32_t weight_of(const struct service *svc, const struct server *s)
{
	return svc->sched->measure->alike && s->weight != 0 ? 1 : s->weight;
}

/* The least common multiple of the weights divided by their greatest common divisor, *common. 0:
 * too large for a key, or no weight. */
static uint32_t weights_multiple(const struct service *svc, uint32_t *common)
{
	uint64_t multiple = 1;
	uint32_t gcd = 0;

	for (uint32_t i = 0; i < svc->n_servers; i++)
		gcd = gcd32(gcd, weight_of(svc, &svc->servers[i]));
	for (uint32_t i = 0; gcd != 0 && i < svc->n_servers && multiple <= SCALE_MAX; i++) {
		const uint32_t weight = weight_of(svc, &svc->servers[i]) / gcd;

		if (weight != 0)
			multiple *= weight / gcd32((uint32_t)multiple, weight);
	}
	*common = gcd;
	return gcd != 0 && multiple <= SCALE_MAX ? (uint32_t)multiple : 0;
}

static size_t tree_size_of(const struct tournament *shape)
{
	const size_t size = sizeof(struct ranking_tree) + tournament_bytes(shape) +
			    shape->width * (sizeof(uint64_t) + 1);

	return (size + TREE_ALIGN - 1) & ~(size_t)(TREE_ALIGN - 1);
}

int ranking_build(struct service *svc, const struct service *old)
{
	static const uint16_t some_scales[1];
	uint32_t common, multiple = weights_multiple(svc, &common);
	struct tournament shape = {.width = 1, .scales = multiple ? some_scales : NULL};
	uint16_t *scales;
	struct ranking *r;
	size_t trees;

	(void)old;
	if (svc->n_workers == 0)
		return 0;
	while (shape.width < svc->n_servers)
		shape.width *= 2;
	trees = svc->n_workers * tree_size_of(&shape);
	r = aligned_get(TREE_ALIGN,
			sizeof(*r) + trees + svc->n_servers * (sizeof(*r->ids) + sizeof(*scales)));
	if (r == NULL)
		return -ENOMEM;
	*r = (struct ranking){.n_trees = svc->n_workers,
			      .measure = *svc->sched->measure,
			      .shape = shape,
			      .tree_size = tree_size_of(&shape)};
	r->ids = (uint32_t *)(void *)(r->trees + trees);
	scales = (uint16_t *)(r->ids + svc->n_servers);
	if (multiple)
		r->shape.scales = scales;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		const uint32_t weight = weight_of(svc, s);

		r->ids[i] = s->id;
		scales[i] = (uint16_t)(multiple && weight ? multiple / (weight / common) : 0);
		r->slots = s->rt->slots - s->id;
		r->n_rows = svc->n_workers > 1 ? s->rt->n_rows : 1;
		r->limited |= s->upper != 0 || server_rt_overloaded(s->rt);
	}
	r->plain = multiple && !r->limited;
	for (uint32_t i = 0; i < r->n_trees; i++)
		*tree_at(r, i) = (struct ranking_tree){.publications = NEVER_FILLED};
	svc->sched_data = r;
	return 0;
}

void ranking_destroy(struct service *svc)
{
	aligned_put(svc->sched_data);
}

/* --- leaves ------------------------------------------------------------------------ */

static inline uint64_t load_by(const struct sched_measure *m, uint64_t counts)
{
	const uint64_t active = counts_active(counts);

	if (m->idle_first && active == 0)
		return 0;
	return active * m->per_active + (uint64_t)counts_inactive(counts) * m->per_inactive +
	       m->more;
}

/* The weight of a server, 0 if it may not be chosen. */
static inline uint32_t weight_now(const struct service *svc, uint32_t i)
{
	const struct server *s = &svc->servers[i];

	return server_eligible(s) ? weight_of(svc, s) : 0;
}

/* Reads the counts of a server in the rows of others. False: they are as before. */
static inline bool others_look(const struct ranking *r, const struct sched_worker *w,
			       struct ranking_tree *t, uint32_t i)
{
	const uint64_t *const slots = r->slots + r->ids[i], *const own = &w->row.counts[r->ids[i]];
	uint64_t *const known = &others_of(r, t)[i];
	uint64_t sum = 0;

	for (uint32_t k = 1; k <= r->n_rows; k++)
		if (&slots[(size_t)k * COUNT_ROW] != own)
			sum += __atomic_load_n(&slots[(size_t)k * COUNT_ROW], __ATOMIC_RELAXED);
	given_of(r, t)[i] = 0;
	if (sum == *known)
		return false;
	*known = sum;
	return true;
}

/* Right before others_look(): lines of other workers' rows are slow to come, and come at once. */
static inline void others_prefetch(const struct ranking *r, const struct sched_worker *w,
				   uint32_t i)
{
	const uint64_t *const slots = r->slots + r->ids[i], *const own = &w->row.counts[r->ids[i]];

	for (uint32_t k = 1; k <= r->n_rows; k++)
		if (&slots[(size_t)k * COUNT_ROW] != own)
			__builtin_prefetch(&slots[(size_t)k * COUNT_ROW]);
}

/* The worker's own as they are, those of others as it saw them last. */
static inline uint64_t counts_known(const struct ranking *r, const struct sched_worker *w,
				    struct ranking_tree *t, uint32_t i)
{
	const uint64_t own = __atomic_load_n(&w->row.counts[r->ids[i]], __ATOMIC_RELAXED);

	return r->n_rows > 1 ? own + others_of(r, t)[i] : own;
}

static inline uint64_t load_known(const struct ranking *r, const struct sched_worker *w,
				  struct ranking_tree *t, uint32_t i)
{
	return load_by(&r->measure, counts_known(r, w, t, i));
}

/* Fills all leaves and plays all pairs. */
static __attribute__((noinline)) void
tree_fill(const struct service *svc, const struct sched_worker *w, struct ranking_tree *t)
{
	const struct ranking *r = svc->sched_data;

	t->publications = __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE);
	t->next = 0;
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		w->place_of[r->ids[i]] = (uint16_t)i;
		others_of(r, t)[i] = 0;
		(void)others_look(r, w, t, i);
		tournament_put(&r->shape, &t->nodes, i, load_known(r, w, t, i), weight_now(svc, i));
	}
	for (uint32_t i = svc->n_servers; i < r->shape.width; i++)
		tournament_put(&r->shape, &t->nodes, i, 0, 0);
	tournament_play(&r->shape, &t->nodes);
}

/* Leaves with thresholds, or with products. */
static __attribute__((noinline)) bool leaf_update_slow(const struct service *svc,
						       const struct sched_worker *w,
						       struct ranking_tree *t, uint32_t i)
{
	const struct ranking *r = svc->sched_data;
	const uint64_t load = load_known(r, w, t, i);

	if (r->limited)
		return tournament_set(&r->shape, &t->nodes, i, load, weight_now(svc, i));
	return tournament_set_load(&r->shape, &t->nodes, i, load);
}

/* Brings the leaf of a server up to date, and the nodes above. False: the leaf was so already.
 * Without thresholds, a server of a node that may not be chosen stays so, and its place in the list
 * and run-time state are not read. */
static inline __attribute__((always_inline)) bool leaf_update(const struct service *svc,
							      const struct sched_worker *w,
							      struct ranking_tree *t, uint32_t i)
{
	const struct ranking *r = svc->sched_data;

	if (__builtin_expect(!r->plain, 0))
		return leaf_update_slow(svc, w, t, i);
	return tournament_set_load_key(&r->shape, t->nodes.key, i, load_known(r, w, t, i));
}

/* --- workers ----------------------------------------------------------------------- */

/* NULL: no tournament is kept for the worker. */
static struct ranking_tree *tree_of(const struct service *svc, const struct sched_worker *w)
{
	const struct ranking *r = svc->sched_data;

	return w != NULL && r != NULL && w->id < r->n_trees ? tree_at(r, w->id) : NULL;
}

/* Looks at the next servers of the list: another worker's connections may have ended there. */
static void tree_look(const struct service *svc, const struct sched_worker *w,
		      struct ranking_tree *t)
{
	const struct ranking *r = svc->sched_data;

	for (uint32_t k = 0; k < RANKING_LOOK && t->next + k < svc->n_servers; k += LINE)
		others_prefetch(r, w, t->next + k);
	for (uint32_t k = 0; k < RANKING_LOOK && k < svc->n_servers; k++) {
		/* A flag of thresholds may change a moment after the counts. */
		if (others_look(r, w, t, t->next) || r->limited)
			leaf_update(svc, w, t, t->next);
		t->next = t->next + 1 < svc->n_servers ? t->next + 1 : 0;
	}
}

/* Looks at a server, and at those whose counts are in the same cache line. */
static void line_look(const struct service *svc, const struct sched_worker *w,
		      struct ranking_tree *t, uint32_t i)
{
	const struct ranking *r = svc->sched_data;
	const uint32_t first = ((r->ids[i] - 1) & ~(LINE - 1)) + 1;

	for (uint32_t id = first; id < first + LINE && id <= MAX_SERVERS; id++) {
		const uint32_t place = w->place_of[id];

		if (place < svc->n_servers && r->ids[place] == id && others_look(r, w, t, place))
			leaf_update(svc, w, t, place);
	}
}

int ranking_scan(const struct service *svc, const struct sched_measure *measure)
{
	struct tournament_node least = {.load = 1};

	for (uint32_t i = 0; i < svc->n_servers; i++) {
		const struct server *s = &svc->servers[i];
		struct tournament_node n;

		if (!server_eligible(s))
			continue;
		n = (struct tournament_node){load_by(measure, server_rt_counts(s->rt)),
					     measure->alike ? 1 : s->weight, i};
		if (!tournament_better(&n, &least))
			continue;
		least = n;
		if (n.load == 0)
			break; /* none is better */
	}
	return least.weight != 0 ? (int)least.place : SCHED_NONE;
}

/* The root, once its leaf is found to be up to date. exact: with what other workers have just done
 * there. */
static __attribute__((noinline)) int tree_choose(const struct service *svc,
						 const struct sched_worker *w,
						 struct ranking_tree *t, bool exact)
{
	const struct ranking *r = svc->sched_data;
	unsigned int old_leaves = 0;

	for (;;) {
		uint32_t i, best;

		if (!tournament_best(&r->shape, &t->nodes, &i)) {
			if (!sched_any_eligible(svc))
				return SCHED_NONE;
			tree_fill(svc, w, t);
			continue;
		}
		if (r->n_rows > 1 && exact)
			(void)others_look(r, w, t, i);
		else if (r->n_rows > 1 && given_of(r, t)[i])
			line_look(svc, w, t, i);
		if (!leaf_update(svc, w, t, i) && tournament_best(&r->shape, &t->nodes, &best) &&
		    best == i)
			return (int)i;
		if (++old_leaves == OLD_LEAVES_MAX) {
			tree_fill(svc, w, t);
			old_leaves = 0;
		}
	}
}

/* The first choice of a burst, or one that stands alone. */
static bool begins_burst(const struct sched_worker *w, struct ranking_tree *t)
{
	if (w->burst != 0 && w->burst == t->burst)
		return false;
	t->burst = w->burst;
	t->choices = 0;
	return true;
}

/* The choice of a worker among several. */
static __attribute__((noinline)) int
shared_choose(const struct service *svc, const struct sched_worker *w, struct ranking_tree *t)
{
	const struct ranking *r = svc->sched_data;
	uint32_t best;
	bool first;

	/* Of one server nothing has to be known. */
	if (svc->n_servers == 1 && !r->limited)
		return tournament_best(&r->shape, &t->nodes, &best) ? 0 : SCHED_NONE;
	first = begins_burst(w, t);
	if (first && tournament_best(&r->shape, &t->nodes, &best))
		others_prefetch(r, w, best);
	if (t->choices++ % RANKING_LOOK_EVERY == 0)
		tree_look(svc, w, t);
	return tree_choose(svc, w, t, first);
}

int ranking_choose(const struct service *svc, const struct sched_request *req)
{
	const struct sched_worker *w = req != NULL ? req->worker : NULL;
	struct ranking_tree *t = tree_of(svc, w);
	const struct ranking *r = svc->sched_data;
	uint32_t i;

	if (t == NULL)
		return ranking_scan(svc, svc->sched->measure);
	if (t->publications != __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE))
		tree_fill(svc, w, t);
	if (r->n_rows > 1)
		return shared_choose(svc, w, t);
	if (tournament_best(&r->shape, &t->nodes, &i) && !leaf_update(svc, w, t, i))
		return (int)i;
	return tree_choose(svc, w, t, false);
}

/* A connection was bound to the server of a place. The next choice is known then, and its memory on
 * its way while the packet at hand goes on. */
void ranking_bound(const struct service *svc, const struct sched_worker *w, uint32_t place)
{
	struct ranking_tree *t = tree_of(svc, w);
	const struct ranking *r = svc->sched_data;
	uint32_t next;

	if (t == NULL)
		return;
	if (r->n_rows > 1)
		given_of(r, t)[place] = 1;
	leaf_update(svc, w, t, place);
	if (tournament_best(&r->shape, &t->nodes, &next))
		__builtin_prefetch(&svc->servers[next]);
}

void ranking_update(const struct service *svc, const struct sched_worker *w, uint32_t server)
{
	struct ranking_tree *t = tree_of(svc, w);
	const struct ranking *r = svc->sched_data;
	uint32_t place;

	if (t == NULL ||
	    t->publications != __atomic_load_n(&svc->rt->publications, __ATOMIC_ACQUIRE))
		return;
	place = w->place_of[server];
	if (place < svc->n_servers && r->ids[place] == server)
		leaf_update(svc, w, t, place);
}

void ranking_copy(struct service *to, const struct service *from, const struct sched_worker *w,
		  uint16_t *place_of, void *room)
{
	const struct ranking *r = from->sched_data;
	struct ranking *copy = room;
	const struct ranking_tree *t;

	t = tree_of(from, w);
	if (t == NULL)
		return;
	/* Its one row has the sums of all. */
	*copy = (struct ranking){.n_trees = 1,
				 .n_rows = 1,
				 .limited = r->limited,
				 .plain = r->plain,
				 .measure = r->measure,
				 .shape = r->shape,
				 .tree_size = r->tree_size};
	memcpy(copy->trees, t, r->tree_size);
	copy->ids = (uint32_t *)(void *)(copy->trees + r->tree_size);
	memcpy(copy->ids, r->ids, to->n_servers * sizeof(*r->ids));
	to->sched_data = copy;
	for (uint32_t i = 0; i < to->n_servers; i++) {
		copy->slots = to->servers[i].rt->slots - r->ids[i];
		place_of[r->ids[i]] = (uint16_t)i;
	}
}
