/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lines that a plan is in words. Texts of lines stand one behind the other in blocks, which end
 * with the words: a plan may have a hundred thousand lines, and many of them one detail.
 */
#include "config/config_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "config/words_list.h"

#define BLOCK_BYTES 65000

struct words_block {
	struct words_block *next;
	size_t used;
	char text[];
};

/* The first block has room; one of its own for a long text. */
static char *place(struct config_words *words, size_t n)
{
	struct words_block *block = words->blocks;

	if (!block || block->used + n > BLOCK_BYTES) {
		block = malloc(sizeof(*block) + (n > BLOCK_BYTES ? n : BLOCK_BYTES));
		if (!block)
			return NULL;
		block->next = words->blocks;
		block->used = 0;
		words->blocks = block;
	}
	block->used += n;
	return block->text + block->used - n;
}

const char *config_words_keep(struct config_words *words, const char *text, size_t n)
{
	char *kept = place(words, n + 1);

	if (!kept)
		return NULL;
	memcpy(kept, text, n);
	kept[n] = '\0';
	return kept;
}

void config_words_free_texts(struct config_words *words)
{
	while (words->blocks) {
		struct words_block *block = words->blocks;

		words->blocks = block->next;
		free(block);
	}
}

int config_words_put(struct config_words *words, const struct config_line *line)
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
	char *object;
	va_list args;
	int n;

	if (line.action == CONFIG_EDIT && !detail)
		return 0; /* nothing that a person could see */
	va_start(args, fmt);
	n = vasprintf(&object, fmt, args);
	va_end(args);
	if (n < 0)
		object = NULL;
	line.object = object ? config_words_keep(words, object, (size_t)n) : NULL;
	line.detail = detail ? config_words_keep(words, detail, strlen(detail)) : "";
	free(object);
	free(detail);
	return config_words_put(words, &line);
}
