/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/nexthop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int nexthop_table_init(struct nexthop_table *t, uint32_t capacity)
{
	uint32_t slots = 16;

	memset(t, 0, sizeof(*t));
	if (capacity > MAX_NEXTHOPS)
		capacity = MAX_NEXTHOPS;
	while (slots < capacity * 2)
		slots *= 2;
	t->by_id = calloc(MAX_NEXTHOPS + 1, sizeof(*t->by_id));
	t->used_tick = calloc(MAX_NEXTHOPS + 1, sizeof(*t->used_tick));
	t->slots4 = calloc(slots, sizeof(*t->slots4));
	t->slots6 = calloc(slots, sizeof(*t->slots6));
	if (!t->by_id || !t->used_tick || !t->slots4 || !t->slots6) {
		nexthop_table_fini(t);
		return -ENOMEM;
	}
	t->mask = slots - 1;
	t->capacity = capacity;
	return 0;
}

void nexthop_table_fini(struct nexthop_table *t)
{
	for (uint32_t id = 1; t->by_id != NULL && id <= MAX_NEXTHOPS; id++)
		free((void *)t->by_id[id]);
	free(t->by_id);
	free(t->used_tick);
	free(t->slots4);
	free(t->slots6);
	memset(t, 0, sizeof(*t));
}

const struct nexthop *nexthop_replace(struct nexthop_table *t, uint32_t id, struct nexthop *nh)
{
	nh->id = id;
	return __atomic_exchange_n(&t->by_id[id], nh, __ATOMIC_ACQ_REL);
}

const struct nexthop *nexthop_free_id(struct nexthop_table *t, uint32_t id)
{
	const struct nexthop *nh = __atomic_exchange_n(&t->by_id[id], NULL, __ATOMIC_ACQ_REL);

	if (nh != NULL)
		t->n--;
	return nh;
}
