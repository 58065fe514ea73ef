/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/openmetrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {
	[EXPO_GAUGE] = "gauge", [EXPO_COUNTER] = "counter", [EXPO_INFO] = "info"};
static const char *const suffixes[] = {
	[EXPO_GAUGE] = "", [EXPO_COUNTER] = "_total", [EXPO_INFO] = "_info"};

/* Helps are ours: they have no newline and no backslash. */
void expo_head(struct evbuffer *out, const struct expo_family *f)
{
	evbuffer_add_printf(out, "# TYPE %s %s\n", f->name, type_names[f->type]);
	if (f->unit)
		evbuffer_add_printf(out, "# UNIT %s %s\n", f->name, f->unit);
	evbuffer_add_printf(out, "# HELP %s %s\n", f->name, f->help);
}

static void sample(struct evbuffer *out, const struct expo_family *f, const char *labels,
		   const char *value)
{
	char line[640];
	int n = snprintf(line, sizeof(line), "%s%s%s%s%s %s\n", f->name, suffixes[f->type],
			 *labels ? "{" : "", labels, *labels ? "}" : "", value);

	if (n > 0 && (size_t)n < sizeof(line))
		evbuffer_add(out, line, (size_t)n);
}

void expo_count(struct evbuffer *out, const struct expo_family *f, const char *labels,
		uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	sample(out, f, labels, text);
}

void expo_number(struct evbuffer *out, const struct expo_family *f, const char *labels,
		 double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.15g", isfinite(value) ? value : 0);
	sample(out, f, labels, text);
}

void expo_end(struct evbuffer *out)
{
	evbuffer_add(out, "# EOF\n", 6);
}

void expo_label(char *buf, size_t len, const char *name, const char *value)
{
	size_t start = strlen(buf), at = start;
	int n = snprintf(buf + at, len - at, "%s%s=\"", at ? "," : "", name);

	if (n < 0 || at + (size_t)n >= len)
		goto too_long;
	at += (size_t)n;
	for (; *value; value++) {
		const char *escape = *value == '\\'   ? "\\\\"
				     : *value == '"'  ? "\\\""
				     : *value == '\n' ? "\\n"
						      : NULL;
		size_t more = escape ? 2 : 1;

		if (at + more + 2 > len)
			goto too_long;
		memcpy(buf + at, escape ? escape : value, more);
		at += more;
	}
	if (at + 2 > len)
		goto too_long;
	memcpy(buf + at, "\"", 2);
	return;
too_long:
	buf[start] = '\0';
}
