/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_LIVE_H
#define PLVS_CLI_LIVE_H

/* Screens that are drawn repeatedly, for watch and top. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct session;
struct invocation;

/* Keys that are no characters. */
enum live_key {
	LIVE_OTHER = 256,
	LIVE_UP,
	LIVE_DOWN,
	LIVE_PAGE_UP,
	LIVE_PAGE_DOWN,
	LIVE_HOME,
	LIVE_END,
	LIVE_ESCAPE,
};

/* Prints a screen into s->out, returns an exit code. */
typedef int live_picture(struct session *s, void *arg);

/* Draws until q, Ctrl-D or the count of the invocation. key() gets a character or an enum live_key.
 * typing, or NULL: true: all characters go to key(). Returns an exit code. */
int live_run(struct session *s, const struct invocation *inv, live_picture *draw,
	     void (*key)(void *arg, int key), const bool *typing, void *arg);

/* Prints a line of a screen, cut to width columns (0 or less: not cut). Escape sequences of styles
 * take no column and are always whole. */
void live_line_put(FILE *f, const char *line, size_t len, int width);

#endif
