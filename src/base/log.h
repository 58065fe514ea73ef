/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_LOG_H
#define PLVS_BASE_LOG_H

/*
 * Log hook. Levels as in style: error = someone must act, warning = degraded,
 * notice = a state changed (once per edge), info = life cycle, debug = the rest.
 * Context: any but worker; workers count, they never log.
 */

#include <stdarg.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* area: the folder that speaks ("link", "control", ...). The line has no newline. */
typedef void log_sink(enum log_level level, const char *area, const char *line);

/* The default sink writes to standard error. Call before threads start. */
void log_set_sink(log_sink *sink);
void log_set_level(enum log_level max);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);
/* 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *out);

void log_write(enum log_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(area, ...)   log_write(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warning(area, ...) log_write(LOG_LEVEL_WARNING, area, __VA_ARGS__)
#define log_notice(area, ...)  log_write(LOG_LEVEL_NOTICE, area, __VA_ARGS__)
#define log_info(area, ...)    log_write(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...)   log_write(LOG_LEVEL_DEBUG, area, __VA_ARGS__)

#endif
