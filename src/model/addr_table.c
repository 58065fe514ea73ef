/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/addr_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/table_slots.h"

struct FAM(addr_table) *FAM_FN(addr_table, create)(const struct FAM(addr_entry) *entries,
						   uint32_t n)
{
	/* At most a quarter full: clients' addresses are asked for as well, and are to find an
	 * empty slot at once. */
	uint32_t slots = table_slots(n * 2);
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
		t->any |= from->kinds;
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

struct FAM(addr_table) *FAM_FN(addr_table, copy)(const struct FAM(addr_table) *t, uint32_t more)
{
	struct FAM(addr_table) *copy =
		table_copy(t, sizeof(*t), sizeof(t->slots[0]), t->mask, (uint64_t)t->n + more);

	if (copy != NULL)
		copy->refs = 1;
	return copy;
}

/* Entries behind the gap that are no longer found from their home move up. */
static void gap_close(struct FAM(addr_table) *t, uint32_t gap)
{
	for (uint32_t i = (gap + 1) & t->mask; t->slots[i].kinds != 0; i = (i + 1) & t->mask) {
		uint32_t home = FAM_FN(addr, hash)(t->slots[i].addr) & t->mask;

		if (((i - home) & t->mask) < ((i - gap) & t->mask))
			continue;
		t->slots[gap] = t->slots[i];
		gap = i;
	}
	memset(&t->slots[gap], 0, sizeof(t->slots[gap]));
	t->n--;
}

void FAM_FN(addr_table, set)(struct FAM(addr_table) *t, FAM_ADDR addr, uint32_t kinds)
{
	uint32_t at = FAM_FN(addr, hash)(addr) & t->mask;
	struct FAM(addr_entry) *e;

	while (t->slots[at].kinds != 0 && !FAM_FN(addr, equal)(t->slots[at].addr, addr))
		at = (at + 1) & t->mask;
	e = &t->slots[at];
	if (e->kinds == 0 && kinds != 0) {
		*e = (struct FAM(addr_entry)){.addr = addr, .link = LINK_ANY};
		t->n++;
	} else if (e->kinds != 0 && kinds == 0) {
		gap_close(t, at);
		return;
	}
	e->kinds = kinds;
	t->any |= kinds;
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
