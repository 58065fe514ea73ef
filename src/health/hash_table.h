/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_HASH_TABLE_H
#define PLVS_HEALTH_HASH_TABLE_H

/*
 * A hash table of nodes that live in the caller's objects. The caller compares keys.
 * Context: control.
 */

#include <stddef.h>
#include <stdint.h>

struct table_node {
	uint64_t hash;
	struct table_node *next;
};

struct table {
	struct table_node **slot;
	uint32_t n, size; /* size: a power of two, or 0 */
};

/* Room for one more node: after it table_add() cannot fail. 0 or -ENOMEM. */
int table_reserve(struct table *t);
/* node->hash is set. */
void table_add(struct table *t, struct table_node *node);
void table_del(struct table *t, struct table_node *node);
/* Nodes of that hash; NULL at the end. */
struct table_node *table_first(const struct table *t, uint64_t hash);
struct table_node *table_next(const struct table_node *node);
void table_fini(struct table *t);

#define HASH_START 0xcbf29ce484222325ULL
/* Goes on from an earlier hash, or HASH_START. Not for keys that a stranger chooses. */
uint64_t hash_bytes(uint64_t from, const void *data, size_t len);
/* Of the text with its final NUL; NULL is another value than "". */
uint64_t hash_text(uint64_t from, const char *text);

#endif
