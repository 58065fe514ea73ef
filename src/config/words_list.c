/* SPDX-License-Identifier: BSD-3-Clause */
/* The lines that a plan is in words. */
#include "config/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_add(struct config_words *words, const struct config_line *line)
{
	struct config_line *v;

	/* Room doubles: a plan may be all of ten thousand services. */
	if ((words->n & (words->n - 1)) == 0) {
		v = realloc(words->v, (words->n ? 2 * (size_t)words->n : 1) * sizeof(*v));
		if (!v)
			return -ENOMEM;
		words->v = v;
	}
	if (!line->object || !line->detail)
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
