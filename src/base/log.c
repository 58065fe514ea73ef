/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/clock.h"
#include "base/log.h"
#include "base/log_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warning", "notice", "info", "debug"};
/* Priorities of syslog(3) and of the journal. */
static const char level_priorities[] = {'3', '4', '5', '6', '7'};

static log_sink *sink = log_to_stderr;
static enum log_level max_level = LOG_LEVEL_INFO;
static enum log_format format_set = LOG_FORMAT_TEXT;

void log_set_sink(log_sink *s)
{
	sink = s ? s : log_to_stderr;
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

void log_set_format(enum log_format format)
{
	__atomic_store_n(&format_set, format, __ATOMIC_RELAXED);
}

/* ---- the text of a line ---- */

struct out {
	char *buf;
	size_t len, at; /* one byte stays for the newline */
};

static void put(struct out *o, const char *text)
{
	while (*text && o->at + 1 < o->len)
		o->buf[o->at++] = *text++;
}

/* json: quotation marks and backslashes are escaped as well. */
static void put_escaped(struct out *o, const char *text, bool json)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		char escape[8] = {(char)c, '\0'};

		if (c < 0x20 || c == 0x7f)
			snprintf(escape, sizeof(escape), json ? "\\u%04x" : "\\x%02x", c);
		else if (json && (c == '"' || c == '\\'))
			snprintf(escape, sizeof(escape), "\\%c", c);
		/* Half an escape, or a line of JSON without its end, helps nobody. */
		if (o->at + strlen(escape) + 4 >= o->len)
			return;
		put(o, escape);
	}
}

static void put_time(struct out *o, uint64_t unix_ms)
{
	const time_t s = (time_t)(unix_ms / 1000);
	char day[32], text[40];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03uZ", day, (unsigned int)(unix_ms % 1000));
	put(o, text);
}

size_t log_format_line(char *buf, size_t len, enum log_format format, bool journal,
		       uint64_t unix_ms, enum log_level level, const char *area, const char *line)
{
	const char priority[] = {'<', level_priorities[level], '>', '\0'};
	struct out o = {.buf = buf, .len = len};

	if (format == LOG_FORMAT_JSON) {
		put(&o, "{\"time\":\"");
		put_time(&o, unix_ms);
		put(&o, "\",\"level\":\"");
		put(&o, level_names[level]);
		put(&o, "\",\"area\":\"");
		put_escaped(&o, area, true);
		put(&o, "\",\"message\":\"");
		put_escaped(&o, line, true);
		put(&o, "\"}");
	} else {
		if (journal) {
			put(&o, priority);
		} else {
			put_time(&o, unix_ms);
			put(&o, " plvs: ");
			put(&o, level_names[level]);
			put(&o, ": ");
		}
		put(&o, area);
		put(&o, ": ");
		put_escaped(&o, line, false);
	}
	buf[o.at++] = '\n';
	return o.at;
}

/* systemd names the device and inode of the stream that it gave a service (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void log_to_stderr(enum log_level level, const char *area, const char *line)
{
	/* Escapes make a message longer: at the most this much fits. */
	char buf[2 * LOG_LINE_MAX];
	size_t n;

	n = log_format_line(buf, sizeof(buf), __atomic_load_n(&format_set, __ATOMIC_RELAXED),
			    stderr_is_journal(), clock_wall_ms(), level, area, line);
	(void)!write(STDERR_FILENO, buf, n);
}

/* ---- what is written ---- */

bool log_site_admit(struct log_site *site, uint64_t now_ms, uint32_t *left_out)
{
	const uint64_t window = __atomic_load_n(&site->window_ms, __ATOMIC_RELAXED);

	*left_out = 0;
	/* Two threads at the edge of a window may each start it: a line more or less. */
	if (window == 0 || now_ms - window >= LOG_WINDOW_MS) {
		__atomic_store_n(&site->window_ms, now_ms ? now_ms : 1, __ATOMIC_RELAXED);
		__atomic_store_n(&site->written, 1, __ATOMIC_RELAXED);
		*left_out = __atomic_exchange_n(&site->left_out, 0, __ATOMIC_RELAXED);
		return true;
	}
	if (__atomic_add_fetch(&site->written, 1, __ATOMIC_RELAXED) <= LOG_BURST)
		return true;
	__atomic_add_fetch(&site->left_out, 1, __ATOMIC_RELAXED);
	return false;
}

void log_record(enum log_level level, const char *area, const char *line)
{
	sink(level, area, line);
}

void log_write(struct log_site *site, enum log_level level, const char *area, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	uint32_t left_out = 0;
	va_list ap;

	if (level > log_get_level())
		return;
	if (site && !log_site_admit(site, clock_ms(), &left_out))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (left_out) {
		const size_t at = strlen(line);

		snprintf(line + at, sizeof(line) - at, " (%u more such lines were left out)",
			 left_out);
	}
	sink(level, area, line);
}
