/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/listener_table.h"

#include <errno.h>
#include <stdlib.h>

#include "model/table_slots.h"

struct FAM(listener_table) *FAM_FN(listener_table, create)(const struct FAM(listener) *entries,
							   uint32_t n)
{
	uint32_t slots = table_slots(n);
	struct FAM(listener_table) *t = calloc(1, sizeof(*t) + slots * sizeof(t->slots[0]));

	if (t == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	t->refs = 1;
	t->mask = slots - 1;
	for (uint32_t i = 0; i < n; i++) {
		const struct FAM(listener) *l = &entries[i];
		uint32_t at = FAM_FN(listener, hash)(l->proto, l->addr, l->port);

		if (FAM_FN(listener_table, find)(t, l->proto, l->addr, l->port) != 0) {
			free(t);
			errno = EEXIST;
			return NULL;
		}
		while (t->slots[at & t->mask].proto != 0)
			at++;
		t->slots[at & t->mask] = *l;
		t->n++;
	}
	return t;
}

void FAM_FN(listener_table, put)(struct FAM(listener_table) *t)
{
	if (t != NULL && --t->refs == 0)
		free(t);
}
