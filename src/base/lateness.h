/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_LATENESS_H
#define PLVS_BASE_LATENESS_H

/*
 * The lateness of a loop over the last 10 s: a histogram for each second. Each power of two has 8
 * bins, so a figure is right within 12.5 %. 9 KiB. Context: one thread.
 */

#include <stdint.h>

#define LATENESS_SECONDS 10U
#define LATENESS_BINS	 224U /* up to 2^30 us, 18 minutes; longer times count in the last bin */

struct lateness {
	uint64_t second; /* the second of the newest slot */
	uint32_t bin[LATENESS_SECONDS][LATENESS_BINS];
	uint32_t max_us[LATENESS_SECONDS];
};

void lateness_add(struct lateness *l, uint64_t now_us, uint64_t late_us);
/* The permille quantile; 1000: the maximum. 0 without values. */
uint64_t lateness_quantile(const struct lateness *l, uint64_t now_us, uint32_t permille);

#endif
