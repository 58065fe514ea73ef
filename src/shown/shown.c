/* SPDX-License-Identifier: BSD-3-Clause */
#include "shown/shown.h"

#include <string.h>

const struct shown *shown_find(const struct shown_table *t, const char *name)
{
	const char *dot = strchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : 0;
	const char *key = dot ? dot + 1 : name;

	for (uint16_t i = 0; i < t->n; i++) {
		const struct shown *r = &t->rows[i];

		if (strcmp(r->name, key) == 0 &&
		    (dot ? r->group && strlen(r->group) == len && strncmp(r->group, name, len) == 0
			 : !r->group))
			return r;
	}
	return NULL;
}

uint64_t shown_count(const struct shown *row, const void *object)
{
	const char *at = (const char *)object + row->at;
	uint64_t v64 = 0;
	uint32_t v32;
	uint16_t v16;

	switch (row->size) {
	case sizeof(uint64_t):
		memcpy(&v64, at, sizeof(v64));
		return v64;
	case sizeof(uint32_t):
		memcpy(&v32, at, sizeof(v32));
		return v32;
	case sizeof(uint16_t):
		memcpy(&v16, at, sizeof(v16));
		return v16;
	default:
		return *(const uint8_t *)at;
	}
}

double shown_round(double rate)
{
	return (double)(int64_t)(rate * 10 + (rate < 0 ? -0.5 : 0.5)) / 10;
}
