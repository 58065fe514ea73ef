/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines that a plan is in words. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static int line_add(struct config_words *words, const struct config_line *line)
{
	if (!line->object || !line->detail ||
	    array_room(&words->v, words->n, &words->max, sizeof(*words->v)) < 0)
		return -ENOMEM;
	words->v[words->n++] = *line;
	return 0;
}

int config_words_add(struct config_words *words, struct config_line line, char *detail,
		     const char *fmt, ...)
{
	va_list args;

	if (line.action == CONFIG_EDIT && !detail)
		return 0; /* nothing that a person could see */
	va_start(args, fmt);
	if (vasprintf(&line.object, fmt, args) < 0)
		line.object = NULL;
	va_end(args);
	line.detail = detail ? detail : strdup("");
	if (line_add(words, &line) == 0)
		return 0;
	free(line.object);
	free(line.detail);
	return -ENOMEM;
}
