/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/listener_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/table_slots.h"

struct FAM(listener_table) *FAM_FN(listener_table, reserve)(uint32_t n)
{
	uint32_t slots = table_slots(n);
	struct FAM(listener_table) *t = calloc(1, sizeof(*t) + slots * sizeof(t->slots[0]));

	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	t->refs = 1;
	t->mask = slots - 1;
	return t;
}

struct FAM(listener) *FAM_FN(listener_table, slot)(struct FAM(listener_table) *t,
						   const struct FAM(listener) *l)
{
	for (uint32_t i = FAM_FN(listener, hash)(l->proto, l->addr, l->port);; i++) {
		struct FAM(listener) *at = &t->slots[i & t->mask];

		if (at->proto == 0 || (FAM_FN(addr, equal)(at->addr, l->addr) &&
				       at->port == l->port && at->proto == l->proto))
			return at;
	}
}

struct FAM(listener_table) *FAM_FN(listener_table, create)(const struct FAM(listener) *entries,
							   uint32_t n)
{
	struct FAM(listener_table) *t = FAM_FN(listener_table, reserve)(n);

	for (uint32_t i = 0; t != NULL && i < n; i++) {
		struct FAM(listener) *at = FAM_FN(listener_table, slot)(t, &entries[i]);

		if (at->proto != 0) {
			free(t);
			errno = EEXIST;
			return NULL;
		}
		*at = entries[i];
		t->n++;
	}
	return t;
}

struct FAM(listener_table) *FAM_FN(listener_table, copy)(const struct FAM(listener_table) *t,
							 uint32_t more)
{
	struct FAM(listener_table) *copy =
		table_copy(t, sizeof(*t), sizeof(t->slots[0]), t->mask, (uint64_t)t->n + more);

	if (copy != NULL)
		copy->refs = 1;
	return copy;
}

/* Entries behind the gap that are no longer found from their home move up. */
void FAM_FN(listener_table, del)(struct FAM(listener_table) *t, struct FAM(listener) *l)
{
	uint32_t gap = (uint32_t)(l - t->slots);

	for (uint32_t i = (gap + 1) & t->mask; t->slots[i].proto != 0; i = (i + 1) & t->mask) {
		const struct FAM(listener) *at = &t->slots[i];
		uint32_t home = FAM_FN(listener, hash)(at->proto, at->addr, at->port) & t->mask;

		if (((i - home) & t->mask) < ((i - gap) & t->mask))
			continue;
		t->slots[gap] = *at;
		gap = i;
	}
	memset(&t->slots[gap], 0, sizeof(t->slots[gap]));
	t->n--;
}

void FAM_FN(listener_table, put)(struct FAM(listener_table) *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}
