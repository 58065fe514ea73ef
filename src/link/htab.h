/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_LINK_HTAB_H
#define PLVS_LINK_HTAB_H

/*
 * An intrusive chained hash table for the link thread's own books. Nodes are the first
 * member of what they index. Grows by doubling; never shrinks.
 */

#include <stddef.h>
#include <stdint.h>

struct hnode {
	struct hnode *next;
	uint32_t hash;
};

struct htab {
	struct hnode **buckets;
	uint32_t mask; /* buckets - 1 */
	uint32_t n;
};

/* 0 or -ENOMEM. */
int htab_init(struct htab *t);
/* Calls destroy for every node, then frees the buckets. */
void htab_fini(struct htab *t, void (*destroy)(struct hnode *node));
void htab_clear(struct htab *t, void (*destroy)(struct hnode *node));
/* Never fails: without memory to grow, chains get longer. A new node goes to the end of
 * those with its hash, so that equal keys keep the order of arrival. */
void htab_add(struct htab *t, struct hnode *node, uint32_t hash);
void htab_del(struct htab *t, struct hnode *node);

/* The first node with this hash, and the next one after a node; NULL at the end. */
struct hnode *htab_first(const struct htab *t, uint32_t hash);
struct hnode *htab_next(const struct hnode *node);

/* All nodes; *cursor starts at 0 and node at NULL. Nothing may be added meanwhile; the
 * node that was returned may be deleted only after the next call. */
struct hnode *htab_walk(const struct htab *t, uint32_t *cursor, const struct hnode *node);

/* Seeded once per process: peers of a routing daemon choose what is hashed. */
uint32_t htab_hash(const void *key, size_t len);

#endif
