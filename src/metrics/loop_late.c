/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the metrics themselves and of the loop that they run on. */
#include "base/clock.h"
#include "metrics/metrics_internal.h"

void metrics_lateness(const struct metrics *m, uint64_t late_us[3], uint64_t *max_us)
{
	const uint64_t now = clock_us();

	late_us[0] = lateness_quantile(&m->late, now, 500);
	late_us[1] = lateness_quantile(&m->late, now, 990);
	late_us[2] = lateness_quantile(&m->late, now, 1000);
	*max_us = m->late_max_us;
}

void metrics_scrapes(const struct metrics *m, struct scrape_counters *out)
{
	if (m->server)
		scrape_server_counters(m->server, out);
}

const char *metrics_fault(const struct metrics *m)
{
	return m && m->fault[0] ? m->fault : NULL;
}
