/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/grammar.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int line_split(const char *line, char ***words, size_t *n, size_t *last_start)
{
	size_t len = strlen(line), room = len / 2 + 2, i = 0;
	/* Pointers first, then the text: a word and its NUL never outgrow the line. */
	char **list = malloc(room * sizeof(*list) + len + 2), *w, quote = 0;

	if (!list)
		return -ENOMEM;
	w = (char *)(list + room);
	*n = 0;
	*last_start = len;
	for (;;) {
		while (is_blank(line[i]))
			i++;
		if (!line[i] || line[i] == '#')
			break;
		*last_start = i;
		list[(*n)++] = w;
		for (; line[i] && (quote || !is_blank(line[i])); i++) {
			if (quote ? line[i] == quote : line[i] == '"' || line[i] == '\'')
				quote = quote ? 0 : line[i];
			else if (line[i] == '\\' && quote != '\'' && line[i + 1])
				*w++ = line[++i];
			else
				*w++ = line[i];
		}
		*w++ = '\0';
		if (line[i])
			*last_start = len;
	}
	list[*n] = NULL;
	*words = list;
	return quote ? -EINVAL : 0;
}
