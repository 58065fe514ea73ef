/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

void out_size(struct out *out)
{
	struct winsize ws;

	if (out->tty && ioctl(fileno(out->file), TIOCGWINSZ, &ws) == 0 && ws.ws_row && ws.ws_col) {
		out->width = out->wide ? 0 : ws.ws_col;
		out->height = ws.ws_row;
	}
}

const char *style_on(const struct out *out, enum style style)
{
	static const char *const codes[] = {
		[STYLE_NONE] = "",	   [STYLE_BOLD] = "\033[1m",  [STYLE_DIM] = "\033[2m",
		[STYLE_GOOD] = "\033[32m", [STYLE_WARN] = "\033[33m", [STYLE_BAD] = "\033[31m",
	};

	return out->color ? codes[style] : "";
}

const char *style_off(const struct out *out, enum style style)
{
	return out->color && style != STYLE_NONE ? "\033[0m" : "";
}

/* Decodes one UTF-8 character at *p and moves *p past it; -1 for a byte that is none. */
static int32_t utf8_next(const unsigned char **p)
{
	const unsigned char *s = *p;
	uint32_t c = *s, min;
	int more;

	*p = s + 1;
	if (c < 0x80)
		return (int32_t)c;
	if (c >= 0xc2 && c < 0xe0) {
		more = 1;
		min = 0x80;
		c &= 0x1f;
	} else if (c >= 0xe0 && c < 0xf0) {
		more = 2;
		min = 0x800;
		c &= 0x0f;
	} else if (c >= 0xf0 && c < 0xf5) {
		more = 3;
		min = 0x10000;
		c &= 0x07;
	} else {
		return -1;
	}
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return -1;
	*p = s + more + 1;
	return (int32_t)c;
}

static bool char_is_unsafe(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

char *text_escape(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	/* The longest expansion: one byte to "\xff"; a character of three to "\u{202e}". */
	char *buf = malloc(strlen(text) * 4 + 1), *w = buf;

	if (!buf)
		return NULL;
	while (*p) {
		const unsigned char *from = p;
		int32_t c = utf8_next(&p);

		if (c < 0 || c < 0x20 || c == 0x7f)
			w += sprintf(w, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\x%02x", *from);
		else if (char_is_unsafe(c))
			w += sprintf(w, "\\u{%x}", (unsigned int)c);
		else
			w = mempcpy(w, from, (size_t)(p - from));
	}
	*w = '\0';
	return buf;
}

void text_put(FILE *file, const char *text)
{
	char *safe = text_escape(text);

	fputs(safe ? safe : "?", file);
	free(safe);
}

size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static const char *scaled_format(double v, double base, double plain, const char *const *units,
				 char buf[UNIT_STRLEN])
{
	size_t i = 0;
	double a = fabs(v);

	if (a < plain) {
		/* Whole numbers as such; a rate below ten keeps one decimal. */
		snprintf(buf, UNIT_STRLEN, a < 9.95 && fabs(a - round(a)) > 0.04 ? "%.1f" : "%.0f",
			 v);
		return buf;
	}
	/* 999.5 would print as 1000. */
	for (; a >= (i ? base - 0.5 : base) && units[i + 1]; i++) {
		a /= base;
		v /= base;
	}
	snprintf(buf, UNIT_STRLEN,
		 a < 9.995   ? "%.2f%s"
		 : a < 99.95 ? "%.1f%s"
			     : "%.0f%s",
		 v, units[i]);
	return buf;
}

static const char *exact_format(double v, char buf[UNIT_STRLEN])
{
	if (fabs(v - round(v)) < 0.0005)
		snprintf(buf, UNIT_STRLEN, "%.0f", v);
	else
		snprintf(buf, UNIT_STRLEN, "%.3f", v);
	return buf;
}

const char *count_format(double v, bool exact, char buf[UNIT_STRLEN])
{
	static const char *const units[] = {"", "k", "M", "G", "T", "P", "E", NULL};

	if (exact || !isfinite(v) || fabs(v) > 1e21)
		return exact_format(isfinite(v) ? v : 0, buf);
	return scaled_format(v, 1000, 9999.5, units, buf);
}

const char *memory_format(double v, bool exact, char buf[UNIT_STRLEN])
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB", "PiB", NULL};

	if (exact || !isfinite(v) || fabs(v) > 1e21)
		return exact_format(isfinite(v) ? v : 0, buf);
	return scaled_format(v, 1024, 1024, units, buf);
}

const char *age_format(double seconds, bool exact, char buf[UNIT_STRLEN])
{
	unsigned long long s;

	if (exact || !isfinite(seconds) || seconds < 0 || seconds > 1e12)
		return exact_format(isfinite(seconds) ? seconds : 0, buf);
	s = (unsigned long long)seconds;
	if (s < 10 && seconds - (double)s >= 0.05)
		snprintf(buf, UNIT_STRLEN, "%.1fs", seconds);
	else if (s < 60)
		snprintf(buf, UNIT_STRLEN, "%llus", s);
	else if (s < 3600)
		snprintf(buf, UNIT_STRLEN, "%llum%02llus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, UNIT_STRLEN, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		snprintf(buf, UNIT_STRLEN, "%llud%02lluh", s / 86400, s / 3600 % 24);
	return buf;
}
