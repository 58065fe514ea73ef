/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#define MAX_ROWS 512

struct row {
	char name[40];
	char unit[24];
	uint32_t connections;
	double value, reference, ratio;
};

static struct row rows[MAX_ROWS];
static unsigned int n_rows, n_failed;

void row_failed(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "ABOVE ITS LIMIT: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	n_failed++;
}

unsigned int rows_failed(void)
{
	return n_failed;
}

void rows_print_head(void)
{
	printf("%-22s %12s %12s %-16s %12s %8s\n", "name", "connections", "value", "unit",
	       "reference", "ratio");
}

static void cell(char *buf, size_t len, double v, int decimals)
{
	if (v == 0)
		snprintf(buf, len, "-");
	else
		snprintf(buf, len, "%.*f", decimals, v);
}

static void row_print(const struct row *r)
{
	char reference[24], ratio[24];
	int decimals = r->value < 100 ? 2 : r->value < 1000 ? 1 : 0;

	cell(reference, sizeof(reference), r->reference, decimals);
	cell(ratio, sizeof(ratio), r->ratio, 2);
	printf("%-22s %12u %12.*f %-16s %12s %8s\n", r->name, r->connections, decimals, r->value,
	       r->unit, reference, ratio);
	fflush(stdout);
}

static void row_put(const char *name, uint32_t connections, double value, const char *unit,
		    double reference, double ratio)
{
	struct row *r = &rows[n_rows];

	if (n_rows == MAX_ROWS)
		fail("more than %u rows", MAX_ROWS);
	n_rows++;
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->unit, sizeof(r->unit), "%s", unit);
	r->connections = connections;
	r->value = value;
	r->reference = reference;
	r->ratio = ratio;
	row_print(r);
}

void row_add(const char *name, uint32_t connections, double value, const char *unit,
	     double reference)
{
	row_put(name, connections, value, unit, reference, reference > 0 ? value / reference : 0);
}

void row_add_ratio(const char *name, uint32_t connections, double cycles, double reference,
		   double ratio)
{
	row_put(name, connections, cycles, "cycles/packet", reference, ratio);
}

void row_add_limit(const char *name, uint32_t connections, double cycles, const char *unit,
		   double reference, double ratio, double limit)
{
	row_put(name, connections, cycles, unit, reference, ratio);
	if (limit != 0 && ratio > limit)
		row_failed("%s: the ratio %.2f, of at most %.2f", name, ratio, limit);
}

void row_add_cycles(const char *name, uint32_t connections, double cycles, double reference)
{
	double mhz = (double)rte_get_tsc_hz() / 1e6;

	row_put(name, connections, cycles, "cycles/packet", reference,
		reference > 0 ? cycles / reference : 0);
	row_put(name, connections, mhz / cycles, "Mpps/worker", reference > 0 ? mhz / reference : 0,
		reference > 0 ? cycles / reference : 0);
}

static void json_number(FILE *f, const char *key, double v, const char *end)
{
	if (v == 0)
		fprintf(f, "\"%s\": null%s", key, end);
	else
		fprintf(f, "\"%s\": %.4f%s", key, v, end);
}

int rows_write_json(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");

	if (!f)
		return -errno;
	fprintf(f, "[\n");
	for (unsigned int i = 0; i < n_rows; i++) {
		const struct row *r = &rows[i];

		fprintf(f, "  {\"name\": \"%s\", \"connections\": %u, \"value\": %.4f, ", r->name,
			r->connections, r->value);
		fprintf(f, "\"unit\": \"%s\", ", r->unit);
		json_number(f, "reference", r->reference, ", ");
		json_number(f, "ratio", r->ratio, i + 1 < n_rows ? "},\n" : "}\n");
	}
	fprintf(f, "]\n");
	if (f != stdout && fclose(f) != 0)
		return -errno;
	return 0;
}
