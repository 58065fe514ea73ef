/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Round robin: the next eligible server after the one chosen last, in list order.
 * Cursor: the place of that one, from 1; 0 = the head. The choice of the last server is
 * kept when nobody is eligible. Deleting the server chosen last steps to its predecessor.
 */

#include <errno.h>

#include "sched/ops.h"
#include "sched/order.h"

static int rr_build(struct service *svc, const struct service *old)
{
	svc->sched_data = order_map_create(svc, old);
	return svc->sched_data != NULL ? 0 : -ENOMEM;
}

static uint64_t rr_adapt(const struct service *svc, uint64_t cursor)
{
	return order_map_place(svc->sched_data, cursor);
}

static int rr_next(const struct service *svc, uint64_t last)
{
	uint32_t n = svc->n_servers;
	uint32_t i = last < n ? (uint32_t)last : 0;

	for (uint32_t left = n; left > 0; left--) {
		if (server_eligible(&svc->servers[i]))
			return (int)i;
		i = i + 1 < n ? i + 1 : 0;
	}
	return SCHED_NONE;
}

static int rr_choose(const struct service *svc, const struct sched_request *req)
{
	(void)req;
	for (;;) {
		uint64_t seen;
		bool store;
		uint64_t cursor = sched_cursor_get(svc, &seen, &store);
		int i = rr_next(svc, cursor);

		if (i == SCHED_NONE || !store || sched_cursor_move(svc, seen, (uint64_t)i + 1))
			return i;
	}
}

const struct sched_ops sched_rr = {
	.name = "rr",
	.build = rr_build,
	.destroy = sched_data_free,
	.adapt = rr_adapt,
	.choose = rr_choose,
};
