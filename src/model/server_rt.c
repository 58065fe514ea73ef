/* SPDX-License-Identifier: BSD-3-Clause */
/* Run-time state of one real server: connections, thresholds, and the end of a removed server. */
#include "model/runtime.h"

#include <stddef.h>

/* --- Connections of removed servers ------------------------------------------------ */

uint32_t server_rt_drain_left(const struct runtime *rt, const struct server_rt *srv, uint32_t now_s)
{
	const struct service_rt *svc = runtime_service_of(rt, srv);
	uint32_t word = svc != NULL ? __atomic_load_n(&svc->on_removed, __ATOMIC_RELAXED)
				    : ON_REMOVED_RESET;
	uint32_t since = now_s - __atomic_load_n(&srv->removed, __ATOMIC_ACQUIRE);

	if ((word & 3) != ON_REMOVED_DRAIN)
		return 0;
	/* Clocks of two kinds: it may have been removed in a second to come. */
	if ((int32_t)since < 0)
		since = 0;
	return since < word >> 2 ? (word >> 2) - since : 0;
}

enum on_removed server_rt_on_removed(const struct runtime *rt, const struct server_rt *srv,
				     uint32_t now_s)
{
	const struct service_rt *svc = runtime_service_of(rt, srv);

	if (svc != NULL &&
	    (__atomic_load_n(&svc->on_removed, __ATOMIC_RELAXED) & 3) == ON_REMOVED_KEEP)
		return ON_REMOVED_KEEP;
	return server_rt_drain_left(rt, srv, now_s) ? ON_REMOVED_DRAIN : ON_REMOVED_RESET;
}

/* --- Counts ------------------------------------------------------------------------ */

static uint64_t counts_sum(uint64_t counts)
{
	return (uint64_t)counts_active(counts) + counts_inactive(counts);
}

/* Whether the overload flag may go at this sum of connections (IPVS). */
static bool overload_over(const struct server_rt *rt, uint64_t sum)
{
	uint32_t upper = __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);
	uint32_t lower = __atomic_load_n(&rt->lower, __ATOMIC_RELAXED);

	if (lower != 0)
		return sum < lower;
	return upper == 0 || sum * 4 < (uint64_t)upper * 3;
}

/* A stamp each time, so that nobody takes away a flag for what was true before it. */
static void overload_set(struct server_rt *rt)
{
	uint32_t flags = __atomic_load_n(&rt->flags, __ATOMIC_SEQ_CST);

	while (!__atomic_compare_exchange_n(&rt->flags, &flags,
					    (flags + SERVER_RT_STAMP) | SERVER_RT_OVERLOAD, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void overload_clear(struct server_rt *rt, bool (*over)(const struct server_rt *, uint64_t))
{
	for (;;) {
		uint32_t flags = __atomic_load_n(&rt->flags, __ATOMIC_SEQ_CST);

		if (!(flags & SERVER_RT_OVERLOAD) || !over(rt, counts_sum(server_rt_counts(rt))))
			return;
		if (__atomic_compare_exchange_n(&rt->flags, &flags, flags & ~SERVER_RT_OVERLOAD,
						false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return;
	}
}

void server_rt_overload(struct server_rt *rt, uint64_t sum)
{
	const uint32_t upper = __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);

	if (upper == 0 || sum < upper)
		return;
	overload_set(rt);
	/* If the last connections left meanwhile, nobody else would take the flag away. */
	if (counts_sum(server_rt_counts(rt)) < upper)
		overload_clear(rt, overload_over);
}

/*
 * A worker that binds and a worker that unbinds each store their count, and then read the other
 * one's value. With a full fence between its two accesses on both sides (overload_set() is one),
 * one of them at least sees the other's: either the binding worker sums the count that fell, or the
 * unbinding one finds the flag. Of two workers that bind, one at least sums both.
 */
void server_rt_bound(struct server_rt *rt)
{
	if (rt == NULL)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	server_rt_overload(rt, counts_sum(server_rt_counts(rt)));
}

static bool below_upper(const struct server_rt *rt, uint64_t sum)
{
	return sum < __atomic_load_n(&rt->upper, __ATOMIC_RELAXED);
}

void server_rt_bind_undone(struct server_rt *rt)
{
	if (rt == NULL)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	/* The server was not overloaded before: it was chosen. */
	overload_clear(rt, below_upper);
}

void server_rt_unbound(struct server_rt *rt)
{
	if (rt == NULL)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	overload_clear(rt, overload_over);
}

void server_rt_set_thresholds(struct server_rt *rt, uint32_t upper, uint32_t lower)
{
	const uint64_t brief = __atomic_load_n(&rt->slots[0], __ATOMIC_RELAXED);
	const uint32_t before = rt->upper;

	/* Thresholds first: who finds the bit finds them. */
	__atomic_store_n(&rt->upper, upper, __ATOMIC_RELAXED);
	__atomic_store_n(&rt->lower, lower, __ATOMIC_RELAXED);
	if (upper != 0)
		__atomic_store_n(&rt->slots[0], brief | SERVER_BRIEF_LIMITED, __ATOMIC_RELEASE);
	else
		__atomic_store_n(&rt->slots[0], brief & ~(uint64_t)SERVER_BRIEF_LIMITED,
				 __ATOMIC_RELEASE);
	if (upper == 0 || upper > before)
		__atomic_fetch_and(&rt->flags, ~SERVER_RT_OVERLOAD, __ATOMIC_SEQ_CST);
}
