/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/text_buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 1024
#define READ_BYTES  65536

int text_buffer_reserve(struct text_buffer *b, size_t more)
{
	size_t max = b->max ? b->max : FIRST_BYTES;
	char *wider;

	if (b->max > b->n && b->max - b->n > more)
		return 0;
	while (max - b->n <= more) {
		if (max > SIZE_MAX / 2)
			return -ENOMEM;
		max *= 2;
	}
	wider = realloc(b->v, max);
	if (!wider)
		return -ENOMEM;
	b->v = wider;
	b->max = max;
	return 0;
}

int text_buffer_put(const char *text, size_t n, void *arg)
{
	struct text_buffer *b = arg;

	if (text_buffer_reserve(b, n) < 0)
		return -ENOMEM;
	memcpy(b->v + b->n, text, n);
	b->n += n;
	b->v[b->n] = '\0';
	return 0;
}

int text_buffer_read(struct text_buffer *b, FILE *f, size_t max)
{
	size_t n;

	do {
		if (text_buffer_reserve(b, READ_BYTES) < 0)
			return -ENOMEM;
		errno = 0;
		n = fread(b->v + b->n, 1, READ_BYTES, f);
		b->n += n;
		b->v[b->n] = '\0';
		if (b->n > max)
			return -EFBIG;
	} while (n > 0);
	return ferror(f) ? (errno ? -errno : -EIO) : 0;
}
