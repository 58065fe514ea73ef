/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_HASH_TABLE_H
#define PLVS_BASE_HASH_TABLE_H

/*
 * An intrusive chained hash table for the control plane: nodes live in the caller's objects, and
 * the caller compares keys. A table grows by doubling and never shrinks. All zero is an empty
 * table.
 *
 * Context: any thread, one at a time.
 */

#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash_table {
	struct hash_node **bucket;
	uint32_t size; /* buckets: a power of two, or 0 */
	uint32_t n;    /* nodes */
};

/* Makes the buckets; call it once for a table, before hash_table_add(), which cannot fail. 0 or
 * -ENOMEM. */
int hash_table_reserve(struct hash_table *t);
/* Without memory to grow, chains get longer. A new node comes after all nodes with the same hash,
 * so that equal keys keep the order of arrival. */
void hash_table_add(struct hash_table *t, struct hash_node *node, uint64_t hash);
/* A node that is not in the table is ignored. */
void hash_table_del(struct hash_table *t, struct hash_node *node);
/* The first node with this hash, and the next one after a node; NULL at the end. */
struct hash_node *hash_table_first(const struct hash_table *t, uint64_t hash);
struct hash_node *hash_table_next(const struct hash_node *node);
/* All nodes; *cursor starts at 0 and node at NULL. The caller may not add nodes meanwhile, and may
 * delete a returned node only after the next call. */
struct hash_node *hash_table_walk(const struct hash_table *t, uint32_t *cursor,
				  const struct hash_node *node);
/* Removes all nodes and calls destroy, which may be NULL, for each. */
void hash_table_clear(struct hash_table *t, void (*destroy)(struct hash_node *node));
/* As hash_table_clear(), and frees the buckets. */
void hash_table_fini(struct hash_table *t, void (*destroy)(struct hash_node *node));

#define HASH_START 0xcbf29ce484222325ULL
/* Continues an earlier hash, or HASH_START. The result is the same in every process. Not for keys
 * that a stranger chooses. */
uint64_t hash_bytes(uint64_t from, const void *data, size_t len);
/* The hash of the text with its final NUL. NULL and "" have different hashes. */
uint64_t hash_text(uint64_t from, const char *text);
/* For keys that a stranger chooses, such as routes of a routing daemon's peer: seeded once for
 * each process. */
uint64_t hash_seeded(const void *key, size_t len);

#endif
