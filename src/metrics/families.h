/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_FAMILIES_H
#define PLVS_METRICS_FAMILIES_H

/* Rows of a table as families of OpenMetrics text. Context: any. */

#include "rpc/openmetrics.h"
#include "shown/shown.h"

struct row_family {
	const struct shown *row;
	struct expo_family family;
	char name[96];
};

/* False: row i of t is in no metric. */
bool family_of(const struct shown_table *t, uint16_t i, struct row_family *out);
/* The samples of one object. */
void family_sample(struct evbuffer *out, const struct row_family *f, const void *object,
		   const char *labels);

struct shown_objects {
	const struct shown_table *table;
	const void *objects;
	size_t size; /* of one */
	uint32_t n;
	/* Labels of an object, or NULL: it has none. */
	void (*labels)(const void *object, char *buf, size_t len);
};
/* All families of a table, each with the samples of all objects. */
void families_write(struct evbuffer *out, enum expo_format format, const struct shown_objects *o);
/* The families of a table as a table in markdown. */
void families_markdown(FILE *f, const struct shown_table *t);

#endif
