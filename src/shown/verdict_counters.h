/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_SHOWN_VERDICT_COUNTERS_H
#define PLVS_SHOWN_VERDICT_COUNTERS_H

/* The way from a verdict of health to its publication, counted by control. */

#include <stdint.h>

/* X(name, kind, metric, unit, help) */
#define VERDICT_COUNTERS(X)                                                                        \
	X(swaps, COUNTER, "swaps", NULL, "publications that carried verdicts of health")           \
	X(rebuilds, COUNTER, "rebuilds", NULL,                                                     \
	  "lists of services made anew for verdicts, scheduler's tables included")                 \
	X(swap_last_us, GAUGE, "swap_last_seconds", "us",                                          \
	  "from a verdict to its publication, last one")                                           \
	X(swap_max_us, GAUGE, "swap_max_seconds", "us",                                            \
	  "from a verdict to its publication, longest one")

struct verdict_counters {
#define X(name, kind, metric, unit, help) uint64_t name;
	VERDICT_COUNTERS(X)
#undef X
};

#endif
