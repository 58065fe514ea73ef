/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/hash_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int table_reserve(struct table *t)
{
	uint32_t size = t->size ? 2 * t->size : 64;
	struct table_node **slot;

	if (t->n < t->size)
		return 0;
	slot = calloc(size, sizeof(struct table_node *));
	if (!slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->size; i++) {
		while (t->slot[i]) {
			struct table_node *node = t->slot[i];

			t->slot[i] = node->next;
			node->next = slot[node->hash & (size - 1)];
			slot[node->hash & (size - 1)] = node;
		}
	}
	free(t->slot);
	t->slot = slot;
	t->size = size;
	return 0;
}

void table_add(struct table *t, struct table_node *node)
{
	struct table_node **slot = &t->slot[node->hash & (t->size - 1)];

	node->next = *slot;
	*slot = node;
	t->n++;
}

void table_del(struct table *t, struct table_node *node)
{
	struct table_node **at = &t->slot[node->hash & (t->size - 1)];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	t->n--;
}

static struct table_node *of_hash(struct table_node *node, uint64_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct table_node *table_first(const struct table *t, uint64_t hash)
{
	return t->size ? of_hash(t->slot[hash & (t->size - 1)], hash) : NULL;
}

struct table_node *table_next(const struct table_node *node)
{
	return of_hash(node->next, node->hash);
}

void table_fini(struct table *t)
{
	free(t->slot);
	*t = (struct table){0};
}

uint64_t hash_bytes(uint64_t from, const void *data, size_t len)
{
	const unsigned char *at = data;

	for (size_t i = 0; i < len; i++)
		from = (from ^ at[i]) * 0x100000001b3ULL;
	/* The low bits choose the slot and the jitter. */
	return from ^ from >> 29;
}

uint64_t hash_text(uint64_t from, const char *text)
{
	return text ? hash_bytes(from, text, strlen(text) + 1) : hash_bytes(from, "\1", 1);
}
