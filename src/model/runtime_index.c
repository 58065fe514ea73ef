/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/runtime_index.h"

#include <errno.h>
#include <stdlib.h>

void runtime_index_put(struct runtime_index *ix, uint32_t hash, uint32_t id)
{
	while (ix->ids[hash & ix->mask] != 0)
		hash++;
	ix->ids[hash & ix->mask] = id;
	ix->n++;
}

/* Room for one more, with half of the slots left free. */
int runtime_index_reserve(const struct runtime *rt, struct runtime_index *ix, runtime_hash *hash_of)
{
	struct runtime_index wider = {.mask = ix->ids ? ix->mask * 2 + 1 : 63};

	if (ix->ids != NULL && (ix->n + 1) * 2 <= ix->mask)
		return 0;
	wider.ids = calloc(wider.mask + 1, sizeof(*wider.ids));
	if (wider.ids == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; ix->ids != NULL && i <= ix->mask; i++) {
		if (ix->ids[i] != 0)
			runtime_index_put(&wider, hash_of(rt, ix->ids[i]), ix->ids[i]);
	}
	free(ix->ids);
	*ix = wider;
	return 0;
}

/* Takes id out and closes the gap, so that no probe ends early. */
void runtime_index_del(const struct runtime *rt, struct runtime_index *ix, runtime_hash *hash_of,
		       uint32_t id)
{
	uint32_t gap = hash_of(rt, id) & ix->mask;

	while (ix->ids[gap] != id)
		gap = (gap + 1) & ix->mask;
	for (uint32_t i = (gap + 1) & ix->mask; ix->ids[i] != 0; i = (i + 1) & ix->mask) {
		uint32_t home = hash_of(rt, ix->ids[i]) & ix->mask;

		if (((i - home) & ix->mask) < ((i - gap) & ix->mask))
			continue;
		ix->ids[gap] = ix->ids[i];
		gap = i;
	}
	ix->ids[gap] = 0;
	ix->n--;
}

/* A free id from 1 to max, or 0. The bit is set. */
uint32_t runtime_id_take(uint64_t *used, uint32_t *hint, uint32_t max)
{
	for (uint32_t i = 0; i < max; i++) {
		uint32_t id = (*hint + i) % max + 1;

		if (used[id / 64] & 1ULL << id % 64)
			continue;
		used[id / 64] |= 1ULL << id % 64;
		*hint = id % max;
		return id;
	}
	return 0;
}

void runtime_id_release(uint64_t *used, uint32_t id)
{
	used[id / 64] &= ~(1ULL << id % 64);
}
