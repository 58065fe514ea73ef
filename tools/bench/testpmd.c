/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's own forwarder on the same devices: what a port costs without a load balancer. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>

#define MAX_SAMPLES 64

/* Packets per second, median of a few seconds, or 0. first: packets are sent at the start,
 * as a ring that leads back to itself needs. */
static double macswap_pps(const char *vdev, bool first, unsigned int seconds)
{
	double samples[MAX_SAMPLES];
	unsigned int n = 0;
	char line[512];
	FILE *f;

	/* Forwards on this CPU, idle meanwhile, so that both see the same neighbours. */
	snprintf(line, sizeof(line),
		 "exec timeout -s INT %u dpdk-testpmd --lcores 0,1@%d --no-pci --no-huge -m 64 "
		 "--no-shconf --no-telemetry --file-prefix=plvs-bench-pmd%d --vdev=%s "
		 "-- --forward-mode=macswap --auto-start --stats-period=1 --burst=32 "
		 "--total-num-mbufs=4096 --nb-cores=1 --port-topology=loop %s "
		 "</dev/null 2>/dev/null",
		 seconds + 2, rte_lcore_to_cpu_id((int)rte_get_main_lcore()), (int)getpid(), vdev,
		 first ? "--tx-first" : "");
	f = popen(line, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "Tx-pps:");
		double pps;

		if (at && sscanf(at + 7, "%lf", &pps) == 1 && pps > 0 && n < MAX_SAMPLES)
			samples[n++] = pps;
	}
	pclose(f);
	return n ? median(samples, n) : 0;
}

static void macswap(const struct options *o, const char *name, const char *vdev, bool first)
{
	double pps;

	if (!wanted(o, name))
		return;
	pps = macswap_pps(vdev, first, o->quick ? 3 : 8);
	if (pps > 0)
		row_add_cycles(name, 0, (double)rte_get_tsc_hz() / pps, 0);
	else
		fprintf(stderr, "plvs-bench: %s: dpdk-testpmd did not run (package dpdk-dev)\n",
			name);
}

void bench_testpmd(const struct options *o)
{
	macswap(o, "testpmd/macswap", "net_null0", false);
	macswap(o, "testpmd-ring/macswap", "net_ring0", true);
}
