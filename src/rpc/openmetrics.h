/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_OPENMETRICS_H
#define PLVS_RPC_OPENMETRICS_H

/*
 * OpenMetrics text (version 1.0.0), a family at a time. All samples of a family follow its
 * head; the text ends with expo_end(). The older text of Prometheus (version 0.0.4) has the same
 * samples; only the heads of families and the end differ. Labels are given as text,
 * "a=\"b\",c=\"d\"", whose values have been through expo_label(). Context: any.
 */

#include <event2/buffer.h>
#include <stdint.h>

enum expo_type {
	EXPO_GAUGE,
	EXPO_COUNTER, /* samples get "_total" */
	EXPO_INFO,    /* samples get "_info" and have the value 1 */
};

struct expo_family {
	const char *name; /* without "_total" and "_info"; ends with the unit if there is one */
	enum expo_type type;
	const char *unit; /* "seconds", "bytes", or NULL */
	const char *help;
};

enum expo_format {
	EXPO_TEXT, /* the older one: for clients that do not ask for OpenMetrics */
	EXPO_OPENMETRICS,
};

/* The format for the value of a request's Accept header; NULL: there is none. */
enum expo_format expo_format_of(const char *accept);
const char *expo_content_type(enum expo_format format);

void expo_head(struct evbuffer *out, enum expo_format format, const struct expo_family *f);
/* labels may be "". */
void expo_count(struct evbuffer *out, const struct expo_family *f, const char *labels,
		uint64_t value);
void expo_number(struct evbuffer *out, const struct expo_family *f, const char *labels,
		 double value);
void expo_end(struct evbuffer *out, enum expo_format format);

/* Appends NAME="VALUE" to a text of labels in buf, escaped; one that does not fit is left out. */
void expo_label(char *buf, size_t len, const char *name, const char *value);

#endif
