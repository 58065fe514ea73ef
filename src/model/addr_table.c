/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/addr_table.h"

#include <errno.h>
#include <stdlib.h>

#include "model/table_slots.h"

struct FAM(addr_table) *FAM_FN(addr_table, create)(const struct FAM(addr_entry) *entries,
						   uint32_t n)
{
	uint32_t slots = table_slots(n);
	struct FAM(addr_table) *t = calloc(1, sizeof(*t) + slots * sizeof(t->slots[0]));

	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	t->refs = 1;
	t->mask = slots - 1;
	for (uint32_t i = 0; i < n; i++) {
		const struct FAM(addr_entry) *from = &entries[i];
		uint32_t at = FAM_FN(addr, hash)(from->addr);
		struct FAM(addr_entry) *e;

		if (from->kinds == 0)
			continue;
		for (e = &t->slots[at & t->mask];
		     e->kinds != 0 && !FAM_FN(addr, equal)(e->addr, from->addr);)
			e = &t->slots[++at & t->mask];
		if (e->kinds == 0) {
			*e = *from;
			t->n++;
			continue;
		}
		e->kinds |= from->kinds;
		if (e->link == LINK_ANY)
			e->link = from->link;
	}
	return t;
}

void FAM_FN(addr_table, put)(struct FAM(addr_table) *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}

void FAM_FN(addr_table, list)(const struct FAM(addr_table) *t, struct addr_entry *out)
{
	for (uint32_t i = 0; i <= t->mask; i++) {
		const struct FAM(addr_entry) *e = &t->slots[i];

		if (e->kinds)
			*out++ = (struct addr_entry){FAM(addr_from_addr)(e->addr), e->kinds,
						     e->link};
	}
}
