/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_LEASE_H
#define PLVS_DATAPLANE_EXITS_LEASE_H

/*
 * The right to serve VIPs now (model/published.h). Without a peer the test costs one load and a
 * branch.
 *
 * Worker context.
 */

#include <rte_cycles.h>

#include "dataplane/worker.h"

static inline bool lease_over(const struct worker *w, uint64_t now_tsc)
{
	const uint64_t lease = __atomic_load_n(&w->pub->vip_lease, __ATOMIC_ACQUIRE);

	if (likely(lease == VIP_LEASE_NONE))
		return false;
	return lease == VIP_LEASE_OFF || (int64_t)(now_tsc - lease) >= 0;
}

/* The same just before packets leave, since the worker may have been stopped since the round
 * began. */
static inline bool lease_over_now(const struct worker *w)
{
	if (likely(__atomic_load_n(&w->pub->vip_lease, __ATOMIC_RELAXED) == VIP_LEASE_NONE))
		return false;
	return lease_over(w, w->live_clock ? rte_rdtsc() : w->now_tsc);
}

#endif
