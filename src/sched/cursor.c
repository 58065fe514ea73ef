/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/sched.h"

static bool of_generation(uint64_t word, uint32_t gen)
{
	return (word & SCHED_CURSOR_GEN_MASK) == (gen & SCHED_CURSOR_GEN_MASK);
}

static uint64_t adapted(const struct service *svc, uint64_t word)
{
	uint64_t cursor = word >> SCHED_CURSOR_GEN_BITS;

	return svc->sched->adapt != NULL ? svc->sched->adapt(svc, cursor) : 0;
}

uint64_t sched_cursor_get(const struct service *svc, uint64_t *seen, bool *store)
{
	uint64_t word = __atomic_load_n(&svc->rt->cursor, __ATOMIC_ACQUIRE);

	*seen = word;
	*store = true;
	if (of_generation(word, svc->sched_gen))
		return word >> SCHED_CURSOR_GEN_BITS;
	if (of_generation(word, svc->sched_prev))
		return adapted(svc, word);
	*store = false;
	return 0;
}

bool sched_cursor_move(const struct service *svc, uint64_t seen, uint64_t cursor)
{
	uint64_t word = cursor << SCHED_CURSOR_GEN_BITS | (svc->sched_gen & SCHED_CURSOR_GEN_MASK);

	return __atomic_compare_exchange_n(&svc->rt->cursor, &seen, word, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

void sched_published(const struct service *svc)
{
	__atomic_fetch_add(&svc->rt->publications, 1, __ATOMIC_RELEASE);
	for (;;) {
		uint64_t seen;
		bool store;
		uint64_t cursor = sched_cursor_get(svc, &seen, &store);

		/* Of neither generation: sched_published() missed a node between. Begin again. */
		if (!store)
			cursor = 0;
		else if (of_generation(seen, svc->sched_gen))
			return;
		if (sched_cursor_move(svc, seen, cursor))
			return;
	}
}
