/* SPDX-License-Identifier: BSD-3-Clause */
#include "health/weight.h"

#include <math.h>

#define LOAD_MIN_PERCENT 100U
#define LOAD_MAX_PERCENT 1000U
#define UNITS_MAX	 253U /* of an exit code */

static double clamp(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

static struct weight_bounds or_default(struct weight_bounds b, uint32_t min, uint32_t max)
{
	if (b.min_percent == 0 && b.max_percent == 0)
		return (struct weight_bounds){min, max};
	if (b.max_percent == 0)
		b.max_percent = b.min_percent > max ? b.min_percent : max;
	return b;
}

void weight_load(struct weight_advice *a, struct weight_bounds bounds, uint32_t configured,
		 double load)
{
	struct weight_bounds b = or_default(bounds, LOAD_MIN_PERCENT, LOAD_MAX_PERCENT);
	double w = configured, next;

	if (!isfinite(load) || load < 0)
		return;
	if (!a->has_load) {
		a->has_load = true;
		a->load_weight = w;
	}
	next = a->load_weight + w / 2 * cbrt(1 - load);
	next = clamp(next, w * b.min_percent / 100, w * b.max_percent / 100);
	if (fabs(next - a->load_weight) >= w / 4)
		a->load_weight = next;
}

uint32_t weight_advised(const struct weight_advice *a, struct weight_bounds bounds,
			uint32_t configured, const char **source)
{
	struct weight_bounds b;
	double w = configured;

	*source = "configuration";
	if (configured == 0)
		return 0;
	if (a->has_units) {
		*source = "exit code";
		if (bounds.min_percent == 0 && bounds.max_percent == 0)
			return a->units;
		b = or_default(bounds, 0, 100);
		w = clamp(a->units, w * b.min_percent / 100, w * b.max_percent / 100);
	} else if (a->has_percent) {
		b = or_default(bounds, 0, 100);
		w *= clamp(a->percent, b.min_percent, b.max_percent) / 100;
		*source = "agent";
	} else if (a->has_load) {
		b = or_default(bounds, LOAD_MIN_PERCENT, LOAD_MAX_PERCENT);
		w = clamp(a->load_weight, w * b.min_percent / 100, w * b.max_percent / 100);
		*source = "load";
	}
	if (w > 0 && w < 1)
		w = 1;
	return w > MAX_WEIGHT ? MAX_WEIGHT : (uint32_t)lround(w);
}

static uint32_t share(uint32_t configured, uint32_t percent)
{
	uint64_t w = ((uint64_t)configured * percent + 50) / 100;

	if (w == 0 && percent > 0 && configured > 0)
		w = 1;
	return w > MAX_WEIGHT ? MAX_WEIGHT : (uint32_t)w;
}

void weight_range(const struct weight_advice *a, struct weight_bounds bounds, uint32_t configured,
		  uint32_t *low, uint32_t *high)
{
	struct weight_bounds b = {100, 100};

	if (a->has_units && configured && bounds.min_percent == 0 && bounds.max_percent == 0) {
		*low = 0;
		*high = UNITS_MAX;
		return;
	}
	if (a->has_percent || a->has_units)
		b = or_default(bounds, 0, 100);
	else if (a->has_load)
		b = or_default(bounds, LOAD_MIN_PERCENT, LOAD_MAX_PERCENT);
	*low = share(configured, b.min_percent);
	*high = share(configured, b.max_percent);
}

uint32_t weight_slow(uint32_t weight, uint64_t elapsed_us, uint64_t total_us)
{
	if (weight <= 1 || elapsed_us >= total_us)
		return weight;
	return 1 + (uint32_t)((double)(weight - 1) * (double)elapsed_us / (double)total_us);
}
