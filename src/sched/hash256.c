/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/hash256.h"

#include <stdlib.h>

struct hash256 *hash256_create(const struct service *svc, bool weighted, bool with_down)
{
	struct hash256 *t = malloc(sizeof(*t));
	uint32_t i = 0, run = 0, skipped = 0;

	if (t == NULL)
		return NULL;
	for (uint32_t b = 0; b < HASH256_SIZE;) {
		if (skipped == svc->n_servers) {
			t->bucket[b++] = SCHED_NONE;
			continue;
		}
		if (svc->servers[i].down && !with_down) {
			skipped++;
			i = (i + 1) % svc->n_servers;
			continue;
		}
		skipped = 0;
		t->bucket[b++] = (int16_t)i;
		if (weighted && ++run < svc->servers[i].weight)
			continue;
		run = 0;
		i = (i + 1) % svc->n_servers;
	}
	return t;
}
