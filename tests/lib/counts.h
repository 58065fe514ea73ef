/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_COUNTS_H
#define PLVS_TESTS_COUNTS_H

/* Connections of a server without packets: of the worker 0, or of a worker that is named. */

#include "model/runtime.h"

static inline void counts_bind_of(struct server_rt *rt, uint32_t worker, bool active)
{
	const struct count_row row = server_rt_row(rt, worker);

	server_rt_bind(rt, &row, rt->id, active);
}

static inline void counts_unbind_of(struct server_rt *rt, uint32_t worker, bool active)
{
	const struct count_row row = server_rt_row(rt, worker);

	server_rt_unbind(rt, &row, rt->id, active);
}

static inline void counts_bind(struct server_rt *rt, bool active)
{
	counts_bind_of(rt, 0, active);
}

static inline void counts_unbind(struct server_rt *rt, bool active)
{
	counts_unbind_of(rt, 0, active);
}

static inline void counts_undo(struct server_rt *rt, bool active)
{
	const struct count_row row = server_rt_row(rt, 0);

	server_rt_bind_undo(rt, &row, rt->id, active);
}

static inline void counts_change(struct server_rt *rt, bool to_active)
{
	const struct count_row row = server_rt_row(rt, 0);

	server_rt_change(&row, rt->id, to_active);
}

/* The sum, all of it in the row of the worker 0. */
static inline void counts_set(struct server_rt *rt, uint64_t counts)
{
	for (uint32_t k = 1; k <= rt->n_rows; k++)
		rt->slots[(size_t)k * COUNT_ROW] = k == 1 ? counts : 0;
}

#endif
