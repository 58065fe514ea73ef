/* SPDX-License-Identifier: BSD-3-Clause */
#include "link/htab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_MIN 64U

int htab_init(struct htab *t)
{
	t->buckets = calloc(BUCKETS_MIN, sizeof(*t->buckets));
	t->mask = BUCKETS_MIN - 1;
	t->n = 0;
	return t->buckets ? 0 : -ENOMEM;
}

void htab_clear(struct htab *t, void (*destroy)(struct hnode *node))
{
	for (uint32_t i = 0; t->buckets && i <= t->mask; i++) {
		struct hnode *node = t->buckets[i];

		t->buckets[i] = NULL;
		while (node) {
			struct hnode *next = node->next;

			destroy(node);
			node = next;
		}
	}
	t->n = 0;
}

void htab_fini(struct htab *t, void (*destroy)(struct hnode *node))
{
	htab_clear(t, destroy);
	free(t->buckets);
	t->buckets = NULL;
}

static void append(struct hnode **bucket, struct hnode *node)
{
	while (*bucket)
		bucket = &(*bucket)->next;
	node->next = NULL;
	*bucket = node;
}

static void grow(struct htab *t)
{
	uint32_t size = (t->mask + 1) * 2;
	struct hnode **buckets = calloc(size, sizeof(*buckets));

	if (!buckets)
		return;
	for (uint32_t i = 0; i <= t->mask; i++) {
		struct hnode *node = t->buckets[i];

		while (node) {
			struct hnode *next = node->next;

			append(&buckets[node->hash & (size - 1)], node);
			node = next;
		}
	}
	free(t->buckets);
	t->buckets = buckets;
	t->mask = size - 1;
}

void htab_add(struct htab *t, struct hnode *node, uint32_t hash)
{
	if (t->n > t->mask && t->mask < 0x3fffffffU)
		grow(t);
	node->hash = hash;
	append(&t->buckets[hash & t->mask], node);
	t->n++;
}

void htab_del(struct htab *t, struct hnode *node)
{
	struct hnode **p = &t->buckets[node->hash & t->mask];

	while (*p && *p != node)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = node->next;
	t->n--;
}

static struct hnode *same_hash(struct hnode *node, uint32_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hnode *htab_first(const struct htab *t, uint32_t hash)
{
	return same_hash(t->buckets[hash & t->mask], hash);
}

struct hnode *htab_next(const struct hnode *node)
{
	return same_hash(node->next, node->hash);
}

struct hnode *htab_walk(const struct htab *t, uint32_t *cursor, const struct hnode *node)
{
	if (node && node->next)
		return node->next;
	while (*cursor <= t->mask) {
		struct hnode *first = t->buckets[(*cursor)++];

		if (first)
			return first;
	}
	return NULL;
}

uint32_t htab_hash(const void *key, size_t len)
{
	static uint64_t seed;
	const uint8_t *p = key;
	uint64_t h;

	if (seed == 0) {
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
			seed = (uintptr_t)&seed;
		seed |= 1;
	}
	for (h = seed; len; p += 4) {
		uint32_t word = 0;
		size_t n = len < 4 ? len : 4;

		memcpy(&word, p, n);
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
		len -= n;
	}
	return (uint32_t)(h >> 16);
}
