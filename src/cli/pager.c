/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream in front of the terminal that counts lines and waits for a key at each full screen.
 * The stream keeps no lines: a listing of a million connections needs no memory, and the router
 * waits for the reader.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/shell_parts.h"

struct pager {
	struct out out;
	int row, column;
	bool whole; /* to the end without asking */
	bool quit;
	bool escape; /* within a style */
};

/* -1: the reader wants no more. Else how many rows follow; 0: all. */
static int ask(struct pager *p)
{
	static const char text[] = "\033[7m-- more: space, Enter, G (to the end), q --\033[0m";
	struct termios before, raw;
	unsigned char key = 'q';
	FILE *f = p->out.file;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return 0;
	raw = before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	fputs(p->out.color ? text : "-- more: space, Enter, G (to the end), q --", f);
	fflush(f);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	n = read(STDIN_FILENO, &key, 1);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	fputs(p->out.color ? "\r\033[K" : "\r                                             \r", f);
	if (n != 1 || cli_interrupted || key == 'q' || key == 'Q' || key == 3 || key == 4)
		return -1;
	if (key == 'G')
		return 0;
	return key == '\r' || key == '\n' || key == 'j' ? 1 : p->out.height - 1;
}

/* False: the reader wants no more. */
static bool row_done(struct pager *p)
{
	int n;

	p->column = 0;
	if (++p->row < p->out.height - 1 || p->whole)
		return true;
	n = ask(p);
	out_size(&p->out);
	p->whole = n == 0;
	p->quit = n < 0;
	p->row = p->out.height - 1 - n;
	return !p->quit;
}

/* Columns that a byte takes; styles take none. */
static int columns(struct pager *p, unsigned char c)
{
	if (c == '\033')
		p->escape = true;
	if (p->escape) {
		p->escape = c != 'm';
		return 0;
	}
	return (c & 0xc0) != 0x80;
}

static ssize_t pager_write(void *arg, const char *bytes, size_t n)
{
	struct pager *p = arg;

	for (size_t i = 0; i < n && !p->quit; i++) {
		int width = bytes[i] == '\n' ? 0 : columns(p, (unsigned char)bytes[i]);

		/* A line that is longer than the screen takes several rows. */
		if (width && p->out.width > 0 && p->column >= p->out.width && !row_done(p))
			break;
		fputc(bytes[i], p->out.file);
		p->column += width;
		if (bytes[i] == '\n')
			row_done(p);
	}
	fflush(p->out.file);
	errno = EPIPE;
	return p->quit ? 0 : (ssize_t)n;
}

FILE *pager_open(const struct out *out, struct pager **pager)
{
	static const cookie_io_functions_t functions = {.write = pager_write};
	struct pager *p;
	FILE *f;

	if (!out->tty || out->height < 3 || !isatty(STDIN_FILENO))
		return NULL;
	p = calloc(1, sizeof(*p));
	f = p ? fopencookie(p, "w", functions) : NULL;
	if (!f) {
		free(p);
		return NULL;
	}
	p->out = *out;
	*pager = p;
	return f;
}

bool pager_close(FILE *file, struct pager *pager)
{
	bool quit;

	fclose(file);
	quit = pager->quit;
	free(pager);
	return quit;
}
