/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/hash_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS_MIN 64U
#define BUCKETS_MAX 0x40000000U

int hash_table_reserve(struct hash_table *t)
{
	if (t->size)
		return 0;
	t->bucket = calloc(BUCKETS_MIN, sizeof(struct hash_node *));
	if (!t->bucket)
		return -ENOMEM;
	t->size = BUCKETS_MIN;
	return 0;
}

static void append(struct hash_node **bucket, struct hash_node *node)
{
	while (*bucket)
		bucket = &(*bucket)->next;
	node->next = NULL;
	*bucket = node;
}

static void grow(struct hash_table *t)
{
	uint32_t size = t->size * 2;
	struct hash_node **bucket = calloc(size, sizeof(struct hash_node *));

	if (!bucket)
		return;
	for (uint32_t i = 0; i < t->size; i++) {
		struct hash_node *node = t->bucket[i];

		while (node) {
			struct hash_node *next = node->next;

			append(&bucket[node->hash & (size - 1)], node);
			node = next;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->size = size;
}

void hash_table_add(struct hash_table *t, struct hash_node *node, uint64_t hash)
{
	if (t->n >= t->size && t->size < BUCKETS_MAX)
		grow(t);
	node->hash = hash;
	append(&t->bucket[hash & (t->size - 1)], node);
	t->n++;
}

void hash_table_del(struct hash_table *t, struct hash_node *node)
{
	struct hash_node **p;

	if (t->size == 0)
		return;
	p = &t->bucket[node->hash & (t->size - 1)];
	while (*p && *p != node)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = node->next;
	t->n--;
}

static struct hash_node *same_hash(struct hash_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hash_node *hash_table_first(const struct hash_table *t, uint64_t hash)
{
	return t->size ? same_hash(t->bucket[hash & (t->size - 1)], hash) : NULL;
}

struct hash_node *hash_table_next(const struct hash_node *node)
{
	return same_hash(node->next, node->hash);
}

struct hash_node *hash_table_walk(const struct hash_table *t, uint32_t *cursor,
				  const struct hash_node *node)
{
	if (node && node->next)
		return node->next;
	while (*cursor < t->size) {
		struct hash_node *first = t->bucket[(*cursor)++];

		if (first)
			return first;
	}
	return NULL;
}

void hash_table_clear(struct hash_table *t, void (*destroy)(struct hash_node *node))
{
	for (uint32_t i = 0; i < t->size; i++) {
		struct hash_node *node = t->bucket[i];

		t->bucket[i] = NULL;
		while (destroy && node) {
			struct hash_node *next = node->next;

			destroy(node);
			node = next;
		}
	}
	t->n = 0;
}

void hash_table_fini(struct hash_table *t, void (*destroy)(struct hash_node *node))
{
	hash_table_clear(t, destroy);
	free(t->bucket);
	*t = (struct hash_table){0};
}

uint64_t hash_bytes(uint64_t from, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < len; i++)
		from = (from ^ at[i]) * 0x100000001b3ULL;
	/* The low bits choose the bucket. */
	return from ^ from >> 29;
}

uint64_t hash_text(uint64_t from, const char *text)
{
	return text ? hash_bytes(from, text, strlen(text) + 1) : hash_bytes(from, "\1", 1);
}

uint64_t hash_seeded(const void *key, size_t len)
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
	return h >> 16;
}
