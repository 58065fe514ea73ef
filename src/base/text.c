/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NEAR_MISS_MAX_LEN 63

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000},
};

/* digits [ "." digits ] unit -> ms, exact to three decimals. */
int duration_parse(const char *text, uint32_t *ms)
{
	const uint64_t max = UINT32_MAX;
	uint64_t whole = 0, milli = 0, scale = 100, v;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > max)
			return -ERANGE;
	}
	if (p == text)
		return -EINVAL;
	if (*p == '.') {
		const char *frac = ++p;

		for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
			milli += (uint64_t)(*p - '0') * scale;
		if (p == frac)
			return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
		if (strcmp(p, time_units[i].name) != 0)
			continue;
		if (whole > max / time_units[i].factor)
			return -ERANGE;
		v = whole * time_units[i].factor + milli * time_units[i].factor / 1000;
		if (v > max)
			return -ERANGE;
		*ms = (uint32_t)v;
		return 0;
	}
	return -EINVAL;
}

const char *duration_format(uint32_t ms, char *buf, size_t len)
{
	static const struct unit units[] = {
		{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

	for (size_t i = 0; ms && i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms % units[i].factor)
			continue;
		snprintf(buf, len, "%" PRIu64 "%s", ms / units[i].factor, units[i].name);
		return buf;
	}
	snprintf(buf, len, ms ? "%ums" : "%us", ms);
	return buf;
}

/* Two letters that changed places count as one fault. */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t rows[3][NEAR_MISS_MAX_LEN + 1], *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *text_near_miss(const char *text, const char *const *candidates)
{
	const char *best = NULL;
	size_t n = strlen(text), best_distance = 3;

	if (n == 0 || n > NEAR_MISS_MAX_LEN)
		return NULL;
	for (; *candidates; candidates++) {
		size_t m = strlen(*candidates), d;

		if (m > NEAR_MISS_MAX_LEN)
			continue;
		d = edit_distance(text, n, *candidates, m);
		if (d < best_distance && d * 2 < (m > n ? m : n)) {
			best_distance = d;
			best = *candidates;
		}
	}
	return best;
}
