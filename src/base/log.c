/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {"error", "warning", "notice", "info", "debug"};

static void sink_stderr(enum log_level level, const char *area, const char *line)
{
	fprintf(stderr, "plvs: %s: %s: %s\n", log_level_name(level), area, line);
}

static log_sink *sink = sink_stderr;
static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_sink(log_sink *s)
{
	sink = s ? s : sink_stderr;
}

void log_set_level(enum log_level max)
{
	__atomic_store_n(&max_level, max, __ATOMIC_RELAXED);
}

enum log_level log_get_level(void)
{
	return __atomic_load_n(&max_level, __ATOMIC_RELAXED);
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

int log_level_parse(const char *text, enum log_level *out)
{
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_write(enum log_level level, const char *area, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (level > log_get_level())
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	sink(level, area, line);
}
