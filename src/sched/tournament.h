/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SCHED_TOURNAMENT_H
#define PLVS_SCHED_TOURNAMENT_H

/*
 * A tournament of servers for the least load per weight: a binary tree whose leaves are the servers
 * in list order, and whose inner nodes are the better of their two children, the left one of equal
 * ones. A leaf that changes is played up to the root, or up to the first node that stays as it was.
 *
 * If the weights allow it (tournament_scale()), a node is one number. The high bits are the load
 * times a factor in place of a division by the weight; the low bits are the server's place in the
 * list. The least number is the best server, the first of equal ones. Other weights need nodes with
 * load and weight, which are compared by products. Inside sched only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/limits.h"

/* A server that may not be chosen has weight 0 and load 1: every other server is better. */
struct tournament_node {
	uint64_t load;
	uint32_t weight;
	uint32_t place;
};

#define KEY_PLACE_BITS 14
#define KEY_PLACE_MASK ((1U << KEY_PLACE_BITS) - 1)
#define KEY_NEVER      (1ULL << 63) /* may not be chosen */
/* A load has up to 41 bits: 2^32 active connections of 256 and the inactive ones. */
#define SCALE_MAX ((1U << (63 - KEY_PLACE_BITS - 41)) - 1)
_Static_assert(MAX_SERVERS_PER_SERVICE <= 1U << KEY_PLACE_BITS, "places fit a key");

struct tournament {
	uint32_t width;		/* leaves: a power of two */
	const uint16_t *scales; /* [servers]; NULL: nodes are compared by products */
};

/* By tournament.scales, struct tournament_node or a key: [1] is the root, [2 * i] and [2 * i + 1]
 * are the children of [i], [width + k] is the leaf of the server k. */
union tournament_nodes {
	struct tournament_node node[1];
	uint64_t key[1];
};

static inline size_t tournament_bytes(const struct tournament *t)
{
	return 2 * (size_t)t->width *
	       (t->scales != NULL ? sizeof(uint64_t) : sizeof(struct tournament_node));
}

static inline uint64_t tournament_key(const struct tournament *t, uint32_t place, uint64_t load)
{
	return load * t->scales[place] << KEY_PLACE_BITS | place;
}

/* Products fit below 2^33 of load: 33 million active connections at one server, of the greatest
 * weight. */
static inline bool tournament_better(const struct tournament_node *a,
				     const struct tournament_node *b)
{
	return b->load * a->weight > a->load * b->weight;
}

/* A leaf, before tournament_play(). weight 0: the server may not be chosen. */
static inline void tournament_put(const struct tournament *t, union tournament_nodes *n,
				  uint32_t place, uint64_t load, uint32_t weight)
{
	if (t->scales != NULL)
		n->key[t->width + place] =
			weight != 0 ? tournament_key(t, place, load) : KEY_NEVER | place;
	else
		n->node[t->width + place] =
			(struct tournament_node){weight != 0 ? load : 1, weight, place};
}

/* Plays all pairs, after all servers and the leaves behind them were put. */
static inline void tournament_play(const struct tournament *t, union tournament_nodes *n)
{
	for (uint32_t i = t->width - 1; i > 0; i--) {
		const uint32_t left = 2 * i, right = left + 1;

		if (t->scales != NULL)
			n->key[i] = n->key[left] < n->key[right] ? n->key[left] : n->key[right];
		else
			n->node[i] = tournament_better(&n->node[right], &n->node[left])
					     ? n->node[right]
					     : n->node[left];
	}
}

static inline bool tournament_set_key(const struct tournament *t, uint64_t *keys, uint32_t place,
				      uint64_t key)
{
	uint32_t at = t->width + place;

	if (keys[at] == key)
		return false;
	keys[at] = key;
	while (at > 1) {
		const uint64_t other = keys[at ^ 1];

		key = key < other ? key : other;
		at /= 2;
		if (keys[at] == key)
			break;
		keys[at] = key;
	}
	return true;
}

static inline bool tournament_set_node(const struct tournament *t, struct tournament_node *nodes,
				       struct tournament_node now)
{
	uint32_t at = t->width + now.place;

	if (nodes[at].load == now.load && nodes[at].weight == now.weight)
		return false;
	nodes[at] = now;
	while (at > 1) {
		const struct tournament_node *other = &nodes[at ^ 1];
		const bool lost =
			at & 1 ? !tournament_better(&now, other) : tournament_better(other, &now);
		struct tournament_node *n;

		at /= 2;
		n = &nodes[at];
		if (lost) {
			/* The other child has not changed: where it had won before, nothing has. */
			if (n->place == other->place)
				break;
			now = *other;
		}
		*n = now;
	}
	return true;
}

/* Sets a server's leaf, and the nodes above. False: the leaf had these values already. */
static inline bool tournament_set(const struct tournament *t, union tournament_nodes *n,
				  uint32_t place, uint64_t load, uint32_t weight)
{
	if (t->scales != NULL)
		return tournament_set_key(t, n->key, place,
					  weight != 0 ? tournament_key(t, place, load)
						      : KEY_NEVER | place);
	return tournament_set_node(t, n->node,
				   (struct tournament_node){weight != 0 ? load : 1, weight, place});
}

/* The same for a server whose weight has not changed. */
static inline bool tournament_set_load_key(const struct tournament *t, uint64_t *keys,
					   uint32_t place, uint64_t load)
{
	return !(keys[t->width + place] & KEY_NEVER) &&
	       tournament_set_key(t, keys, place, tournament_key(t, place, load));
}

static inline bool tournament_set_load(const struct tournament *t, union tournament_nodes *n,
				       uint32_t place, uint64_t load)
{
	if (t->scales != NULL)
		return tournament_set_load_key(t, n->key, place, load);
	return n->node[t->width + place].weight != 0 &&
	       tournament_set_node(
		       t, n->node,
		       (struct tournament_node){load, n->node[t->width + place].weight, place});
}

/* The place of the best server. False: none may be chosen. */
static inline bool tournament_best(const struct tournament *t, const union tournament_nodes *n,
				   uint32_t *place)
{
	/* Pointers: clang would hold constant indices against the declared sizes. */
	const struct tournament_node *const root = n->node + 1;
	const uint64_t *const key = n->key + 1;

	if (t->scales != NULL) {
		*place = (uint32_t)*key & KEY_PLACE_MASK;
		return !(*key & KEY_NEVER);
	}
	*place = root->place;
	return root->weight != 0;
}

#endif
