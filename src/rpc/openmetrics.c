/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc/openmetrics.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const type_names[] = {
	[EXPO_GAUGE] = "gauge", [EXPO_COUNTER] = "counter", [EXPO_INFO] = "info"};
static const char *const suffixes[] = {
	[EXPO_GAUGE] = "", [EXPO_COUNTER] = "_total", [EXPO_INFO] = "_info"};

static const char *const content_types[] = {
	[EXPO_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	[EXPO_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8"};

/* The parameter NAME= of a media range, or NULL. */
static const char *parameter(const char *range, const char *name)
{
	for (const char *p = range; (p = strchr(p, ';')) != NULL;) {
		p++;
		p += strspn(p, " \t");
		if (strncasecmp(p, name, strlen(name)) == 0)
			return p + strlen(name);
	}
	return NULL;
}

/* How much a media range wants TYPE in VERSION: its q, 0 to 1; 0: the range is for another. */
static double range_weight(const char *range, const char *type, const char *version)
{
	const char *p = range + strspn(range, " \t");
	double q = 1;

	if (strncasecmp(p, type, strlen(type)) != 0 || !strchr(" \t;", p[strlen(type)]))
		return 0;
	p = parameter(range, "version=");
	if (p && strncmp(p + (*p == '"'), version, strlen(version)) != 0)
		return 0;
	p = parameter(range, "q=");
	if (p)
		q = strtod(p, NULL);
	return q > 0 && q <= 1 ? q : 0;
}

/* OpenMetrics has to be named, and must not be wanted less than the older text. */
enum expo_format expo_format_of(const char *accept)
{
	char *copy = strdup(accept ? accept : ""), *save = NULL;
	double text = 0, openmetrics = 0, q;

	for (char *range = copy ? strtok_r(copy, ",", &save) : NULL; range;
	     range = strtok_r(NULL, ",", &save)) {
		q = range_weight(range, "application/openmetrics-text", "1.0.0");
		openmetrics = q > openmetrics ? q : openmetrics;
		q = range_weight(range, "text/plain", "0.0.4");
		text = q > text ? q : text;
	}
	free(copy);
	return openmetrics > 0 && openmetrics >= text ? EXPO_OPENMETRICS : EXPO_TEXT;
}

const char *expo_content_type(enum expo_format format)
{
	return content_types[format];
}

/* The older text knows no type "info", and names a counter as its samples are named. */
static void text_head(struct evbuffer *out, const struct expo_family *f)
{
	const char *suffix = suffixes[f->type];

	evbuffer_add_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name, suffix, f->help,
			    f->name, suffix,
			    type_names[f->type == EXPO_INFO ? EXPO_GAUGE : f->type]);
}

/* Helps are ours: they have no newline and no backslash. */
void expo_head(struct evbuffer *out, enum expo_format format, const struct expo_family *f)
{
	if (format == EXPO_TEXT) {
		text_head(out, f);
		return;
	}
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

void expo_end(struct evbuffer *out, enum expo_format format)
{
	if (format == EXPO_OPENMETRICS)
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
