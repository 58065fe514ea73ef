/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_WEIGHT_H
#define PLVS_HEALTH_WEIGHT_H

/*
 * The effective weight of a real server: configured, advised, started slowly. Functions of
 * their arguments alone. Context: control.
 */

#include <stdbool.h>
#include <stdint.h>

#include "model/limits.h"

struct weight_advice {
	bool has_percent, has_load, has_units;
	uint32_t percent;
	uint32_t units;	    /* by an exit code: this weight, within configured bounds */
	double load_weight; /* the present value of Piranha's rule, in units of weight */
};

/* Bounds of advice in percent of the configured weight. */
struct weight_bounds {
	uint32_t min_percent, max_percent; /* 0, 0: the defaults below */
};

/*
 * Applies a load number (1-minute load average) by Piranha's rule. Below 1 the weight rises by
 * w/2 * cbrt(1 - load), above 1 the weight falls by w/2 * cbrt(load - 1), w being the configured
 * weight. Steps under w/4 are left out. The weight stays within w and 10 w, or within the bounds.
 */
void weight_load(struct weight_advice *a, struct weight_bounds bounds, uint32_t configured,
		 double load);

/*
 * The advised weight within the bounds (0 to 100 % for percent), never over MAX_WEIGHT. Of a
 * configured weight over 0, advice over 0 % leaves at least 1.
 */
uint32_t weight_advised(const struct weight_advice *a, struct weight_bounds bounds,
			uint32_t configured, const char **source);

/* The range of the weight under advice; without advice both are the configured weight. */
void weight_range(const struct weight_advice *a, struct weight_bounds bounds, uint32_t configured,
		  uint32_t *low, uint32_t *high);

/* Slow start: from 1 to weight, linear, over total_us. At least 1 unless weight is 0. */
uint32_t weight_slow(uint32_t weight, uint64_t elapsed_us, uint64_t total_us);

#endif
