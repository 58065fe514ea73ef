/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/lateness.h"

#include <stdbool.h>
#include <string.h>

static uint32_t bin_of(uint64_t us)
{
	uint32_t shift, bin;

	if (us < 8)
		return (uint32_t)us;
	if (us >= 1U << 30)
		return LATENESS_BINS - 1;
	shift = (uint32_t)(63 - __builtin_clzll(us)) - 3;
	bin = (shift + 1) * 8 + (uint32_t)((us >> shift) & 7);
	return bin < LATENESS_BINS ? bin : LATENESS_BINS - 1;
}

/* The largest value that the bin holds. */
static uint64_t bin_top(uint32_t bin)
{
	if (bin == LATENESS_BINS - 1)
		return UINT64_MAX;
	if (bin < 8)
		return bin;
	return (((uint64_t)(bin % 8 + 8) + 1) << (bin / 8 - 1)) - 1;
}

void lateness_add(struct lateness *l, uint64_t now_us, uint64_t late_us)
{
	uint64_t second = now_us / 1000000;
	uint32_t slot;

	if (late_us > UINT32_MAX)
		late_us = UINT32_MAX;
	/* Seconds between the last one and this had no probes, or their slots are old. */
	for (uint64_t s = l->second + 1; s <= second; s++) {
		if (s + LATENESS_SECONDS <= second)
			s = second - LATENESS_SECONDS + 1;
		memset(l->bin[s % LATENESS_SECONDS], 0, sizeof(l->bin[0]));
		l->max_us[s % LATENESS_SECONDS] = 0;
	}
	if (second > l->second)
		l->second = second;
	slot = (uint32_t)(l->second % LATENESS_SECONDS);
	l->bin[slot][bin_of(late_us)]++;
	if (late_us > l->max_us[slot])
		l->max_us[slot] = (uint32_t)late_us;
}

uint64_t lateness_quantile(const struct lateness *l, uint64_t now_us, uint32_t permille)
{
	uint64_t second = now_us / 1000000, total = 0, seen = 0, max = 0;
	bool live[LATENESS_SECONDS];

	for (uint32_t i = 0; i < LATENESS_SECONDS; i++) {
		/* The second that slot i holds: the newest one that is i modulo 10. */
		uint64_t age =
			(l->second % LATENESS_SECONDS + LATENESS_SECONDS - i) % LATENESS_SECONDS;

		live[i] = l->second >= age && l->second - age + LATENESS_SECONDS > second;
		for (uint32_t b = 0; live[i] && b < LATENESS_BINS; b++)
			total += l->bin[i][b];
		if (live[i] && l->max_us[i] > max)
			max = l->max_us[i];
	}
	if (total == 0 || permille >= 1000)
		return max;
	for (uint32_t b = 0; b < LATENESS_BINS; b++) {
		for (uint32_t i = 0; i < LATENESS_SECONDS; i++)
			seen += live[i] ? l->bin[i][b] : 0;
		if (seen * 1000 >= total * permille)
			return bin_top(b) < max ? bin_top(b) : max;
	}
	return max;
}
