/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_LIVE_H
#define PLVS_CLI_LIVE_H

/* Pictures that are drawn again and again. */

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

/* Prints a picture into s->out, returns an exit code. */
typedef int live_picture(struct session *s, void *arg);

/* Until q, Ctrl-D or the count of the invocation. key: a character, or of enum live_key. typing:
 * the characters go to key() alone; or NULL. Returns an exit code. */
int live_run(struct session *s, const struct invocation *inv, live_picture *draw,
	     void (*key)(void *arg, int key), const bool *typing, void *arg);

/* Prints a line of a picture, cut to width columns (0 or less: not cut). Escape sequences of
 * styles take no column and are always whole. */
void live_line_put(FILE *f, const char *line, size_t len, int width);

#endif
