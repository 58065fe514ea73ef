/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_LOG_H
#define PLVS_BASE_LOG_H

/*
 * The log. Levels: error = a person must act, warning = degraded, notice = a state changed (once
 * for each edge), info = life cycle, debug = the rest.
 *
 * Each statement log_error() ... log_info() writes at most LOG_BURST lines in LOG_WINDOW_MS;
 * the next line after that has the number of lines left out. Debug lines have no such limit.
 * Control characters in a line are written as \xNN.
 *
 * Context: any but worker; workers count, they never log.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_BURST     30
#define LOG_WINDOW_MS 10000
#define LOG_LINE_MAX  1024 /* bytes of a message; longer ones are cut */

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	/* "2026-11-29T12:10:11.123Z plvs: warning: link: ...", or, where standard error is the
	 * journal of systemd, "<4>link: ...": the journal knows time and program. */
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON, /* {"time":"...","level":"warning","area":"link","message":"..."} */
};

/* The limit of one log statement. Zero at first; one for each statement. */
struct log_site {
	uint64_t window_ms; /* start of the window, monotonic */
	uint32_t written, left_out;
};

/* area: the folder of the source ("link", "control", ...). The line has no newline. */
typedef void log_sink(enum log_level level, const char *area, const char *line);

/* The default sink, log_to_stderr(), writes to standard error. Call before threads start. */
void log_set_sink(log_sink *sink);
void log_set_level(enum log_level max);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);
/* 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *out);
void log_set_format(enum log_format format);

/* Writes the line to standard error, in the format of log_set_format(), by one system call. */
log_sink log_to_stderr;
/* Writes the line as text to buf, with a newline; returns the length. journal: see LOG_FORMAT_TEXT.
 * unix_ms: milliseconds of the wall clock. */
size_t log_format_line(char *buf, size_t len, enum log_format format, bool journal,
		       uint64_t unix_ms, enum log_level level, const char *area, const char *line);

/* True: site may write a line at now_ms (monotonic). *left_out: lines left out before it. */
bool log_site_admit(struct log_site *site, uint64_t now_ms, uint32_t *left_out);

/* site NULL: without a limit. */
void log_write(struct log_site *site, enum log_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#define log_limited(level, area, ...)                                                              \
	do {                                                                                       \
		static struct log_site log_site_;                                                  \
		log_write(&log_site_, level, area, __VA_ARGS__);                                   \
	} while (0)

#define log_error(area, ...)   log_limited(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warning(area, ...) log_limited(LOG_LEVEL_WARNING, area, __VA_ARGS__)
#define log_notice(area, ...)  log_limited(LOG_LEVEL_NOTICE, area, __VA_ARGS__)
#define log_info(area, ...)    log_limited(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...)   log_write(NULL, LOG_LEVEL_DEBUG, area, __VA_ARGS__)

#endif
