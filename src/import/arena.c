/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "import/importer.h"

#define BLOCK_BYTES 65536U

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	/* Memory follows, aligned as this struct. */
	max_align_t data[];
};

static struct arena_block *block_add(struct importer *im, size_t size)
{
	size_t bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;
	struct arena_block *b = NULL;

	if (im->used + bytes <= MAX_ARENA_BYTES)
		b = malloc(sizeof(*b) + bytes);
	if (!b)
		give_up(im, (struct origin){NULL, 0}, "the import needs more than %u MiB of memory",
			MAX_ARENA_BYTES >> 20);
	b->size = bytes;
	b->used = 0;
	b->next = im->blocks;
	im->blocks = b;
	im->used += bytes;
	return b;
}

void *arena_alloc(struct importer *im, size_t size)
{
	struct arena_block *b = im->blocks;
	void *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!b || b->size - b->used < size)
		b = block_add(im, size);
	p = (char *)b->data + b->used;
	b->used += size;
	return memset(p, 0, size);
}

void arena_free(struct importer *im)
{
	if (im->stream)
		fclose(im->stream);
	free(im->stream_data);
	while (im->blocks) {
		struct arena_block *b = im->blocks;

		im->blocks = b->next;
		free(b);
	}
}

char *arena_copy(struct importer *im, const char *text, size_t len)
{
	char *p = arena_alloc(im, len + 1);

	memcpy(p, text, len);
	return p;
}

static char *arena_vprintf(struct importer *im, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	p = arena_alloc(im, n < 0 ? 1 : (size_t)n + 1);
	if (n >= 0)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *arena_printf(struct importer *im, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(im, fmt, ap);
	va_end(ap);
	return p;
}

void buf_put(struct importer *im, struct text_buf *b, const char *text, size_t len)
{
	if (b->len + len + 1 > b->size) {
		size_t size = b->size ? b->size * 2 : 64;
		char *data;

		while (size < b->len + len + 1)
			size *= 2;
		data = arena_alloc(im, size);
		if (b->len)
			memcpy(data, b->data, b->len);
		b->data = data;
		b->size = size;
	}
	memcpy(b->data + b->len, text, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_puts(struct importer *im, struct text_buf *b, const char *text)
{
	buf_put(im, b, text, strlen(text));
}

void buf_printf(struct importer *im, struct text_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_puts(im, b, arena_vprintf(im, fmt, ap));
	va_end(ap);
}
